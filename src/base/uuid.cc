#include "base/uuid.h"

#include "base/world.h"

namespace drover {
namespace {
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool dash_before(size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }
}  // namespace

Uuid Uuid::generate(Random& random) {
  Uuid id;
  random.fill(id.bytes.data(), id.bytes.size());
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  Uuid id;
  if (text.empty()) return id;
  if (text.size() != 36) return std::nullopt;
  size_t at = 0;
  for (size_t i = 0; i < 16; ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    int hi = hex_value(text[at]), lo = hex_value(text[at + 1]);
    if (hi < 0 || lo < 0) return std::nullopt;
    id.bytes[i] = static_cast<uint8_t>(hi << 4 | lo);
    at += 2;
  }
  return id;
}

void Uuid::write_to(char* out) const {
  static constexpr char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < 16; ++i) {
    if (dash_before(i)) *out++ = '-';
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
}

std::string Uuid::str() const {
  if (nil()) return {};
  std::string text(36, '\0');
  write_to(text.data());
  return text;
}

std::string Uuid::short_str() const { return str().substr(0, 8); }

}  // namespace drover
