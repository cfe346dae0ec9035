#include "hcl/hcl1.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/strings.h"
#include "hcl/hcl1_impl.h"

namespace drover::hcl1 {

std::string Pos::str() const { return line == 0 ? "-" : fmt::format("{}:{}", line, column); }

std::vector<const Item*> Node::matching(std::string_view key, bool fold_case) const {
  std::vector<const Item*> out;
  for (auto& item : items) {
    auto& first = item.keys[0].text;
    if (fold_case ? equal_fold(first, key) : first == key) out.push_back(&item);
  }
  return out;
}

const Node* Node::find(std::string_view key, bool fold_case) const {
  for (auto* item : matching(key, fold_case)) {
    if (item->keys.size() == 1) return &item->value;
  }
  return nullptr;
}

std::optional<std::string> Node::as_string() const {
  switch (kind) {
    case Kind::kString: case Kind::kInt: case Kind::kFloat: return text;
    case Kind::kBool: return boolean ? "true" : "false";
    default: return std::nullopt;
  }
}

std::optional<int64_t> Node::as_int() const {
  if (kind == Kind::kBool) return boolean ? 1 : 0;
  if (kind != Kind::kString && kind != Kind::kInt && kind != Kind::kFloat) return std::nullopt;
  if (kind == Kind::kFloat) {
    auto d = parse_double(text);
    if (!d || *d < -9.2e18 || *d > 9.2e18) return std::nullopt;
    return static_cast<int64_t>(*d);
  }
  if (text.empty() || std::isspace(static_cast<unsigned char>(text[0]))) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  int64_t value = std::strtoll(text.c_str(), &end, 0);
  if (*end != '\0' || errno != 0) return std::nullopt;
  return value;
}

std::optional<double> Node::as_double() const {
  if (kind == Kind::kString || kind == Kind::kFloat) return parse_double(text);
  if (auto i = as_int()) return static_cast<double>(*i);
  return std::nullopt;
}

std::optional<bool> Node::as_bool() const {
  if (kind == Kind::kBool) return boolean;
  if (kind == Kind::kString) return text.empty() ? std::optional<bool>(false) : parse_bool(text);
  if (kind == Kind::kInt) {
    auto i = as_int();
    return i ? std::optional<bool>(*i != 0) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> Node::as_strings() const {
  std::vector<std::string> out;
  if (kind != Kind::kList) {
    auto one = as_string();
    if (!one) return std::nullopt;
    out.push_back(std::move(*one));
    return out;
  }
  for (auto& n : list) {
    auto one = n.as_string();
    if (!one) return std::nullopt;
    out.push_back(std::move(*one));
  }
  return out;
}

namespace {

constexpr const char* kNames[] = {"EOF", "ILLEGAL", "IDENT", "NUMBER", "FLOAT", "BOOL", "STRING", "HEREDOC", "LBRACK",
                                  "RBRACK", "LBRACE", "RBRACE", "COMMA", "ASSIGN", "PERIOD", "ADD", "SUB", "COLON", "NULL"};

Error at(const Pos& pos, std::string what) { return invalid(fmt::format("At {}: {}", pos.str(), what)); }

class Parser {
 public:
  explicit Parser(std::string_view text) : scanner_(text) {}

  Result<Node> run() {
    Node root;
    root.kind = Kind::kObject;
    auto good = object_list(root.items, false, 0);
    // What the scanner minds counts more, and of that the last.
    if (!scanner_.fault().empty()) return invalid(scanner_.fault());
    DROVER_CHECK(good);
    return root;
  }

 private:
  // The present token is current_; scan() moves on, hold() makes the next scan() give it again.
  void scan() {
    if (!std::exchange(held_, false)) current_ = scanner_.next();
  }
  void hold() { held_ = true; }
  const char* name() const { return kNames[static_cast<int>(current_.type)]; }

  // Items up to something that is no item: a closing brace or the end.
  Status object_list(std::vector<Item>& out, bool nested, int depth) {
    if (depth > kMaxDepth) return at(current_.pos, fmt::format("objects may be nested at most {} levels deep", kMaxDepth));
    while (true) {
      scan();
      if (current_.type == Token::kEof) return {};
      hold();
      if (nested && current_.type == Token::kRBrace) return {};
      Item item;
      DROVER_CHECK(object_item(item, depth));
      if (cut_off_) return {};
      out.push_back(std::move(item));
      scan();
      if (current_.type != Token::kComma) hold();
    }
  }

  Status object_item(Item& item, int depth) {
    DROVER_CHECK(keys(item.keys));
    if (current_.type == Token::kAssign) {
      item.assigned = true;
      scan();
      // The reference drops an item whose value the text ends before, without a word.
      if (current_.type == Token::kEof) return cut_off_ = true, Status{};
      return value(item.value, depth);
    }
    return object(item.value, depth);
  }

  // Keys up to `=` or `{`, which is then the present token.
  Status keys(std::vector<Key>& out) {
    std::vector<std::string> names;
    while (true) {
      scan();
      switch (current_.type) {
        case Token::kIdent: case Token::kString:
          names.push_back(current_.type == Token::kString ? "\"" + current_.text + "\"" : current_.text);
          out.push_back({current_.text, current_.pos});
          break;
        case Token::kAssign:
          if (out.size() > 1) return at(current_.pos, fmt::format("nested object expected: LBRACE got: {}", name()));
          if (out.empty()) return at(current_.pos, "no object keys found!");
          return {};
        case Token::kLBrace:
          if (out.empty()) return at(current_.pos, fmt::format("expected: IDENT | STRING got: {}", name()));
          return {};
        case Token::kIllegal: return at(current_.pos, "illegal character");
        case Token::kEof: case Token::kRBrace:
          if (!out.empty()) {
            unfinished_ = true;
            return at(current_.pos, fmt::format("key '{}' expected start of object ('{{') or assignment ('=')", fmt::join(names, " ")));
          }
          [[fallthrough]];
        default: return at(current_.pos, fmt::format("expected: IDENT | STRING | ASSIGN | LBRACE got: {}", name()));
      }
    }
  }

  // The brace is the present token.
  Status object(Node& out, int depth) {
    out.kind = Kind::kObject;
    out.pos = current_.pos;
    auto listed = object_list(out.items, true, depth + 1);
    // A fault at a closing brace counts as that brace; what is missing then shows behind it. (The reference's rule.)
    if (!listed && (unfinished_ || current_.type != Token::kRBrace)) return listed;
    scan();
    if (current_.type != Token::kRBrace) return at(current_.pos, fmt::format("object expected closing RBRACE got: {}", name()));
    return {};
  }

  // The first token of the value is the present one.
  Status value(Node& out, int depth) {
    out.pos = current_.pos;
    switch (current_.type) {
      case Token::kNumber: case Token::kFloat: case Token::kBool: case Token::kString: case Token::kHeredoc: return literal(out);
      case Token::kLBrace: return object(out, depth);
      case Token::kLBrack: return list(out, depth);
      default: return at(current_.pos, fmt::format("Unknown token: {} {} {}", current_.pos.str(), name(), current_.text));
    }
  }

  Status literal(Node& out) {
    out.text = current_.text;
    switch (current_.type) {
      case Token::kNumber: out.kind = Kind::kInt; break;
      case Token::kFloat: out.kind = Kind::kFloat; break;
      case Token::kBool:
        out.kind = Kind::kBool;
        out.boolean = current_.text == "true";
        break;
      default:
        out.kind = Kind::kString;
        out.heredoc = current_.type == Token::kHeredoc;
    }
    return {};
  }

  Status list(Node& out, int depth) {
    out.kind = Kind::kList;
    if (depth >= kMaxDepth) return at(current_.pos, fmt::format("lists may be nested at most {} levels deep", kMaxDepth));
    bool need_comma = false;
    while (true) {
      scan();
      switch (current_.type) {
        case Token::kRBrack: return {};
        case Token::kComma: need_comma = false;
          break;
        case Token::kNumber: case Token::kFloat: case Token::kBool: case Token::kString: case Token::kHeredoc:
        case Token::kLBrace: case Token::kLBrack: {
          if (need_comma) return at(current_.pos, fmt::format("error parsing list, expected comma or list end, got: {}", name()));
          Node element;
          DROVER_CHECK(value(element, depth + 1));
          out.list.push_back(std::move(element));
          need_comma = true;
          break;
        }
        default:
          if (need_comma) return at(current_.pos, fmt::format("error parsing list, expected comma or list end, got: {}", name()));
          return at(current_.pos, fmt::format("unexpected token while parsing list: {}", name()));
      }
    }
  }

  Scanner scanner_;
  Token current_;
  bool cut_off_ = false;
  bool unfinished_ = false;  // keys without anything behind them
  bool held_ = false;
};

}  // namespace

Result<Node> parse(std::string_view text) {
  if (text.size() > (64u << 20)) return invalid("the text is larger than 64 MiB");
  size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return parse_json(text);
  return Parser(text).run();
}

}  // namespace drover::hcl1
