#include "base/world.h"

#include <cstring>

#include "base/assert.h"

namespace drover {

uint64_t Random::below(uint64_t bound) {
  DROVER_ASSERT(bound > 0, "a range to draw from");
  // Multiply-shift; the bias of 2^-64 * bound is far below what any caller can see.
  return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
}

Duration Random::jitter(Duration d) {
  if (d <= Duration::zero()) return Duration::zero();
  return Duration(static_cast<int64_t>(below(static_cast<uint64_t>(d.count()) + 1)));
}

void Random::fill(void* out, size_t size) {
  auto* p = static_cast<unsigned char*>(out);
  while (size > 0) {
    uint64_t word = next();
    size_t n = size < 8 ? size : 8;
    std::memcpy(p, &word, n);
    p += n;
    size -= n;
  }
}

}  // namespace drover
