#include "state/node_ops.h"

#include <algorithm>

#include "model/status.h"
#include "state/csi_ops.h"

namespace drover::state {
namespace {

Error node_not_found() { return not_found("node not found"); }

void add_event(Node& node, NodeEvent event, uint64_t index) {
  event.CreateIndex = index;
  auto& events = node.Events.vec();
  if (events.size() >= kNodeEventsMax)
    events.erase(events.begin(), events.begin() + static_cast<ptrdiff_t>(events.size() - kNodeEventsMax + 1));
  events.push_back(std::move(event));
}

NodeEvent cluster_event(std::string message, int64_t unix_seconds) {
  NodeEvent e;
  e.Message = std::move(message);
  e.Subsystem = "Cluster";
  e.Timestamp = Time::from_unix_seconds(unix_seconds);
  return e;
}

}  // namespace

bool is_unresponsive(std::string_view status) {
  return status == node_status::kDown || status == node_status::kDisconnected;
}

Status upsert_node(Txn& txn, Node node, const NodeEvent* event) {
  uint64_t index = txn.index();
  node.ModifyIndex = index;
  if (auto old = txn.nodes()->get(node.ID)) {
    node.CreateIndex = old->CreateIndex;
    node.Events = old->Events;
    node.SchedulingEligibility = old->SchedulingEligibility;
    node.DrainStrategy = old->DrainStrategy;
    node.LastDrain = old->LastDrain;
    node.LastMissedHeartbeatIndex = std::max(node.LastMissedHeartbeatIndex, old->LastMissedHeartbeatIndex);
    node.LastAllocUpdateIndex = std::max(node.LastAllocUpdateIndex, old->LastAllocUpdateIndex);
    if (!is_unresponsive(old->Status) && is_unresponsive(node.Status)) node.LastMissedHeartbeatIndex = index;
    if (old->Status == node_status::kDown && node.Status != node_status::kDown)
      add_event(node, cluster_event("Node re-registered", node.StatusUpdatedAt), index);
  } else {
    node.CreateIndex = index;
    node.Events.reset();
    // The first event has no index, as clients have always seen it.
    add_event(node, cluster_event("Node registered", node.StatusUpdatedAt), 0);
    if (node.SchedulingEligibility.empty())
      node.SchedulingEligibility = node.DrainStrategy ? node_eligibility::kIneligible : node_eligibility::kEligible;
  }
  if (event) add_event(node, *event, index);
  update_csi_plugins_of_node(txn, node);
  txn.nodes().upsert(std::move(node));
  return {};
}

Status delete_nodes(Txn& txn, const std::vector<Uuid>& ids) {
  for (auto& id : ids) {
    auto node = txn.nodes()->get(id);
    if (!node) return node_not_found();
    remove_node_from_csi_plugins(txn, *node);
    txn.nodes().erase(*node);
  }
  return {};
}

Status update_node_status(Txn& txn, const Uuid& id, std::string_view status, int64_t updated_at,
                          const NodeEvent* event) {
  auto old = txn.nodes()->get(id);
  if (!old) return node_not_found();
  Node node = *old;
  node.Status = status;
  node.StatusUpdatedAt = updated_at;
  node.ModifyIndex = txn.index();
  if (event) add_event(node, *event, txn.index());
  if (!is_unresponsive(old->Status) && is_unresponsive(status)) node.LastMissedHeartbeatIndex = txn.index();
  else if (old->Status != node_status::kReady && status == node_status::kReady) node.LastMissedHeartbeatIndex = 0;
  txn.nodes().upsert(std::move(node));
  return {};
}

Status update_node_drain(Txn& txn, const Uuid& id, const NodeDrainUpdate& u) {
  auto old = txn.nodes()->get(id);
  if (!old) return node_not_found();
  Node node = *old;
  node.StatusUpdatedAt = u.updated_at;
  node.ModifyIndex = txn.index();
  if (u.event) add_event(node, *u.event, txn.index());
  if (u.strategy) {
    node.DrainStrategy = *u.strategy;
    node.SchedulingEligibility = node_eligibility::kIneligible;
  } else {
    node.DrainStrategy.reset();
    if (u.mark_eligible) node.SchedulingEligibility = node_eligibility::kEligible;
  }
  if (u.strategy || old->DrainStrategy) {
    auto when = Time::from_unix_seconds(u.updated_at);
    bool starts = u.strategy && !old->DrainStrategy;
    if (starts || !node.LastDrain) {
      node.LastDrain = DrainMetadata{};
      node.LastDrain->StartedAt = when;
      node.LastDrain->Meta = u.meta;  // also an empty one, which readers tell from none
    }
    auto& drain = *node.LastDrain;
    drain.UpdatedAt = when;
    drain.Status = u.strategy ? "draining" : u.by_drainer ? "complete" : "canceled";
    if (!u.meta.empty()) drain.Meta = u.meta;
    if (!u.accessor_id.empty()) drain.AccessorID = u.accessor_id;
  }
  txn.nodes().upsert(std::move(node));
  return {};
}

Status update_node_eligibility(Txn& txn, const Uuid& id, std::string_view eligibility, int64_t updated_at,
                               const NodeEvent* event) {
  auto old = txn.nodes()->get(id);
  if (!old) return node_not_found();
  if (old->DrainStrategy && eligibility == node_eligibility::kEligible)
    return invalid("can not set node's scheduling eligibility to eligible while it is draining");
  Node node = *old;
  node.StatusUpdatedAt = updated_at;
  node.SchedulingEligibility = eligibility;
  node.ModifyIndex = txn.index();
  if (event) add_event(node, *event, txn.index());
  txn.nodes().upsert(std::move(node));
  return {};
}

Status append_node_events(Txn& txn, const Uuid& id, const List<NodeEvent>& events) {
  auto old = txn.nodes()->get(id);
  if (!old) return node_not_found();
  Node node = *old;
  node.ModifyIndex = txn.index();
  for (auto& e : events) add_event(node, e, txn.index());
  txn.nodes().upsert(std::move(node));
  return {};
}

}  // namespace drover::state
