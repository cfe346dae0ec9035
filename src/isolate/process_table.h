// What /proc says about processes.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace drover::isolate {

struct ProcessUsage {
  int32_t pid = 0;
  int32_t parent = 0;
  uint64_t rss_bytes = 0;
  uint64_t swap_bytes = 0;
  uint64_t user_ns = 0;      // CPU time so far
  uint64_t system_ns = 0;
  uint64_t start_ticks = 0;  // since boot; with the pid it names one process for ever
};

// Parent, times and start only. False when the process is gone.
bool read_process(pid_t pid, ProcessUsage& out);
// Memory as well.
bool read_usage(pid_t pid, ProcessUsage& out);

// Pids of all descendants of `root`, itself left out: writes up to `capacity`, returns how many there are. Reads the
// whole process table when the kernel has no /proc/<pid>/task/<tid>/children, and then allocates for the call.
size_t descendants(pid_t root, pid_t* out, size_t capacity);

}  // namespace drover::isolate
