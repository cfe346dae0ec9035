#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/multi_error.h"
#include "model/status.h"
#include "state/alloc_ops.h"

namespace drover::state {
namespace {

constexpr std::string_view kRunningDescription = "Deployment is running";

bool has_health(const Allocation& a) { return a.DeploymentStatus && a.DeploymentStatus->Healthy; }

void count_health(DeploymentState& group, const Allocation& a, const Allocation* before) {
  bool was = before && has_health(*before), is = has_health(a);
  if (!is) return;
  bool healthy = *a.DeploymentStatus->Healthy;
  if (!was) {
    ++(healthy ? group.HealthyAllocs : group.UnhealthyAllocs);
  } else if (*before->DeploymentStatus->Healthy && !healthy) {
    --group.HealthyAllocs;
    ++group.UnhealthyAllocs;
  }
}

// The deadline moves on with the first placement and with each newly healthy allocation.
void move_deadline(DeploymentState& group, const Allocation& a, bool placed, bool newly_healthy) {
  if (group.ProgressDeadline.count() == 0) return;
  if (placed && group.RequireProgressBy.unset())
    group.RequireProgressBy = Time::from_unix_nanos(a.ModifyTime) + group.ProgressDeadline;
  if (!newly_healthy) return;
  auto by = a.DeploymentStatus->Timestamp + group.ProgressDeadline;
  if (group.RequireProgressBy.unset() || by > group.RequireProgressBy) group.RequireProgressBy = by;
}

Status check_updatable(const Ref<Deployment>& d, const Uuid& id) {
  if (!d) return not_found(fmt::format("Deployment ID {} couldn't be updated as it does not exist", go_quote(id.str())));
  if (!is_active(*d))
    return invalid(fmt::format("Deployment {} has terminal status {}:", go_quote(id.str()), go_quote(d->Status)));
  return {};
}

}  // namespace

void upsert_deployment(Txn& txn, Deployment d) {
  auto old = txn.deployments()->get(d.ID);
  d.CreateIndex = old ? old->CreateIndex : txn.index();
  d.ModifyIndex = txn.index();
  txn.deployments().upsert(std::move(d));
}

void update_deployment_with_alloc(Txn& txn, Allocation& a, const Allocation* before) {
  if (a.DeploymentID.nil()) return;
  auto old = txn.deployments()->get(a.DeploymentID);
  if (!old || !old->TaskGroups.contains(a.TaskGroup)) return;
  bool placed = !before || before->DeploymentID != a.DeploymentID;
  bool health_changed = has_health(a) && (!before || !has_health(*before) ||
                                          *before->DeploymentStatus->Healthy != *a.DeploymentStatus->Healthy);
  if (!placed && !health_changed) return;
  if (a.DeploymentStatus && health_changed) a.DeploymentStatus->ModifyIndex = txn.index();

  Deployment d = *old;
  d.ModifyIndex = txn.index();
  auto& group = d.TaskGroups[a.TaskGroup];
  if (placed) {
    ++group.PlacedAllocs;
    if (is_canary(a) && !group.PlacedCanaries.contains(a.ID)) group.PlacedCanaries.push_back(a.ID);
  }
  const Allocation* counted = placed ? nullptr : before;
  count_health(group, a, counted);
  bool newly_healthy = is_healthy(a) && !(counted && has_health(*counted));
  move_deadline(group, a, placed, newly_healthy);
  txn.deployments().upsert(std::move(d));
}

Status update_deployment_status(Txn& txn, const DeploymentStatusUpdate& u) {
  auto old = txn.deployments()->get(u.DeploymentID);
  DROVER_CHECK(check_updatable(old, u.DeploymentID));
  Deployment d = *old;
  d.Status = u.Status;
  d.StatusDescription = u.StatusDescription;
  d.ModifyIndex = txn.index();
  txn.deployments().upsert(std::move(d));
  if (u.Status == deployment_status::kSuccessful)
    return update_job_stability(txn, old->Namespace, old->JobID, old->JobVersion, true);
  return {};
}

Status promote_deployment(Txn& txn, const Uuid& id, bool all, const List<std::string>& groups) {
  auto old = txn.deployments()->get(id);
  DROVER_CHECK(check_updatable(old, id));
  // No group named and not all: nothing is promoted, and that is no error.
  auto selected = [&](std::string_view group) {
    return all || std::find(groups.begin(), groups.end(), group) != groups.end();
  };
  std::map<std::string_view, int64_t> healthy;
  std::vector<Ref<Allocation>> canaries;
  for (auto& a : txn.allocs()->by_deployment(id)) {
    auto* group = old->TaskGroups.find(a->TaskGroup.view());
    if (!group || !group->PlacedCanaries.contains(a->ID) || !selected(a->TaskGroup)) continue;
    if (is_terminal(*a) || !is_healthy(*a)) continue;
    canaries.push_back(a);
    ++healthy[a->TaskGroup.view()];
  }
  MultiError errors;
  Deployment d = *old;
  for (auto& [name, group] : d.TaskGroups) {
    if (!selected(name)) continue;
    int64_t have = healthy[name];
    if (have < group.DesiredCanaries)
      errors.add(fmt::format("Task group {} has {}/{} healthy allocations", go_quote(name), have, group.DesiredCanaries));
    group.Promoted = true;
    if (group.ProgressDeadline.count() && !group.RequireProgressBy.unset())
      group.RequireProgressBy = txn.stamp() + group.ProgressDeadline;
  }
  if (errors) return invalid(errors.text());
  if (!requires_promotion(d) && d.Status == deployment_status::kRunning) d.StatusDescription = kRunningDescription;
  d.ModifyIndex = txn.index();
  txn.deployments().upsert(std::move(d));
  for (auto& canary : canaries) {
    Allocation a = *canary;
    a.DeploymentStatus->Canary = false;
    a.DeploymentStatus->ModifyIndex = txn.index();
    a.ModifyIndex = a.AllocModifyIndex = txn.index();
    txn.share(a);
    txn.allocs().upsert(std::move(a));
  }
  return {};
}

Status set_alloc_health(Txn& txn, const Uuid& id, const List<std::string>& healthy, const List<std::string>& unhealthy,
                        Time timestamp) {
  auto deployment = txn.deployments()->get(id);
  DROVER_CHECK(check_updatable(deployment, id));
  auto set = [&](const List<std::string>& ids, bool value) -> Status {
    for (auto& text : ids) {
      auto alloc_id = Uuid::parse(text);
      auto old = alloc_id ? txn.allocs()->get(*alloc_id) : nullptr;
      if (!old) return not_found(fmt::format("unknown alloc {}", go_quote(text)));
      if (old->DeploymentID != id)
        return invalid(fmt::format("alloc {} is not part of deployment {}", go_quote(text), go_quote(id.str())));
      Allocation a = *old;
      auto& status = a.DeploymentStatus.ensure();
      status.Healthy = value;
      status.Timestamp = timestamp;
      status.ModifyIndex = txn.index();
      a.ModifyIndex = txn.index();
      update_deployment_with_alloc(txn, a, old.get());
      txn.share(a);
      txn.allocs().upsert(std::move(a));
    }
    return {};
  };
  DROVER_CHECK(set(healthy, true));
  return set(unhealthy, false);
}

void delete_deployments(Txn& txn, const List<Uuid>& ids) {
  for (auto& id : ids)
    if (auto d = txn.deployments()->get(id)) txn.deployments().erase(*d);
}

}  // namespace drover::state
