// The JSON syntax: text to tree. What a complaint says and points to, and how parsing goes on behind it, follow the
// reference's own JSON reader, not encoding/json.
#include <fmt/format.h>

#include <cctype>
#include <utility>

#include "base/strings.h"
#include "hcl/function_impl.h"
#include "hcl/json_impl.h"
#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

// Its own mark, or one of these.
enum : char { kWord = 'K', kText = 'S', kDigits = 'N', kEnd = 'E', kInvalid = 0 };

struct JsonToken {
  char type = kEnd;
  std::string_view text;
  Range range;
};

// Lax: whether numbers, words and strings are good is judged later. Ends at the first byte that begins nothing.
class JsonScanner {
 public:
  explicit JsonScanner(const Source& source) : source_(source), text_(source.text) { scan(); }

  const JsonToken& peek() const { return token_; }
  JsonToken read() {
    auto out = token_;
    scan();
    return out;
  }

 private:
  bool more() const { return at_.byte < text_.size(); }
  char byte() const { return text_[at_.byte]; }

  // A tab counts as two columns here, a carriage return as none.
  void skip_blanks() {
    for (; more(); ++at_.byte) {
      switch (byte()) {
        case ' ': ++at_.column; break;
        case '\t': at_.column += 2; break;
        case '\r': break;
        case '\n': at_.column = 1, ++at_.line; break;
        default: return;
      }
    }
  }

  void pass(uint32_t bytes) { at_.byte += bytes, at_.column += bytes; }

  template <class Belongs>
  void pass_while(Belongs belongs) {
    while (more() && belongs(byte())) pass(1);
  }

  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  static bool is_digit(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.'; }

  // To the quote that closes, or the first control character.
  void pass_string() {
    pass(1);
    for (bool escaped = false; more();) {
      char c = byte();
      if (c == '\\') {
        escaped = !escaped;
        pass(1);
      } else if (c == '"') {
        pass(1);
        if (!std::exchange(escaped, false)) return;
      } else if (static_cast<unsigned char>(c) < 32) {
        return;
      } else {
        at_.byte += static_cast<uint32_t>(next_grapheme(text_.substr(at_.byte)));
        ++at_.column;
        escaped = false;
      }
    }
  }

  void scan() {
    if (ended_) return;
    skip_blanks();
    Pos start = at_;
    char type = kEnd;
    if (more()) {
      char c = byte();
      if (std::string_view("{}[],:=").find(c) != std::string_view::npos) {
        type = c;
        pass(1);
      } else if (c == '"') {
        type = kText;
        pass_string();
      } else if (is_digit(c)) {
        type = kDigits;
        pass_while([](char d) { return is_digit(d) || d == 'e' || d == 'E'; });
      } else if (is_letter(c)) {
        type = kWord;
        pass_while([](char d) { return is_letter(d) || d == '_'; });
      } else {
        type = kInvalid;
        pass(1);
      }
    }
    token_ = {type, text_.substr(start.byte, at_.byte - start.byte), {&source_, start, at_}};
    if (type == kInvalid) text_ = text_.substr(0, at_.byte);
    ended_ = type == kEnd;
  }

  const Source& source_;
  std::string_view text_;
  Pos at_;
  JsonToken token_;
  bool ended_ = false;
};

constexpr const char* kValueDetail = "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";

// How many bytes of a string literal encoding/json reads before it complains; 0 if it does not.
size_t fault_in_string(std::string_view token) {
  for (size_t i = 1; i < token.size(); ++i) {
    if (token[i] == '"') return 0;
    if (token[i] != '\\') continue;
    if (++i == token.size()) break;
    if (token[i] == 'u') {
      for (int digit = 0; digit < 4; ++digit) {
        if (++i == token.size()) return i;
        if (!std::isxdigit(static_cast<unsigned char>(token[i]))) return i + 1;
      }
    } else if (std::string_view("bfnrt\\/\"").find(token[i]) == std::string_view::npos) {
      return i + 1;
    }
  }
  return token.size();
}

class JsonParser {
 public:
  JsonParser(const Source& source, Diagnostics& diagnostics) : scanner_(source), diagnostics_(diagnostics), before_(diagnostics.size()) {}

  // Null after any error.
  std::unique_ptr<JsonNode> run() {
    auto root = value(0);
    if (good() && scanner_.peek().type != kEnd)
      fail("Extraneous data after value", "Extra characters appear after the JSON value.", scanner_.peek().range);
    bool suits = root.node && (root.node->type == JsonNode::kObject || root.node->type == JsonNode::kArray);
    if (!suits && !too_deep_) {
      fail("Root value must be object",
           "The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.", root.start);
    }
    return good() ? std::move(root.node) : nullptr;
  }

 private:
  using NodePtr = std::unique_ptr<JsonNode>;

  // Of what is faulty only the place is left.
  struct Parsed {
    NodePtr node;
    Range start;
  };

  bool good() const { return diagnostics_.size() == before_; }
  NodePtr fail(std::string summary, std::string detail, const Range& where) {
    diagnostics_.add(std::move(summary), std::move(detail), where);
    return nullptr;
  }

  Parsed value(int depth) {
    Range where = scanner_.peek().range;
    auto node = too_deep_ ? nullptr : any_value(depth);
    if (node) where = node->start();
    return {std::move(node), where};
  }

  NodePtr any_value(int depth) {
    auto& next = scanner_.peek();
    if (depth > kMaxDepth) {
      too_deep_ = true;
      return fail("Nesting too deep", fmt::format("JSON values may be nested at most {} levels deep.", kMaxDepth), next.range);
    }
    switch (next.type) {
      case '{': return object(depth);
      case '[': return array(depth);
      case kText: return string();
      case kDigits: return number();
      case kWord: return keyword();
      case '}': return fail("Missing JSON value", kValueDetail, next.range);
      case ']': return fail("Missing array element value", kValueDetail, next.range);
      case kEnd: return fail("Missing value", "The JSON data ends prematurely.", next.range);
      default: return fail("Invalid start of value", kValueDetail, next.range);
    }
  }

  NodePtr keyword() {
    auto token = scanner_.read();
    auto node = std::make_unique<JsonNode>(token.range);
    std::string word(token.text);
    if (word == "null") {
      node->value = Value::null();
    } else if (word == "true" || word == "false") {
      node->type = JsonNode::kBool;
      node->value = Value::boolean(word == "true");
    } else if (word == "undefined" || word == "NaN" || word == "Infinity") {
      return fail("Invalid JSON keyword", fmt::format("The JavaScript identifier \"{}\" cannot be used in JSON.", word), token.range);
    } else {
      return fail("Invalid JSON keyword",
                  fmt::format("\"{}\" is not a valid JSON keyword.{}", word, did_you_mean(word, {"false", "true", "null"})), token.range);
    }
    return node;
  }

  NodePtr number() {
    auto token = scanner_.read();
    auto parsed = from_json(token.text);
    if (!parsed || !parsed->is(Kind::kNumber))
      return fail("Invalid JSON number", "There is a syntax error in the given JSON number.", token.range);
    auto node = std::make_unique<JsonNode>(token.range);
    node->type = JsonNode::kNumber;
    node->value = *parsed;
    return node;
  }

  NodePtr string() {
    auto token = scanner_.read();
    auto faulty = fault_in_string(token.text);
    auto parsed = from_json_string(token.text);
    if (faulty || !parsed) {
      Range where = token.range;
      where.start.column += static_cast<uint32_t>(faulty);
      where.start.byte += static_cast<uint32_t>(faulty);
      where.end = {where.start.line, where.start.column + 1, where.start.byte + 1};
      diagnostics_.add("Invalid JSON string", "There is a syntax error in the given JSON string.", where, token.range);
      return nullptr;
    }
    auto node = std::make_unique<JsonNode>(token.range);
    node->type = JsonNode::kString;
    node->value = Value::raw_string(std::move(*parsed));
    return node;
  }

  // Behind an error: goes on to what seems to be the end of the object or list, from the token `at` on.
  void recover(JsonToken at, char open, char close) {
    for (int depth = 1; at.type != kEnd; at = scanner_.read()) {
      if (at.type == open) ++depth;
      if (at.type == close && --depth <= 1) return;
    }
  }

  NodePtr array(int depth) {
    auto open = scanner_.read();
    auto node = std::make_unique<JsonNode>(open.range);
    node->type = JsonNode::kArray;
    node->open = open.range;
    while (scanner_.peek().type != ']') {
      auto item = value(depth + 1);
      if (too_deep_) return nullptr;
      if (item.node) node->items.push_back(std::move(item.node));
      char next = scanner_.peek().type;
      if (next == ']') break;
      if (next == ',') {
        auto comma = scanner_.read();
        if (scanner_.peek().type != ']') continue;
        return fail("Trailing comma in array", "JSON does not permit a trailing comma after the final value in an array.", comma.range);
      }
      recover(scanner_.read(), '[', ']');
      if (next == kEnd) return fail("Unclosed object", "No closing bracket was found for this JSON array.", open.range);
      auto& where = scanner_.peek().range;
      if (next == ':') return fail("Invalid array value", "A colon is not used to introduce values in a JSON array.", where);
      if (next == '}') return fail("Mismatched brackets", "A JSON array must be closed with a bracket, not a brace.", where);
      return fail("Missing attribute seperator comma", "A comma must appear between each value in an array.", where);
    }
    node->range = range_between(open.range, scanner_.read().range);
    return node;
  }

  // Null with an error if no colon is next.
  bool colon() {
    auto token = scanner_.read();
    if (token.type == ':') return true;
    recover(token, '{', '}');
    if (token.type == '}' || token.type == ',')
      fail("Missing object value", "A JSON object attribute must have a value, introduced by a colon.", token.range);
    else if (token.type == '=')
      fail("Missing property value colon", "JSON uses a colon as its name/value delimiter, not an equals sign.", token.range);
    else
      fail("Missing property value colon", "A colon must appear between an object property's name and its value.", token.range);
    return false;
  }

  NodePtr object(int depth) {
    auto open = scanner_.read();
    auto node = std::make_unique<JsonNode>(open.range);
    node->type = JsonNode::kObject;
    node->open = open.range;
    while (scanner_.peek().type != '}') {
      auto name = value(depth + 1);
      if (too_deep_) return nullptr;
      if (!name.node || name.node->type != JsonNode::kString)
        return fail("Invalid object property name", "A JSON object property name must be a string", name.start);
      if (!colon()) return nullptr;
      auto content = value(depth + 1);
      if (too_deep_) return nullptr;
      if (content.node) {
        node->properties.push_back({std::string(name.node->value.as_string()), name.node->range, std::move(content.node)});
      }
      char next = scanner_.peek().type;
      if (next == '}') break;
      if (next == ',') {
        auto comma = scanner_.read();
        if (scanner_.peek().type != '}') continue;
        return fail("Trailing comma in object", "JSON does not permit a trailing comma after the final property in an object.", comma.range);
      }
      if (next == kEnd) return fail("Unclosed object", "No closing brace was found for this JSON object.", open.range);
      auto token = scanner_.read();
      if (next == ']')
        return fail("Mismatched braces", "A JSON object must be closed with a brace, not a bracket.", scanner_.peek().range);
      recover(token, '{', '}');
      return fail("Missing attribute seperator comma", "A comma must appear between each property definition in an object.",
                  scanner_.peek().range);
    }
    node->range = range_between(open.range, scanner_.read().range);
    return node;
  }

  JsonScanner scanner_;
  Diagnostics& diagnostics_;
  size_t before_;
  bool too_deep_ = false;
};

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

}  // namespace drover::hcl
