#include "scheduler/eligibility.h"

#include <algorithm>

namespace drover::scheduler {
namespace {

bool any_escapes(const List<Constraint>& constraints) {
  return std::any_of(constraints.begin(), constraints.end(), [](auto& c) { return escapes_class(c); });
}

}  // namespace

void Eligibility::set_job(const Job& job) {
  job_escaped_ = any_escapes(job.Constraints);
  for (auto& group : job.TaskGroups) {
    bool escaped = any_escapes(group.Constraints);
    for (auto& task : group.Tasks) escaped = escaped || any_escapes(task.Constraints);
    group_escaped_[group.Name] = escaped;
  }
}

bool Eligibility::group_escaped(const std::string& group) const {
  auto it = group_escaped_.find(group);
  return it != group_escaped_.end() && it->second;
}

bool Eligibility::has_escaped() const {
  return job_escaped_ ||
         std::any_of(group_escaped_.begin(), group_escaped_.end(), [](auto& g) { return g.second; });
}

Eligibility::Status Eligibility::group(const std::string& group, uint32_t cls) const {
  auto it = groups_.find(group);
  return it == groups_.end() ? Status::kUnknown : get(it->second, cls);
}

void Eligibility::set(Statuses& s, uint32_t cls, bool eligible) {
  if (cls >= s.size()) s.resize(cls + 1, Status::kUnknown);
  auto next = eligible ? Status::kEligible : Status::kIneligible;
  if (s[cls] == next || (s[cls] == Status::kEligible && !eligible)) return;
  s[cls] = next;
  ++generation_;
}

void Eligibility::set_job(uint32_t cls, bool eligible) { set(job_, cls, eligible); }

void Eligibility::set_group(const std::string& group, uint32_t cls, bool eligible) {
  set(groups_[group], cls, eligible);
}

Map<bool> Eligibility::classes(const Column& names) const {
  Map<bool> merged;
  auto each = [&](const Statuses& s, auto&& fn) {
    for (uint32_t cls = 1; cls < s.size(); ++cls)
      if (s[cls] != Status::kUnknown) fn(names.value(cls), s[cls] == Status::kEligible);
  };
  for (auto& [group, statuses] : groups_)
    each(statuses, [&](std::string_view name, bool eligible) {
      if (eligible || !merged.contains(name)) merged.set(name, eligible);
    });
  each(job_, [&](std::string_view name, bool eligible) {
    if (!eligible || !merged.contains(name)) merged.set(name, eligible);
  });
  return merged;
}

}  // namespace drover::scheduler
