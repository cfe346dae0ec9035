// The evaluation of JSON nodes.
#include <fmt/format.h>

#include "hcl/convert.h"
#include "hcl/eval_impl.h"
#include "hcl/function_impl.h"
#include "hcl/json_impl.h"
#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

// The text of a string node as a source of its own, named as its file.
Source string_source(const JsonNode& node) { return {node.range.source->name, node.value.as_string()}; }

Pos inside_quotes(const Range& range) { return {range.start.line, range.start.column + 1, 0}; }

Value evaluate_string(const std::string& text, const Range& range, const Scope* scope, Diagnostics& diagnostics) {
  // Without a scope strings mean themselves.
  if (!scope || (text.find("${") == std::string::npos && text.find("%{") == std::string::npos)) return Value::string(text);
  Source source{range.source->name, text};
  auto expr = parse_template(source, inside_quotes(range), diagnostics);
  return expr ? evaluate(*expr, scope, diagnostics) : Value();
}

Value evaluate_object(const JsonNode& node, const Scope* scope, Diagnostics& diagnostics) {
  Value::Entries out;
  bool known = true;
  for (auto& p : node.properties) {
    Value name = evaluate_string(p.name, p.name_range, scope, diagnostics);
    Value value = evaluate(*p.value, scope, diagnostics);
    if (name.is_null()) {
      diagnostics.add("Invalid object key expression", "Cannot use null value as an object key.", p.name_range);
      known = false;
      continue;
    }
    auto key = convert(name, Type::string());
    if (!key) {
      diagnostics.add("Invalid object key expression", fmt::format("Cannot use this expression as an object key: {}.", key.error()), p.name_range);
      known = false;
    } else if (!key->is_known()) {
      known = false;
    } else {
      out.emplace_back(key->as_string(), std::move(value));
    }
  }
  return known ? Value::object(std::move(out)) : Value();
}

}  // namespace

Value evaluate_json(const Expr& expr, const Scope* scope, Diagnostics& diagnostics) {
  auto& node = static_cast<const JsonNode&>(expr);
  switch (node.type) {
    case JsonNode::kString: return evaluate_string(node.value.as_string(), node.range, scope, diagnostics);
    case JsonNode::kArray: {
      Value::Elements out;
      for (auto& item : node.items) out.push_back(evaluate(*item, scope, diagnostics));
      return Value::tuple(std::move(out));
    }
    case JsonNode::kObject: return evaluate_object(node, scope, diagnostics);
    default: return node.value;
  }
}

std::string json_keyword(const Expr& expr) {
  auto& node = static_cast<const JsonNode&>(expr);
  return node.type == JsonNode::kString && is_valid_identifier(node.value.as_string()) ? node.value.as_string() : "";
}

std::unique_ptr<JsonStringExpression> parse_json_string_expression(const Expr& expr) {
  auto& node = static_cast<const JsonNode&>(expr);
  if (node.type != JsonNode::kString) return nullptr;
  auto out = std::make_unique<JsonStringExpression>();
  out->source = string_source(node);
  Diagnostics ignored;
  out->expr = parse_expression(out->source, ignored, {node.range.start.line, node.range.start.column, 0});
  return out->expr ? std::move(out) : nullptr;
}

}  // namespace drover::hcl
