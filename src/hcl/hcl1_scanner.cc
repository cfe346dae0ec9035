#include <fmt/format.h>

#include <cctype>
#include <vector>

#include "base/strings.h"
#include "hcl/hcl1_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl1 {

namespace {

Error at(const Pos& pos, std::string what) { return invalid(fmt::format("At {}: {}", pos.str(), what)); }
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

Status Scanner::skip_blanks() {
  while (at_ < text_.size()) {
    char c = peek();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      advance(1);
    } else if (c == '#' || (c == '/' && peek(1) == '/')) {
      size_t end = text_.find('\n', at_);
      advance((end == std::string_view::npos ? text_.size() : end) - at_);
    } else if (c == '/' && peek(1) == '*') {
      size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return at(pos_, "comment not terminated");
      advance(end + 2 - at_);
    } else if (c == '/') {
      return at(pos_, "expected '/' for comment");
    } else {
      break;
    }
  }
  return {};
}

Result<Token> Scanner::next() {
  DROVER_CHECK(skip_blanks());
  Token t;
  t.pos = pos_;
  if (at_ >= text_.size()) return t;
  char c = peek();
  size_t size = 1;
  if (hcl::is_id_start(hcl::decode_utf8(text_, at_, size))) return word();
  if (is_digit(c) || (c == '-' && (is_digit(peek(1)) || peek(1) == '.')) || (c == '.' && is_digit(peek(1)))) return number();
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
    default: return at(pos_, "illegal character");
  }
  t.text = std::string(1, c);
  advance(1);
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
  return t;
}

Result<Token> Scanner::number() {
  Token t;
  t.pos = pos_;
  size_t n = peek() == '-' ? 1 : 0;
  bool floating = false;
  if (peek(n) == '0' && (peek(n + 1) == 'x' || peek(n + 1) == 'X')) {
    n += 2;
    if (!is_hex(peek(n))) return at(pos_, "illegal hexadecimal number");
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
      if (!is_digit(peek(n))) return at(pos_, "illegal exponent in number");
      while (is_digit(peek(n))) ++n;
    }
  }
  t.type = floating ? Token::kFloat : Token::kNumber;
  t.text = std::string(text_.substr(at_, n));
  advance(n);
  return t;
}

Status Scanner::escape(std::string& out) {
  Pos start = pos_;
  char c = peek(1);
  static constexpr std::string_view kFrom = "abfnrtv\\\"", kTo = "\a\b\f\n\r\t\v\\\"";
  if (auto k = kFrom.find(c); c != '\0' && k != std::string_view::npos) {
    out += kTo[k];
    advance(2);
    return {};
  }
  size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 3 : 0;
  if (digits == 0) return at(start, "illegal char escape");
  bool octal = digits == 3;
  size_t from = octal ? 1 : 2;
  uint32_t code = 0;
  for (size_t i = 0; i < digits; ++i) {
    char d = peek(from + i);
    if (octal ? d < '0' || d > '7' : !is_hex(d)) return at(start, "illegal char escape");
    code = code * (octal ? 8 : 16) + static_cast<uint32_t>(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
  }
  if (digits <= 3) {
    out += static_cast<char>(code & 0xFF);
  } else if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return at(start, "illegal char escape");
  } else {
    hcl::append_utf8(out, code);
  }
  advance(from + digits);
  return {};
}

// `${...}` keeps everything in it, quotes and newlines too.
Result<Token> Scanner::string() {
  Token t;
  t.type = Token::kString;
  t.pos = pos_;
  advance(1);
  int braces = 0;
  while (true) {
    if (at_ >= text_.size()) return at(pos_, "literal not terminated");
    char c = peek();
    if (braces == 0 && c == '"') break;
    if (braces == 0 && c == '\n') return at(pos_, "literal not terminated");
    if (c == '$' && peek(1) == '{' && braces == 0) {
      t.text += "${";
      advance(2);
      braces = 1;
      continue;
    }
    if (braces > 0 && c == '{') ++braces;
    if (braces > 0 && c == '}') --braces;
    if (c == '\\' && braces == 0) {
      DROVER_CHECK(escape(t.text));
      continue;
    }
    t.text += c;
    advance(1);
  }
  advance(1);
  return t;
}

Result<Token> Scanner::heredoc() {
  Token t;
  t.type = Token::kHeredoc;
  t.pos = pos_;
  if (peek(1) != '<') return at(pos_, "heredoc expected second '<', didn't see it");
  size_t start = at_ + 2;
  bool indented = start < text_.size() && text_[start] == '-';
  if (indented) ++start;
  size_t newline = text_.find('\n', start);
  if (newline == std::string_view::npos) return at(pos_, "heredoc not terminated");
  auto marker = text_.substr(start, newline - start);
  if (marker.ends_with('\r')) marker.remove_suffix(1);
  if (marker.empty()) return at(pos_, "zero-length heredoc anchor");
  for (char c : marker) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && static_cast<unsigned char>(c) < 0x80) {
      return at(pos_, "heredoc anchor contains a character that is no letter or digit");
    }
  }
  std::vector<std::string_view> lines;
  size_t from = newline + 1;
  while (true) {
    if (from > text_.size()) return at(pos_, "heredoc not terminated");
    size_t end = text_.find('\n', from);
    auto line = text_.substr(from, end == std::string_view::npos ? end : end - from);
    auto bare = line;
    if (bare.ends_with('\r')) bare.remove_suffix(1);
    auto stripped = indented ? bare.substr(std::min(bare.size(), bare.find_first_not_of(" \t"))) : bare;
    if (stripped == marker) {
      // The closing marker's indentation is taken off every line if every line has it.
      auto prefix = bare.substr(0, bare.size() - stripped.size());
      bool all = true;
      for (auto l : lines) all = all && l.starts_with(prefix);
      for (auto l : lines) t.text.append(all ? l.substr(prefix.size()) : l).append("\n");
      advance(from + bare.size() - at_);
      return t;
    }
    if (end == std::string_view::npos) return at(pos_, "heredoc not terminated");
    lines.push_back(line);
    from = end + 1;
  }
}

}  // namespace drover::hcl1
