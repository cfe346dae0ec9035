#include "jobspec/decoder.h"

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "base/assert.h"
#include "hcl/convert.h"
#include "jobspec/type_dump.h"

namespace drover::jobspec {

using hcl::Block;
using hcl::Body;
using hcl::Diagnostics;
using hcl::Expression;

namespace {

template <class T>
T& as(void* p) {
  return *static_cast<T*>(p);
}

// Bounds of signed integers by width in bytes.
int64_t low(size_t size) { return size >= 8 ? std::numeric_limits<int64_t>::min() : -(int64_t{1} << (size * 8 - 1)); }
int64_t high(size_t size) { return size >= 8 ? std::numeric_limits<int64_t>::max() : (int64_t{1} << (size * 8 - 1)) - 1; }

// Unsigned fields take fractions, cut off: a quirk that files depend on.
std::optional<uint64_t> decode_cut_uint(const Expression& expr, const hcl::DecodeContext& context, bool null_ok, size_t size) {
  auto value = hcl::decode_value(expr, hcl::Type::number(), context);
  if (!value) return std::nullopt;
  if (value->is_null()) {
    if (!null_ok) hcl::unsuitable(expr, "null value is not allowed", context.diagnostics);
    return std::nullopt;
  }
  uint64_t top = size >= 8 ? std::numeric_limits<uint64_t>::max() : (uint64_t{1} << (size * 8)) - 1;
  auto& number = value->as_number();
  if (number.sign() >= 0 && !number.is_infinite()) {
    auto whole = number.floor().to_uint64();
    if (whole && *whole <= top) return whole;
  }
  hcl::unsuitable(expr, fmt::format("value must be a whole number, between 0 and {} inclusive", top), context.diagnostics);
  return std::nullopt;
}

}  // namespace

void Decoder::duration(const Expression& expr, Duration& out) {
  auto complain = [&](std::string detail) {
    diagnostics_.add("Unsuitable value type", std::move(detail), expr.start_range(), expr.range());
  };
  auto value = expr.value(&scope_, diagnostics_);
  if (value.is(hcl::Kind::kString) && value.is_usable()) {
    auto parsed = parse_duration(value.as_string());
    if (!parsed) return complain("Unsuitable duration value: " + parsed.error().message);
    out = *parsed;
  } else if (value.is(hcl::Kind::kNumber) && value.is_usable()) {
    auto nanoseconds = value.as_number().to_int64();
    if (!nanoseconds)
      return complain(fmt::format("Unsuitable value: value must be a whole number, between {} and {}", low(8), high(8)));
    out = Duration(*nanoseconds);
  } else if (value.is(hcl::Kind::kNumber)) {
    complain("Unsuitable value: must not be null");
  } else {
    complain("Unsuitable value: expected a string but found " + dump_type(value.type()));
  }
}

void Decoder::value(const Expression& expr, const TypeInfo& type, void* p, bool null_ok) {
  auto in = context();
  switch (type.kind) {
    case Kind::kString:
      if (auto v = hcl::decode_string(expr, in, null_ok)) as<std::string>(p) = std::move(*v);
      return;
    case Kind::kBool:
      if (auto v = hcl::decode_bool(expr, in, null_ok)) as<bool>(p) = *v;
      return;
    case Kind::kInt:
      if (auto v = hcl::decode_int(expr, in, null_ok, low(type.size), high(type.size))) std::memcpy(p, &*v, type.size);
      return;
    case Kind::kUint:
      if (auto v = decode_cut_uint(expr, in, null_ok, type.size)) std::memcpy(p, &*v, type.size);
      return;
    case Kind::kDuration: return duration(expr, as<Duration>(p));
    case Kind::kList:
      if (auto v = hcl::decode_strings(expr, in)) as<List<std::string>>(p) = List<std::string>(std::move(*v));
      return;
    case Kind::kPointer: {
      // Null leaves the pointer null; anything else is decoded into a value of its own first.
      size_t before = diagnostics_.size();
      void* inside = type.add(p, {});
      auto& element = type.element();
      if (element.kind == Kind::kDuration) {
        duration(expr, as<Duration>(inside));
      } else {
        Diagnostics ignored;
        if (expr.value(&scope_, ignored).is_null() && ignored.empty()) {
          type.set_nil(p);
          return;
        }
        value(expr, element, inside, false);
      }
      if (diagnostics_.size() != before) type.set_nil(p);
      return;
    }
    default: DROVER_ASSERT(false, "an attribute's field has a kind that files can say");
  }
}

void Decoder::attribute(const hcl::Attribute& attribute, const FieldInfo& field, void* object) {
  value(attribute.expr, field.type(), field.in(object), false);
}

void Decoder::body(const Spec& spec, const Body& body, void* object) {
  auto content = body.content(spec.schema, diagnostics_);
  for (auto& a : content.attributes)
    if (auto* entry = spec.find(a.name)) attribute(a, *entry->field, object);
  for (auto& entry : spec.entries) {
    if (entry.member.shape == Shape::kAttribute) continue;
    std::vector<const Block*> found;
    for (auto& b : content.blocks)
      if (b.type == entry.member.name) found.push_back(&b);
    if (!found.empty()) blocks(entry, found, object);
  }
}

void Decoder::block(const Spec& spec, const Block& block, void* object) {
  if (spec.label_field) {
    auto& type = spec.label_field->type();
    void* p = spec.label_field->in(object);
    if (type.kind == Kind::kPointer) p = type.add(p, {});
    as<std::string>(p) = block.labels[0];
  }
  if (spec.custom)
    spec.custom(spec, block, object, *this);
  else
    body(spec, block.body, object);
}

void Decoder::blocks(const Spec::Entry& entry, const std::vector<const Block*>& found, void* object) {
  auto& type = entry.field->type();
  void* p = entry.field->in(object);
  auto shape = entry.member.shape;
  if (shape != Shape::kBlocks && shape != Shape::kNamed && found.size() > 1) {
    diagnostics_.add(fmt::format("Duplicate {} block", entry.member.name),
                     fmt::format("Only one {} block is allowed. Another was defined at {}.", entry.member.name,
                                 hcl::Location(found[0]->def_range).str()),
                     found[1]->def_range);
    return;
  }
  for (auto* b : found) {
    switch (shape) {
      case Shape::kMap: string_map(b->body, as<Map<std::string>>(p)); break;
      case Shape::kListMap: list_map(b->body, as<Map<List<std::string>>>(p)); break;
      case Shape::kOpaque: opaque(b->body, as<Map<drover::Value>>(p)); break;
      case Shape::kNamed: {
        void* element = type.add(p, b->labels[0]);
        type.element().reset(element);
        block(*entry.member.spec(), *b, element);
        break;
      }
      default: block(*entry.member.spec(), *b, type.add(p, {}));
    }
  }
}

namespace {

// A map is a sorted list: in order, many entries take linear time.
template <class V>
void put_sorted(std::vector<std::pair<std::string, V>> entries, Map<V>& out) {
  std::stable_sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
  for (auto& [key, value] : entries) out.set(key, std::move(value));
}

}  // namespace

std::vector<hcl::Attribute> Decoder::plain_attributes(const Body& body, const hcl::Type& wanted) {
  auto* native = body.native();
  if (!native) return body.just_attributes(diagnostics_);
  std::vector<hcl::Attribute> out;
  for (auto& a : native->attributes) out.push_back({a.name, body.place(*a.expr), a.range, a.name_range});
  std::vector<std::string_view> seen;
  for (auto& b : native->blocks) {
    if (std::find(seen.begin(), seen.end(), b.type) != seen.end()) continue;
    seen.push_back(b.type);
    for (auto& same : native->blocks)
      if (same.type == b.type) evaluate_all(*same.body, body);
    // A block reads like a list of objects.
    auto converted = hcl::convert(hcl::Value::tuple({hcl::Value::object({})}), wanted);
    if (!converted)
      diagnostics_.add("Unsuitable value type", "Unsuitable value: " + converted.error(), b.open_brace, b.open_brace);
  }
  return out;
}

void Decoder::evaluate_all(const hcl::BodyNode& node, const Body& body) {
  for (auto& a : node.attributes) static_cast<void>(body.place(*a.expr).value(&scope_, diagnostics_));
  for (auto& b : node.blocks) evaluate_all(*b.body, body);
}

// A literal object stands for a block, which reads like a list of objects; false after the complaint about it.
bool Decoder::no_literal_object(const hcl::Attribute& attribute, const Body& body, const hcl::Type& wanted) {
  if (!body.native() || attribute.expr.node().kind != hcl::ExprKind::kObject) return true;
  auto listed = hcl::Value::tuple({attribute.expr.value(&scope_, diagnostics_)});
  auto converted = hcl::convert(listed, wanted);
  if (converted) return true;
  hcl::unsuitable(attribute.expr, converted.error(), diagnostics_);
  return false;
}

void Decoder::string_map(const Body& body, Map<std::string>& out) {
  out.vec();
  auto type = hcl::Type::string();
  std::vector<std::pair<std::string, std::string>> entries;
  for (auto& a : plain_attributes(body, type)) {
    if (!no_literal_object(a, body, type)) continue;
    if (auto v = hcl::decode_string(a.expr, context())) entries.emplace_back(a.name, std::move(*v));
  }
  put_sorted(std::move(entries), out);
}

void Decoder::list_map(const Body& body, Map<List<std::string>>& out) {
  out.vec();
  auto type = hcl::Type::list(hcl::Type::string());
  std::vector<std::pair<std::string, List<std::string>>> entries;
  for (auto& a : plain_attributes(body, type)) {
    if (!no_literal_object(a, body, type)) continue;
    size_t before = diagnostics_.size();
    if (auto v = hcl::decode_strings(a.expr, context())) entries.emplace_back(a.name, List<std::string>(std::move(*v)));
    else if (diagnostics_.size() == before) entries.emplace_back(a.name, List<std::string>());  // null
  }
  put_sorted(std::move(entries), out);
}

bool Decoder::map_attribute(Body& body, const std::string& name, Map<std::string>& out) {
  // What is wrong with the rest of the body is said when the rest is decoded.
  Diagnostics ignored;
  Body remain;
  auto content = body.partial_content({{{name}}, {}}, remain, ignored);
  auto* attribute = content.attribute(name);
  if (!attribute || !ignored.empty()) return false;
  body = remain;
  auto beside = body.partial_content({{}, {{name, {}}}}, remain, ignored);
  if (!beside.blocks.empty()) {
    diagnostics_.add(fmt::format("Duplicate {} block", name),
                     fmt::format("{} may not be defined more than once. Another definition is defined at {}.", name,
                                 hcl::Location(attribute->range).str()),
                     beside.blocks[0].def_range);
    return false;
  }
  auto entries = hcl::decode_string_map(attribute->expr, context());
  if (!entries) return false;
  out.vec();
  for (auto& [key, value] : *entries) out.set(key, std::move(value));
  return true;
}

}  // namespace drover::jobspec
