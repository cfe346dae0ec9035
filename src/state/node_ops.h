// Writes about nodes, with their derived effects (reference server-core 6.3). `index` and `now` are the Txn's.
#pragma once

#include "state/store.h"

namespace drover::state {

inline constexpr size_t kNodeEventsMax = 10;

// Registers: keeps of an existing row what servers own (CreateIndex, events, eligibility, drain). The status is stored
// as given; who may set which status is the endpoint's judgement. `event` is added when given.
Status upsert_node(Txn& txn, Node node, const NodeEvent* event = nullptr);
Status delete_nodes(Txn& txn, const std::vector<Uuid>& ids);
// `updated_at` is in Unix seconds here and below.
Status update_node_status(Txn& txn, const Uuid& id, std::string_view status, int64_t updated_at, const NodeEvent* event);

struct NodeDrainUpdate {
  const DrainStrategy* strategy = nullptr;  // null ends the drain
  bool mark_eligible = false;
  bool by_drainer = false;                  // ended because it is complete, not because an operator cancelled it
  int64_t updated_at = 0;
  const NodeEvent* event = nullptr;
  Map<std::string> meta;
  std::string accessor_id;
};
Status update_node_drain(Txn& txn, const Uuid& id, const NodeDrainUpdate& update);
Status update_node_eligibility(Txn& txn, const Uuid& id, std::string_view eligibility, int64_t updated_at,
                               const NodeEvent* event);
Status append_node_events(Txn& txn, const Uuid& id, const List<NodeEvent>& events);

// down or disconnected.
bool is_unresponsive(std::string_view node_status);

}  // namespace drover::state
