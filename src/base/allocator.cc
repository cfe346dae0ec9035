#include "base/allocator.h"

#include <malloc.h>

namespace drover {

void tame_allocator() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 256 << 10);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

}  // namespace drover
