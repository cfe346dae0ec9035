// Node.*: registration, heartbeats, what a node should run and what it reports (reference server-core section 11).
#include <algorithm>

#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/reflect.h"
#include "model/raft_requests.h"
#include "model/reschedule.h"
#include "model/rpc.h"
#include "model/shown.h"
#include "model/status.h"
#include "raft/replica.h"
#include "server/alloc_update_batch.h"
#include "server/eval_log.h"
#include "server/leader.h"
#include "server/lookup.h"
#include "server/membership.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/stubs.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

NodeEvent cluster_event(Server& server, std::string message) {
  NodeEvent e;
  e.Timestamp = server.world().clock.now();
  e.Subsystem = "Cluster";
  e.Message = std::move(message);
  return e;
}

// Evaluations for the node's jobs, written in one entry; their ids.
Async<Result<uint64_t>> evaluate_node(Server& server, const Uuid& id, uint64_t index, List<std::string>& ids) {
  auto snap = server.snapshot();
  auto node = snap.nodes().get(id);
  if (!node) co_return uint64_t{0};
  auto evals = node_evals(server.world(), snap, *node, index);
  for (auto& e : evals) ids.push_back(e.ID.str());
  co_return co_await write_evals(server, std::move(evals));
}

void fill_servers(Server& server, NodeUpdateResponse& resp) {
  resp.LeaderRPCAddr = server.leader_address();
  resp.NumNodes = static_cast<int32_t>(server.snapshot().nodes().size());
  auto add = [&](std::string address, const std::string& datacenter) {
    auto& info = resp.Servers.emplace_back();
    info.RPCAdvertiseAddr = std::move(address);
    info.Datacenter = datacenter;
  };
  // Servers that are in the pool but not of this cluster would know nothing of the node's work.
  std::set<std::string> own;
  for (auto& s : server.replica().configuration()) own.insert(s.id);
  if (auto* membership = server.membership()) {
    for (auto& s : membership->peers().in_region(server.config().region))
      if (own.contains(s.id)) add(s.rpc_address, s.datacenter);
  } else {
    add(server.config().rpc_advertise, server.config().datacenter);
  }
}

Status check_registration(const rpc::NodeRegisterRequest& req) {
  if (!req.Node) return internal("missing node for client registration");
  auto& n = *req.Node;
  if (n.ID.nil()) return internal("missing node ID for client registration");
  if (n.Datacenter.empty()) return internal("missing datacenter for client registration");
  if (n.Name.empty()) return internal("missing node name for client registration");
  if (n.Attributes.empty()) return internal("missing attributes for client registration");
  if (n.SecretID.nil()) return internal("missing node secret ID for client registration");
  for (auto ok : {node_status::kInit, node_status::kReady, node_status::kDown, node_status::kDisconnected})
    if (n.Status.empty() || n.Status == ok) return {};
  return internal("invalid status for node");
}

// What makes scheduling on the node different from before.
bool node_changed(const Node& a, const Node& b) {
  auto devices = [](const Node& n) { return n.NodeResources ? n.NodeResources->Devices : List<NodeDeviceResource>{}; };
  return a.ID != b.ID || a.Datacenter != b.Datacenter || a.Name != b.Name || a.NodeClass != b.NodeClass ||
         !(a.Attributes == b.Attributes) || !(a.Meta == b.Meta) || !(a.Drivers == b.Drivers) ||
         !(a.HostVolumes == b.HostVolumes) || !(devices(a) == devices(b));
}

bool transition_needs_evals(std::string_view to, std::string_view from) {
  bool to_ready = to == node_status::kReady;
  return to == node_status::kDown || (to_ready && (from == node_status::kInit || from == node_status::kDown)) ||
         (from == node_status::kDisconnected && to != from) || (to == node_status::kDisconnected && to != from);
}

Async<Status> node_register(Server& server, const rpc::NodeRegisterRequest& req, NodeUpdateResponse& resp) {
  DROVER_CO_CHECK(check_registration(req));
  rpc::NodeRegisterRequest entry = req;
  auto& node = *entry.Node;
  if (node.Status.empty()) node.Status = node_status::kInit;
  if (node.SchedulingEligibility.empty()) node.SchedulingEligibility = node_eligibility::kEligible;
  node.StatusUpdatedAt = server.world().clock.now().unix_seconds();
  auto existing = server.snapshot().nodes().get(node.ID);
  if (existing) {
    if (existing->SecretID != node.SecretID) co_return internal("node secret ID does not match. Not registering node.");
    // The heartbeat alone moves a node that is known between states.
    node.Status = existing->Status;
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNodeRegister, entry));
  resp.NodeModifyIndex = applied.index;
  resp.Index = applied.index;
  bool evaluate = existing ? node_changed(*existing, node) : node.Status == node_status::kReady;
  if (evaluate) {
    DROVER_CO_TRY(resp.EvalCreateIndex, co_await evaluate_node(server, node.ID, applied.index, resp.EvalIDs));
    resp.Index = std::max(resp.Index, resp.EvalCreateIndex);
  }
  if (node.Status != node_status::kDown && server.leader()) resp.HeartbeatTTL = server.leader()->node_heard(node.ID);
  if (auto now = server.snapshot().nodes().get(node.ID)) resp.SchedulingEligibility = now->SchedulingEligibility;
  fill_servers(server, resp);
  co_return Status{};
}

// What the asked status means on the stored one (reference server-core 11.2).
std::string settle_status(const state::Snapshot& snap, const Node& node, std::string_view asked) {
  if (asked != node_status::kReady) return std::string(asked);
  if (node.Status == node_status::kDisconnected) return std::string(node_status::kInit);
  if (node.Status == node_status::kInit && node.LastAllocUpdateIndex <= node.LastMissedHeartbeatIndex &&
      node.LastMissedHeartbeatIndex && snap.allocs().by_node_terminal(node.ID, false).any())
    return std::string(node_status::kInit);
  return std::string(asked);
}

Async<Status> node_update_status(Server& server, const rpc::NodeUpdateStatusRequest& req, NodeUpdateResponse& resp) {
  if (req.NodeID.empty()) co_return internal("missing node ID for client status update");
  DROVER_CO_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  auto snap = server.snapshot();
  auto node = snap.nodes().get(id);
  if (!node) co_return internal("node not found");
  rpc::NodeUpdateStatusRequest entry = req;
  entry.Status = settle_status(snap, *node, req.Status);
  entry.UpdatedAt = server.world().clock.now().unix_seconds();
  if (node->Status == node_status::kDown && entry.Status == node_status::kReady && !entry.NodeEvent)
    entry.NodeEvent = cluster_event(server, "Node reregistered by heartbeat");
  if (entry.Status != node->Status) {
    DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNodeUpdateStatus, entry));
    resp.NodeModifyIndex = resp.Index = applied.index;
    if (transition_needs_evals(entry.Status, node->Status)) {
      DROVER_CO_TRY(resp.EvalCreateIndex, co_await evaluate_node(server, id, applied.index, resp.EvalIDs));
      resp.Index = std::max(resp.Index, resp.EvalCreateIndex);
    }
  }
  if (entry.Status == node_status::kDown) {
    if (server.leader()) server.leader()->node_gone(id);
    if (server.snapshot().services().by_node(id).any()) {
      rpc::ServiceRegistrationDeleteByNodeIDRequest gone;
      gone.NodeID = req.NodeID;
      DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kServiceRegistrationDeleteByNodeID, gone));
    }
  } else if (server.leader()) {
    resp.HeartbeatTTL = server.leader()->node_heard(id);
  }
  if (auto now = server.snapshot().nodes().get(id)) resp.SchedulingEligibility = now->SchedulingEligibility;
  fill_servers(server, resp);
  co_return Status{};
}

Async<Status> node_deregister(Server& server, const rpc::NodeDeregisterRequest& req, NodeUpdateResponse& resp) {
  if (req.NodeID.empty()) co_return internal("missing node ID for client deregistration");
  DROVER_CO_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  auto snap = server.snapshot();
  auto node = snap.nodes().get(id);
  if (!node) co_return internal("node not found");
  // Gathered before the node is gone: afterwards nothing leads from it to its jobs.
  auto evals = node_evals(server.world(), snap, *node, snap.index());
  rpc::NodeBatchDeregisterRequest entry;
  entry.NodeIDs = {req.NodeID};
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNodeBatchDeregister, entry));
  if (server.leader()) server.leader()->node_gone(id);
  for (auto& e : evals) {
    e.NodeModifyIndex = applied.index;
    resp.EvalIDs.push_back(e.ID.str());
  }
  resp.NodeModifyIndex = resp.Index = applied.index;
  DROVER_CO_TRY(resp.EvalCreateIndex, co_await write_evals(server, std::move(evals)));
  co_return Status{};
}

Async<Status> node_update_drain(Server& server, const rpc::NodeUpdateDrainRequest& req, NodeDrainUpdateResponse& resp) {
  if (req.NodeID.empty()) co_return internal("missing node ID for drain update");
  if (req.NodeEvent) co_return internal("node event must not be set");
  DROVER_CO_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  auto node = server.snapshot().nodes().get(id);
  if (!node) co_return internal("node not found");
  auto now = server.world().clock.now();
  rpc::NodeUpdateDrainRequest entry = req;
  entry.UpdatedAt = now.unix_seconds();
  NodeEvent event;
  event.Subsystem = "Drain";
  event.Timestamp = now;
  if (entry.DrainStrategy) {
    auto& d = *entry.DrainStrategy;
    d.StartedAt = node->DrainStrategy && !node->DrainStrategy->StartedAt.unset() ? node->DrainStrategy->StartedAt : now;
    if (d.Deadline > Duration::zero()) d.ForceDeadline = now + d.Deadline;
    event.Message = node->DrainStrategy ? "Node drain strategy updated" : "Node drain strategy set";
  } else if (node->DrainStrategy) {
    event.Message = "Node drain disabled";
  }
  if (!event.Message.empty()) entry.NodeEvent = event;
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNodeUpdateDrain, entry));
  resp.NodeModifyIndex = resp.Index = applied.index;
  bool becomes_eligible = node->SchedulingEligibility == node_eligibility::kIneligible && req.MarkEligible && !req.DrainStrategy;
  if (becomes_eligible) {
    DROVER_CO_TRY(resp.EvalCreateIndex, co_await evaluate_node(server, id, applied.index, resp.EvalIDs));
    resp.Index = std::max(resp.Index, resp.EvalCreateIndex);
  }
  co_return Status{};
}

Async<Status> node_update_eligibility(Server& server, const NodeUpdateEligibilityRequest& req,
                                      NodeEligibilityUpdateResponse& resp) {
  if (req.NodeID.empty()) co_return internal("missing node ID for setting scheduling eligibility");
  if (req.NodeEvent) co_return internal("node event must not be set");
  bool eligible = req.Eligibility == node_eligibility::kEligible;
  if (!eligible && req.Eligibility != node_eligibility::kIneligible)
    co_return internal("invalid scheduling eligibility " + go_quote(req.Eligibility));
  DROVER_CO_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  auto node = server.snapshot().nodes().get(id);
  if (!node) co_return internal("node not found");
  if (node->DrainStrategy && eligible)
    co_return internal("can not set node's scheduling eligibility to eligible while it is draining");
  if (node->SchedulingEligibility == req.Eligibility) co_return Status{};
  NodeUpdateEligibilityRequest entry = req;
  entry.UpdatedAt = server.world().clock.now().unix_seconds();
  entry.NodeEvent = cluster_event(server, eligible ? "Node marked as eligible for scheduling"
                                                   : "Node marked as ineligible for scheduling");
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kNodeUpdateEligibility, entry));
  // NodeModifyIndex stays 0, as the reference leaves it.
  resp.Index = applied.index;
  if (eligible) {
    DROVER_CO_TRY(resp.EvalCreateIndex, co_await evaluate_node(server, id, applied.index, resp.EvalIDs));
    resp.Index = std::max(resp.Index, resp.EvalCreateIndex);
  }
  co_return Status{};
}

Async<Status> node_evaluate(Server& server, const rpc::NodeEvaluateRequest& req, NodeUpdateResponse& resp) {
  if (req.NodeID.empty()) co_return internal("missing node ID for evaluation");
  DROVER_CO_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  auto node = server.snapshot().nodes().get(id);
  if (!node) co_return internal("node not found");
  DROVER_CO_TRY(resp.EvalCreateIndex, co_await evaluate_node(server, id, node->ModifyIndex, resp.EvalIDs));
  resp.Index = resp.EvalCreateIndex;
  resp.SchedulingEligibility = node->SchedulingEligibility;
  fill_servers(server, resp);
  co_return Status{};
}

Status node_get(ReadContext& c, const rpc::NodeSpecificRequest& req, rpc::SingleNodeResponse& resp) {
  if (req.NodeID.empty()) return internal("missing node ID");
  DROVER_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  resp.Node = c.snap.nodes().get(id, c.watch);
  resp.Index = resp.Node ? resp.Node->ModifyIndex : c.snap.table_index(state::TableId::nodes);
  return {};
}

Status node_list(ReadContext& c, const rpc::NodeListRequest& req, rpc::NodeListResponse& resp) {
  DROVER_TRY(auto prefix, parse_prefix(req.Prefix, "node lookup failed"));
  NodeStubParts parts;
  if (req.Fields) parts = {req.Fields->Resources, req.Fields->OS};
  resp.Nodes = List<NodeListStub>::empty_list();
  DROVER_TRY(resp.NextToken, paginate(c.snap.nodes().by_prefix(prefix, c.watch), req, [](const Node& n) { return n.ID.str(); },
                                      [&](const Ref<Node>& n) { resp.Nodes.push_back(node_stub(*n, parts)); }));
  resp.Index = c.snap.table_index(state::TableId::nodes);
  return {};
}

Status node_allocs(ReadContext& c, const rpc::NodeSpecificRequest& req, rpc::NodeAllocsResponse& resp) {
  if (req.NodeID.empty()) return internal("missing node ID");
  resp.Allocs = List<Ref<Allocation>>::empty_list();
  resp.Index = c.snap.table_index(state::TableId::allocs);
  // A malformed id has no allocations, as the reference answers.
  if (auto id = Uuid::parse(req.NodeID); id && !id->nil()) {
    uint64_t newest = 0;
    for (auto& a : c.snap.allocs().by_node(*id, c.watch)) {
      auto alloc = std::make_shared<Allocation>(*a);
      add_legacy_resources(*alloc);
      resp.Allocs.push_back(std::move(alloc));
      newest = std::max(newest, a->ModifyIndex);
    }
    if (newest) resp.Index = newest;
  }
  resp.Index = std::max<uint64_t>(resp.Index, 1);
  return {};
}

Status node_client_allocs(ReadContext& c, const rpc::NodeSpecificRequest& req, rpc::NodeClientAllocsResponse& resp) {
  if (req.NodeID.empty()) return internal("missing node ID");
  DROVER_TRY(auto id, parse_id(req.NodeID, "node lookup failed"));
  auto node = c.snap.nodes().get(id);
  if (!node) return internal("node not found");
  if (req.SecretID.empty()) return internal("missing node secret ID for client status update");
  if (node->SecretID.str() != req.SecretID) return internal("node secret ID does not match");
  resp.Allocs = Map<uint64_t>::empty_map();
  uint64_t newest = 0, scheduled = 0;
  for (auto& a : c.snap.allocs().by_node(id, c.watch)) {
    resp.Allocs[a->ID.str()] = a->AllocModifyIndex;
    newest = std::max(newest, a->ModifyIndex);
    scheduled = std::max(scheduled, a->AllocModifyIndex);
  }
  // Only what concerns this node moves the index, so that other nodes' work does not wake it; and it never goes back,
  // because a client takes an older answer for a stale one. What was collected as garbage is news for nobody: the client
  // hears of it with the next answer. Nor is what the node itself has reported since: it would be woken by each of its reports.
  if (scheduled <= req.MinQueryIndex) newest = 0;
  resp.Index = std::max<uint64_t>({newest, req.MinQueryIndex, 1});
  return {};
}

// An evaluation that the report calls for, if any (reference server-core 11.5).
std::optional<Evaluation> eval_for(Server& server, const state::Snapshot& snap, Allocation& update) {
  auto stored = snap.allocs().get(update.ID);
  if (!stored) return {};
  bool was_unknown = stored->ClientStatus == alloc_client::kUnknown;
  if (!is_client_terminal(update) && !was_unknown) return {};
  auto job = snap.jobs().get(stored->Namespace, stored->JobID);
  if (!job) {
    update.DesiredStatus = alloc_desired::kStop;
    auto type = stored->Job ? stored->Job->Type : std::string(job_type::kService);
    auto priority = stored->Job ? stored->Job->Priority : server.config().job_default_priority;
    return new_eval(server.world(), stored->Namespace, stored->JobID, type, priority, eval_trigger::kJobDeregister);
  }
  auto* group = find_group(*job, stored->TaskGroup.view());
  if (!group) return {};
  if (update.ClientStatus == alloc_client::kFailed && stored->FollowupEvalID.nil() &&
      reschedule_eligible(*stored, group->ReschedulePolicy.get(), server.world().clock.now()))
    return new_eval(server.world(), *job, eval_trigger::kAllocFailure);
  if (was_unknown) return new_eval(server.world(), *job, eval_trigger::kReconnect);
  return {};
}

Async<Status> node_update_alloc(Server& server, const rpc::AllocUpdateRequest& req, GenericResponse& resp) {
  if (req.Alloc.empty()) co_return internal("must update at least one allocation");
  if (!req.Evals.empty()) co_return internal("evals field must not be set");
  auto node_id = req.Alloc.front().NodeID;
  if (node_id.nil()) co_return internal("missing node ID");
  auto snap = server.snapshot();
  auto node = snap.nodes().get(node_id);
  if (!node) co_return internal(fmt::format("node {} not found", node_id.str()));
  if (node->Status == node_status::kDown || node->Status == node_status::kDisconnected)
    co_return internal(fmt::format("node {} is not allowed to update allocs while in status {}", node_id.str(), node->Status));
  auto updates = req.Alloc;
  std::vector<Evaluation> evals;
  auto now = server.world().clock.now().unix_nanos;
  for (auto& a : updates) {
    a.ModifyTime = now;
    if (auto e = eval_for(server, snap, a)) evals.push_back(std::move(*e));
  }
  auto written = co_await server.alloc_updates().add(std::move(updates), std::move(evals));
  if (!written) co_return Error(std::move(written).error());
  resp.Index = *written;
  co_return Status{};
}

Async<Status> node_emit_events(Server& server, const rpc::EmitNodeEventsRequest& req, rpc::EmitNodeEventsResponse& resp) {
  if (req.NodeEvents.empty()) co_return internal("no node events given");
  for (auto& [node, events] : req.NodeEvents)
    if (events.empty()) co_return internal("empty event list for node " + node);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kUpsertNodeEvents, req));
  resp.Index = applied.index;
  co_return Status{};
}

}  // namespace

void add_node_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&node_register>("Node.Register", Where::kLeader));
  rows.push_back(rpc_row<&node_update_status>("Node.UpdateStatus", Where::kLeader));
  rows.push_back(rpc_row<&node_deregister>("Node.Deregister", Where::kLeader));
  rows.push_back(rpc_row<&node_update_drain>("Node.UpdateDrain", Where::kLeader));
  rows.push_back(rpc_row<&node_update_eligibility>("Node.UpdateEligibility", Where::kLeader));
  rows.push_back(rpc_row<&node_evaluate>("Node.Evaluate", Where::kLeader));
  rows.push_back(rpc_row<&node_get>("Node.GetNode", Where::kStale));
  rows.push_back(rpc_row<&node_list>("Node.List", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&node_allocs>("Node.GetAllocs", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&node_client_allocs>("Node.GetClientAllocs", Where::kStale));
  rows.push_back(rpc_row<&node_update_alloc>("Node.UpdateAlloc", Where::kLeader));
  rows.push_back(rpc_row<&node_emit_events>("Node.EmitEvents", Where::kLeader));
}

}  // namespace drover::server
