// The file `exit` in the shim's directory: how the task ended.
#pragma once

#include <cstdint>

#include "isolate/fault.h"
#include "isolate/text.h"
#include "shim/protocol.h"

namespace drover::shim {

struct ExitRecord {
  ExecExit exit;
  bool oom = false;
  uint64_t started_ns = 0, finished_ns = 0;
  uint64_t output_lost = 0;  // bytes that could not be written to the logs
  const char* error = nullptr;
};
using ExitText = isolate::Text<512>;
ExitText format_exit(const ExitRecord& record);

// Makes `exit.tmp` in the current directory with its space taken, so that a disk that fills up later cannot keep the
// result from being written. Returns the descriptor.
isolate::Fault reserve_exit_file(int& fd);
// Writes, syncs, renames to `exit`, syncs the directory.
isolate::Fault commit_exit_file(int fd, const ExitText& text);

}  // namespace drover::shim
