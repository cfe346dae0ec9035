// JSON into the tree of HCL1, with all the leniency of the reference's reader, which never looks at closing brackets: whatever is no
// comma ends an object, values that are missing take the rest of their object along without a word, brackets within
// lists do not count. Job files that this reader takes get the hint to `-hcl1`, so the leniency shows.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "hcl/hcl1_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl1 {

namespace {

enum class Mark : unsigned char { kEof, kIllegal, kNumber, kFloat, kBool, kString, kNull, kOpen, kClose, kListOpen, kListClose, kComma, kColon, kPeriod };
constexpr const char* kMarks[] = {"EOF", "ILLEGAL", "NUMBER", "FLOAT", "BOOL", "STRING", "NULL", "LBRACE", "RBRACE", "LBRACK", "RBRACK", "COMMA", "COLON", "PERIOD"};

struct JsonToken {
  Mark mark = Mark::kEof;
  Pos pos;
  std::string text;
  const char* name() const { return kMarks[static_cast<int>(mark)]; }
};

// Goes on behind faults; the last one counts.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  const std::string& fault() const { return fault_; }

  JsonToken next() {
    while (more() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) pass();
    JsonToken t;
    t.pos = pos_;
    if (++tokens_ > kMaxTokens && more()) {
      complain(fmt::format("the text has more than {} words and marks", kMaxTokens));
      at_ = text_.size();
    }
    // A zero byte ends the text.
    if (!more() || text_[at_] == '\0') return t;
    char c = text_[at_];
    size_t start = at_, size = 1;
    static constexpr std::string_view kSingle = "{}[],:.";
    static constexpr Mark kSingles[] = {Mark::kOpen, Mark::kClose, Mark::kListOpen, Mark::kListClose, Mark::kComma, Mark::kColon, Mark::kPeriod};
    if (auto k = kSingle.find(c); k != std::string_view::npos && !(c == '.' && is_digit(peek(1)))) {
      t.mark = kSingles[k];
      pass();
    } else if (c == '"') {
      t.mark = Mark::kString;
      string(t.text);
      return t;
    } else if (is_digit(c) || (c == '-' && is_digit(peek(1))) || (c == '.' && is_digit(peek(1)))) {
      t.mark = number();
    } else if (c == '_' || hcl::is_id_start(hcl::decode_utf8(text_, at_, size))) {
      t.mark = word();
    } else {
      t.mark = Mark::kIllegal;
      complain(c == '-' ? "illegal char" : fmt::format("illegal char: {}", text_.substr(at_, size)));
      pass();
    }
    t.text = std::string(text_.substr(start, at_ - start));
    return t;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool more() const { return at_ < text_.size(); }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void complain(std::string what) { fault_ = fmt::format("{}: {}", pos_.str(), what); }

  // One character.
  void pass() {
    size_t size = 1;
    hcl::decode_utf8(text_, at_, size);
    if (text_[at_] == '\n') ++pos_.line, pos_.column = 1;
    else ++pos_.column;
    at_ += std::max<size_t>(size, 1);
  }

  Mark word() {
    size_t start = at_, size = 1;
    Pos last = pos_;
    while (more() && (is_digit(peek()) || peek() == '-' || hcl::is_id_continue(hcl::decode_utf8(text_, at_, size)))) {
      last = pos_;
      pass();
    }
    auto text = text_.substr(start, at_ - start);
    if (text == "true" || text == "false") return Mark::kBool;
    if (text == "null") return Mark::kNull;
    if (!more()) ++last.column;
    fault_ = fmt::format("{}: illegal char", last.str());
    return Mark::kIllegal;
  }

  Mark number() {
    if (peek() == '-') pass();
    if (peek() == '0' && is_digit(peek(1))) {
      pass();
      complain("numbers cannot start with 0");
    }
    bool floating = false;
    auto digits = [&] {
      while (is_digit(peek())) pass();
    };
    digits();
    if (peek() == '.') {
      floating = true;
      pass();
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      floating = true;
      pass();
      if (peek() == '+' || peek() == '-') pass();
      // What stands in place of digits is taken as a number all the same, and refused when it is read.
      if (!is_digit(peek()) && more()) pass();
      digits();
    }
    return floating ? Mark::kFloat : Mark::kNumber;
  }

  void string(std::string& out) {
    pass();
    while (true) {
      if (!more() || peek() == '\0' || peek() == '\n') {
        complain("literal not terminated");
        if (peek() == '\n') pass();
        return;
      }
      char c = peek();
      if (c == '"') return pass();
      if (c == '\\') {
        escape(out);
        continue;
      }
      size_t start = at_;
      pass();
      out += text_.substr(start, at_ - start);
    }
  }

  void escape(std::string& out) {
    pass();
    char c = peek();
    static constexpr std::string_view kFrom = "abfnrtv\\\"", kTo = "\a\b\f\n\r\t\v\\\"";
    if (auto k = kFrom.find(c); c != '\0' && k != std::string_view::npos) {
      out += kTo[k];
      return pass();
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 3 : 0;
    bool octal = digits == 3;
    if (digits > 3 || c == 'x') pass();
    uint32_t code = 0;
    for (size_t i = 0; i < digits; ++i) {
      char d = peek();
      if (octal ? d < '0' || d > '7' : !std::isxdigit(static_cast<unsigned char>(d))) {
        digits = 0;
        break;
      }
      code = code * (octal ? 8 : 16) + static_cast<uint32_t>(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
      pass();
    }
    if (digits == 0) return complain("illegal char escape");
    if (digits <= 3) out += static_cast<char>(code & 0xFF);
    else hcl::append_utf8(out, code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0xFFFD : code);
  }

  std::string_view text_;
  size_t at_ = 0;
  Pos pos_;
  size_t tokens_ = 0;
  std::string fault_;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : scanner_(text) {}

  Result<Node> run() {
    Node root;
    root.kind = Kind::kObject;
    root.pos = {0, 0};  // nodes made from JSON have no place
    scanner_.next();  // the opening brace
    auto good = members(root, 0);
    if (!scanner_.fault().empty()) return invalid(scanner_.fault());
    DROVER_CHECK(good);
    Node out;
    out.kind = Kind::kObject;
    out.pos = root.pos;
    for (auto& item : root.items) flatten(std::move(item), {}, out.items);
    return out;
  }

 private:
  enum class End : unsigned char { kNone, kOfObject };

  static Status too_deep() { return invalid(fmt::format("values may be nested at most {} levels deep", kMaxDepth)); }

  // What follows an opening brace.
  Status members(Node& out, int depth) {
    out.kind = Kind::kObject;
    if (depth > kMaxDepth) return too_deep();
    do {
      Item item;
      item.assigned = true;
      End end = End::kNone;
      DROVER_CHECK(keys(item.keys, end));
      if (end == End::kNone) DROVER_CHECK(value(scanner_.next(), item.value, depth, end));
      if (end == End::kOfObject) return {};
      out.items.push_back(std::move(item));
    } while (scanner_.next().mark == Mark::kComma);
    return {};
  }

  Status keys(std::vector<Key>& out, End& end) {
    while (true) {
      auto t = scanner_.next();
      if (t.mark == Mark::kString) {
        out.push_back({std::move(t.text), t.pos});
      } else if (t.mark == Mark::kColon && !out.empty()) {
        return {};
      } else if (t.mark == Mark::kEof || t.mark == Mark::kClose) {
        end = End::kOfObject;
        return {};
      } else {
        return invalid(fmt::format("expected: STRING got: {}", t.name()));
      }
    }
  }

  Status value(const JsonToken& t, Node& out, int depth, End& end) {
    out.pos = {0, 0};
    switch (t.mark) {
      case Mark::kOpen: return members(out, depth + 1);
      case Mark::kListOpen: return list(out, depth, end);
      case Mark::kNumber: case Mark::kFloat: case Mark::kBool: case Mark::kString: case Mark::kNull:
        literal(t, out);
        return {};
      case Mark::kEof: case Mark::kClose:
        end = End::kOfObject;
        return {};
      default: return invalid(fmt::format("Expected object value, got unknown token: {} {} {}", t.pos.str(), t.name(), t.text));
    }
  }

  static void literal(const JsonToken& t, Node& out) {
    out.text = t.mark == Mark::kNull ? "" : t.text;
    out.boolean = t.text == "true";
    out.kind = t.mark == Mark::kNumber ? Kind::kInt : t.mark == Mark::kFloat ? Kind::kFloat : t.mark == Mark::kBool ? Kind::kBool
               : t.mark == Mark::kNull ? Kind::kNull : Kind::kString;
  }

  // Brackets and words in a list are passed over; so are commas.
  Status list(Node& out, int depth, End& end) {
    out.kind = Kind::kList;
    while (true) {
      auto t = scanner_.next();
      switch (t.mark) {
        case Mark::kListClose: return {};
        case Mark::kClose:
          end = End::kOfObject;
          return {};
        case Mark::kComma: case Mark::kBool: case Mark::kListOpen: break;
        case Mark::kNumber: case Mark::kFloat: case Mark::kString: case Mark::kOpen: {
          Node element;
          element.pos = {0, 0};
          if (t.mark == Mark::kOpen) DROVER_CHECK(members(element, depth + 1));
          else literal(t, element);
          out.list.push_back(std::move(element));
          break;
        }
        default: return invalid(fmt::format("unexpected token while parsing list: {}", t.name()));
      }
    }
  }

  static bool only_objects(const Node& n) {
    if (n.kind == Kind::kList) {
      return !n.list.empty() && std::all_of(n.list.begin(), n.list.end(), [](auto& e) { return e.kind == Kind::kObject; });
    }
    return n.kind == Kind::kObject && !n.items.empty() &&
           std::all_of(n.items.begin(), n.items.end(), [](auto& i) { return i.value.kind == Kind::kObject; });
  }

  // An object that holds nothing but objects is labels; a list of objects is repeated blocks.
  static void flatten(Item item, std::vector<Key> prefix, std::vector<Item>& out) {
    prefix.insert(prefix.end(), item.keys.begin(), item.keys.end());
    if (item.value.kind == Kind::kList && only_objects(item.value)) {
      for (auto& element : item.value.list) {
        Item one;
        one.value = std::move(element);
        flatten(std::move(one), prefix, out);
      }
      return;
    }
    if (item.value.kind == Kind::kObject && only_objects(item.value)) {
      for (auto& inner : item.value.items) flatten(std::move(inner), prefix, out);
      return;
    }
    std::vector<Item> inner;
    for (auto& i : item.value.items) flatten(std::move(i), {}, inner);
    item.value.items = std::move(inner);
    item.keys = std::move(prefix);
    out.push_back(std::move(item));
  }

  JsonScanner scanner_;
};

}  // namespace

Result<Node> parse_json(std::string_view text) { return JsonReader(text).run(); }

}  // namespace drover::hcl1
