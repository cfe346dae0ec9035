#include "state/keys.h"

#include <fmt/format.h>

#include <algorithm>

namespace drover::state {

Result<UuidPrefix> UuidPrefix::parse(std::string_view text, bool round_down) {
  auto too_long = [&] { return invalid(fmt::format("Invalid UUID length. UUID have 36 characters; got {}", text.size())); };
  if (text.size() > 36) return too_long();
  auto hyphens = static_cast<size_t>(std::count(text.begin(), text.end(), '-'));
  if (hyphens > 4) return invalid(fmt::format(R"(UUID should have maximum of 4 "-"; got {})", hyphens));
  if ((text.size() - hyphens) % 2 && !round_down) return invalid("Input (without hyphens) must be even length");
  UuidPrefix out;
  for (char c : text) {
    if (c == '-') continue;
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return invalid(fmt::format("Invalid UUID: encoding/hex: invalid byte: U+{:04X} '{}'", static_cast<unsigned char>(c), c));
    if (out.nibbles == 32) return too_long();
    out.bytes[out.nibbles / 2] |= static_cast<uint8_t>(out.nibbles % 2 ? digit : digit << 4);
    ++out.nibbles;
  }
  if (out.nibbles % 2) {
    --out.nibbles;
    out.bytes[out.nibbles / 2] = 0;
  }
  return out;
}

int compare_part(const Uuid& a, const UuidPrefix& b) {
  size_t whole = b.nibbles / 2;
  if (int c = std::memcmp(a.bytes.data(), b.bytes.data(), whole)) return c;
  if (b.nibbles % 2 == 0) return 0;
  int x = a.bytes[whole] >> 4, y = b.bytes[whole] >> 4;
  return x - y;
}

}  // namespace drover::state
