// Source to tree: a scanner over the text with trim markers and comments, and a parser by recursive descent.
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "gotemplate/ast.h"

namespace drover::gotemplate {
namespace {

struct Token {
  enum class Kind : unsigned char {
    kText, kLeft, kRight, kSpace, kPipe, kDeclare, kAssign, kComma, kParenLeft, kParenRight,
    kField, kDot, kVariable, kIdentifier, kNumber, kString, kCharacter, kEnd, kError,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  int line = 1;
  size_t column = 0;
};

// The whole text as tokens; the last is kEnd or kError (its text is the message).
class Scanner {
 public:
  explicit Scanner(std::string_view text) : s_(text) {}

  std::vector<Token> run() {
    while (at_ < s_.size() || trim_next_) {
      auto open = s_.find("{{", at_);
      std::string_view plain = s_.substr(at_, open == std::string_view::npos ? open : open - at_);
      bool trim_right = open != std::string_view::npos && open + 3 < s_.size() && s_[open + 2] == '-' && is_space(s_[open + 3]);
      emit_text(plain, trim_right);
      if (open == std::string_view::npos) break;
      advance(open - at_);
      if (!action(trim_right)) return std::move(out_);
    }
    emit(Token::Kind::kEnd, "");
    return std::move(out_);
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

  void advance(size_t n) {
    for (; n > 0; --n, ++at_) {
      if (s_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
    }
  }
  void emit(Token::Kind kind, std::string text) { out_.push_back({kind, std::move(text), line_, at_ - line_start_}); }
  bool fail(std::string message) {
    emit(Token::Kind::kError, std::move(message));
    return false;
  }

  void emit_text(std::string_view plain, bool trim_right) {
    if (std::exchange(trim_next_, false))
      while (!plain.empty() && is_space(plain.front())) {
        advance(1);
        plain.remove_prefix(1);
      }
    size_t length = plain.size();
    if (trim_right)
      while (!plain.empty() && is_space(plain.back())) plain.remove_suffix(1);
    if (!plain.empty()) emit(Token::Kind::kText, std::string(plain));
    advance(length);
  }

  // Whether "-}}" or "}}" comes next; consumes it.
  bool close() {
    if (s_.substr(at_, 4) == " -}}" || (at_ < s_.size() && is_space(s_[at_]) && s_.substr(at_ + 1, 3) == "-}}")) {
      advance(4);
      trim_next_ = true;
      return true;
    }
    if (s_.substr(at_, 2) != "}}") return false;
    advance(2);
    return true;
  }

  bool action(bool trim) {
    emit(Token::Kind::kLeft, "{{");
    advance(trim ? 3 : 2);
    std::string_view rest = s_.substr(at_);
    auto skip = rest.find_first_not_of(" \t\r\n");
    if (skip != std::string_view::npos && rest.substr(skip, 2) == "/*" && (skip == 0 || trim)) {
      auto end = s_.find("*/", at_ + skip + 2);
      if (end == std::string_view::npos) return fail("unclosed comment");
      advance(end + 2 - at_);
      if (!close()) return fail("comment ends before closing delimiter");
      out_.pop_back();
      return true;
    }
    for (;;) {
      if (at_ >= s_.size()) return fail("unclosed action");
      if (close()) {
        if (depth_) return fail("unclosed left paren");
        emit(Token::Kind::kRight, "}}");
        return true;
      }
      if (!token()) return false;
    }
  }

  bool take(Token::Kind kind, size_t n) {
    emit(kind, std::string(s_.substr(at_, n)));
    advance(n);
    return true;
  }

  size_t word_end(size_t from) const {
    while (from < s_.size() && is_word(s_[from])) ++from;
    return from;
  }

  bool token() {
    char c = s_[at_];
    if (is_space(c)) {
      size_t n = 0;
      // The blank in front of "-}}" belongs to the delimiter.
      while (at_ + n < s_.size() && is_space(s_[at_ + n]) && s_.substr(at_ + n + 1, 3) != "-}}") ++n;
      return n ? take(Token::Kind::kSpace, n) : true;
    }
    if (s_.substr(at_, 2) == ":=") return take(Token::Kind::kDeclare, 2);
    if (c == '=') return take(Token::Kind::kAssign, 1);
    if (c == '|') return take(Token::Kind::kPipe, 1);
    if (c == ',') return take(Token::Kind::kComma, 1);
    if (c == '(') return ++depth_, take(Token::Kind::kParenLeft, 1);
    if (c == ')') return depth_-- > 0 ? take(Token::Kind::kParenRight, 1) : fail("unexpected right paren");
    if (c == '"' || c == '`') return quoted(c);
    if (c == '\'') return character();
    bool digit_next = at_ + 1 < s_.size() && std::isdigit(static_cast<unsigned char>(s_[at_ + 1]));
    if (c == '.' && !digit_next) {
      size_t end = word_end(at_ + 1);
      return take(end == at_ + 1 ? Token::Kind::kDot : Token::Kind::kField, end - at_);
    }
    if (c == '$') return take(Token::Kind::kVariable, word_end(at_ + 1) - at_);
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.') return number();
    if (is_word(c)) return take(Token::Kind::kIdentifier, word_end(at_) - at_);
    return fail(fmt::format("unrecognized character in action: U+{:04X} '{}'", static_cast<unsigned char>(c), c));
  }

  bool quoted(char quote) {
    size_t i = at_ + 1;
    for (;; ++i) {
      if (i >= s_.size() || (quote == '"' && s_[i] == '\n')) return fail(quote == '"' ? "unterminated quoted string" : "unterminated raw quoted string");
      if (s_[i] == quote) break;
      if (quote == '"' && s_[i] == '\\') ++i;
    }
    return take(Token::Kind::kString, i + 1 - at_);
  }

  bool character() {
    size_t i = at_ + 1;
    for (;; ++i) {
      if (i >= s_.size() || s_[i] == '\n') return fail("unterminated character constant");
      if (s_[i] == '\'') break;
      if (s_[i] == '\\') ++i;
    }
    return take(Token::Kind::kCharacter, i + 1 - at_);
  }

  bool number() {
    size_t i = at_;
    if (s_[i] == '+' || s_[i] == '-') ++i;
    while (i < s_.size() && (is_word(s_[i]) || s_[i] == '.' || ((s_[i] == '+' || s_[i] == '-') && (s_[i - 1] | 0x20) == 'e'))) ++i;
    return take(Token::Kind::kNumber, i - at_);
  }

  std::string_view s_;
  size_t at_ = 0, line_start_ = 0;
  int line_ = 1, depth_ = 0;
  bool trim_next_ = false;
  std::vector<Token> out_;
};

// Go's interpreted string literal without its quotes; nullopt when an escape is wrong.
std::optional<std::string> unquote(std::string_view t) {
  std::string out;
  if (t[0] == '`') return std::string(t.substr(1, t.size() - 2));
  t = t.substr(1, t.size() - 2);
  for (size_t i = 0; i < t.size(); ++i) {
    if (t[i] != '\\') {
      out += t[i];
      continue;
    }
    if (++i >= t.size()) return {};
    static constexpr std::string_view names = "abfnrtv\\'\"", values = "\a\b\f\n\r\t\v\\'\"";
    if (auto k = names.find(t[i]); k != std::string_view::npos) {
      out += values[k];
      continue;
    }
    size_t digits = t[i] == 'x' ? 2 : t[i] == 'u' ? 4 : t[i] == 'U' ? 8 : 0;
    if (!digits || i + digits >= t.size() + 0 + (digits == 0)) return {};
    unsigned code = 0;
    for (size_t k = 1; k <= digits; ++k) {
      char c = i + k < t.size() ? t[i + k] : 'z';
      if (!std::isxdigit(static_cast<unsigned char>(c))) return {};
      code = code * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    i += digits;
    if (digits == 2 || code < 0x80) out += static_cast<char>(code);
    else if (code < 0x800) out += static_cast<char>(0xc0 | code >> 6), out += static_cast<char>(0x80 | (code & 63));
    else if (code < 0x10000) out += static_cast<char>(0xe0 | code >> 12), out += static_cast<char>(0x80 | (code >> 6 & 63)), out += static_cast<char>(0x80 | (code & 63));
    else out += static_cast<char>(0xf0 | code >> 18), out += static_cast<char>(0x80 | (code >> 12 & 63)), out += static_cast<char>(0x80 | (code >> 6 & 63)), out += static_cast<char>(0x80 | (code & 63));
  }
  return out;
}

class Parser {
 public:
  Parser(Template::Parts& parts, std::vector<Token> tokens);

  Status run();

 private:
  using K = Token::Kind;
  enum class Stop : unsigned char { kEof, kEnd, kElse };

  const Token& peek() const { return tokens_[at_]; }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  void skip_space() {
    while (peek().kind == K::kSpace) next();
  }
  const Token& peek_word() {
    skip_space();
    return peek();
  }

  Error fail(std::string message) const { return fail_at(peek(), std::move(message)); }
  Error fail_at(const Token& t, std::string message) const {
    return invalid(fmt::format("template: {}:{}: {}", name_, t.line, message));
  }
  Error unexpected(const Token& t, std::string_view context) const {
    if (t.kind == K::kError) return fail_at(t, t.text);
    std::string what = t.kind == K::kEnd ? "EOF" : t.kind == K::kRight ? "\"}}\"" : "<" + t.text + ">";
    if (t.kind == K::kEnd) return fail_at(t, "unexpected EOF");
    if (t.kind != K::kRight) what = t.kind == K::kIdentifier && is_keyword(t.text) ? "<" + t.text + ">" : go_quote(t.text);
    return fail_at(t, fmt::format("unexpected {} in {}", what, context));
  }
  static bool is_keyword(std::string_view w) {
    for (auto k : {"block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with"})
      if (w == k) return true;
    return false;
  }

  Tree make(Node::Kind kind) const {
    auto n = std::make_shared<Node>();
    n->kind = kind;
    n->line = peek().line;
    n->column = peek().column;
    return n;
  }

  Result<Stop> items(std::vector<Tree>& out, int depth);
  Status define();
  Result<Tree> control(Node::Kind kind, int depth);
  Result<Tree> template_action(bool block, int depth);
  Result<Tree> pipeline(std::string_view context, Token::Kind end, int depth);
  Result<Tree> command(std::string_view context, int depth);
  Result<Tree> operand(std::string_view context, int depth);
  Result<Tree> term(std::string_view context, int depth);
  Result<Tree> constant();
  Status end_action(std::string_view context) {
    if (peek_word().kind != K::kRight) return unexpected(peek(), context);
    next();
    return {};
  }
  bool known_variable(std::string_view name) const {
    for (auto& v : variables_)
      if (v == name) return true;
    return false;
  }

  Template::Parts& parts_;
  std::string name_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  std::vector<std::string> variables_{"$"};
  int loops_ = 0;
};

Parser::Parser(Template::Parts& parts, std::vector<Token> tokens)
    : parts_(parts), name_(parts.name), tokens_(std::move(tokens)) {}

Status Parser::run() {
  std::vector<Tree> main;
  DROVER_TRY(auto stop, items(main, 0));
  if (stop == Stop::kEnd) return fail("unexpected {{end}}");
  if (stop == Stop::kElse) return fail("unexpected {{else}}");
  parts_.defined[parts_.name] = std::move(main);
  return {};
}

Result<Parser::Stop> Parser::items(std::vector<Tree>& out, int depth) {
  if (depth > Template::kDepthMax) return fail("nested too deep");
  for (;;) {
    auto& t = peek();
    if (t.kind == K::kEnd) return Stop::kEof;
    if (t.kind == K::kError) return fail_at(t, t.text);
    if (t.kind == K::kText) {
      auto n = make(Node::Kind::kText);
      n->text = next().text;
      out.push_back(n);
      continue;
    }
    next();  // {{
    auto& word = peek_word();
    std::string w = word.kind == K::kIdentifier ? word.text : "";
    if (w == "end") {
      next();
      DROVER_CHECK(end_action("end"));
      return Stop::kEnd;
    }
    if (w == "else") {
      next();
      return Stop::kElse;
    }
    if (w == "define") {
      next();
      DROVER_CHECK(define());
      continue;
    }
    Tree n;
    if (w == "if" || w == "range" || w == "with") {
      next();
      DROVER_TRY(n, control(w == "if" ? Node::Kind::kIf : w == "range" ? Node::Kind::kRange : Node::Kind::kWith, depth));
    } else if (w == "template" || w == "block") {
      next();
      DROVER_TRY(n, template_action(w == "block", depth));
    } else if (w == "break" || w == "continue") {
      if (!loops_) return fail(fmt::format("{{{{{}}}}} outside {{{{range}}}}", w));
      n = make(w == "break" ? Node::Kind::kBreak : Node::Kind::kContinue);
      next();
      DROVER_CHECK(end_action(w));
    } else {
      n = make(Node::Kind::kAction);
      DROVER_TRY(n->pipe, pipeline("command", K::kRight, depth));
    }
    out.push_back(n);
  }
}

Status Parser::define() {
  auto& t = peek_word();
  auto name = t.kind == K::kString ? unquote(t.text) : std::nullopt;
  if (!name) return unexpected(t, "define clause");
  next();
  DROVER_CHECK(end_action("define clause"));
  std::vector<std::string> outer{"$"};
  outer.swap(variables_);
  std::vector<Tree> body;
  DROVER_TRY(auto stop, items(body, 1));
  outer.swap(variables_);
  if (stop != Stop::kEnd) return stop == Stop::kEof ? fail("unexpected EOF") : fail("unexpected {{else}} in define clause");
  parts_.defined[*name] = std::move(body);
  return {};
}

Result<Tree> Parser::control(Node::Kind kind, int depth) {
  auto n = make(kind);
  std::string_view context = kind == Node::Kind::kIf ? "if" : kind == Node::Kind::kRange ? "range" : "with";
  size_t scope = variables_.size();
  DROVER_TRY(n->pipe, pipeline(context, K::kRight, depth));
  if (kind == Node::Kind::kRange) ++loops_;
  DROVER_TRY(auto stop, items(n->list, depth + 1));
  if (stop == Stop::kElse) {
    auto& t = peek_word();
    if (t.kind == K::kIdentifier && (t.text == "if" || t.text == "with") && kind != Node::Kind::kRange) {
      auto inner = t.text == "if" ? Node::Kind::kIf : Node::Kind::kWith;
      next();
      DROVER_TRY(auto chained, control(inner, depth + 1));
      n->else_list.push_back(chained);
      stop = Stop::kEnd;
    } else {
      DROVER_CHECK(end_action("else"));
      DROVER_TRY(stop, items(n->else_list, depth + 1));
    }
  }
  if (kind == Node::Kind::kRange) --loops_;
  variables_.resize(scope);
  if (stop == Stop::kEof) return fail("unexpected EOF");
  if (stop == Stop::kElse) return fail("expected end; found {{else}}");
  return n;
}

Result<Tree> Parser::template_action(bool block, int depth) {
  auto n = make(Node::Kind::kTemplate);
  std::string_view context = block ? "block clause" : "template clause";
  auto& t = peek_word();
  auto name = t.kind == K::kString ? unquote(t.text) : std::nullopt;
  if (!name) return unexpected(t, context);
  n->text = *name;
  next();
  if (peek_word().kind == K::kRight) next();
  else {
    DROVER_TRY(n->pipe, pipeline(context, K::kRight, depth));
  }
  if (!block) return n;
  std::vector<Tree> body;
  DROVER_TRY(auto stop, items(body, depth + 1));
  if (stop != Stop::kEnd) return fail("unexpected EOF");
  parts_.defined[*name] = std::move(body);
  return n;
}

Result<Tree> Parser::pipeline(std::string_view context, Token::Kind end, int depth) {
  if (depth > Template::kDepthMax) return fail("nested too deep");
  auto n = make(Node::Kind::kPipe);
  // {{$a := ...}}, {{$i, $e := ...}}, {{$a = ...}}
  size_t back = at_;
  std::vector<std::string> names;
  while (peek_word().kind == K::kVariable) {
    names.push_back(next().text);
    auto kind = peek_word().kind;
    if (kind == K::kDeclare || kind == K::kAssign) {
      n->assign = kind == K::kAssign;
      next();
      n->variables = names;
      break;
    }
    if (kind != K::kComma || context != "range" || names.size() == 2) break;
    next();
  }
  if (n->variables.empty()) at_ = back;
  for (auto& v : n->variables) {
    if (n->assign && !known_variable(v)) return fail(fmt::format("undefined variable {}", go_quote(v)));
    if (!n->assign) variables_.push_back(v);
  }
  for (;;) {
    auto& t = peek_word();
    if (t.kind == end) {
      if (n->children.empty()) return fail(fmt::format("missing value for {}", context));
      next();
      return n;
    }
    DROVER_TRY(auto c, command(context, depth));
    n->children.push_back(c);
    auto& after = peek_word();
    if (after.kind == K::kPipe) {
      next();
      if (peek_word().kind == end) return fail(fmt::format("missing value for {}", context));
    } else if (after.kind != end) {
      return unexpected(after, context);
    }
  }
}

Result<Tree> Parser::command(std::string_view context, int depth) {
  auto n = make(Node::Kind::kCommand);
  for (;;) {
    DROVER_TRY(auto o, operand(context, depth));
    if (!o) break;
    n->children.push_back(o);
    if (peek().kind != K::kSpace) break;
    skip_space();
  }
  if (n->children.empty()) {
    if (peek().kind == K::kPipe) return fail(fmt::format("missing value for {}", context));
    return unexpected(peek(), n->children.empty() ? context : "operand");
  }
  return n;
}

// A term with the fields that follow it without a blank.
Result<Tree> Parser::operand(std::string_view context, int depth) {
  DROVER_TRY(auto n, term(context, depth));
  if (!n || peek().kind != K::kField) return n;
  if (n->kind == Node::Kind::kDot || n->kind == Node::Kind::kField || n->kind == Node::Kind::kVariable) {
    if (n->kind == Node::Kind::kDot) n->kind = Node::Kind::kField;
    while (peek().kind == K::kField) n->path.push_back(next().text.substr(1));
    return n;
  }
  if (n->kind == Node::Kind::kConstant || n->kind == Node::Kind::kNil)
    return fail(fmt::format("unexpected . after term {}", go_quote(source_of(*n))));
  auto chain = make(Node::Kind::kChain);
  chain->children.push_back(n);
  while (peek().kind == K::kField) chain->path.push_back(next().text.substr(1));
  return chain;
}

Result<Tree> Parser::term(std::string_view context, int depth) {
  auto& t = peek();
  switch (t.kind) {
    case K::kDot: {
      auto n = make(Node::Kind::kDot);
      next();
      return n;
    }
    case K::kField: {
      auto n = make(Node::Kind::kField);
      n->path.push_back(next().text.substr(1));
      return n;
    }
    case K::kVariable: {
      if (!known_variable(t.text)) return fail(fmt::format("undefined variable {}", go_quote(t.text)));
      auto n = make(Node::Kind::kVariable);
      n->path.push_back(next().text);
      return n;
    }
    case K::kIdentifier: {
      if (t.text == "nil" || t.text == "true" || t.text == "false") {
        auto n = make(t.text == "nil" ? Node::Kind::kNil : Node::Kind::kConstant);
        n->text = t.text;
        if (t.text != "nil") n->value = Datum::boolean(t.text == "true");
        next();
        return n;
      }
      if (is_keyword(t.text)) return unexpected(t, context);
      if (!parts_.functions.contains(t.text)) return fail(fmt::format("function {} not defined", go_quote(t.text)));
      auto n = make(Node::Kind::kFunction);
      n->text = next().text;
      return n;
    }
    case K::kParenLeft: {
      next();
      return pipeline("parenthesized pipeline", K::kParenRight, depth + 1);
    }
    case K::kNumber:
    case K::kString:
    case K::kCharacter: return constant();
    case K::kError: return fail_at(t, t.text);
    default: return Tree();
  }
}

Result<Tree> Parser::constant() {
  auto n = make(Node::Kind::kConstant);
  auto t = next();
  n->text = t.text;
  if (t.kind != K::kNumber) {
    auto text = unquote(t.text);
    if (!text) return fail_at(t, "invalid syntax");
    n->value = t.kind == K::kString ? Datum::text(*text) : Datum::number(text->empty() ? 0 : static_cast<unsigned char>((*text)[0]));
    return n;
  }
  std::string digits;
  for (char c : t.text)
    if (c != '_') digits += c;
  if (auto i = parse_int(digits)) n->value = Datum::number(*i);
  else if (auto d = parse_double(digits)) n->value = Datum::of(*d);
  else {
    bool negative = digits[0] == '-';
    std::string_view body = std::string_view(digits).substr(negative || digits[0] == '+');
    int base = body.size() > 2 && body[0] == '0' ? ((body[1] | 0x20) == 'x' ? 16 : (body[1] | 0x20) == 'o' ? 8 : (body[1] | 0x20) == 'b' ? 2 : 0) : 0;
    uint64_t value = 0;
    bool good = false;
    if (base) {
      auto* end = body.data() + body.size();
      auto read = std::from_chars(body.data() + 2, end, value, base);
      good = read.ec == std::errc() && read.ptr == end && value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    }
    if (!good) return fail_at(t, fmt::format("bad number syntax: {}", go_quote(t.text)));
    n->value = Datum::number(negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value));
  }
  return n;
}

}  // namespace

std::string source_of(const Node& n) {
  switch (n.kind) {
    case Node::Kind::kField: {
      std::string out;
      for (auto& p : n.path) out += "." + p;
      return out;
    }
    case Node::Kind::kVariable: return join(n.path, ".");
    case Node::Kind::kChain: {
      std::string out = "(" + source_of(*n.children[0]) + ")";
      for (auto& p : n.path) out += "." + p;
      return out;
    }
    case Node::Kind::kDot: return ".";
    case Node::Kind::kNil: return "nil";
    case Node::Kind::kPipe:
    case Node::Kind::kCommand: {
      std::string out;
      for (auto& c : n.children) out += (out.empty() ? "" : n.kind == Node::Kind::kPipe ? " | " : " ") + source_of(*c);
      return out;
    }
    default: return n.text;
  }
}

Result<Template> Template::parse(std::string_view name, std::string_view text, const Functions& extra) {
  auto parts = std::make_shared<Parts>();
  parts->name = name;
  parts->functions = standard_functions();
  for (auto& [k, f] : extra) parts->functions[k] = f;
  DROVER_CHECK(Parser(*parts, Scanner(text).run()).run());
  return Template(std::move(parts));
}

}  // namespace drover::gotemplate
