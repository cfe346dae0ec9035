#include "state/interner.h"

namespace drover::state {

SharedString Interner::text(const SharedString& s) { return s.empty() ? SharedString() : texts_.shared(s); }

SharedMap<std::string> Interner::details(const SharedMap<std::string>& d) {
  return d.empty() ? d : details_.shared(d);
}

size_t Interner::Hash::operator()(const SharedMap<std::string>& d) const {
  size_t hash = 0;
  for (auto& [key, value] : d) hash = (hash * 31 + (*this)(std::string_view(key))) * 31 + (*this)(std::string_view(value));
  return hash;
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
      e.Details = details(e.Details);
      if (e.more && *e.more == TaskEventMore{}) e.more.reset();  // a wire that names every field makes one
    }
    task.Events.shrink_to_fit();
  }
  a.TaskStates.shrink_to_fit();
  a.AllocStates.shrink_to_fit();
  size_t hash = std::hash<SharedString>()(a.Namespace) * 31 + std::hash<SharedString>()(a.JobID) * 17 +
                std::hash<SharedString>()(a.TaskGroup);
  auto& last = groups_[hash % groups_.size()];
  if (last.Namespace == a.Namespace && last.JobID == a.JobID && last.TaskGroup == a.TaskGroup) {
    auto same = [](auto& x, auto& y) { return x != y && x && y && *x == *y; };
    if (same(a.AllocatedResources, last.resources)) a.AllocatedResources = last.resources;
    if (same(a.Metrics, last.metrics)) a.Metrics = last.metrics;
  }
  last = {a.Namespace, a.JobID, a.TaskGroup, a.AllocatedResources, a.Metrics};
}

}  // namespace drover::state
