// Which tasks of an allocation may run now: the lifecycle gates (reference client, section 13.7).
#pragma once

#include <string>
#include <vector>

#include "model/client_status.h"

namespace drover::client {

// The facts about a task that decisions over the whole allocation need.
struct AllocTask {
  std::string name;
  TaskRole role = TaskRole::kMain;
  bool leader = false;
};
std::vector<AllocTask> alloc_tasks(const TaskGroup& group);

enum class LifecycleStage : unsigned char { kInit, kPrestart, kMain, kPoststart, kWaitAlloc, kPoststop };

bool gate_open(LifecycleStage stage, TaskRole role);

// The stage after `states` were seen; several steps at once where they allow it. A task without a state is pending.
LifecycleStage next_stage(LifecycleStage stage, const std::vector<AllocTask>& tasks, const Map<TaskState>& states);

}  // namespace drover::client
