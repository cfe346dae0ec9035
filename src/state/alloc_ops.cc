#include "state/alloc_ops.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "model/status.h"
#include "state/csi_ops.h"
#include "state/node_ops.h"

namespace drover::state {
namespace {

// The job of a live allocation runs, whatever else there is.
void note_job(JobStatuses& jobs, const Allocation& a) {
  auto& force = jobs[{a.Namespace.str(), a.JobID.str()}];
  if (!is_terminal(a)) force = "running";
}

void store(Txn& txn, Allocation alloc) {
  txn.share(alloc);
  txn.allocs().upsert(std::move(alloc));
}

Status put_scheduled(Txn& txn, Allocation a, JobStatuses& jobs) {
  auto old = txn.allocs()->get(a.ID);
  a.ModifyIndex = a.AllocModifyIndex = txn.index();
  if (!old) {
    if (!a.Job) return invalid(fmt::format("attempting to upsert allocation {} without a job", go_quote(a.ID.str())));
    a.CreateIndex = txn.index();
  } else {
    a.CreateIndex = old->CreateIndex;
    a.TaskStates = old->TaskStates;
    if (a.ClientStatus != alloc_client::kLost && a.ClientStatus != alloc_client::kUnknown) {
      a.ClientStatus = old->ClientStatus;
      a.ClientDescription = old->ClientDescription;
    }
    if (!a.Job) a.Job = old->Job;
  }
  update_deployment_with_alloc(txn, a, old.get());
  DROVER_CHECK(update_summary_with_alloc(txn, a, old.get()));
  if (is_terminal(a)) remove_alloc_from_csi_plugins(txn, a);
  if (!a.PreviousAllocation.nil()) {
    auto previous = txn.allocs()->get(a.PreviousAllocation);
    if (previous && previous->NextAllocation != a.ID) {
      Allocation copy = *previous;
      copy.NextAllocation = a.ID;
      copy.ModifyIndex = txn.index();
      store(txn, std::move(copy));
    }
  }
  note_job(jobs, a);
  store(txn, std::move(a));
  return {};
}

void take_client_health(Allocation& a, const Allocation& report, uint64_t index) {
  if (!report.DeploymentStatus) return;
  auto& theirs = *report.DeploymentStatus;
  if (!a.DeploymentStatus) {
    a.DeploymentStatus = theirs;
    a.DeploymentStatus->ModifyIndex = index;
    return;
  }
  auto& ours = *a.DeploymentStatus;
  if (!theirs.Healthy || ours.Healthy == theirs.Healthy) return;
  ours.Healthy = theirs.Healthy;
  ours.Timestamp = theirs.Timestamp;
  ours.ModifyIndex = index;
}

// Only whether the last report came after the last missed heartbeat matters to anybody, so a node's row is written
// once per missed heartbeat and not once per report.
void note_client_update(Txn& txn, const Uuid& node_id) {
  auto node = txn.nodes()->get(node_id);
  if (!node || (node->LastAllocUpdateIndex != 0 && node->LastAllocUpdateIndex > node->LastMissedHeartbeatIndex)) return;
  Node copy = *node;
  copy.LastAllocUpdateIndex = txn.index();
  txn.nodes().upsert(std::move(copy));
}

// Whether `report` was made before `known` was: the newest event that it tells of is one of those known, and others followed.
// Not by the times of the events: they are of the node's clock, which may be set back.
bool is_earlier(const TaskState& report, const TaskState& known) {
  if (report.Events.empty()) return !known.Events.empty();
  auto& last = report.Events.back();
  for (size_t i = 0; i + 1 < known.Events.size(); i++)
    if (known.Events[i].Time == last.Time && known.Events[i].Type == last.Type) return true;
  return false;
}

// Whether a node's report was overtaken by a later one: it still has a task running, or not yet started, whose end is known.
// A report that hung on its way may come after its successor, and the node, which had that one acknowledged, would never
// speak of it again. A task that was started anew has another start time; one that ended without a start, as one whose driver
// failed, and waits for another, has events that are new.
bool is_overtaken(const Allocation& known, const Allocation& report) {
  for (auto& [name, before] : known.TaskStates) {
    if (before.State != "dead") continue;
    auto* now = report.TaskStates.find(name);
    if (!now) {
      if (report.ClientStatus == alloc_client::kPending) return true;
    } else if (now->State != "dead") {
      bool started = !before.StartedAt.unset();
      if (started ? now->StartedAt.unset() || now->StartedAt == before.StartedAt : now->StartedAt.unset() && is_earlier(*now, before)) return true;
    }
  }
  return false;
}

}  // namespace

Status upsert_allocs(Txn& txn, std::vector<Allocation> allocs) {
  JobStatuses jobs;
  for (auto& a : allocs) DROVER_CHECK(put_scheduled(txn, std::move(a), jobs));
  set_job_statuses(txn, jobs, false);
  return {};
}

Status update_allocs_from_client(Txn& txn, const List<Allocation>& reports) {
  JobStatuses jobs;
  for (auto& report : reports) {
    auto old = txn.allocs()->get(report.ID);
    if (!old || is_overtaken(*old, report)) continue;
    Allocation a = *old;
    a.ClientStatus = report.ClientStatus;
    a.ClientDescription = report.ClientDescription;
    a.TaskStates = report.TaskStates;
    a.NetworkStatus = report.NetworkStatus;
    take_client_health(a, report, txn.index());
    a.ModifyIndex = txn.index();
    a.ModifyTime = report.ModifyTime;
    update_deployment_with_alloc(txn, a, old.get());
    DROVER_CHECK(update_summary_with_alloc(txn, a, old.get()));
    if (is_terminal(a)) remove_alloc_from_csi_plugins(txn, a);
    note_client_update(txn, a.NodeID);
    note_job(jobs, a);
    store(txn, std::move(a));
  }
  set_job_statuses(txn, jobs, false);
  return {};
}

void update_desired_transition(Txn& txn, const Uuid& id, const DesiredTransition& t) {
  auto old = txn.allocs()->get(id);
  if (!old) return;
  Allocation a = *old;
  auto& to = a.DesiredTransition;
  if (t.Migrate) to.Migrate = t.Migrate;
  if (t.Reschedule) to.Reschedule = t.Reschedule;
  if (t.ForceReschedule) to.ForceReschedule = t.ForceReschedule;
  if (t.NoShutdownDelay) to.NoShutdownDelay = t.NoShutdownDelay;
  a.ModifyIndex = a.AllocModifyIndex = txn.index();
  store(txn, std::move(a));
}

Result<Allocation> denormalize(const State& state, const Allocation& diff) {
  auto stored = state.allocs.get(diff.ID);
  if (!stored) return not_found(fmt::format("alloc {} doesn't exist", diff.ID.str()));
  Allocation a = *stored;
  if (!diff.PreemptedByAllocation.nil()) {
    a.PreemptedByAllocation = diff.PreemptedByAllocation;
    a.DesiredDescription = "Preempted by alloc ID " + diff.PreemptedByAllocation.str();
    a.DesiredStatus = alloc_desired::kEvict;
  } else {
    a.DesiredDescription = diff.DesiredDescription;
    a.DesiredStatus = alloc_desired::kStop;
    if (!diff.ClientStatus.empty()) a.ClientStatus = diff.ClientStatus;
    if (!diff.FollowupEvalID.nil()) a.FollowupEvalID = diff.FollowupEvalID;
    // A state without a value ends an earlier one; where there is none it says nothing, and the reference keeps none.
    bool says = !diff.AllocStates.empty() && (!a.AllocStates.empty() || !diff.AllocStates.back().Value.empty());
    if (says) a.AllocStates = diff.AllocStates;
  }
  if (diff.ModifyTime) a.ModifyTime = diff.ModifyTime;
  return a;
}

namespace {

constexpr std::string_view kRejectedNodeMessage =
    "Node marked as ineligible for scheduling due to multiple plan rejections, refer to "
    "https://www.nomadproject.io/s/port-plan-failure for more information";

Status mark_rejected_nodes(Txn& txn, const rpc::ApplyPlanResultsRequest& plan) {
  NodeEvent event;
  event.Subsystem = "Scheduler";
  event.Message = kRejectedNodeMessage;
  event.Timestamp = Time::from_unix_nanos(plan.UpdatedAt);
  for (auto& text : plan.IneligibleNodes) {
    auto id = Uuid::parse(text);
    if (!id) return invalid("node not found");
    if (!txn.nodes()->get(*id)) continue;  // it left while the plan was on its way; the plan need not fail for it
    DROVER_CHECK(update_node_eligibility(txn, *id, node_eligibility::kIneligible,
                                         Time::from_unix_nanos(plan.UpdatedAt).unix_seconds(), &event));
  }
  return {};
}

Status touch_eval(Txn& txn, const Uuid& id) {
  auto eval = txn.evals()->get(id);
  if (!eval) return not_found(fmt::format("unable to find eval id {}", go_quote(id.str())));
  Evaluation copy = *eval;
  copy.ModifyIndex = txn.index();
  txn.evals().upsert(std::move(copy));
  return {};
}

}  // namespace

Status apply_plan_results(Txn& txn, const rpc::ApplyPlanResultsRequest& plan) {
  std::vector<Allocation> allocs;
  for (auto* diffs : {&plan.AllocsStopped, &plan.AllocsPreempted})
    for (auto& diff : *diffs) {
      DROVER_TRY(auto alloc, denormalize(txn.state(), *diff));
      allocs.push_back(std::move(alloc));
    }
  auto job = shared_job(txn.state(), plan.Job);
  for (auto& placed : plan.AllocsUpdated) {
    auto& a = allocs.emplace_back(*placed);
    a.Job = a.Job ? shared_job(txn.state(), a.Job) : job;
  }
  DROVER_CHECK(mark_rejected_nodes(txn, plan));
  if (plan.Deployment) upsert_deployment(txn, *plan.Deployment);
  // A deployment that ended meanwhile does not undo the plan.
  for (auto& update : plan.DeploymentUpdates) (void)update_deployment_status(txn, update);
  if (!plan.EvalID.nil()) DROVER_CHECK(touch_eval(txn, plan.EvalID));
  DROVER_CHECK(upsert_allocs(txn, std::move(allocs)));
  for (auto& eval : plan.PreemptionEvals) put_eval(txn, eval);
  return {};
}

}  // namespace drover::state
