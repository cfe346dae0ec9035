#include "hcl/unicode.h"

#include <utf8proc.h>

#include <cstdlib>

#include "base/strings.h"
#include "hcl/source.h"

namespace drover::hcl {

int32_t decode_utf8(std::string_view text, size_t at, size_t& size) {
  auto c = static_cast<unsigned char>(text[at]);
  if (c < 0x80) {
    size = 1;
    return c;
  }
  utf8proc_int32_t code = -1;
  auto n = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                            static_cast<utf8proc_ssize_t>(text.size() - at), &code);
  if (n <= 0) {
    size = 1;
    return -1;
  }
  size = static_cast<size_t>(n);
  return code;
}

void append_utf8(std::string& out, uint32_t code) {
  utf8proc_uint8_t buffer[4];
  auto n = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), buffer);
  out.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(n));
}

size_t next_grapheme(std::string_view text) {
  if (text.empty()) return 0;
  auto first = static_cast<unsigned char>(text[0]);
  // The common case: a plain character followed by another.
  if (first < 0x80 && first != '\r' && (text.size() == 1 || static_cast<unsigned char>(text[1]) < 0x80)) return 1;
  size_t size = 0;
  int32_t before = decode_utf8(text, 0, size);
  size_t at = size;
  utf8proc_int32_t state = 0;
  while (at < text.size()) {
    int32_t next = decode_utf8(text, at, size);
    if (before < 0 || next < 0 || utf8proc_grapheme_break_stateful(before, next, &state)) break;
    before = next;
    at += size;
  }
  return at;
}

std::vector<std::string_view> graphemes(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    size_t n = next_grapheme(text);
    out.push_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

size_t grapheme_count(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(next_grapheme(text));
  return count;
}

std::string nfc(std::string text) {
  bool ascii = true;
  for (char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      ascii = false;
      break;
    }
  }
  if (ascii) return text;
  utf8proc_uint8_t* out = nullptr;
  auto n = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                        &out, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (n < 0) {
    std::free(out);
    return text;
  }
  std::string result(reinterpret_cast<char*>(out), static_cast<size_t>(n));
  std::free(out);
  return result;
}

bool is_id_start(int32_t c) {
  if (c < 0) return false;
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_NL:
      return true;
    default:
      return false;
  }
}

bool is_id_continue(int32_t c) {
  if (c < 0) return false;
  if (c < 0x80) return is_id_start(c) || (c >= '0' && c <= '9') || c == '-';
  if (is_id_start(c)) return true;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

bool is_unicode_space(int32_t c) {
  if (c < 0) return false;
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  if (c == 0x85 || c == 0xA0) return true;
  auto category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool is_letter(int32_t c) {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

bool is_digit(int32_t c) { return c >= 0 && utf8proc_category(c) == UTF8PROC_CATEGORY_ND; }
bool is_upper(int32_t c) { return c >= 0 && utf8proc_category(c) == UTF8PROC_CATEGORY_LU; }

bool is_valid_identifier(std::string_view text) {
  if (text.empty()) return false;
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    int32_t c = decode_utf8(text, at, size);
    if (at == 0 ? !is_id_start(c) : !is_id_continue(c)) return false;
  }
  return true;
}

// U+00DF has no simple upper case; utf8proc offers U+1E9E.
int32_t simple_upper(int32_t c) { return c == 0xDF ? c : utf8proc_toupper(c); }
int32_t simple_lower(int32_t c) { return utf8proc_tolower(c); }
int32_t simple_title(int32_t c) { return c == 0xDF ? c : utf8proc_totitle(c); }

std::string_view trim_left_space(std::string_view text) {
  size_t at = 0, size = 0;
  while (at < text.size() && is_unicode_space(decode_utf8(text, at, size))) at += size;
  return text.substr(at);
}

std::string_view trim_right_space(std::string_view text) {
  while (!text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    size_t size = 0;
    if (!is_unicode_space(decode_utf8(text, at, size))) break;
    text = text.substr(0, at);
  }
  return text;
}

Pos advance(Pos at, std::string_view text) {
  at.byte += static_cast<uint32_t>(text.size());
  while (!text.empty()) {
    size_t n = next_grapheme(text);
    if (text[n - 1] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
    text.remove_prefix(n);
  }
  return at;
}

}  // namespace drover::hcl
