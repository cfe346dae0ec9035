// Expansion of `dynamic` blocks.
#include <fmt/format.h>

#include "hcl/body_impl.h"
#include "hcl/convert.h"
#include "hcl/eval_impl.h"

namespace drover::hcl {

namespace {

// What a `dynamic` block asks for.
struct DynamicSpec {
  Expression for_each;
  Value collection;
  std::string iterator;
  std::vector<Expression> labels;
  Body content;
};

class DynamicBody : public Body::Impl {
 public:
  DynamicBody(Body inner, const Scope* scope, std::shared_ptr<const Iteration> iteration, Schema hidden = {})
      : inner_(std::move(inner)), scope_(scope), iteration_(std::move(iteration)), hidden_(std::move(hidden)) {}

  Content content(const Schema& schema, bool strict, Diagnostics& diagnostics) const override {
    Content raw = inner_.impl()->content(extended(schema), strict, diagnostics);
    Content out;
    out.missing_item_range = raw.missing_item_range;
    for (auto& a : raw.attributes)
      if (!find_attribute(hidden_, a.name)) out.attributes.push_back(place_attribute(a));
    for (auto& b : raw.blocks) {
      bool dynamic = b.type == "dynamic";
      if (find_block(hidden_, dynamic ? b.labels[0] : b.type)) continue;
      if (!dynamic) {
        b.body = wrap(b.body, iteration_);
        out.blocks.push_back(std::move(b));
      } else {
        if (auto* wanted = find_block(schema, b.labels[0])) {
          expand(b, *wanted, out.blocks, diagnostics);
        } else if (strict) {
          diagnostics.add("Unsupported block type",
                          fmt::format("Blocks of type \"{}\" are not expected here.", b.labels[0]),
                          b.label_ranges[0]);
        }
      }
    }
    return out;
  }

  std::shared_ptr<const Impl> without(const Schema& schema) const override {
    auto hidden = hidden_;
    for (auto& a : schema.attributes) hidden.attributes.push_back({a.name});
    hidden.blocks.insert(hidden.blocks.end(), schema.blocks.begin(), schema.blocks.end());
    return std::make_shared<DynamicBody>(inner_, scope_, iteration_, std::move(hidden));
  }

  std::vector<Attribute> just_attributes(Diagnostics& diagnostics) const override {
    std::vector<Attribute> out;
    for (auto& a : inner_.just_attributes(diagnostics)) out.push_back(place_attribute(a));
    return out;
  }

  Range missing_item_range() const override { return inner_.missing_item_range(); }
  const BodyNode* native() const override { return inner_.native(); }
  std::shared_ptr<const Iteration> iteration() const override { return iteration_; }
  bool is_json() const override { return inner_.is_json(); }

 private:
  // The whole body is looked at each time: what was taken before is known (and judged) again, and left out afterwards.
  Schema extended(const Schema& schema) const {
    Schema out = schema;
    out.blocks.push_back({"dynamic", {"type"}});
    for (auto& hidden : hidden_.blocks) {
      auto it = std::find_if(out.blocks.begin(), out.blocks.end(), [&](auto& b) { return b.type == hidden.type; });
      if (it == out.blocks.end()) out.blocks.push_back(hidden);
      else it->labels = hidden.labels;
    }
    out.attributes.insert(out.attributes.end(), hidden_.attributes.begin(), hidden_.attributes.end());
    return out;
  }
  Body wrap(const Body& body, std::shared_ptr<const Iteration> iteration) const {
    return Body(std::make_shared<DynamicBody>(body, scope_, std::move(iteration)));
  }
  Attribute place_attribute(Attribute a) const {
    a.expr = Expression(&a.expr.node(), iteration_);
    return a;
  }

  // The name that the iterator attribute gives; "" after an error.
  static std::string iterator_name(const Expression& expr, Diagnostics& diagnostics) {
    auto name = expr.keyword();
    if (!name.empty()) return name;
    if (expr.node().kind == ExprKind::kScopeTraversal) {
      diagnostics.add("Invalid dynamic iterator name", "Dynamic iterator must be a single variable name.", expr.range());
    } else {
      diagnostics.add("Invalid expression",
                      "A single static variable reference is required: only attribute access and indexing with constant keys. "
                      "No calculations, function calls, template expressions, etc are allowed here.", expr.range());
    }
    return "";
  }

  // What for_each gives: unknown after an error in it. False when it is nothing to go through.
  bool read_collection(const Expression& expr, Value& out, Diagnostics& diagnostics) const {
    constexpr const char* kSummary = "Invalid dynamic for_each value";
    size_t before = diagnostics.size();
    out = Expression(&expr.node(), iteration_).value(scope_, diagnostics);
    if (diagnostics.size() != before) out = Value();
    if (!out.is(Kind::kDynamic) && !out.is_sequence() && !out.is_mapping()) {
      diagnostics.add(kSummary, fmt::format("Cannot use a {} value in for_each. An iterable collection is required.", out.type().name()),
                      expr.range());
      return false;
    }
    if (out.is_null()) {
      diagnostics.add(kSummary, "Cannot use a null value in for_each.", expr.range());
      return false;
    }
    return true;
  }

  bool read_spec(const Block& block, const BlockSchema& wanted, DynamicSpec& spec, Diagnostics& diagnostics) const {
    Schema schema{{{"for_each", true}, {"iterator"}}, {{"content", {}}}};
    if (!wanted.labels.empty()) schema.attributes.push_back({"labels", true});
    size_t before = diagnostics.size();
    Content content = block.body.content(schema, diagnostics);
    if (diagnostics.size() != before) return false;
    if (!read_collection(content.attribute("for_each")->expr, spec.collection, diagnostics)) return false;
    spec.for_each = content.attribute("for_each")->expr;
    spec.iterator = block.labels[0];
    if (auto* a = content.attribute("iterator")) {
      spec.iterator = iterator_name(a->expr, diagnostics);
      if (spec.iterator.empty()) return false;
    }
    if (auto* a = content.attribute("labels")) {
      size_t so_far = diagnostics.size();
      spec.labels = a->expr.list(diagnostics);
      if (diagnostics.size() != so_far) return false;
      size_t n = wanted.labels.size();
      if (spec.labels.size() > n) {
        diagnostics.add("Extraneous dynamic block label", fmt::format("Blocks of type \"{}\" require {} label(s).", wanted.type, n), spec.labels[n].range());
      } else if (spec.labels.size() < n) {
        diagnostics.add("Insufficient dynamic block labels", fmt::format("Blocks of type \"{}\" require {} label(s).", wanted.type, n), a->expr.range());
      }
      if (diagnostics.size() != so_far) return false;
    }
    if (content.blocks.empty()) {
      diagnostics.add("Missing dynamic content block",
                      "A dynamic block must have a nested block of type \"content\" to describe the body of each generated block.",
                      block.body.missing_item_range());
    } else if (content.blocks.size() > 1) {
      diagnostics.add("Extraneous dynamic content block", "Only one nested content block is allowed for each dynamic block.",
                      content.blocks[1].def_range);
    } else {
      spec.content = content.blocks[0].body;
    }
    return diagnostics.size() == before;
  }

  bool label_text(const Expression& expr, const std::shared_ptr<const Iteration>& iteration, std::string& out, Diagnostics& diagnostics) const {
    constexpr const char* kSummary = "Invalid dynamic block label";
    size_t before = diagnostics.size();
    Value value = Expression(&expr.node(), iteration).value(scope_, diagnostics);
    if (diagnostics.size() != before) return false;
    if (value.is_null()) {
      diagnostics.add(kSummary, "Cannot use a null value as a dynamic block label.", expr.range());
      return false;
    }
    auto text = convert(value, Type::string());
    if (!text) {
      diagnostics.add(kSummary, fmt::format("Cannot use this value as a dynamic block label: {}.", text.error()), expr.range());
      return false;
    }
    if (!text->is_known()) return false;
    out = text->as_string();
    return true;
  }

  void expand(const Block& block, const BlockSchema& wanted, std::vector<Block>& out, Diagnostics& diagnostics) const {
    DynamicSpec spec;
    if (!read_spec(block, wanted, spec, diagnostics) || !spec.collection.is_known()) return;
    auto& collection = spec.collection;
    auto where = spec.for_each.range();
    if (!spend(scope_, kRoundsPerBlock * collection.size(), 0, where, where, diagnostics)) return;
    visit_elements(collection, [&](Value key, const Value& value) {
      auto inner = std::make_shared<Iteration>();
      inner->outer = iteration_;
      inner->name = spec.iterator;
      inner->value = Value::object({{"key", std::move(key)}, {"value", value}});
      Block made;
      made.type = wanted.type;
      made.def_range = block.label_ranges.empty() ? block.def_range : range_between(block.type_range, block.label_ranges.back());
      made.type_range = block.label_ranges[0];
      for (auto& label : spec.labels) {
        std::string text;
        if (!label_text(label, inner, text, diagnostics)) return;
        made.labels.push_back(std::move(text));
        made.label_ranges.push_back(label.range());
      }
      made.body = wrap(spec.content, inner);
      out.push_back(std::move(made));
    });
  }

  Body inner_;
  const Scope* scope_;
  std::shared_ptr<const Iteration> iteration_;
  Schema hidden_;  // what an earlier look has taken
};

}  // namespace

Body expand_dynamic(const Body& body, const Scope* scope) {
  return body.impl() ? Body(std::make_shared<DynamicBody>(body, scope, nullptr)) : body;
}

}  // namespace drover::hcl
