// Status.*, Region.*, System.*, Operator.*: what operators ask about the cluster and set for it.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "codec/reflect.h"
#include "gossip/endpoint.h"
#include "model/client_rpc.h"
#include "model/operator_rpc.h"
#include "model/raft_requests.h"
#include "model/rpc_requests.h"
#include "model/validate.h"
#include "raft/replica.h"
#include "server/autopilot.h"
#include "server/core_jobs.h"
#include "server/leader.h"
#include "server/membership.h"
#include "server/raft_identity.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/state_hashes.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad.operator";

Status status_ping(ReadContext&, const rpc::GenericRequest&, GenericResponse&) { return {}; }

Status status_leader(ReadContext& c, const rpc::GenericRequest&, std::string& resp) {
  resp = c.server.leader_address();
  return {};
}

Status status_peers(ReadContext& c, const rpc::GenericRequest&, List<std::string>& resp) {
  resp = List<std::string>::empty_list();
  for (auto& s : c.server.replica().configuration()) resp.push_back(s.address);
  return {};
}

// Where this server's log stands; the leader asks every server (autopilot).
Status status_raft_stats(ReadContext& c, const rpc::GenericRequest&, rpc::RaftStats& resp) {
  auto s = c.server.replica().stats();
  resp.LastContact = s.last_contact < Duration::zero() ? "never" : s.last_contact == Duration::zero() ? "0" : format_duration(s.last_contact);
  resp.LastTerm = s.last_log_term;
  resp.LastIndex = s.last_log_index;
  return {};
}

Status status_raft_identity(ReadContext& c, const rpc::GenericRequest&, rpc::RaftIdentity& resp) { return raft_identity(c.server, resp); }

Status region_list(ReadContext& c, const rpc::GenericRequest&, List<std::string>& resp) {
  resp = {c.server.config().region};
  if (auto* membership = c.server.membership()) {
    auto known = membership->peers().regions();
    if (!known.empty()) resp = List<std::string>(std::move(known));
  }
  return {};
}

ServerMember member_record(const gossip::Member& m) {
  ServerMember out;
  out.Name = m.name;
  out.Addr = gossip::parse_ip(m.addr).value_or("");
  out.Port = m.port;
  out.Tags = m.tags;
  out.Tags.erase(kClusterTag);
  out.Status = gossip::status_text(m.status);
  out.ProtocolMin = m.protocol_min;
  out.ProtocolMax = m.protocol_max;
  out.ProtocolCur = m.protocol_cur;
  out.DelegateMin = m.delegate_min;
  out.DelegateMax = m.delegate_max;
  out.DelegateCur = m.delegate_cur;
  return out;
}

Status status_members(ReadContext& c, const rpc::GenericRequest&, ServerMembersResponse& resp) {
  auto& config = c.server.config();
  resp.ServerName = config.node_name;
  resp.ServerRegion = config.region;
  resp.ServerDC = config.datacenter;
  resp.Members = List<ServerMember>::empty_list();
  if (auto* serf = c.server.serf())
    for (auto& m : serf->members()) resp.Members.push_back(member_record(m));
  return {};
}

// The name under which gossip knows a server of the log's configuration.
std::optional<std::string> member_name(Server& server, const std::string& id) {
  if (auto* serf = server.serf())
    for (auto& m : serf->members())
      if (m.tags.get_or("id") == id) return m.name;
  auto& own = server.config();
  if (id == own.node_id) return own.node_name + "." + own.region;
  return std::nullopt;
}

Async<Status> system_gc(Server& server, const rpc::GenericWriteRequest&, GenericResponse&) {
  if (server.leader()) server.leader()->enqueue_core(kForceGc);
  co_return Status{};
}

Async<Status> system_reconcile(Server& server, const rpc::GenericWriteRequest& req, GenericResponse& resp) {
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kReconcileJobSummaries, req));
  resp.Index = applied.index;
  co_return Status{};
}

Status raft_configuration(ReadContext& c, const rpc::GenericRequest&, RaftConfigurationResponse& resp) {
  auto& replica = c.server.replica();
  auto leader = replica.leader();
  resp.Servers = List<RaftServer>::empty_list();
  for (auto& s : replica.configuration()) {
    auto& out = resp.Servers.emplace_back();
    out.ID = s.id;
    auto name = member_name(c.server, s.id);
    out.Node = name.value_or("(unknown)");
    out.Address = s.address;
    out.Leader = s.id == leader.id;
    out.Voter = s.suffrage == raft::Suffrage::kVoter;
    out.RaftProtocol = name ? "3" : "unknown";
  }
  // Index stays 0, as the reference answers.
  return {};
}

Async<Status> remove_peer(Server& server, std::string raft::Server::* key, const std::string& value,
                          std::string_view what) {
  for (auto& s : server.replica().configuration()) {
    if (s.*key != value) continue;
    auto removed = co_await server.replica().remove(s.id);
    if (removed) log_warn(kLog, "removed Raft peer", {{what == "id" ? "peer_id" : "peer", value}});
    else log_warn(kLog, "failed to remove Raft peer", {{what == "id" ? "peer_id" : "peer", value}, {"error", removed.error().message}});
    co_return removed;
  }
  co_return internal(fmt::format("{} {} was not found in the Raft configuration", what, go_quote(value)));
}

Async<Status> raft_remove_by_address(Server& server, const rpc::RaftPeerByAddressRequest& req, GenericResponse&) {
  return remove_peer(server, &raft::Server::address, req.Address, "address");
}

Async<Status> raft_remove_by_id(Server& server, const rpc::RaftPeerByIDRequest& req, GenericResponse&) {
  return remove_peer(server, &raft::Server::id, req.ID, "id");
}

Status scheduler_get(ReadContext& c, const rpc::GenericRequest&, SchedulerConfigurationResponse& resp) {
  auto config = c.snap.scheduler_config().get(c.watch);
  if (!config) return internal("scheduler config not initialized yet");
  resp.SchedulerConfig = *config;
  resp.Index = config->ModifyIndex;
  return {};
}

Async<Status> scheduler_set(Server& server, const rpc::SchedulerSetConfigRequest& req, SchedulerSetConfigurationResponse& resp) {
  rpc::SchedulerSetConfigRequest entry = req;
  auto& algorithm = entry.Config.SchedulerAlgorithm;
  DROVER_CO_CHECK(check_scheduler_algorithm(algorithm));
  if (algorithm.empty()) algorithm = "binpack";
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kSchedulerConfig, entry));
  resp.Updated = applied.updated;
  resp.Index = applied.index;
  co_return Status{};
}

Status autopilot_get(ReadContext& c, const rpc::GenericRequest&, AutopilotConfig& resp) {
  auto config = c.snap.autopilot_config().get(c.watch);
  if (!config) return internal("autopilot config not initialized yet");
  resp = *config;
  return {};
}

Async<Status> autopilot_set(Server& server, const rpc::AutopilotSetConfigRequest& req, bool& set) {
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kAutopilot, req));
  set = applied.updated;
  co_return Status{};
}

Status server_health(ReadContext& c, const rpc::GenericRequest&, rpc::OperatorHealthReply& resp) {
  auto* leader = c.server.leader();
  if (!leader || !leader->autopilot()) return Error(ErrorCode::kNoLeader, "No cluster leader");
  resp = leader->autopilot()->health();
  return {};
}

Async<Status> state_hash(Server& server, const rpc::StateHashRequest& req, rpc::ServerStateHash& resp) {
  resp = co_await server.state_hashes().here(req.AtIndex, req.Wait);
  co_return Status{};
}

Async<Status> state_hashes(Server& server, const rpc::GenericRequest&, rpc::StateHashesResponse& resp) {
  resp = co_await server.state_hashes().everywhere();
  co_return Status{};
}

}  // namespace

void add_status_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&status_ping>("Status.Ping", Where::kLocal));
  rows.push_back(rpc_row<&status_leader>("Status.Leader", Where::kStale));
  rows.push_back(rpc_row<&status_peers>("Status.Peers", Where::kStale));
  rows.push_back(rpc_row<&status_raft_stats>("Status.RaftStats", Where::kLocal));
  rows.push_back(rpc_row<&status_raft_identity>("Status.RaftIdentity", Where::kLocal));
  rows.push_back(rpc_row<&status_members>("Status.Members", Where::kLocal));
  rows.push_back(rpc_row<&region_list>("Region.List", Where::kLocal));
  rows.push_back(rpc_row<&system_gc>("System.GarbageCollect", Where::kLeader));
  rows.push_back(rpc_row<&system_reconcile>("System.ReconcileJobSummaries", Where::kLeader));
}

void add_operator_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&raft_configuration>("Operator.RaftGetConfiguration", Where::kStale));
  rows.push_back(rpc_row<&raft_remove_by_address>("Operator.RaftRemovePeerByAddress", Where::kLeader));
  rows.push_back(rpc_row<&raft_remove_by_id>("Operator.RaftRemovePeerByID", Where::kLeader));
  rows.push_back(rpc_row<&scheduler_get>("Operator.SchedulerGetConfiguration", Where::kStale));
  rows.push_back(rpc_row<&scheduler_set>("Operator.SchedulerSetConfiguration", Where::kLeader));
  rows.push_back(rpc_row<&autopilot_get>("Operator.AutopilotGetConfiguration", Where::kStale));
  rows.push_back(rpc_row<&autopilot_set>("Operator.AutopilotSetConfiguration", Where::kLeader));
  rows.push_back(rpc_row<&server_health>("Operator.ServerHealth", Where::kLeader));
  // Ours.
  rows.push_back(rpc_row<&state_hash>("Operator.StateHash", Where::kLocal));
  rows.push_back(rpc_row<&state_hashes>("Operator.StateHashes", Where::kLocal));
}

}  // namespace drover::server
