#include "model/env_text.h"

namespace drover {
namespace {

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// Length of the reference that begins at `at` ("${name}"), 0 when there is none.
size_t reference_at(std::string_view text, size_t at) {
  if (text.substr(at, 2) != "${") return 0;
  size_t end = at + 2;
  while (end < text.size() && name_char(text[end])) ++end;
  return end > at + 2 && end < text.size() && text[end] == '}' ? end + 1 - at : 0;
}

}  // namespace

std::string replace_env(std::string_view text, const EnvLookup& lookup) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t next = text.find('$', at);
    out += text.substr(at, next - at);
    if (next == std::string_view::npos) break;
    size_t length = reference_at(text, next);
    if (length == 0) {
      out += '$';
      at = next + 1;
      continue;
    }
    auto value = lookup(text.substr(next + 2, length - 3));
    out += value ? *value : text.substr(next, length);
    at = next + length;
  }
  return out;
}

std::string replace_env_with(std::string_view text, std::string_view placeholder) {
  return replace_env(text, [&](std::string_view) { return std::string(placeholder); });
}

bool contains_env(std::string_view text) {
  for (size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1))
    if (reference_at(text, at)) return true;
  return false;
}

}  // namespace drover
