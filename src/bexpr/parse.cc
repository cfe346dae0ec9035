// A packrat-free PEG reader: alternatives are tried in order, and the farthest failure with all that was expected
// there becomes the error message, in the form that the reference's generated parser prints.
#include <functional>
#include <set>

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "bexpr/ast.h"
#include "bexpr/bexpr.h"
#include "bexpr/regexp_text.h"

namespace drover::bexpr {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : s_(text) {}

  Result<std::shared_ptr<Node>> run() {
    skip_space();
    auto root = or_expression(0);
    if (!error_.empty()) return invalid(error_);
    if (root) {
      skip_space();
      if (at_ == s_.size()) return root;
      expected("EOF");
    }
    return invalid(message());
  }

 private:
  using Tree = std::shared_ptr<Node>;

  void expected(std::string what) {
    if (at_ > farthest_) {
      farthest_ = at_;
      wanted_.clear();
    }
    if (at_ == farthest_) wanted_.insert(std::move(what));
  }

  std::string message() const {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < farthest_; ++i) {
      if (s_[i] == '\n') {
        ++line;
        column = 1;
      } else {
        ++column;
      }
    }
    std::vector<std::string> all(wanted_.begin(), wanted_.end());
    // The end of the input is named last whatever its place in the alphabet.
    if (auto it = std::find(all.begin(), all.end(), "EOF"); it != all.end()) std::rotate(it, it + 1, all.end());
    std::string list;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i) list += i + 1 == all.size() ? " or " : ", ";
      list += all[i];
    }
    return fmt::format("{}:{} ({}): no match found, expected: {}", line, column, farthest_, list);
  }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  // One or more blanks; notes the expectation in either case, as a repetition that could go on.
  bool space() {
    size_t start = at_;
    while (at_ < s_.size() && is_space(s_[at_])) ++at_;
    expected("[ \\t\\r\\n]");
    return at_ > start;
  }
  void skip_space() { (void)space(); }

  bool word(std::string_view w) {
    if (s_.substr(at_, w.size()) == w) {
      at_ += w.size();
      return true;
    }
    expected(fmt::format("\"{}\"", w));
    return false;
  }

  template <class F>
  auto attempt(F f) -> decltype(f()) {
    size_t back = at_;
    auto result = f();
    if (!result) at_ = back;
    return result;
  }

  bool infix(std::string_view w) {
    return attempt([&] { return space() && word(w) && space(); });
  }

  static Tree branch(Node::Kind kind, Tree left, Tree right) {
    auto n = std::make_shared<Node>();
    n->kind = kind;
    n->left = std::move(left);
    n->right = std::move(right);
    return n;
  }

  Tree binary(int depth, Node::Kind kind, std::string_view w, Tree (Parser::*operand)(int), Tree (Parser::*self)(int)) {
    auto left = (this->*operand)(depth);
    if (!left) return nullptr;
    size_t back = at_;
    if (infix(w))
      if (auto right = (this->*self)(depth + 1)) return branch(kind, left, right);
    at_ = back;
    return left;
  }
  Tree or_expression(int depth) {
    return binary(depth, Node::Kind::kOr, "or", &Parser::and_expression, &Parser::or_expression);
  }
  Tree and_expression(int depth) {
    return binary(depth, Node::Kind::kAnd, "and", &Parser::not_expression, &Parser::and_expression);
  }

  Tree not_expression(int depth) {
    if (depth > kDepthMax) {
      error_ = fmt::format("expression is nested deeper than {}", kDepthMax);
      return nullptr;
    }
    size_t back = at_;
    if (word("not") && space())
      if (auto inner = not_expression(depth + 1)) return branch(Node::Kind::kNot, inner, nullptr);
    at_ = back;
    if (!error_.empty()) return nullptr;
    return parenthesized(depth);
  }

  Tree parenthesized(int depth) {
    size_t back = at_;
    if (word("(")) {
      skip_space();
      if (auto inner = or_expression(depth + 1)) {
        skip_space();
        if (word(")")) return inner;
      }
    }
    at_ = back;
    if (!error_.empty()) return nullptr;
    return match();
  }

  Tree match() {
    for (auto form : {&Parser::selector_op_value, &Parser::selector_op, &Parser::value_op_selector}) {
      auto n = std::make_shared<Node>();
      if (attempt([&] { return (this->*form)(*n); })) return n;
      if (!error_.empty()) return nullptr;
    }
    return nullptr;
  }

  bool selector_op_value(Node& n) {
    if (!selector(n.selector)) return false;
    auto tight = [&](std::string_view w) {
      return attempt([&] {
        skip_space();
        if (!word(w)) return false;
        skip_space();
        return true;
      });
    };
    auto spaced = [&](std::initializer_list<std::string_view> words) {
      return attempt([&] {
        for (auto w : words)
          if (!space() || !word(w)) return false;
        return space();
      });
    };
    if (tight("==")) n.op = Op::kEqual;
    else if (tight("!=")) n.op = Op::kEqual, n.negated = true;
    else if (spaced({"contains"})) n.op = Op::kIn;
    else if (spaced({"not", "contains"})) n.op = Op::kIn, n.negated = true;
    else if (spaced({"matches"})) n.op = Op::kMatches;
    else if (spaced({"not", "matches"})) n.op = Op::kMatches, n.negated = true;
    else return false;
    return value(n.value);
  }

  bool selector_op(Node& n) {
    if (!selector(n.selector)) return false;
    n.op = Op::kEmpty;
    auto phrase = [&](std::initializer_list<std::string_view> words) {
      return attempt([&] {
        for (auto w : words)
          if (!space() || !word(w)) return false;
        return true;
      });
    };
    if (phrase({"is", "empty"})) return true;
    n.negated = true;
    return phrase({"is", "not", "empty"});
  }

  bool value_op_selector(Node& n) {
    if (!value(n.value)) return false;
    n.op = Op::kIn;
    if (infix("in")) return selector(n.selector);
    n.negated = true;
    return attempt([&] { return space() && word("not") && infix("in"); }) && selector(n.selector);
  }

  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  bool identifier(std::string& out) {
    if (at_ >= s_.size() || !is_letter(s_[at_])) {
      expected("[a-zA-Z]");
      return false;
    }
    size_t start = at_++;
    while (at_ < s_.size() && (is_letter(s_[at_]) || is_digit(s_[at_]) || s_[at_] == '_' || s_[at_] == '/')) ++at_;
    expected("[a-zA-Z0-9_/]");
    out = s_.substr(start, at_ - start);
    return true;
  }

  bool selector(std::vector<std::string>& parts) {
    parts.clear();
    if (at_ < s_.size() && s_[at_] == '"') return json_pointer(parts);
    std::string part;
    if (!identifier(part)) {
      expected("\"\\\"\"");
      return false;
    }
    do parts.push_back(part);
    while (attempt([&] { return member(part) || index(part); }));
    return true;
  }

  bool member(std::string& out) {
    return attempt([&] {
      if (!word(".")) return false;
      size_t start = at_;
      while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
      if (at_ > start) {
        out = s_.substr(start, at_ - start);
        return true;
      }
      return identifier(out);
    });
  }

  bool index(std::string& out) {
    return attempt([&] {
      if (!word("[")) return false;
      skip_space();
      if (!string(out)) return false;
      skip_space();
      return word("]");
    });
  }

  bool json_pointer(std::vector<std::string>& parts) {
    std::string text;
    return attempt([&] {
      if (!string(text) || text.size() < 2 || text[0] != '/') return false;
      for (auto& p : split(std::string_view(text).substr(1), '/'))
        parts.push_back(replace_all(replace_all(p, "~1", "/"), "~0", "~"));
      return true;
    });
  }

  bool value(std::string& out) {
    std::vector<std::string> parts;
    size_t start = at_;
    if ((at_ >= s_.size() || s_[at_] != '"') && attempt([&] { return selector(parts); })) {
      out = s_.substr(start, at_ - start);
      return true;
    }
    return pointer_text(out) || attempt([&] { return number(out); }) || string(out);
  }

  // A quoted value that reads as a JSON pointer is taken for one, and its text has no slash in front: "/a/b" is a/b.
  bool pointer_text(std::string& out) {
    if (at_ + 1 >= s_.size() || s_[at_] != '"' || s_[at_ + 1] != '/') return false;
    auto in_segment = [](char c) {
      return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 || std::string_view("-_.~:|").find(c) != std::string_view::npos;
    };
    size_t i = at_ + 1;
    while (i < s_.size() && s_[i] == '/') {
      size_t segment = ++i;
      while (i < s_.size() && in_segment(s_[i])) ++i;
      if (i == segment) return false;
    }
    if (i >= s_.size() || s_[i] != '"') return false;
    out = s_.substr(at_ + 2, i - at_ - 2);
    at_ = i + 1;
    return true;
  }

  bool number(std::string& out) {
    size_t start = at_;
    if (at_ < s_.size() && s_[at_] == '-') ++at_;
    size_t digits = at_;
    if (at_ < s_.size() && s_[at_] == '0') ++at_;
    else
      while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
    if (at_ == digits) {
      at_ = start;
      expected("\"-\"");
      expected("\"0\"");
      expected("[1-9]");
      return false;
    }
    if (at_ + 1 < s_.size() && s_[at_] == '.' && is_digit(s_[at_ + 1]))
      for (++at_; at_ < s_.size() && is_digit(s_[at_]);) ++at_;
    out = s_.substr(start, at_ - start);
    return true;
  }

  bool string(std::string& out) {
    if (at_ >= s_.size() || (s_[at_] != '"' && s_[at_] != '`')) {
      expected("\"\\\"\"");
      expected("\"`\"");
      return false;
    }
    char quote = s_[at_];
    size_t i = at_ + 1;
    out.clear();
    for (; i < s_.size() && s_[i] != quote; ++i) {
      if (quote == '"' && s_[i] == '\\' && i + 1 < s_.size()) ++i;
      out += s_[i];
    }
    if (i >= s_.size()) {
      error_ = fmt::format("1:{} ({}): rule string: Unterminated string literal", i + 1, i);
      return false;
    }
    at_ = i + 1;
    return true;
  }

  std::string_view s_;
  size_t at_ = 0;
  size_t farthest_ = 0;
  std::set<std::string> wanted_;
  std::string error_;  // an error that no alternative can mend
};

void compile(Node& n) {
  if (n.kind != Node::Kind::kMatch) {
    compile(const_cast<Node&>(*n.left));
    if (n.right) compile(const_cast<Node&>(*n.right));
    return;
  }
  if (n.op != Op::kMatches) return;
  if (auto good = check_regexp(n.value); !good) {
    n.fault = "Failed to compile regular expression " + go_quote(n.value) + ": " + good.error().message;
    return;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto re = std::make_shared<re2::RE2>(n.value, options);
  n.pattern = std::move(re);
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text) {
  DROVER_TRY(auto root, Parser(text).run());
  compile(*root);
  return Filter(std::move(root));
}

}  // namespace drover::bexpr
