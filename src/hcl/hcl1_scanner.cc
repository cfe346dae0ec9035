#include <fmt/format.h>

#include <cctype>
#include <vector>

#include "base/strings.h"
#include "hcl/hcl1_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl1 {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

void Scanner::advance(size_t bytes) {
  for (size_t i = 0; i < bytes && at_ < text_.size(); ++i, ++at_) {
    char c = text_[at_];
    if (c == '\n') {
      ++pos_.line;
      pos_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++pos_.column;
    }
  }
}

void Scanner::complain(std::string what) { fault_ = fmt::format("At {}: {}", here().str(), what); }

// The reference counts a column each time it looks beyond the end.
Pos Scanner::here() const {
  Pos out = pos_;
  if (at_ >= text_.size()) out.column += beyond_;
  return out;
}

void Scanner::look_beyond(uint32_t times) {
  if (at_ >= text_.size()) beyond_ += times;
}

bool Scanner::skip_blanks() {
  while (at_ < text_.size()) {
    char c = peek();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      advance(1);
    } else if (c == '#' || (c == '/' && peek(1) == '/')) {
      size_t end = text_.find('\n', at_);
      advance((end == std::string_view::npos ? text_.size() : end) - at_);
      look_beyond(1);
    } else if (c == '/' && peek(1) == '*') {
      size_t end = text_.find("*/", at_ + 2);
      advance((end == std::string_view::npos ? text_.size() : end + 2) - at_);
      if (end == std::string_view::npos) complain("comment not terminated");
    } else if (c == '/') {
      complain("expected '/' for comment");
      return false;
    } else {
      break;
    }
  }
  return true;
}

Token Scanner::next() {
  Token t;
  if (++tokens_ > kMaxTokens && at_ < text_.size()) {
    complain(fmt::format("the text has more than {} words and marks", kMaxTokens));
    at_ = text_.size();
    return t;
  }
  bool good = skip_blanks();
  t.pos = here();
  if (!good) {
    t.type = Token::kIllegal;
    advance(1);
    return t;
  }
  if (at_ >= text_.size()) {
    look_beyond(1);
    return t;
  }
  char c = peek();
  size_t size = 1;
  if (hcl::is_id_start(hcl::decode_utf8(text_, at_, size)) || c == '_') return word();
  if (is_digit(c) || (c == '-' && is_digit(peek(1))) || (c == '.' && is_digit(peek(1)))) return number();
  if (c == '"') return string();
  if (c == '<') return heredoc();
  switch (c) {
    case '[': t.type = Token::kLBrack; break;
    case ']': t.type = Token::kRBrack; break;
    case '{': t.type = Token::kLBrace; break;
    case '}': t.type = Token::kRBrace; break;
    case ',': t.type = Token::kComma; break;
    case '=': t.type = Token::kAssign; break;
    case '.': t.type = Token::kPeriod; break;
    case '+': t.type = Token::kAdd; break;
    case '-': t.type = Token::kSub; break;
    default:
      t.type = Token::kIllegal;
      complain(c == '\0' ? "unexpected null character (0x00)" : "illegal char");
  }
  t.text = std::string(text_.substr(at_, size));
  advance(size);
  return t;
}

Token Scanner::word() {
  Token t;
  t.pos = pos_;
  size_t end = at_, size = 1;
  while (end < text_.size() && (text_[end] == '.' || hcl::is_id_continue(hcl::decode_utf8(text_, end, size)))) {
    end += text_[end] == '.' ? 1 : size;
  }
  t.text = std::string(text_.substr(at_, end - at_));
  t.type = t.text == "true" || t.text == "false" ? Token::kBool : Token::kIdent;
  advance(end - at_);
  look_beyond(1);
  return t;
}

Token Scanner::number() {
  Token t;
  t.pos = pos_;
  size_t n = peek() == '-' ? 1 : 0;
  bool floating = false, bare_hex = false;
  if (peek(n) == '0' && (peek(n + 1) == 'x' || peek(n + 1) == 'X')) {
    n += 2;
    bare_hex = !is_hex(peek(n));
    while (is_hex(peek(n))) ++n;
  } else {
    while (is_digit(peek(n))) ++n;
    if (peek(n) == '.') {
      floating = true;
      for (++n; is_digit(peek(n));) ++n;
    }
    if (peek(n) == 'e' || peek(n) == 'E') {
      floating = true;
      ++n;
      if (peek(n) == '+' || peek(n) == '-') ++n;
      // What stands in place of digits is taken as one all the same, and refused when the number is read.
      if (!is_digit(peek(n)) && at_ + n < text_.size()) ++n;
      while (is_digit(peek(n))) ++n;
    }
  }
  t.type = floating ? Token::kFloat : Token::kNumber;
  t.text = std::string(text_.substr(at_, n));
  advance(n);
  if (bare_hex) complain("illegal hexadecimal number");
  look_beyond(2);
  return t;
}

void Scanner::escape(std::string& out) {
  char c = peek(1);
  static constexpr std::string_view kFrom = "abfnrtv\\\"", kTo = "\a\b\f\n\r\t\v\\\"";
  if (auto k = kFrom.find(c); c != '\0' && k != std::string_view::npos) {
    out += kTo[k];
    return advance(2);
  }
  size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 3 : 0;
  bool octal = digits == 3;
  advance(octal || digits == 0 ? 1 : 2);
  uint32_t code = 0;
  for (size_t i = 0; i < digits; ++i) {
    char d = peek();
    if (octal ? d < '0' || d > '7' : !is_hex(d)) {
      digits = 0;
      break;
    }
    code = code * (octal ? 8 : 16) + static_cast<uint32_t>(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
    advance(1);
  }
  if (digits == 0) {
    complain("illegal char escape");
    look_beyond(1);
  } else if (digits <= 3) {
    out += static_cast<char>(code & 0xFF);
  } else {
    hcl::append_utf8(out, code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0xFFFD : code);
  }
}

// `${...}` keeps everything in it, quotes and newlines too.
Token Scanner::string() {
  Token t;
  t.type = Token::kString;
  t.pos = pos_;
  advance(1);
  int braces = 0;
  while (true) {
    char c = peek();
    if (at_ >= text_.size() || (braces == 0 && c == '\n')) {
      complain("literal not terminated");
      if (at_ < text_.size()) advance(1);
      return t;
    }
    if (braces == 0 && c == '"') break;
    if (c == '$' && peek(1) == '{' && braces == 0) {
      t.text += "${";
      advance(2);
      braces = 1;
      continue;
    }
    if (braces > 0 && c == '{') ++braces;
    if (braces > 0 && c == '}') --braces;
    if (c == '\\' && braces == 0) {
      escape(t.text);
      continue;
    }
    t.text += c;
    advance(1);
  }
  advance(1);
  return t;
}

// Leaves the scanner behind the `bytes` that belong to what is faulty.
Token Scanner::bad_heredoc(Token t, size_t bytes, std::string what) {
  advance(bytes);
  complain(std::move(what));
  t.type = Token::kIllegal;
  return t;
}

Token Scanner::heredoc() {
  Token t;
  t.type = Token::kHeredoc;
  t.pos = pos_;
  if (peek(1) != '<') return bad_heredoc(std::move(t), 1, "heredoc expected second '<', didn't see it");
  size_t start = at_ + 2;
  bool indented = start < text_.size() && text_[start] == '-';
  if (indented) ++start;
  size_t newline = text_.find('\n', start);
  if (newline == std::string_view::npos) return bad_heredoc(std::move(t), text_.size() - at_, "heredoc not terminated");
  auto marker = text_.substr(start, newline - start);
  if (marker.ends_with('\r')) marker.remove_suffix(1);
  if (marker.empty()) return bad_heredoc(std::move(t), start - at_, "zero-length heredoc anchor");
  for (size_t i = 0; i < marker.size(); ++i) {
    auto c = static_cast<unsigned char>(marker[i]);
    if (!std::isalnum(c) && c != '_' && c < 0x80)
      return bad_heredoc(std::move(t), start + i - at_, "invalid characters in heredoc anchor");
  }
  std::vector<std::string_view> lines;
  size_t from = newline + 1;
  while (true) {
    if (from > text_.size()) return bad_heredoc(std::move(t), text_.size() - at_, "heredoc not terminated");
    size_t end = text_.find('\n', from);
    auto line = text_.substr(from, end == std::string_view::npos ? end : end - from);
    auto bare = line;
    if (bare.ends_with('\r')) bare.remove_suffix(1);
    auto stripped = bare.substr(std::min(bare.size(), bare.find_first_not_of(" \t")));
    if (stripped == marker) {
      // The closing marker's indentation is taken off every line if every line has it.
      auto prefix = bare.substr(0, bare.size() - stripped.size());
      bool all = indented;
      for (auto l : lines) all = all && l.starts_with(prefix);
      for (auto l : lines) t.text.append(all ? l.substr(prefix.size()) : l).append("\n");
      if (!indented) t.text += prefix;
      advance(from + bare.size() - at_);
      return t;
    }
    if (end == std::string_view::npos) return bad_heredoc(std::move(t), text_.size() - at_, "heredoc not terminated");
    lines.push_back(line);
    from = end + 1;
  }
}

}  // namespace drover::hcl1
