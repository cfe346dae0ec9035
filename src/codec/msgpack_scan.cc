#include "codec/msgpack_scan.h"

namespace drover {
namespace {

// What follows a tag byte: bytes of its argument, then data of fixed or given size, or nested values.
struct Shape {
  uint8_t argument = 0;     // bytes of a length
  uint64_t data = 0;        // bytes after it, beyond the length's
  bool counts_data = false;  // the argument is a number of bytes
  uint8_t values_each = 0;  // the argument is a number of entries of this many values
  uint64_t values = 0;      // entries held in the tag itself, times values_each
};

bool shape_of(unsigned char tag, Shape& s) {
  if (tag <= 0x7f || tag >= 0xe0) return true;
  if (tag <= 0x8f) return s.values = 2u * (tag & 0x0f), true;
  if (tag <= 0x9f) return s.values = tag & 0x0f, true;
  if (tag <= 0xbf) return s.data = tag & 0x1f, true;
  switch (tag) {
    case 0xc0: case 0xc2: case 0xc3: return true;
    case 0xc4: case 0xd9: s.argument = 1; s.counts_data = true; return true;
    case 0xc5: case 0xda: s.argument = 2; s.counts_data = true; return true;
    case 0xc6: case 0xdb: s.argument = 4; s.counts_data = true; return true;
    case 0xc7: s.argument = 1; s.counts_data = true; s.data = 1; return true;
    case 0xc8: s.argument = 2; s.counts_data = true; s.data = 1; return true;
    case 0xc9: s.argument = 4; s.counts_data = true; s.data = 1; return true;
    case 0xcc: case 0xd0: s.data = 1; return true;
    case 0xcd: case 0xd1: s.data = 2; return true;
    case 0xca: case 0xce: case 0xd2: s.data = 4; return true;
    case 0xcb: case 0xcf: case 0xd3: s.data = 8; return true;
    case 0xd4: s.data = 2; return true;
    case 0xd5: s.data = 3; return true;
    case 0xd6: s.data = 5; return true;
    case 0xd7: s.data = 9; return true;
    case 0xd8: s.data = 17; return true;
    case 0xdc: s.argument = 2; s.values_each = 1; return true;
    case 0xdd: s.argument = 4; s.values_each = 1; return true;
    case 0xde: s.argument = 2; s.values_each = 2; return true;
    case 0xdf: s.argument = 4; s.values_each = 2; return true;
  }
  return false;  // 0xc1
}

}  // namespace

Result<bool> MsgpackScanner::scan(std::string_view b) {
  while (values_left_ > 0) {
    if (at_ >= b.size()) return false;
    Shape s;
    if (!shape_of(static_cast<unsigned char>(b[at_]), s)) return Error(ErrorCode::kCorrupt, "msgpack: byte 0xc1");
    uint64_t argument = 0;
    if (b.size() - at_ < 1u + s.argument) return false;
    for (size_t i = 1; i <= s.argument; ++i) argument = argument << 8 | static_cast<unsigned char>(b[at_ + i]);
    uint64_t data = s.data + (s.counts_data ? argument : 0);
    if (b.size() - at_ < 1 + s.argument + data) return false;
    at_ += 1 + s.argument + data;
    // At most 2^33 for each tag, so the sum of what a bounded message can ask for does not overflow.
    values_left_ += s.values + argument * s.values_each - 1;
  }
  return true;
}

}  // namespace drover
