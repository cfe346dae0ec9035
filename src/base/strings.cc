#include "base/strings.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace drover {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i) out += separator;
    out += parts[i];
  }
  return out;
}

std::string_view trim_space(std::string_view t) {
  auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!t.empty() && space(t.front())) t.remove_prefix(1);
  while (!t.empty() && space(t.back())) t.remove_suffix(1);
  return t;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
  return out;
}

bool equal_fold(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    char x = a[i], y = b[i];
    if (x >= 'A' && x <= 'Z') x += 'a' - 'A';
    if (y >= 'A' && y <= 'Z') y += 'a' - 'A';
    if (x != y) return false;
  }
  return true;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  if (from.empty()) return text;
  // Into a new text: replacing in place would move the rest of a long one for every find.
  std::string out;
  size_t copied = 0;
  for (size_t at; (at = text.find(from, copied)) != std::string::npos; copied = at + from.size()) {
    out.append(text, copied, at - copied);
    out += to;
  }
  if (copied == 0) return text;
  return out.append(text, copied);
}

namespace {
template <class T>
std::optional<T> parse_whole(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  T value{};
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}
}  // namespace

std::optional<int64_t> parse_int(std::string_view text) { return parse_whole<int64_t>(text); }
std::optional<uint64_t> parse_uint(std::string_view text) { return parse_whole<uint64_t>(text); }
std::optional<double> parse_double(std::string_view text) { return parse_whole<double>(text); }

std::optional<bool> parse_bool(std::string_view t) {
  for (auto yes : {"1", "t", "T", "TRUE", "true", "True"})
    if (t == yes) return true;
  for (auto no : {"0", "f", "F", "FALSE", "false", "False"})
    if (t == no) return false;
  return std::nullopt;
}

namespace {

// Characters above ASCII that Go does not print: controls, format characters, spaces, private and unassigned planes.
constexpr std::pair<uint32_t, uint32_t> kUnprintable[] = {
    {0x80, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},
    {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},
    {0x3000, 0x3000},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff},
    {0x2fffe, 0x2ffff}, {0x3134b, 0xe00ff}, {0xe01f0, 0x10ffff},
};

bool printable(uint32_t rune) {
  for (auto& [first, last] : kUnprintable)
    if (rune <= last) return rune < first;
  return true;
}

// Of a valid sequence of 2 to 4 bytes.
uint32_t rune_of(std::string_view sequence) {
  uint32_t rune = static_cast<unsigned char>(sequence[0]) & (0xff >> (sequence.size() + 1));
  for (size_t k = 1; k < sequence.size(); ++k) rune = rune << 6 | (static_cast<unsigned char>(sequence[k]) & 0x3f);
  return rune;
}

std::string rune_escape(uint32_t rune) {
  return rune > 0xffff ? fmt::format("\\U{:08x}", rune) : fmt::format("\\u{:04x}", rune);
}

}  // namespace

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\a': out += "\\a"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\v': out += "\\v"; break;
      default:
        if (c < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", c);
        } else if (c < 0x80) {
          out += static_cast<char>(c);
        } else {
          size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
          if (i + len <= text.size() && valid_utf8(text.substr(i, len))) {
            auto sequence = text.substr(i, len);
            auto rune = rune_of(sequence);
            out += printable(rune) ? std::string(sequence) : rune_escape(rune);
            i += len - 1;
          } else {
            out += fmt::format("\\x{:02x}", c);
          }
        }
    }
  }
  return out + '"';
}

std::string go_quote_ascii(std::string_view text) {
  std::string out;
  auto quoted = go_quote(text);
  for (size_t i = 0; i < quoted.size();) {
    unsigned char c = quoted[i];
    if (c < 0x80) {
      out += static_cast<char>(c);
      ++i;
      continue;
    }
    // go_quote leaves only whole sequences above ASCII.
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    out += rune_escape(rune_of(std::string_view(quoted).substr(i, length)));
    i += length;
  }
  return out;
}

std::string format_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  double magnitude = std::fabs(value);
  char buffer[64];
  bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  // Whole numbers beyond 2^53 print their shortest digits with zeros behind; to_chars would print them exactly.
  bool padded = !scientific && magnitude >= 9007199254740992.0;
  auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, value,
                                 scientific || padded ? std::chars_format::scientific : std::chars_format::fixed);
  std::string out(buffer, end);
  if (padded) {
    size_t e = out.find('e');
    size_t exponent = static_cast<size_t>(std::atoi(out.c_str() + e + 1));
    out.erase(e);
    std::erase(out, '.');
    out.append(exponent + 1 + (value < 0) - std::min(out.size(), exponent + 1 + (value < 0)), '0');
    return out;
  }
  // encoding/json writes e-7, not e-07.
  if (auto at = out.find("e-0"); at != std::string::npos) out.erase(at + 2, 1);
  return out;
}

std::string format_ibytes(uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 10) return fmt::format("{} B", bytes);
  size_t unit = 0;
  double scale = 1;
  while (bytes / scale >= 1024 && unit < 6) {
    scale *= 1024;
    ++unit;
  }
  double value = std::floor(static_cast<double>(bytes) / scale * 10 + 0.5) / 10;
  return value < 10 ? fmt::format("{:.1f} {}", value, units[unit]) : fmt::format("{:.0f} {}", value, units[unit]);
}

bool valid_utf8(std::string_view t) {
  for (size_t i = 0; i < t.size();) {
    unsigned char c = t[i];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (len == 0 || i + len > t.size()) return false;
    for (size_t k = 1; k < len; ++k)
      if ((static_cast<unsigned char>(t[i + k]) & 0xc0) != 0x80) return false;
    unsigned char second = len > 1 ? static_cast<unsigned char>(t[i + 1]) : 0;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
        (c == 0xf4 && second > 0x8f))
      return false;
    i += len;
  }
  return true;
}

std::string base64_encode(std::string_view in) {
  static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (size_t i = 0; i < in.size(); i += 3) {
    uint32_t v = static_cast<unsigned char>(in[i]) << 16;
    if (i + 1 < in.size()) v |= static_cast<unsigned char>(in[i + 1]) << 8;
    if (i + 2 < in.size()) v |= static_cast<unsigned char>(in[i + 2]);
    out += alphabet[v >> 18];
    out += alphabet[v >> 12 & 63];
    out += i + 1 < in.size() ? alphabet[v >> 6 & 63] : '=';
    out += i + 2 < in.size() ? alphabet[v & 63] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  auto value = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  if (text.size() % 4) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    bool last = i + 4 == text.size();
    int pad = last ? (text[i + 3] == '=') + (text[i + 2] == '=') : 0;
    uint32_t v = 0;
    for (int k = 0; k < 4 - pad; ++k) {
      int d = value(text[i + k]);
      if (d < 0) return std::nullopt;
      v |= static_cast<uint32_t>(d) << (18 - 6 * k);
    }
    out += static_cast<char>(v >> 16);
    if (pad < 2) out += static_cast<char>(v >> 8);
    if (pad < 1) out += static_cast<char>(v);
  }
  return out;
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    auto [end, ec] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (ec != std::errc() || end != text.data() + i + 2) return std::nullopt;
    out += static_cast<char>(value);
  }
  return out;
}

size_t utf8_prefix(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text.size();
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return limit;
}

}  // namespace drover
