#include "server/deployment_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/status.h"
#include "server/job_register.h"

namespace drover::server {

std::optional<Time> progress_cutoff(const Deployment& d, const std::vector<Ref<Allocation>>& allocs) {
  std::optional<Time> earliest;
  for (auto& [name, group] : d.TaskGroups) {
    if (group.RequireProgressBy.unset()) continue;
    bool waits_for_promotion = group.DesiredCanaries > 0 && !group.Promoted;
    int64_t healthy = std::count_if(allocs.begin(), allocs.end(), [&](auto& a) {
      return a->TaskGroup == name && is_healthy(*a) && !is_terminal(*a);
    });
    if (!waits_for_promotion && healthy >= group.DesiredTotal) continue;
    if (!earliest || group.RequireProgressBy < *earliest) earliest = group.RequireProgressBy;
  }
  return earliest;
}

Verdict deadline_verdict(const Deployment& d) {
  Verdict v;
  for (auto& [name, group] : d.TaskGroups) {
    bool canary_phase = group.DesiredCanaries > 0 && !group.Promoted;
    if (group.HealthyAllocs >= (canary_phase ? group.DesiredCanaries : group.DesiredTotal)) continue;
    v.fail = true;
    v.rollback = v.rollback || group.AutoRevert;
  }
  return v;
}

Reaction react(const Deployment& d, const std::vector<Ref<Allocation>>& allocs, uint64_t seen_index) {
  Reaction r;
  for (auto& a : allocs) {
    auto* group = d.TaskGroups.find(a->TaskGroup.view());
    if (!group) continue;
    if (is_unhealthy(*a)) {
      if (group->ProgressDeadline == Duration::zero()) {
        r.verdict.fail = true;
        r.verdict.rollback = r.verdict.rollback || group->AutoRevert;
      } else if (is_active(d) && !a->DesiredTransition.Reschedule.value_or(false)) {
        r.replace.push_back(a->ID);
      }
    } else if (is_healthy(*a) && a->DeploymentStatus->ModifyIndex > seen_index) {
      r.evaluate = true;
    }
  }
  return r;
}

uint64_t newest_eval_index(const state::Snapshot& snap, const Deployment& d) {
  uint64_t newest = 0;
  for (auto& e : snap.evals().by_job(d.Namespace, d.JobID))
    if (e->Status != eval_status::kCanceled) newest = std::max(newest, e->SnapshotIndex ? e->SnapshotIndex : e->CreateIndex);
  return newest;
}

bool wants_auto_promotion(const Deployment& d, const std::vector<Ref<Allocation>>& allocs) {
  if (!requires_promotion(d)) return false;
  for (auto& [name, group] : d.TaskGroups) {
    if (group.DesiredCanaries < 1) continue;
    if (!group.AutoPromote || static_cast<int64_t>(group.PlacedCanaries.size()) < group.DesiredCanaries) return false;
    int64_t healthy = std::count_if(allocs.begin(), allocs.end(), [&](auto& a) {
      return group.PlacedCanaries.contains(a->ID) && is_healthy(*a);
    });
    if (healthy != group.DesiredCanaries) return false;
  }
  return true;
}

Rollback plan_rollback(const state::Snapshot& snap, const Deployment& d, bool warn_missing) {
  Rollback r;
  Ref<Job> stable, current;
  for (auto& v : snap.job_versions().by_job(d.Namespace, d.JobID)) {
    if (v->Version == d.JobVersion) current = v;
    if (!stable && v->Stable) stable = v;
  }
  if (!stable) {
    if (warn_missing) r.suffix = " - no stable job version to auto revert to";
    return r;
  }
  if (current && spec_equal(*stable, *current)) {
    r.suffix = fmt::format(" - not rolling back to stable job version {} as current job has same specification", stable->Version);
    return r;
  }
  r.suffix = fmt::format(" - rolling back to job version {}", stable->Version);
  r.job = *stable;
  return r;
}

}  // namespace drover::server
