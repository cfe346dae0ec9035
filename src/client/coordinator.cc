#include "client/coordinator.h"

#include <algorithm>

namespace drover::client {

std::vector<AllocTask> alloc_tasks(const TaskGroup& group) {
  std::vector<AllocTask> out;
  for (auto& task : group.Tasks) out.push_back({task.Name, task_role(task), task.Leader});
  return out;
}

bool gate_open(LifecycleStage stage, TaskRole role) {
  using S = LifecycleStage;
  switch (role) {
    case TaskRole::kPrestart:
      return stage == S::kPrestart;
    case TaskRole::kPrestartSidecar:
      return stage >= S::kPrestart && stage <= S::kWaitAlloc;
    case TaskRole::kMain:
      return stage >= S::kMain && stage <= S::kWaitAlloc;
    case TaskRole::kPoststart:
      return stage == S::kPoststart;
    case TaskRole::kPoststartSidecar:
      return stage == S::kPoststart || stage == S::kWaitAlloc;
    case TaskRole::kPoststop:
      return stage == S::kPoststop;
  }
  return false;
}

namespace {

struct View {
  const std::vector<AllocTask>& tasks;
  const Map<TaskState>& states;

  std::string_view state(const AllocTask& t) const {
    auto* s = states.find(t.name);
    return s && !s->State.empty() ? s->State.view() : task_state::kPending;
  }
  bool failed(const AllocTask& t) const {
    auto* s = states.find(t.name);
    return s && s->Failed;
  }
  template <class F>
  bool all(F f) const {
    return std::all_of(tasks.begin(), tasks.end(), f);
  }
};

bool prestart_done(const View& v) {
  return v.all([&](auto& t) {
    if (t.role == TaskRole::kPrestart) return v.state(t) == task_state::kDead && !v.failed(t);
    if (t.role == TaskRole::kPrestartSidecar) return v.state(t) == task_state::kRunning;
    return true;
  });
}

}  // namespace

LifecycleStage next_stage(LifecycleStage stage, const std::vector<AllocTask>& tasks, const Map<TaskState>& states) {
  using S = LifecycleStage;
  View v{tasks, states};
  bool over = v.all([&](auto& t) { return t.role == TaskRole::kPoststop || v.state(t) == task_state::kDead; });
  if (over) return S::kPoststop;
  for (;;) {
    auto before = stage;
    if (stage == S::kInit && v.all([&](auto& t) { return v.state(t) == task_state::kPending; })) stage = S::kPrestart;
    if (stage == S::kPrestart && prestart_done(v)) stage = S::kMain;
    if (stage == S::kMain &&
        v.all([&](auto& t) { return t.role != TaskRole::kMain || v.state(t) != task_state::kPending; }))
      stage = S::kPoststart;
    if (stage == S::kPoststart &&
        v.all([&](auto& t) { return t.role != TaskRole::kPoststart || v.state(t) == task_state::kDead; }))
      stage = S::kWaitAlloc;
    if (stage == before) return stage;
  }
}

}  // namespace drover::client
