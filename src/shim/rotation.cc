#include "shim/rotation.h"

#include <string.h>

namespace drover::shim {

WritePlan plan_write(const LogPosition& at, const char* data, size_t size) {
  if (at.size >= at.max) return {0, true};
  uint64_t room = at.max - at.size;
  if (size <= room) return {size, false};
  auto fits = static_cast<size_t>(room);
  if (const void* newline = memrchr(data, '\n', fits)) {
    size_t whole = static_cast<size_t>(static_cast<const char*>(newline) - data) + 1;
    // What follows is the start of a line that does not fit. A very long one is cut here after all.
    if (fits - whole < kLineScan) return {whole, true};
    return {fits, true};
  }
  const void* end = memchr(data, '\n', size);
  uint64_t line = end ? static_cast<uint64_t>(static_cast<const char*>(end) - data) + 1 : size;
  bool moves = at.at_line_start && at.size > 0 && room < kLineScan && line <= at.max;
  if (moves) return {0, true};
  return {fits, true};
}

}  // namespace drover::shim
