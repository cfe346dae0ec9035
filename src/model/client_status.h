// What a node makes of an allocation: its status from the states of its tasks, and the roles of tasks in its life.
#pragma once

#include <span>
#include <string_view>

#include "model/status.h"

namespace drover {

struct ClientStatus {
  std::string_view status;       // of alloc_client
  std::string_view description;  // ClientDescription; both are literals
};
// The first rule that holds wins: a failed task, a running one, a pending one, all dead. Without tasks: pending.
ClientStatus derive_client_status(const Map<TaskState>& states);
ClientStatus derive_client_status(std::span<const TaskState* const> states);

// The allocation's group in its job; nullptr when there is none.
const TaskGroup* task_group_of(const Allocation& alloc);

// Where a task stands in the life of its allocation.
enum class TaskRole : unsigned char {
  kMain,
  kPrestart,
  kPrestartSidecar,
  kPoststart,
  kPoststartSidecar,
  kPoststop,
};
TaskRole task_role(const Task& task);
inline bool is_sidecar(TaskRole role) {
  return role == TaskRole::kPrestartSidecar || role == TaskRole::kPoststartSidecar;
}

}  // namespace drover
