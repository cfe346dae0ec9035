// Starting a shim, and finding out about one that an earlier agent started.
#pragma once

#include <string>

#include "base/fd_watcher.h"
#include "base/result.h"
#include "base/async.h"
#include "base/world.h"
#include "drivers/shim_spec.h"
#include "shim/protocol.h"

namespace drover::drivers {

// References outlive the user.
struct ShimHost {
  World& world;
  FdWatcher& fds;
  std::string shim_path;
};

// Makes the shim's directory and runs the task. Dropping the task of this call does not stop a launch under way: the
// directory tells later. Errors carry the reference's words for the task's program, and leave no directory.
Async<Result<shim::StatusReply>> launch_shim(ShimHost& host, ShimSpec spec);

struct ShimExit {
  ExitResult result;
  Time started_at, finished_at;
  uint64_t output_lost = 0;  // bytes of output that the disk did not take
};
Result<ShimExit> parse_exit_record(std::string_view text);

enum class ShimState : unsigned char {
  kAlive,     // a shim holds the directory
  kFinished,  // the task has ended; `exit` tells how
  kGone,      // the shim ended without a record (killed, or the machine rebooted), or never was
};
struct ShimProbe {
  ShimState state = ShimState::kGone;
  ShimExit exit;
};
// Looks at a shim's directory. For kGone, what is left of the task is killed and the directory marked, so that a shim
// that is only now being started does not run the task. Blocks: on the pool.
ShimProbe probe_shim(const std::string& dir);

}  // namespace drover::drivers
