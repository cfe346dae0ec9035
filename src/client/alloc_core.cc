#include "client/alloc_core.h"

#include <algorithm>

#include "model/task_events.h"

namespace drover::client {

namespace {

const TaskState* state_of(const AllocTask& task, const Map<TaskState>& states) { return states.find(task.name); }

bool dead(const AllocTask& task, const Map<TaskState>& states) {
  auto* s = state_of(task, states);
  return s && s->State == task_state::kDead;
}

bool live(const AllocTask& task, const Map<TaskState>& states) {
  return task.role != TaskRole::kPoststop && !dead(task, states);
}

}  // namespace

bool any_live(const std::vector<AllocTask>& tasks, const Map<TaskState>& states) {
  return std::any_of(tasks.begin(), tasks.end(), [&](auto& t) { return live(t, states); });
}

std::optional<KillCause> kill_cause(const std::vector<AllocTask>& tasks, const Map<TaskState>& states) {
  std::optional<KillCause> cause;
  bool sidecars = false, others_live = false;
  for (auto& task : tasks) {
    if (task.role == TaskRole::kPoststop) continue;
    sidecars |= is_sidecar(task.role);
    if (!dead(task, states)) {
      others_live |= !is_sidecar(task.role);
      continue;
    }
    if (state_of(task, states)->Failed) {
      if (!cause) cause = KillCause{kTaskSiblingFailed, task.name};
    } else if (task.leader) {
      cause = KillCause{kTaskLeaderDead, ""};
    }
  }
  if (!any_live(tasks, states)) return std::nullopt;
  if (!cause && sidecars && !others_live) cause = KillCause{kTaskMainDead, ""};
  return cause;
}

std::vector<std::string> kill_now(const std::vector<AllocTask>& tasks, const Map<TaskState>& states) {
  auto pick = [&](auto&& wanted) {
    std::vector<std::string> out;
    for (auto& task : tasks)
      if (live(task, states) && wanted(task)) out.push_back(task.name);
    return out;
  };
  if (auto leader = pick([](auto& t) { return t.leader; }); !leader.empty()) return leader;
  if (auto main = pick([](auto& t) { return !is_sidecar(t.role); }); !main.empty()) return main;
  return pick([](auto&) { return true; });
}

}  // namespace drover::client
