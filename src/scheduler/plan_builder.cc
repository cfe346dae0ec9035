#include "scheduler/plan_builder.h"

#include <algorithm>

#include "model/status.h"

namespace drover::scheduler {
namespace {

// Texts that nearly every allocation carries, made once.
SharedString shared(std::string_view text) {
  static const SharedString run(alloc_desired::kRun), stop(alloc_desired::kStop), evict(alloc_desired::kEvict);
  for (auto& known : {run, stop, evict})
    if (known == text) return known;
  return text;
}

// Identity, and what the applier merges into the stored allocation: the plan stays small.
Allocation outline(const Allocation& a) {
  Allocation o;
  o.ID = a.ID;
  o.Namespace = a.Namespace;
  o.EvalID = a.EvalID;
  o.Name = a.Name;
  o.NodeID = a.NodeID;
  o.NodeName = a.NodeName;
  o.JobID = a.JobID;
  o.TaskGroup = a.TaskGroup;
  o.AllocatedResources = a.AllocatedResources;
  o.DesiredTransition = a.DesiredTransition;
  o.ClientStatus = a.ClientStatus;
  o.ClientDescription = a.ClientDescription;
  o.AllocStates = a.AllocStates;
  o.PreviousAllocation = a.PreviousAllocation;
  o.NextAllocation = a.NextAllocation;
  o.DeploymentID = a.DeploymentID;
  o.DeploymentStatus = a.DeploymentStatus;
  o.FollowupEvalID = a.FollowupEvalID;
  o.CreateIndex = a.CreateIndex;
  o.ModifyIndex = a.ModifyIndex;
  o.AllocModifyIndex = a.AllocModifyIndex;
  o.CreateTime = a.CreateTime;
  o.ModifyTime = a.ModifyTime;
  return o;
}

}  // namespace

PlanBuilder::PlanBuilder(const Evaluation& eval, Ref<Job> job, uint64_t snapshot_index) {
  head_.EvalID = eval.ID;
  head_.Priority = eval.Priority;
  head_.AllAtOnce = job && job->AllAtOnce;
  head_.Job = std::move(job);
  head_.SnapshotIndex = snapshot_index;
}

void PlanBuilder::stop(const Ref<Allocation>& alloc, std::string_view description, std::string_view client_status,
                       Time now, const Uuid& followup_eval) {
  // A purged job is known only by its allocations.
  if (!head_.Job) head_.Job = alloc->Job;
  auto o = outline(*alloc);
  o.DesiredStatus = shared(alloc_desired::kStop);
  o.DesiredDescription = description;
  if (!client_status.empty()) o.ClientStatus = client_status;
  // Even an empty value is recorded: it says that the status is no longer `unknown`.
  o.AllocStates.push_back({kAllocStateClientStatus, client_status, now});
  if (followup_eval) o.FollowupEvalID = followup_eval;
  nodes_[alloc->NodeID].stops.push_back(std::make_shared<const Allocation>(std::move(o)));
  log_.push_back({Change::Kind::kStop, 1, alloc});
}

void PlanBuilder::pop_stop(const Ref<Allocation>& alloc) {
  auto it = nodes_.find(alloc->NodeID);
  if (it == nodes_.end() || it->second.stops.empty() || it->second.stops.back()->ID != alloc->ID) return;
  it->second.stops.pop_back();
  log_.push_back({Change::Kind::kStop, -1, alloc});
}

void PlanBuilder::place(Ref<Allocation> alloc) {
  nodes_[alloc->NodeID].allocs.push_back(alloc);
  log_.push_back({Change::Kind::kPlace, 1, std::move(alloc)});
}

void PlanBuilder::preempt(const Ref<Allocation>& alloc, const Uuid& by) {
  auto o = outline(*alloc);
  o.DesiredStatus = shared(alloc_desired::kEvict);
  o.DesiredDescription = "Preempted by alloc ID " + by.str();
  o.PreemptedByAllocation = by;
  nodes_[alloc->NodeID].preemptions.push_back(std::make_shared<const Allocation>(std::move(o)));
  log_.push_back({Change::Kind::kPreempt, 1, alloc});
}

const NodeChanges* PlanBuilder::changes(const Uuid& node) const {
  auto it = nodes_.find(node);
  return it == nodes_.end() ? nullptr : &it->second;
}

int64_t PlanBuilder::preempted(const Allocation& like) const {
  return std::count_if(log_.begin(), log_.end(), [&](auto& c) {
    return c.kind == Change::Kind::kPreempt && c.alloc->JobID == like.JobID && c.alloc->Namespace == like.Namespace &&
           c.alloc->TaskGroup == like.TaskGroup;
  });
}

bool PlanBuilder::is_no_op() const {
  if (head_.Deployment || !head_.DeploymentUpdates.empty()) return false;
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](auto& n) { return n.second.stops.empty() && n.second.allocs.empty(); });
}

Plan PlanBuilder::finish() {
  std::vector<std::pair<std::string, NodeChanges*>> sorted;
  for (auto& [id, changes] : nodes_) sorted.emplace_back(id.str(), &changes);
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.first < b.first; });
  auto fill = [](Map<List<Ref<Allocation>>>& map, const std::string& node, std::vector<Ref<Allocation>>& allocs) {
    if (!allocs.empty()) map.vec().emplace_back(node, std::move(allocs));
  };
  for (auto& [node, changes] : sorted) {
    fill(head_.NodeUpdate, node, changes->stops);
    fill(head_.NodeAllocation, node, changes->allocs);
    fill(head_.NodePreemptions, node, changes->preemptions);
  }
  return std::move(head_);
}

}  // namespace drover::scheduler
