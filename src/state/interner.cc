#include "state/interner.h"

namespace drover::state {

SharedString Interner::text(const SharedString& s) {
  if (s.empty()) return {};
  auto it = texts_.find(s.view());
  if (it != texts_.end()) return *it;
  if (texts_.size() >= prune_at_) prune();
  texts_.insert(s);
  return s;
}

void Interner::prune() {
  std::erase_if(texts_, [](const SharedString& s) { return s.unique(); });
  prune_at_ = std::max<size_t>(4096, texts_.size() * 2);
}

void Interner::share(Allocation& a) {
  for (auto* s : {&a.Namespace, &a.NodeName, &a.JobID, &a.TaskGroup, &a.DesiredStatus, &a.DesiredDescription,
                  &a.ClientStatus, &a.ClientDescription, &a.SigningKeyID})
    *s = text(*s);
  for (auto& s : a.AllocStates) s.Value = text(s.Value);
  for (auto& [name, task] : a.TaskStates) {
    task.State = text(task.State);
    for (auto& e : task.Events) {
      for (auto* s : {&e.Type, &e.Message, &e.DisplayMessage}) *s = text(*s);
      if (e.more && *e.more == TaskEventMore{}) e.more.reset();  // a wire that names every field makes one
    }
  }
  size_t hash = std::hash<SharedString>()(a.Namespace) * 31 + std::hash<SharedString>()(a.JobID) * 17 +
                std::hash<SharedString>()(a.TaskGroup);
  auto& last = groups_[hash % groups_.size()];
  if (last.Namespace == a.Namespace && last.JobID == a.JobID && last.TaskGroup == a.TaskGroup) {
    if (a.AllocatedResources && last.resources && *a.AllocatedResources == *last.resources)
      a.AllocatedResources = last.resources;
    if (a.Metrics && last.metrics && *a.Metrics == *last.metrics) a.Metrics = last.metrics;
  }
  last = {a.Namespace, a.JobID, a.TaskGroup, a.AllocatedResources, a.Metrics};
}

}  // namespace drover::state
