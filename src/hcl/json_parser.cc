// The JSON syntax: text to tree, and the evaluation of its nodes.
#include <fmt/format.h>

#include <cctype>

#include "base/strings.h"
#include "hcl/convert.h"
#include "hcl/eval_impl.h"
#include "hcl/function_impl.h"
#include "hcl/json_impl.h"
#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

class JsonParser {
 public:
  JsonParser(const Source& source, Diagnostics& diagnostics) : source_(source), text_(source.text), diagnostics_(diagnostics) {}

  std::unique_ptr<JsonNode> run() {
    auto node = value(0);
    if (!node) return nullptr;
    blanks();
    if (at_.byte < text_.size()) {
      return fail("Extraneous data after value", "Extra characters appear after the JSON value.", here(1));
    }
    return node;
  }

 private:
  using NodePtr = std::unique_ptr<JsonNode>;

  char peek() const { return at_.byte < text_.size() ? text_[at_.byte] : '\0'; }
  Range here(size_t length) const {
    size_t n = std::min(length, text_.size() - at_.byte);
    return {&source_, at_, hcl::advance(at_, text_.substr(at_.byte, n))};
  }
  Range take(size_t length) {
    Range r = here(length);
    at_ = r.end;
    return r;
  }
  NodePtr fail(std::string summary, std::string detail, const Range& where) {
    diagnostics_.add(std::move(summary), std::move(detail), where);
    return nullptr;
  }
  void blanks() {
    size_t n = 0;
    while (at_.byte + n < text_.size()) {
      char c = text_[at_.byte + n];
      if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
      ++n;
    }
    if (n) at_ = hcl::advance(at_, text_.substr(at_.byte, n));
  }

  NodePtr value(int depth) {
    blanks();
    if (depth > kMaxDepth) return fail("Nesting too deep", fmt::format("JSON values may be nested at most {} levels deep.", kMaxDepth), here(1));
    char c = peek();
    if (c == '{') return object(depth);
    if (c == '[') return array(depth);
    if (c == '"') return string();
    if (c == '-' || (c >= '0' && c <= '9')) return number();
    if (std::isalpha(static_cast<unsigned char>(c))) return keyword();
    return fail("Missing JSON value", "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.", here(1));
  }

  NodePtr keyword() {
    size_t n = 0;
    while (at_.byte + n < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_.byte + n])) || text_[at_.byte + n] == '_')) ++n;
    std::string word(text_.substr(at_.byte, n));
    auto node = std::make_unique<JsonNode>(take(n));
    if (word == "null") {
      node->value = Value::null();
    } else if (word == "true" || word == "false") {
      node->type = JsonNode::kBool;
      node->value = Value::boolean(word == "true");
    } else {
      return fail("Invalid JSON keyword", fmt::format("\"{}\" is not a valid JSON keyword.{}", word, did_you_mean(word, {"true", "false", "null"})),
                  node->range);
    }
    return node;
  }

  NodePtr number() {
    size_t n = 0;
    while (at_.byte + n < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_.byte + n])) ||
                                           std::string_view("+-.").find(text_[at_.byte + n]) != std::string_view::npos)) ++n;
    auto token = text_.substr(at_.byte, n);
    auto node = std::make_unique<JsonNode>(take(n));
    auto parsed = from_json(token);
    if (!parsed || !parsed->is(Kind::kNumber)) {
      return fail("Invalid JSON number", fmt::format("There is a syntax error in this number: \"{}\" is not a JSON number.", token), node->range);
    }
    node->type = JsonNode::kNumber;
    node->value = *parsed;
    return node;
  }

  // The bytes of a string literal with its quotes; 0 when it does not end on its line.
  size_t string_length() const {
    for (size_t i = at_.byte + 1; i < text_.size() && text_[i] != '\n'; ++i) {
      if (text_[i] == '\\') ++i;
      else if (text_[i] == '"') return i + 1 - at_.byte;
    }
    return 0;
  }

  bool string_text(std::string& out, Range& where) {
    size_t n = string_length();
    if (n == 0) {
      fail("Invalid JSON string", "The closing quote of this string is missing.", here(1));
      return false;
    }
    auto token = text_.substr(at_.byte, n);
    where = take(n);
    auto parsed = from_json(token);
    if (!parsed) {
      fail("Invalid JSON string", fmt::format("There is a syntax error in the given JSON string: {}.", parsed.error()), where);
      return false;
    }
    out = parsed->as_string();
    return true;
  }

  NodePtr string() {
    auto node = std::make_unique<JsonNode>(here(1));
    node->type = JsonNode::kString;
    std::string text;
    if (!string_text(text, node->range)) return nullptr;
    node->value = Value::raw_string(std::move(text));
    return node;
  }

  NodePtr array(int depth) {
    auto node = std::make_unique<JsonNode>(here(1));
    node->type = JsonNode::kArray;
    node->open = take(1);
    blanks();
    while (peek() != ']') {
      auto item = value(depth + 1);
      if (!item) return nullptr;
      node->items.push_back(std::move(item));
      blanks();
      if (peek() == ']') break;
      if (peek() != ',') {
        if (at_.byte >= text_.size()) return fail("Unclosed array", "The end of the file was reached before this array was closed.", node->open);
        return fail("Missing value separator", "Array items must be separated by commas.", here(1));
      }
      Range comma = take(1);
      blanks();
      if (peek() == ']') return fail("Trailing comma in array", "JSON does not permit a trailing comma after the final value in an array.", comma);
    }
    node->range = range_between(node->open, take(1));
    return node;
  }

  NodePtr object(int depth) {
    auto node = std::make_unique<JsonNode>(here(1));
    node->type = JsonNode::kObject;
    node->open = take(1);
    blanks();
    while (peek() != '}') {
      if (peek() != '"') {
        if (at_.byte >= text_.size()) return fail("Unclosed object", "The end of the file was reached before this object was closed.", node->open);
        return fail("Invalid object property name", "A JSON object property name must be a string.", here(1));
      }
      JsonProperty property;
      if (!string_text(property.name, property.name_range)) return nullptr;
      blanks();
      if (peek() != ':') return fail("Missing property value colon", "A colon must appear between an object property's name and its value.", here(1));
      take(1);
      property.value = value(depth + 1);
      if (!property.value) return nullptr;
      node->properties.push_back(std::move(property));
      blanks();
      if (peek() == '}') break;
      if (peek() != ',') {
        if (at_.byte >= text_.size()) return fail("Unclosed object", "The end of the file was reached before this object was closed.", node->open);
        return fail("Missing property separator", "Object properties must be separated by commas.", here(1));
      }
      Range comma = take(1);
      blanks();
      if (peek() == '}') {
        return fail("Trailing comma in object", "JSON does not permit a trailing comma after the final property in an object.", comma);
      }
    }
    node->range = range_between(node->open, take(1));
    return node;
  }

  const Source& source_;
  std::string_view text_;
  Pos at_;
  Diagnostics& diagnostics_;
};

// The text of a string node as a source of its own, named as its file.
Source string_source(const JsonNode& node) { return {node.range.source->name, node.value.as_string()}; }

Pos inside_quotes(const Range& range) { return {range.start.line, range.start.column + 1, 0}; }

Value evaluate_string(const std::string& text, const Range& range, const Scope* scope, Diagnostics& diagnostics) {
  // Without a scope strings mean themselves.
  if (!scope || (text.find("${") == std::string::npos && text.find("%{") == std::string::npos)) return Value::raw_string(text);
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

std::shared_ptr<JsonFile> parse_json_file(std::string name, std::string text, Diagnostics& diagnostics) {
  auto file = std::make_shared<JsonFile>();
  file->source = {std::move(name), std::move(text)};
  if (file->source.text.size() > kMaxInput) {
    diagnostics.add("File too large", fmt::format("{} is larger than {} bytes.", file->source.name, kMaxInput));
  } else if (!valid_utf8(file->source.text)) {
    diagnostics.add("Invalid character encoding", "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.");
  } else {
    file->root = JsonParser(file->source, diagnostics).run();
  }
  return file;
}

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

std::unique_ptr<JsonStringExpression> parse_json_string_expression(const Expr& expr, Diagnostics& diagnostics) {
  auto& node = static_cast<const JsonNode&>(expr);
  if (node.type != JsonNode::kString) return nullptr;
  auto out = std::make_unique<JsonStringExpression>();
  out->source = string_source(node);
  out->expr = parse_expression(out->source, diagnostics);
  return out->expr ? std::move(out) : nullptr;
}

}  // namespace drover::hcl
