// Judgements about allocations that client, server and scheduler share.
#pragma once

#include <string_view>

#include "model/alloc.h"

namespace drover {

inline constexpr std::string_view kAllocDesiredRun = "run";
inline constexpr std::string_view kAllocDesiredStop = "stop";
inline constexpr std::string_view kAllocDesiredEvict = "evict";

inline constexpr std::string_view kAllocClientPending = "pending";
inline constexpr std::string_view kAllocClientRunning = "running";
inline constexpr std::string_view kAllocClientComplete = "complete";
inline constexpr std::string_view kAllocClientFailed = "failed";
inline constexpr std::string_view kAllocClientLost = "lost";
inline constexpr std::string_view kAllocClientUnknown = "unknown";

inline constexpr std::string_view kTaskPending = "pending";
inline constexpr std::string_view kTaskRunning = "running";
inline constexpr std::string_view kTaskDead = "dead";

// complete, failed, lost.
inline bool client_terminal(std::string_view client_status) {
  return client_status == kAllocClientComplete || client_status == kAllocClientFailed ||
         client_status == kAllocClientLost;
}
inline bool client_terminal(const Allocation& alloc) { return client_terminal(alloc.ClientStatus.view()); }

// The servers want it stopped: stop, evict.
inline bool server_terminal(std::string_view desired_status) {
  return desired_status == kAllocDesiredStop || desired_status == kAllocDesiredEvict;
}
inline bool server_terminal(const Allocation& alloc) { return server_terminal(alloc.DesiredStatus.view()); }

inline bool terminal(const Allocation& alloc) { return server_terminal(alloc) || client_terminal(alloc); }

struct ClientStatus {
  std::string_view status;       // kAllocClient...
  std::string_view description;  // ClientDescription; both are literals
};
// What a node says of an allocation from the states of its tasks; the first rule that holds wins: a failed task, a
// running one, a pending one, all dead. Without tasks: pending.
ClientStatus derive_client_status(const Map<TaskState>& states);

// The allocation's group in its job; nullptr when there is none.
const TaskGroup* task_group_of(const Allocation& alloc);
const Task* find_task(const TaskGroup& group, std::string_view name);

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

// The number in "job.group[7]"; -1 when the name has none.
int64_t alloc_index(std::string_view alloc_name);

}  // namespace drover
