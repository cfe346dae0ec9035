// Uuid: 16 bytes in memory, 36 characters of lower-case hex on the wire. Nil is "" on the wire, so that an unset
// id field reads as the empty string, as clients expect.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drover {

class Random;

struct Uuid {
  std::array<uint8_t, 16> bytes{};

  // Random bytes laid out as the reference does (no version bits): 8-4-4-4-12.
  static Uuid generate(Random& random);
  // Accepts the 36-character form, either case; "" gives nil; anything else nullopt.
  static std::optional<Uuid> parse(std::string_view text);

  bool nil() const { return *this == Uuid{}; }
  explicit operator bool() const { return !nil(); }
  std::string str() const;        // "" when nil
  std::string short_str() const;  // first 8 characters, as the CLI and logs show ids
  // Writes the 36 characters to `out`; for encoders.
  void write_to(char* out) const;

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
  friend bool operator==(const Uuid&, const Uuid&) = default;

  template <class H>
  friend H AbslHashValue(H h, const Uuid& id) {
    return H::combine_contiguous(std::move(h), id.bytes.data(), id.bytes.size());
  }
};

}  // namespace drover

template <>
struct std::hash<drover::Uuid> {
  size_t operator()(const drover::Uuid& id) const noexcept {
    uint64_t a, b;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    return a ^ (b * 0x9e3779b97f4a7c15ull);
  }
};
