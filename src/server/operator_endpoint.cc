// Status.*, Region.*, System.*, Operator.*: what operators ask about the cluster and set for it.
#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/reflect.h"
#include "model/client_rpc.h"
#include "model/raft_requests.h"
#include "model/rpc_requests.h"
#include "raft/replica.h"
#include "server/autopilot.h"
#include "server/core_jobs.h"
#include "server/leader.h"
#include "server/membership.h"
#include "server/rpc.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

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
  out.Addr = m.addr;
  out.Port = m.port;
  out.Tags = m.tags;
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
std::string member_name(Server& server, const std::string& id) {
  if (auto* serf = server.serf())
    for (auto& m : serf->members())
      if (m.tags.get_or("id") == id) return m.name;
  auto& own = server.config();
  return id == own.node_id ? own.node_name + "." + own.region : "(unknown)";
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
    out.Node = member_name(c.server, s.id);
    out.Address = s.address;
    out.Leader = s.id == leader.id;
    out.Voter = s.suffrage == raft::Suffrage::kVoter;
    out.RaftProtocol = "3";
  }
  // Index stays 0, as the reference answers.
  return {};
}

Async<Status> raft_remove_peer(Server& server, const rpc::RaftRemovePeerRequest& req, GenericResponse&) {
  for (auto& s : server.replica().configuration()) {
    if (!req.ID.empty() ? s.id != req.ID : s.address != req.Address) continue;
    co_return co_await server.replica().remove(s.id);
  }
  co_return internal(fmt::format("{} {} was not found in the Raft configuration", req.ID.empty() ? "address" : "id",
                                 go_quote(req.ID.empty() ? req.Address : req.ID)));
}

Status scheduler_get(ReadContext& c, const rpc::GenericRequest&, SchedulerConfigurationResponse& resp) {
  if (auto config = c.snap.scheduler_config().get(c.watch)) {
    resp.SchedulerConfig = *config;
    resp.Index = config->ModifyIndex;
  } else {
    resp.SchedulerConfig = c.server.config().default_scheduler_config;
  }
  return {};
}

Async<Status> scheduler_set(Server& server, const rpc::SchedulerSetConfigRequest& req, SchedulerSetConfigurationResponse& resp) {
  rpc::SchedulerSetConfigRequest entry = req;
  auto& algorithm = entry.Config.SchedulerAlgorithm;
  if (algorithm.empty()) algorithm = "binpack";
  if (algorithm != "binpack" && algorithm != "spread") co_return invalid("invalid scheduler algorithm: " + algorithm);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kSchedulerConfig, entry));
  resp.Updated = applied.updated;
  resp.Index = applied.index;
  co_return Status{};
}

Status autopilot_get(ReadContext& c, const rpc::GenericRequest&, rpc::AutopilotConfigResponse& resp) {
  auto config = c.snap.autopilot_config().get(c.watch);
  resp.Config = convert<api::AutopilotConfiguration>(config ? *config : c.server.config().autopilot);
  return {};
}

Async<Status> autopilot_set(Server& server, const rpc::AutopilotSetConfigRequest& req, rpc::AutopilotConfigResponse& resp) {
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kAutopilot, req));
  // The caller learns by the presence of the configuration that its write took place.
  if (applied.updated) resp.Config = req.Config;
  resp.Index = applied.index;
  co_return Status{};
}

Status server_health(ReadContext& c, const rpc::GenericRequest&, api::OperatorHealthReply& resp) {
  auto* leader = c.server.leader();
  if (!leader || !leader->autopilot()) return Error(ErrorCode::kNoLeader, "No cluster leader");
  resp = leader->autopilot()->health();
  return {};
}

}  // namespace

void add_status_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&status_ping>("Status.Ping", Where::kLocal));
  rows.push_back(rpc_row<&status_leader>("Status.Leader", Where::kStale));
  rows.push_back(rpc_row<&status_peers>("Status.Peers", Where::kStale));
  rows.push_back(rpc_row<&status_raft_stats>("Status.RaftStats", Where::kLocal));
  rows.push_back(rpc_row<&status_members>("Status.Members", Where::kLocal));
  rows.push_back(rpc_row<&region_list>("Region.List", Where::kLocal));
  rows.push_back(rpc_row<&system_gc>("System.GarbageCollect", Where::kLeader));
  rows.push_back(rpc_row<&system_reconcile>("System.ReconcileJobSummaries", Where::kLeader));
}

void add_operator_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&raft_configuration>("Operator.RaftGetConfiguration", Where::kStale));
  rows.push_back(rpc_row<&raft_remove_peer>("Operator.RaftRemovePeer", Where::kLeader));
  rows.push_back(rpc_row<&scheduler_get>("Operator.SchedulerGetConfiguration", Where::kStale));
  rows.push_back(rpc_row<&scheduler_set>("Operator.SchedulerSetConfiguration", Where::kLeader));
  rows.push_back(rpc_row<&autopilot_get>("Operator.AutopilotGetConfiguration", Where::kStale));
  rows.push_back(rpc_row<&autopilot_set>("Operator.AutopilotSetConfiguration", Where::kLeader));
  rows.push_back(rpc_row<&server_health>("Operator.ServerHealth", Where::kLeader));
}

}  // namespace drover::server
