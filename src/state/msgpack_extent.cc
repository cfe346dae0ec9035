#include "state/msgpack_extent.h"

#include <cstdint>

namespace drover::state {
namespace {

uint64_t big_endian(std::string_view s) {
  uint64_t n = 0;
  for (unsigned char c : s) n = n << 8 | c;
  return n;
}

}  // namespace

size_t msgpack_extent(std::string_view bytes) {
  size_t at = 0;
  uint64_t open = 1;  // objects still to come
  while (open > 0) {
    if (at >= bytes.size()) return 0;
    auto head = static_cast<uint8_t>(bytes[at++]);
    --open;
    size_t length_bytes = 0, payload = 0, children_each = 0;
    if (head < 0x80 || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3) continue;
    if (head < 0x90) open += 2 * (head & 0x0fu);
    else if (head < 0xa0) open += head & 0x0fu;
    else if (head < 0xc0) payload = head & 0x1fu;
    else if (head >= 0xc4 && head <= 0xc6) length_bytes = size_t{1} << (head - 0xc4);
    else if (head >= 0xd9 && head <= 0xdb) length_bytes = size_t{1} << (head - 0xd9);
    else if (head == 0xca || head == 0xce || head == 0xd2) payload = 4;
    else if (head == 0xcb || head == 0xcf || head == 0xd3) payload = 8;
    else if (head == 0xcc || head == 0xd0) payload = 1;
    else if (head == 0xcd || head == 0xd1) payload = 2;
    else if (head == 0xdc || head == 0xdd) length_bytes = head == 0xdc ? 2 : 4, children_each = 1;
    else if (head == 0xde || head == 0xdf) length_bytes = head == 0xde ? 2 : 4, children_each = 2;
    else if (head >= 0xc7 && head <= 0xc9) length_bytes = size_t{1} << (head - 0xc7), payload = 1;   // ext
    else if (head >= 0xd4 && head <= 0xd8) payload = 1 + (size_t{1} << (head - 0xd4));               // fixext
    if (length_bytes) {
      if (bytes.size() - at < length_bytes) return 0;
      uint64_t n = big_endian(bytes.substr(at, length_bytes));
      at += length_bytes;
      if (children_each) open += n * children_each;
      else payload += n;
    }
    if (bytes.size() - at < payload) return 0;
    at += payload;
  }
  return at;
}

size_t msgpack_map_head(std::string_view bytes, size_t& size) {
  auto head = bytes.empty() ? uint8_t{0} : static_cast<uint8_t>(bytes[0]);
  size = 0;
  if (head >= 0x80 && head < 0x90) return size = 1, head & 0x0fu;
  size_t length = head == 0xde ? 2 : head == 0xdf ? 4 : 0;
  if (length == 0 || bytes.size() < 1 + length) return 0;
  size = 1 + length;
  return big_endian(bytes.substr(1, length));
}

}  // namespace drover::state
