#include "model/alloc_status.h"

#include "base/strings.h"

namespace drover {

ClientStatus derive_client_status(const Map<TaskState>& states) {
  bool failed = false, running = false, dead = false, pending = false;
  for (auto& [name, state] : states) {
    if (state.State == kTaskRunning) running = true;
    else if (state.State == kTaskDead) (state.Failed ? failed : dead) = true;
    else pending = true;
  }
  if (failed) return {kAllocClientFailed, "Failed tasks"};
  if (running) return {kAllocClientRunning, "Tasks are running"};
  if (pending || !dead) return {kAllocClientPending, "No tasks have started"};
  return {kAllocClientComplete, "All tasks have completed"};
}

const TaskGroup* task_group_of(const Allocation& alloc) {
  if (!alloc.Job) return nullptr;
  for (auto& group : alloc.Job->TaskGroups)
    if (alloc.TaskGroup == group.Name) return &group;
  return nullptr;
}

const Task* find_task(const TaskGroup& group, std::string_view name) {
  for (auto& task : group.Tasks)
    if (task.Name == name) return &task;
  return nullptr;
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

int64_t alloc_index(std::string_view alloc_name) {
  auto open = alloc_name.rfind('['), close = alloc_name.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return -1;
  return parse_int(alloc_name.substr(open + 1, close - open - 1)).value_or(-1);
}

}  // namespace drover
