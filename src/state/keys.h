// Keys of the state store's trees and the probes that select ranges of them.
//
// Every key is a std::tuple of parts: Uuid, SharedString, unsigned numbers, bool. A probe is a tuple of the first
// parts of a key; it selects all keys that agree with it. Its last part may be a Prefix, a UuidPrefix, an AtLeast or
// an AtMost; the keys selected are always one contiguous run.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>

#include "base/result.h"
#include "base/shared_string.h"
#include "base/uuid.h"

namespace drover::state {

struct Prefix {
  std::string_view text;
};

// The first `nibbles` hex digits of an id.
struct UuidPrefix {
  std::array<uint8_t, 16> bytes{};
  uint8_t nibbles = 0;

  // Hyphens are ignored. An odd number of digits is an error for lists ("Input (without hyphens) must be even
  // length"); search rounds it down and looks again (`round_down`). Errors are the reference's.
  static Result<UuidPrefix> parse(std::string_view text, bool round_down = false);
};

template <class T>
struct AtLeast {
  T value;
};
template <class T>
struct AtMost {
  T value;
};

inline int compare_views(std::string_view a, std::string_view b) {
  if (a.data() == b.data() && a.size() == b.size()) return 0;
  int c = a.compare(b);
  return c < 0 ? -1 : c > 0;
}

inline int compare_part(const SharedString& a, std::string_view b) { return compare_views(a.view(), b); }
inline int compare_part(const SharedString& a, const Prefix& b) {
  return compare_views(a.view().substr(0, b.text.size()), b.text);
}
inline int compare_part(const Uuid& a, const Uuid& b) { return std::memcmp(a.bytes.data(), b.bytes.data(), 16); }
int compare_part(const Uuid& a, const UuidPrefix& b);
template <std::integral N>
int compare_part(N a, N b) {
  return a < b ? -1 : a > b;
}
template <class A, class T>
int compare_part(const A& a, const AtLeast<T>& b) {
  return compare_part(a, b.value) < 0 ? -1 : 0;
}
template <class A, class T>
int compare_part(const A& a, const AtMost<T>& b) {
  return compare_part(a, b.value) > 0 ? 1 : 0;
}

// Eight bytes for a part that an index only compares for equality. Different parts may fold to the same number; the
// compact indexes (table.h) look at the row. The same on every server and in every process.
inline uint64_t fold(const Uuid& id) {
  uint64_t a = 0, b = 0;
  std::memcpy(&a, id.bytes.data(), 8);
  std::memcpy(&b, id.bytes.data() + 8, 8);
  return (a * 0x9e3779b97f4a7c15 ^ b) * 0xd6e8feb86659fd93;
}
inline uint64_t fold(std::string_view a, std::string_view b) {
  uint64_t h = 0xcbf29ce484222325;  // FNV-1a
  for (unsigned char c : a) h = (h ^ c) * 0x100000001b3;
  h = (h ^ 0xff) * 0x100000001b3;
  for (unsigned char c : b) h = (h ^ c) * 0x100000001b3;
  return h;
}
// The first eight bytes of an id, ordered as ids are.
inline uint64_t head_of(const Uuid& id) {
  uint64_t n = 0;
  std::memcpy(&n, id.bytes.data(), 8);
  return std::endian::native == std::endian::little ? std::byteswap(n) : n;
}
// All ids with this head.
struct WithHead {
  uint64_t head;
};
inline int compare_part(const Uuid& a, WithHead b) { return compare_part(head_of(a), b.head); }

// A number whose lowest bit does not matter.
struct EitherOf {
  uint64_t value;
};
inline int compare_part(uint64_t a, EitherOf b) { return compare_part(a >> 1, b.value >> 1); }

// Orders a key against a key or a probe: negative, zero (agrees in all parts of b) or positive.
struct KeyOrder {
  template <class... A, class... B>
  int operator()(const std::tuple<A...>& a, const std::tuple<B...>& b) const {
    static_assert(sizeof...(B) <= sizeof...(A), "a probe has no more parts than the key");
    return run<0>(a, b);
  }

 private:
  template <size_t I, class A, class B>
  static int run(const A& a, const B& b) {
    if constexpr (I == std::tuple_size_v<B>) {
      return 0;
    } else {
      int c = compare_part(std::get<I>(a), std::get<I>(b));
      return c != 0 ? c : run<I + 1>(a, b);
    }
  }
};

// Appends the bytes by which watches name a key or a probe: the bytes of a probe are a prefix of those of every key
// that it selects. False: the part was open-ended and nothing may follow it.
inline bool encode_part(std::string& out, std::string_view s) {
  out.append(s);
  out += '\0';
  return true;
}
inline bool encode_part(std::string& out, const Uuid& id) {
  out.append(reinterpret_cast<const char*>(id.bytes.data()), 16);
  return true;
}
template <std::integral N>
bool encode_part(std::string& out, N n) {
  for (int i = static_cast<int>(sizeof(N)) - 1; i >= 0; --i) out += static_cast<char>(static_cast<uint64_t>(n) >> (8 * i));
  return true;
}
inline bool encode_part(std::string& out, const Prefix& p) {
  out.append(p.text);
  return false;
}
inline bool encode_part(std::string& out, const UuidPrefix& p) {
  out.append(reinterpret_cast<const char*>(p.bytes.data()), p.nibbles / 2);
  return false;
}
template <class T>
bool encode_part(std::string&, const AtLeast<T>&) {
  return false;
}
template <class T>
bool encode_part(std::string&, const AtMost<T>&) {
  return false;
}

template <class... P>
void encode_key(std::string& out, const std::tuple<P...>& parts) {
  std::apply([&](const auto&... part) { (void)(encode_part(out, part) && ...); }, parts);
}

// The last parts of an index key are the row's own key; returned as references into `key`.
template <size_t kParts, class... P>
auto key_tail(const std::tuple<P...>& key) {
  return [&]<size_t... I>(std::index_sequence<I...>) {
    return std::tie(std::get<sizeof...(P) - kParts + I>(key)...);
  }(std::make_index_sequence<kParts>());
}

}  // namespace drover::state
