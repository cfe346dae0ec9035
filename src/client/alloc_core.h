// Decisions over all tasks of an allocation: who has to be killed why, and in which order (reference client, sections
// 13.3 and 13.5). Pure and without memory: they follow from the states, so a restart of the agent changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/coordinator.h"

namespace drover::client {

// Why the live tasks have to go.
struct KillCause {
  std::string_view type;  // kTaskSiblingFailed, kTaskLeaderDead, kTaskMainDead
  std::string sibling;    // the failed task
};
std::optional<KillCause> kill_cause(const std::vector<AllocTask>& tasks, const Map<TaskState>& states);

// The tasks to kill now, once all of the allocation has to stop: the leader alone; then main and other ephemeral tasks;
// then sidecars. Poststop tasks are never killed. Empty: nothing is left to kill.
std::vector<std::string> kill_now(const std::vector<AllocTask>& tasks, const Map<TaskState>& states);

// Whether a task that is not poststop is still alive.
bool any_live(const std::vector<AllocTask>& tasks, const Map<TaskState>& states);

}  // namespace drover::client
