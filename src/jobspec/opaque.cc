// Blocks whose shape the product does not know: driver config and its like (reference jobspec section 2.4).
#include <fmt/format.h>

#include "jobspec/decoder.h"

namespace drover::jobspec {
namespace {

using DValue = drover::Value;

bool is_mapping(const hcl::Type& type) { return type.is(hcl::Kind::kMap) || type.is(hcl::Kind::kObject); }

DValue number(const hcl::Number& n) {
  if (auto whole = n.to_int64()) return DValue(*whole);
  return DValue(n.to_double());
}

DValue plain(const hcl::Value& value);

DValue plain_object(const hcl::Value& value) {
  auto out = Map<DValue>::empty_map();
  for (auto& [key, member] : value.entries()) out[key] = plain(member);
  return DValue(std::move(out));
}

DValue plain(const hcl::Value& value) {
  if (!value.is_usable()) return {};
  switch (value.kind()) {
    case hcl::Kind::kString: return DValue(value.as_string());
    case hcl::Kind::kNumber: return number(value.as_number());
    case hcl::Kind::kBool: return DValue(value.as_bool());
    case hcl::Kind::kObject: return plain_object(value);
    case hcl::Kind::kMap:
      // A map of maps becomes a list of its values.
      if (!is_mapping(value.type().element())) return plain_object(value);
      break;
    default: break;
  }
  auto out = List<DValue>::empty_list();
  if (value.is(hcl::Kind::kMap)) {
    for (auto& [key, member] : value.entries()) out.push_back(plain(member));
  } else {
    for (auto& element : value.elements()) out.push_back(plain(element));
  }
  return DValue(std::move(out));
}

DValue listed(DValue value) { return DValue(List<DValue>{std::move(value)}); }

// Evaluates the attributes and blocks of a native body. `known` turns false when something could not be evaluated.
struct OpaqueReader {
  const hcl::Body& body;
  const hcl::Scope& scope;
  hcl::Diagnostics& diagnostics;

  DValue attribute(const hcl::Expr& expr, bool& known) {
    auto value = body.place(expr).value(&scope, diagnostics);
    known &= value.is_wholly_known();
    auto out = plain(value);
    // A literal object is taken for a block.
    return expr.kind == hcl::ExprKind::kObject ? listed(std::move(out)) : out;
  }

  DValue block(const hcl::BlockNode& node, bool& known) {
    auto inside = Map<DValue>::empty_map();
    for (auto& a : node.body->attributes) inside[a.name] = attribute(*a.expr, known);
    for (auto& [type, value] : blocks(*node.body, known)) inside[type] = std::move(value);
    DValue out(std::move(inside));
    for (size_t i = node.labels.size(); i-- > 0;) {
      auto labelled = Map<DValue>::empty_map();
      // An empty label names nothing: its own text stands for it, as for unknown names.
      labelled[node.labels[i].empty() ? "${\"\"}" : node.labels[i]] = listed(std::move(out));
      out = DValue(std::move(labelled));
    }
    return out;
  }

  // Block type -> list of its blocks.
  Map<DValue> blocks(const hcl::BodyNode& node, bool& known) {
    Map<DValue> out;
    for (auto& b : node.blocks) {
      auto& list = out[b.type];
      if (list.is_nil()) list = DValue(List<DValue>::empty_list());
      list.as_array()->push_back(block(b, known));
    }
    return out;
  }
};

}  // namespace

void Decoder::opaque(const hcl::Body& body, Map<drover::Value>& out) {
  out.vec();
  auto& diagnostics = opaque_diagnostics_;
  auto* native = body.native();
  auto put = [&](const std::string& name, DValue value) {
    if (!value.is_nil()) out[name] = std::move(value);
  };
  if (!native) {
    for (auto& a : body.just_attributes(diagnostics)) {
      auto value = a.expr.value(&scope_, diagnostics);
      if (value.is_wholly_known())
        put(a.name, plain(value));
      else
        hcl::unsuitable(a.expr, "value must be known", diagnostics);
    }
    return;
  }
  OpaqueReader reader{body, scope_, diagnostics};
  for (auto& a : native->attributes) {
    bool known = true;
    auto value = reader.attribute(*a.expr, known);
    if (known)
      put(a.name, std::move(value));
    else
      hcl::unsuitable(body.place(*a.expr), "value must be known", diagnostics);
  }
  bool known = true;
  auto blocks = reader.blocks(*native, known);
  if (!known) {
    auto& first = native->blocks.front().open_brace;
    diagnostics.add("Unsuitable value type", "Unsuitable value: value must be known", first, first);
  }
  for (auto& [type, value] : blocks) out[type] = std::move(value);
}

}  // namespace drover::jobspec
