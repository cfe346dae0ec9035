#include "model/client_status.h"

#include <vector>

namespace drover {

ClientStatus derive_client_status(const Map<TaskState>& states) {
  std::vector<const TaskState*> list;
  for (auto& [name, state] : states) list.push_back(&state);
  return derive_client_status(list);
}

ClientStatus derive_client_status(std::span<const TaskState* const> states) {
  bool failed = false, running = false, dead = false, pending = false;
  for (auto* state : states) {
    if (state->State == task_state::kRunning) running = true;
    else if (state->State == task_state::kDead) (state->Failed ? failed : dead) = true;
    else pending = true;
  }
  if (failed) return {alloc_client::kFailed, "Failed tasks"};
  if (running) return {alloc_client::kRunning, "Tasks are running"};
  if (pending || !dead) return {alloc_client::kPending, "No tasks have started"};
  return {alloc_client::kComplete, "All tasks have completed"};
}

const TaskGroup* task_group_of(const Allocation& alloc) {
  return alloc.Job ? find_group(*alloc.Job, alloc.TaskGroup) : nullptr;
}

TaskRole task_role(const Task& task) {
  if (!task.Lifecycle) return TaskRole::kMain;
  auto& hook = task.Lifecycle->Hook;
  bool sidecar = task.Lifecycle->Sidecar;
  if (hook == "prestart") return sidecar ? TaskRole::kPrestartSidecar : TaskRole::kPrestart;
  if (hook == "poststart") return sidecar ? TaskRole::kPoststartSidecar : TaskRole::kPoststart;
  if (hook == "poststop") return TaskRole::kPoststop;
  return TaskRole::kMain;
}

}  // namespace drover
