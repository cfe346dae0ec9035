// JSON into the tree of HCL1.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "hcl/function_impl.h"
#include "hcl/hcl1_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl1 {

namespace {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Result<Node> run() {
    Node root;
    DROVER_CHECK(value(root, 0));
    blanks();
    if (at_ < text_.size()) return fail("unexpected data after the object");
    Node out;
    out.kind = Kind::kObject;
    out.pos = root.pos;
    for (auto& item : root.items) flatten(std::move(item), {}, out.items);
    return out;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void advance(size_t bytes) {
    for (size_t i = 0; i < bytes && at_ < text_.size(); ++i, ++at_) {
      if (text_[at_] == '\n') {
        ++pos_.line;
        pos_.column = 1;
      } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
        ++pos_.column;
      }
    }
  }
  Error fail(std::string what) const { return invalid(fmt::format("At {}: {}", pos_.str(), what)); }
  Error unexpected(std::string_view wanted) const {
    if (at_ >= text_.size()) return fail(fmt::format("{} expected, got: EOF", wanted));
    return fail(fmt::format("{} expected, got: {}", wanted, text_.substr(at_, 1)));
  }
  void blanks() {
    size_t n = 0;
    while (at_ + n < text_.size() && std::string_view(" \t\r\n").find(text_[at_ + n]) != std::string_view::npos) ++n;
    advance(n);
  }

  Status string(std::string& out) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size() || text_[end] != '"') return fail("literal not terminated");
    auto parsed = hcl::from_json_string(text_.substr(at_, end + 1 - at_));
    if (!parsed) return fail(parsed.error());
    out = std::move(*parsed);
    advance(end + 1 - at_);
    return {};
  }

  Status value(Node& out, int depth) {
    blanks();
    out.pos = pos_;
    if (depth > kMaxDepth) return fail(fmt::format("values may be nested at most {} levels deep", kMaxDepth));
    switch (peek()) {
      case '{': return object(out, depth);
      case '[': return list(out, depth);
      case '"':
        out.kind = Kind::kString;
        return string(out.text);
      default: return word(out);
    }
  }

  Status word(Node& out) {
    size_t n = 0;
    while (at_ + n < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_ + n])) ||
                                      std::string_view("+-.").find(text_[at_ + n]) != std::string_view::npos)) ++n;
    auto token = text_.substr(at_, n);
    if (token.empty()) return unexpected("a value");
    auto parsed = hcl::from_json(token);
    if (!parsed) return fail(fmt::format("unknown token: {}", token));
    out.text = std::string(token);
    if (parsed->is_null()) {
      out.kind = Kind::kNull;
    } else if (parsed->is(hcl::Kind::kBool)) {
      out.kind = Kind::kBool;
      out.boolean = parsed->as_bool();
    } else {
      out.kind = token.find_first_of(".eE") == std::string_view::npos ? Kind::kInt : Kind::kFloat;
    }
    advance(n);
    return {};
  }

  Status list(Node& out, int depth) {
    out.kind = Kind::kList;
    advance(1);
    blanks();
    while (peek() != ']') {
      Node element;
      DROVER_CHECK(value(element, depth + 1));
      out.list.push_back(std::move(element));
      blanks();
      if (peek() == ']') break;
      if (peek() != ',') return unexpected("comma or list end");
      advance(1);
      blanks();
    }
    advance(1);
    return {};
  }

  Status object(Node& out, int depth) {
    out.kind = Kind::kObject;
    advance(1);
    blanks();
    while (peek() != '}') {
      if (peek() != '"') return unexpected("STRING");
      Item item;
      item.assigned = true;
      item.keys.push_back({"", pos_});
      DROVER_CHECK(string(item.keys[0].text));
      blanks();
      if (peek() != ':') return unexpected("colon");
      advance(1);
      DROVER_CHECK(value(item.value, depth + 1));
      out.items.push_back(std::move(item));
      blanks();
      if (peek() == '}') break;
      if (peek() != ',') return unexpected("comma or object end");
      advance(1);
      blanks();
    }
    advance(1);
    return {};
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

  std::string_view text_;
  size_t at_ = 0;
  Pos pos_;
};

}  // namespace

Result<Node> parse_json(std::string_view text) { return JsonReader(text).run(); }

}  // namespace drover::hcl1
