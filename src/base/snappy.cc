#include "base/snappy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace drover {
namespace {

constexpr size_t kMatchMin = 4;          // shorter repetitions cost more than they save
constexpr size_t kMatchMax = 64;         // one copy element
constexpr size_t kOffsetMax = 65535;     // what a two-byte offset reaches
constexpr size_t kHashBits = 12;

void put_literal(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  size_t n = bytes.size() - 1;
  if (n < 60) {
    out += static_cast<char>(n << 2);
  } else {
    std::string length;
    for (size_t left = n; left; left >>= 8) length += static_cast<char>(left);
    out += static_cast<char>((59 + length.size()) << 2);
    out += length;
  }
  out += bytes;
}

void put_copy(std::string& out, size_t offset, size_t length) {
  out += static_cast<char>((length - 1) << 2 | 2);
  out += static_cast<char>(offset);
  out += static_cast<char>(offset >> 8);
}

}  // namespace

std::string snappy_encode(std::string_view in) {
  std::string out;
  size_t size = in.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  out += static_cast<char>(size);
  std::array<uint32_t, 1 << kHashBits> last{};  // position + 1 of the last four bytes with that hash
  size_t at = 0, literal = 0;
  while (at + kMatchMin <= in.size()) {
    uint32_t word;
    std::memcpy(&word, in.data() + at, sizeof word);
    auto& slot = last[word * 0x1e35a7bdu >> (32 - kHashBits)];
    size_t before = slot;
    slot = static_cast<uint32_t>(at + 1);
    if (before == 0 || at - (before - 1) > kOffsetMax || in.substr(before - 1, kMatchMin) != in.substr(at, kMatchMin)) {
      ++at;
      continue;
    }
    size_t from = before - 1, length = kMatchMin;
    while (length < kMatchMax && at + length < in.size() && in[from + length] == in[at + length]) ++length;
    put_literal(out, in.substr(literal, at - literal));
    put_copy(out, at - from, length);
    at += length;
    literal = at;
  }
  put_literal(out, in.substr(literal));
  return out;
}

Result<std::string> snappy_decode(std::string_view in, size_t limit) {
  auto damaged = [] { return invalid("snappy: corrupt input"); };
  size_t size = 0;
  for (int shift = 0;; shift += 7) {
    if (in.empty() || shift > 28) return damaged();
    auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    size |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (size > limit) return damaged();
  auto little = [&](size_t bytes) {
    size_t v = 0;
    for (size_t i = 0; i < bytes; ++i) v |= static_cast<size_t>(static_cast<unsigned char>(in[i])) << (8 * i);
    in.remove_prefix(bytes);
    return v;
  };
  std::string out;
  while (!in.empty()) {
    auto tag = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if ((tag & 3) == 0) {  // a literal
      size_t length = tag >> 2;
      if (length >= 60) {
        size_t bytes = length - 59;
        if (in.size() < bytes) return damaged();
        length = little(bytes);
      }
      ++length;
      if (in.size() < length || out.size() + length > size) return damaged();
      out.append(in.substr(0, length));
      in.remove_prefix(length);
      continue;
    }
    size_t length, offset, bytes = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;  // a copy of what came before
    if (in.size() < bytes) return damaged();
    offset = little(bytes);
    length = (tag >> 2) + 1;
    if ((tag & 3) == 1) {
      length = ((tag >> 2) & 7) + 4;
      offset |= static_cast<size_t>(tag >> 5) << 8;
    }
    if (offset == 0 || offset > out.size() || out.size() + length > size) return damaged();
    for (size_t i = 0, from = out.size() - offset; i < length; ++i) out += out[from + i];
  }
  if (out.size() != size) return damaged();
  return out;
}

}  // namespace drover
