// What the client keeps on its own disk about a task, beside the task state that the servers see.
// MessagePack with omitted defaults; field names are those of the reference's state database where it has them.
#pragma once

#include <cstdint>
#include <string>

#include "codec/type_info.h"
#include "drivers/task_spec.h"
#include "model/alloc.h"

namespace drover::client {

// What a prestart hook has done, so that a restart or a successor skips it.
struct HookState {
  bool PrestartDone = false;
  Map<std::string> Data;
  Map<std::string> Env;

  friend bool operator==(const HookState&, const HookState&) = default;
};

struct StoredHandle {
  std::string Driver;
  int64_t Version = 0;
  std::string TaskID;
  Bytes DriverState;

  friend bool operator==(const StoredHandle&, const StoredHandle&) = default;
};
StoredHandle to_stored(const drivers::TaskHandle& handle);
drivers::TaskHandle from_stored(const StoredHandle& handle);

struct StoredNetwork {
  Map<int64_t> PortMap;
  std::string IP;
  bool AutoAdvertise = false;

  friend bool operator==(const StoredNetwork&, const StoredNetwork&) = default;
};

struct StoredExit {
  int64_t ExitCode = 0;
  int64_t Signal = 0;
  bool OOMKilled = false;
  std::string Err;

  friend bool operator==(const StoredExit&, const StoredExit&) = default;
};

struct LocalTaskState {
  Map<HookState> Hooks;
  Box<StoredHandle> TaskHandle;     // set before the driver starts the task, cleared after it has forgotten it
  Box<StoredNetwork> DriverNetwork;
  bool RunComplete = false;         // stop hooks have run; nothing is left to do
  Box<StoredExit> Exit;             // seen and recorded, clean-up and verdict are still due
  bool Killing = false;             // its events are recorded; a successor goes on without them
  int64_t RestartCount = 0;
  Time RestartIntervalStart;
  Time RestartAt;                   // end of the restart delay

  friend bool operator==(const LocalTaskState&, const LocalTaskState&) = default;
};

}  // namespace drover::client

namespace drover {
DROVER_TYPE(client::HookState)
DROVER_TYPE(client::StoredHandle)
DROVER_TYPE(client::StoredNetwork)
DROVER_TYPE(client::StoredExit)
DROVER_TYPE(client::LocalTaskState)
}  // namespace drover
