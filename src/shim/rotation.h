// Where a log file ends and the next one begins. A pure decision, apart from the files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace drover::shim {

// Within this distance of a file's end, a line is kept whole rather than the file full.
inline constexpr uint64_t kLineScan = 32 << 10;

struct LogPosition {
  uint64_t size = 0;         // of the current file
  uint64_t max = 0;          // of any file
  bool at_line_start = true; // the last byte written ended a line
};

// How many bytes of `data` go to the current file, and whether the next one is opened after them. At least one of the
// two makes progress. A line that does not fit is moved whole to the next file when it would fit there and less than
// kLineScan is given away; else it is cut where the file is full.
struct WritePlan {
  size_t bytes = 0;
  bool rotate = false;
};
WritePlan plan_write(const LogPosition& at, const char* data, size_t size);

}  // namespace drover::shim
