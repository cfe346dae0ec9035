#include "hcl/body.h"

#include <fmt/format.h>

#include "hcl/body_impl.h"
#include "hcl/json_impl.h"
#include "hcl/parser.h"

namespace drover::hcl {

Value Expression::value(const Scope* scope, Diagnostics& diagnostics) const {
  if (!iteration_) return evaluate(*node_, scope, diagnostics);
  Scope child{scope, {}, nullptr, false};
  for (auto* i = iteration_.get(); i; i = i->outer.get()) {
    // Inner iterators hide outer ones of the same name.
    bool seen = std::any_of(child.variables.begin(), child.variables.end(), [&](auto& v) { return v.first == i->name; });
    if (!seen) child.variables.emplace_back(i->name, i->value);
  }
  return evaluate(*node_, &child, diagnostics);
}

Range Expression::start_range() const {
  if (node_->kind == ExprKind::kJson) return static_cast<const JsonNode&>(*node_).start();
  return hcl::start_range(*node_);
}

std::vector<Expression> Expression::list(Diagnostics& diagnostics) const {
  std::vector<Expression> out;
  if (node_->kind == ExprKind::kTuple) {
    for (auto& item : static_cast<const TupleExpr&>(*node_).items) out.emplace_back(item.get(), iteration_);
  } else if (node_->kind == ExprKind::kJson && static_cast<const JsonNode&>(*node_).type == JsonNode::kArray) {
    for (auto& item : static_cast<const JsonNode&>(*node_).items) out.emplace_back(item.get(), iteration_);
  } else {
    diagnostics.add("Invalid expression", "A static list expression is required.", start_range());
  }
  return out;
}

const Attribute* Content::attribute(std::string_view name) const {
  auto it = std::find_if(attributes.begin(), attributes.end(), [&](auto& a) { return a.name == name; });
  return it == attributes.end() ? nullptr : &*it;
}

std::vector<std::string> attribute_names(const Schema& schema) {
  std::vector<std::string> out;
  for (auto& a : schema.attributes) out.push_back(a.name);
  return out;
}
std::vector<std::string> block_types(const Schema& schema) {
  std::vector<std::string> out;
  for (auto& b : schema.blocks) out.push_back(b.type);
  return out;
}

void require_attributes(const Schema& schema, const Content& content, Diagnostics& diagnostics) {
  for (auto& a : schema.attributes) {
    if (!a.required || content.attribute(a.name)) continue;
    diagnostics.add("Missing required argument",
                    fmt::format("The argument \"{}\" is required, but no definition was found.", a.name), content.missing_item_range);
  }
}

Content Body::content(const Schema& schema, Diagnostics& diagnostics) const {
  return impl_ ? impl_->content(schema, true, diagnostics) : Content{};
}
Content Body::partial_content(const Schema& schema, Body& remain, Diagnostics& diagnostics) const {
  if (!impl_) return {};
  Content out = impl_->content(schema, false, diagnostics);
  remain = Body(impl_->without(schema));
  return out;
}
std::vector<Attribute> Body::just_attributes(Diagnostics& diagnostics) const {
  return impl_ ? impl_->just_attributes(diagnostics) : std::vector<Attribute>{};
}
Range Body::missing_item_range() const { return impl_ ? impl_->missing_item_range() : Range{}; }
const BodyNode* Body::native() const { return impl_ ? impl_->native() : nullptr; }
Expression Body::place(const Expr& expr) const { return Expression(&expr, impl_ ? impl_->iteration() : nullptr); }
bool Body::is_json() const { return impl_ && impl_->is_json(); }

namespace {

class NativeBody : public Body::Impl {
 public:
  NativeBody(std::shared_ptr<const void> owner, const BodyNode& node, HiddenNames hidden = {})
      : owner_(std::move(owner)), node_(node), hidden_(std::move(hidden)) {}

  Content content(const Schema& schema, bool strict, Diagnostics& diagnostics) const override {
    Content out;
    out.missing_item_range = missing_item_range();
    for (auto& a : node_.attributes)
      if (find_attribute(schema, a.name) && !HiddenNames::has(hidden_.attributes, a.name)) out.attributes.push_back(wrap(a));
    require_attributes(schema, out, diagnostics);
    for (auto& b : node_.blocks) {
      auto* wanted = find_block(schema, b.type);
      if (!wanted || HiddenNames::has(hidden_.blocks, b.type)) continue;
      if (check_labels(*wanted, b, diagnostics)) out.blocks.push_back(wrap(b));
    }
    if (strict) complain_of_rest(schema, out, diagnostics);
    return out;
  }

  std::shared_ptr<const Impl> without(const Schema& schema) const override {
    return std::make_shared<NativeBody>(owner_, node_, hidden_.with(schema));
  }

  std::vector<Attribute> just_attributes(Diagnostics& diagnostics) const override {
    std::vector<Attribute> out;
    // One stands for all.
    if (!node_.blocks.empty()) {
      auto& b = node_.blocks[0];
      diagnostics.add(fmt::format("Unexpected \"{}\" block", b.type), "Blocks are not allowed here.", b.type_range);
    }
    for (auto& a : node_.attributes) {
      if (!HiddenNames::has(hidden_.attributes, a.name)) out.push_back(wrap(a));
    }
    return out;
  }

  Range missing_item_range() const override { return empty_at_start(node_.range); }
  const BodyNode* native() const override { return &node_; }

 private:
  static Attribute wrap(const AttributeNode& a) { return {a.name, Expression(a.expr.get()), a.range, a.name_range}; }
  Block wrap(const BlockNode& b) const {
    return {b.type, b.labels, make_native_body(owner_, *b.body), b.header_range(), b.type_range, b.label_ranges};
  }

  void complain_of_rest(const Schema& schema, const Content& found, Diagnostics& diagnostics) const {
    for (auto& a : node_.attributes)
      if (!find_attribute(schema, a.name) && !HiddenNames::has(hidden_.attributes, a.name)) complain_attribute(schema, found, a, diagnostics);
    for (auto& b : node_.blocks)
      if (!find_block(schema, b.type) && !HiddenNames::has(hidden_.blocks, b.type)) complain_block(schema, b, diagnostics);
  }
  static void complain_attribute(const Schema& schema, const Content& found, const AttributeNode& a, Diagnostics& diagnostics) {
    std::vector<std::string> free;
    for (auto& name : attribute_names(schema))
      if (!found.attribute(name)) free.push_back(name);
    auto hint = did_you_mean(a.name, free);
    if (hint.empty() && find_block(schema, a.name)) hint = fmt::format(" Did you mean to define a block of type \"{}\"?", a.name);
    diagnostics.add("Unsupported argument", fmt::format("An argument named \"{}\" is not expected here.{}", a.name, hint), a.name_range);
  }
  static void complain_block(const Schema& schema, const BlockNode& b, Diagnostics& diagnostics) {
    auto hint = did_you_mean(b.type, block_types(schema));
    if (hint.empty() && find_attribute(schema, b.type)) {
      hint = fmt::format(" Did you mean to define argument \"{}\"? If so, use the equals sign to assign it a value.", b.type);
    }
    diagnostics.add("Unsupported block type", fmt::format("Blocks of type \"{}\" are not expected here.{}", b.type, hint), b.type_range);
  }
  static bool check_labels(const BlockSchema& wanted, const BlockNode& b, Diagnostics& diagnostics) {
    size_t n = wanted.labels.size();
    auto names = fmt::format("{}", fmt::join(wanted.labels, ", "));
    if (b.labels.size() > n) {
      auto detail = n == 0 ? fmt::format("No labels are expected for {} blocks.", b.type)
                           : fmt::format("Only {} labels ({}) are expected for {} blocks.", n, names, b.type);
      diagnostics.add(fmt::format("Extraneous label for {}", b.type), std::move(detail), b.label_ranges[n],
                      range_between(b.type_range, b.open_brace));
      return false;
    }
    if (b.labels.size() < n) {
      diagnostics.add(fmt::format("Missing {} for {}", wanted.labels[b.labels.size()], b.type),
                      fmt::format("All {} blocks must have {} labels ({}).", b.type, n, names), b.open_brace,
                      range_between(b.type_range, b.open_brace));
      return false;
    }
    return true;
  }

  std::shared_ptr<const void> owner_;
  const BodyNode& node_;
  HiddenNames hidden_;
};

}  // namespace

Body make_native_body(std::shared_ptr<const void> owner, const BodyNode& node) {
  return Body(std::make_shared<NativeBody>(std::move(owner), node));
}

File parse_file(std::string name, std::string text, Diagnostics& diagnostics) {
  File file;
  size_t first = text.find_first_not_of(' ');
  if (first != std::string::npos && text[first] == '{') {
    auto json = parse_json_file(std::move(name), std::move(text), diagnostics);
    if (json->root) file.body_ = make_json_body(json, *json->root);
  } else {
    auto native = parse_native(std::move(name), std::move(text), diagnostics);
    file.body_ = make_native_body(native, native->body);
  }
  return file;
}

}  // namespace drover::hcl
