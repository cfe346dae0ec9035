#include "server/plan_judge.h"

#include <algorithm>
#include <set>

#include "scheduler/plan_apply.h"
#include "scheduler/snapshot_view.h"
#include "state/alloc_ops.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

// The log entry of what was granted. Allocations that stop carry only what changes.
PlanRecord entry_of(const Plan& plan, const PlanResult& result, Time now) {
  PlanRecord req;
  req.Job = plan.Job;
  req.EvalID = plan.EvalID;
  req.Deployment = result.Deployment;
  req.DeploymentUpdates = result.DeploymentUpdates;
  req.IneligibleNodes = result.IneligibleNodes;
  req.UpdatedAt = now.unix_nanos;
  auto stamp = [&](const Map<List<Ref<Allocation>>>& nodes, List<Ref<Allocation>>& out) {
    for (auto& [node, allocs] : nodes)
      for (auto& a : allocs) {
        auto copy = std::make_shared<Allocation>(*a);
        if (!copy->CreateTime) copy->CreateTime = req.UpdatedAt;
        copy->ModifyTime = req.UpdatedAt;
        out.push_back(std::move(copy));
      }
  };
  stamp(result.NodeUpdate, req.AllocsStopped);
  stamp(result.NodeAllocation, req.AllocsUpdated);
  stamp(result.NodePreemptions, req.AllocsPreempted);
  return req;
}

std::vector<Ref<Job>> preempted_jobs(const state::Snapshot& snap, const PlanResult& result) {
  std::set<std::pair<std::string, std::string>> keys;
  for (auto& [node, allocs] : result.NodePreemptions)
    for (auto& a : allocs)
      if (auto stored = snap.allocs().get(a->ID)) keys.emplace(stored->Namespace.str(), stored->JobID.str());
  std::vector<Ref<Job>> jobs;
  for (auto& [ns, id] : keys)
    if (auto job = snap.jobs().get(ns, id)) jobs.push_back(job);
  return jobs;
}

// All entries laid over one state carry the same index: the least that the first of them can get.
Result<state::Snapshot> lay_over(state::Snapshot base, uint64_t index, const rpc::ApplyPlanResultsRequest& entry) {
  state::Txn txn(base, index, Time::from_unix_nanos(entry.UpdatedAt));
  DROVER_CHECK(state::apply_plan_results(txn, entry));
  return txn.snapshot();
}

}  // namespace

Result<JudgedPlan> judge_plan(state::Snapshot base, const std::vector<PlanEntry>& ahead, const Plan& plan, Time now,
                              const SignPlaced& sign) {
  uint64_t index = base.index() + 1;
  for (auto& entry : ahead) {
    // One that is in the state already, or is going to be refused, changes nothing here.
    if (auto next = lay_over(base, index, *entry)) base = std::move(*next);
  }
  auto verdict = scheduler::evaluate_plan(*std::make_shared<const scheduler::SnapshotView>(base), plan);
  JudgedPlan judged{.result = std::move(verdict.result), .rejections = std::move(verdict.rejections), .after = base};
  auto& result = judged.result;
  if (is_no_op(result)) return judged;
  judged.entry = std::make_shared<PlanRecord>(entry_of(plan, result, now));
  if (sign) sign(base, *judged.entry);
  judged.entry->encoded = state::encode_body<rpc::ApplyPlanResultsRequest>(*judged.entry);
  DROVER_TRY(judged.after, lay_over(base, index, *judged.entry));
  judged.preempted = preempted_jobs(base, result);
  judged.frees = !result.NodeUpdate.empty() || !result.NodePreemptions.empty();
  for (auto& [text, allocs] : result.NodeAllocation)
    if (auto id = Uuid::parse(text)) judged.placed_on.emplace_back(*id, base.nodes().get(*id));
  return judged;
}

void mark_ineligible(JudgedPlan& judged, const Plan& plan, const std::vector<std::string>& nodes, Time now) {
  judged.result.IneligibleNodes = List<std::string>(nodes);
  if (judged.entry) judged.entry->IneligibleNodes = judged.result.IneligibleNodes;
  else judged.entry = std::make_shared<PlanRecord>(entry_of(plan, judged.result, now));
  judged.entry->encoded.clear();
}

bool still_holds(const JudgedPlan& judged, const state::Snapshot& now) {
  auto same = [&](const std::pair<Uuid, Ref<Node>>& n) {
    auto current = now.nodes().get(n.first);
    if (current == n.second) return true;
    // The row is also written when clients report; what counts is whether it takes work, and how much.
    return current && n.second && current->Status == n.second->Status &&
           current->SchedulingEligibility == n.second->SchedulingEligibility &&
           current->NodeResources == n.second->NodeResources && current->ReservedResources == n.second->ReservedResources;
  };
  return std::all_of(judged.placed_on.begin(), judged.placed_on.end(), same);
}

bool needs_room_of(const JudgedPlan& later, const JudgedPlan& earlier) {
  if (!earlier.frees) return false;
  return std::any_of(later.placed_on.begin(), later.placed_on.end(), [&](auto& n) {
    auto node = n.first.str();
    return earlier.result.NodeUpdate.contains(node) || earlier.result.NodePreemptions.contains(node);
  });
}

}  // namespace drover::server
