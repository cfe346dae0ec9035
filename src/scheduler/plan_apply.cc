#include "scheduler/plan_apply.h"

#include <algorithm>
#include <unordered_set>

#include "model/fit.h"
#include "model/status.h"

namespace drover::scheduler {
namespace {

using AllocList = List<Ref<Allocation>>;

const AllocList* find(const Map<AllocList>& map, const std::string& node) { return map.find(node); }

// What would be on the node: what neither side has ended, less what the plan takes away, with what it puts there.
std::vector<Ref<Allocation>> proposed(const std::vector<Ref<Allocation>>& existing, const Plan& plan,
                                      const std::string& node, const AllocList& placed) {
  std::unordered_set<Uuid> gone;
  for (auto* map : {&plan.NodeUpdate, &plan.NodePreemptions})
    if (auto* list = find(*map, node))
      for (auto& a : *list) gone.insert(a->ID);
  for (auto& a : placed) gone.insert(a->ID);
  std::vector<Ref<Allocation>> result;
  for (auto& a : existing)
    if (!is_terminal(*a) && !gone.contains(a->ID)) result.push_back(a);
  result.insert(result.end(), placed.begin(), placed.end());
  return result;
}

std::string verdict(const StateView& state, const Plan& plan, const std::string& id, const Uuid& node_id) {
  auto* placed = find(plan.NodeAllocation, id);
  if (!placed || placed->empty()) return {};  // stops always apply
  auto node = state.node(node_id);
  if (!node) return "node does not exist";
  if (node->Status == node_status::kDisconnected) {
    bool unknown = std::all_of(placed->begin(), placed->end(),
                               [](auto& a) { return a->ClientStatus == alloc_client::kUnknown; });
    return unknown ? std::string() : "node is disconnected and contains invalid updates";
  }
  if (node->Status != node_status::kReady) return "node is not ready for placements";
  auto existing = state.allocs_by_node(node_id);
  bool only_updates = std::all_of(placed->begin(), placed->end(), [&](auto& a) {
    return std::any_of(existing.begin(), existing.end(), [&](auto& e) { return e->ID == a->ID && !is_terminal(*e); });
  });
  if (only_updates) return {};
  if (node->SchedulingEligibility == node_eligibility::kIneligible) return "node is not eligible";
  return allocs_fit(*node, proposed(existing, plan, id, *placed), nullptr, true).dimension;
}

// Preemptions of allocations that have ended meanwhile are dropped.
AllocList live_preemptions(const StateView& state, const AllocList& wanted) {
  AllocList live;
  for (auto& a : wanted)
    if (auto stored = state.alloc(a->ID); stored && !is_terminal(*stored)) live.push_back(a);
  return live;
}

// The deployment must not count canaries that found no place.
void drop_unplaced_canaries(PlanResult& result) {
  if (!result.Deployment) return;
  std::unordered_set<Uuid> placed;
  for (auto& [node, allocs] : result.NodeAllocation)
    for (auto& a : allocs)
      if (is_canary(*a)) placed.insert(a->ID);
  for (auto& [name, group] : result.Deployment->TaskGroups) {
    if (group.PlacedCanaries.empty()) continue;
    List<Uuid> kept;
    for (auto& id : group.PlacedCanaries)
      if (placed.contains(id)) kept.push_back(id);
    group.PlacedCanaries = std::move(kept);
  }
}

}  // namespace

std::string node_verdict(const StateView& state, const Plan& plan, const Uuid& node) {
  return verdict(state, plan, node.str(), node);
}

Judgement evaluate_plan(const StateView& state, const Plan& plan) {
  Judgement j;
  auto& r = j.result;
  r.Deployment = plan.Deployment;
  r.DeploymentUpdates = plan.DeploymentUpdates;
  std::vector<std::string> nodes;
  for (auto* map : {&plan.NodeUpdate, &plan.NodeAllocation})
    for (auto& [id, allocs] : *map) nodes.push_back(id);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  auto take = [](Map<AllocList>& to, const Map<AllocList>& from, const std::string& node) {
    if (auto* list = find(from, node); list && !list->empty()) to.vec().emplace_back(node, *list);
  };
  for (auto& id : nodes) {
    auto node = Uuid::parse(id);
    auto why = node ? verdict(state, plan, id, *node) : std::string("node does not exist");
    if (!why.empty()) {
      j.rejections.emplace_back(id, std::move(why));
      r.RejectedNodes.push_back(id);
      continue;
    }
    take(r.NodeUpdate, plan.NodeUpdate, id);
    take(r.NodeAllocation, plan.NodeAllocation, id);
    if (auto* list = find(plan.NodePreemptions, id))
      if (auto live = live_preemptions(state, *list); !live.empty()) r.NodePreemptions.vec().emplace_back(id, live);
  }
  if (j.rejections.empty()) return j;
  r.RefreshIndex = state.index();
  if (plan.AllAtOnce) {
    r.NodeUpdate.reset();
    r.NodeAllocation.reset();
    r.NodePreemptions.reset();
    r.Deployment.reset();
    r.DeploymentUpdates.reset();
  }
  drop_unplaced_canaries(r);
  return j;
}

}  // namespace drover::scheduler
