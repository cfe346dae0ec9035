// /v1/agent/... (reference http-api section 25); logs and profiles are in agent_monitor.cc and agent_profile.cc.
#include <fmt/format.h>

#include <algorithm>

#include "api/agent_debug.h"
#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/log.h"
#include "base/strings.h"
#include "client/client.h"
#include "codec/json.h"
#include "gossip/endpoint.h"
#include "gossip/serf.h"
#include "model/agent_info.h"
#include "model/api_requests.h"
#include "model/rpc.h"
#include "server/server.h"
#include "server/worker.h"

namespace drover::api {
namespace {

Error not_here() { return {ErrorCode::kNotImplemented, "Invalid method"}; }

std::vector<std::string> values_of(const net::Query& query, std::string_view name) {
  std::vector<std::string> out;
  for (auto& v : query.values(name)) out.emplace_back(v);
  return out;
}

Async<Result<ServerMembersResponse>> members_of(Call& call) {
  rpc::GenericRequest req;
  req.AuthToken = call.token();
  auto answer = co_await call.rpc<ServerMembersResponse>("Status.Members", std::move(req));
  if (answer)
    for (auto& m : answer->Members) m.Addr = gossip::ip_text(m.Addr);
  co_return answer;
}

// ---- self, members -------------------------------------------------------------------------------------------------

Async<Result<AgentMember>> own_member(Call& call) {
  AgentMember none;
  none.Tags.reset();
  if (!call.agent.server()) co_return none;
  DROVER_CO_TRY(auto all, co_await members_of(call));
  auto name = fmt::format("{}.{}", call.agent.node_name(), call.agent.region());
  for (auto& m : all.Members)
    if (m.Name == name) co_return convert<AgentMember>(m);
  co_return none;
}

Async<Result<Reply>> self(Call& call) {
  if (!call.is("GET")) co_return method_error();
  DROVER_CO_TRY(auto member, co_await own_member(call));
  // The configuration comes encoded: its types are the agent's own.
  auto config = call.agent.config_json();
  if (call.query.has("pretty") && call.query.get("pretty") != "0")
    if (auto value = from_json<Value>(config)) config = to_json(*value, {.pretty = true, .trailing_newline = false});
  Reply r{.json = true};
  r.body = fmt::format(R"({{"config":{},"member":{},"stats":{}}})", config, to_json(member), to_json(call.agent.stats()));
  co_return r;
}

Async<Result<Reply>> members(Call& call) {
  if (!call.is("GET")) co_return method_error();
  DROVER_CO_TRY(auto found, co_await members_of(call));
  co_return call.json(found);
}

// ---- membership ----------------------------------------------------------------------------------------------------

Async<Result<Reply>> join(Call& call) {
  if (!call.is_write()) co_return method_error();
  if (!call.agent.server()) co_return not_here();
  auto addresses = values_of(call.query, "address");
  if (addresses.empty()) co_return invalid("missing address to join");
  auto joined = co_await call.agent.join(std::move(addresses));
  AgentJoinResult result{.NumJoined = joined.count, .Error = std::move(joined.error)};
  co_return call.json(result);
}

Async<Result<Reply>> force_leave(Call& call) {
  if (!call.is_write()) co_return method_error();
  if (!call.agent.server()) co_return not_here();
  auto node = call.query.get("node");
  if (node.empty()) co_return invalid("missing node to force leave");
  // A member that does not exist is no error; the agent itself is never forced out.
  auto left = co_await call.agent.server()->serf()->force_leave(std::string(node), false);
  if (!left) co_return internal(left.error().message);
  co_return Reply::nothing();
}

Async<Result<Reply>> servers(Call& call) {
  if (!call.agent.client()) co_return not_here();
  if (call.is("GET")) {
    auto known = call.agent.known_servers();
    std::sort(known.begin(), known.end());
    co_return call.json(List<std::string>(std::move(known)));
  }
  if (!call.is_write()) co_return method_error();
  auto addresses = values_of(call.query, "address");
  if (addresses.empty()) co_return invalid("missing server address");
  auto set = co_await call.agent.set_known_servers(std::move(addresses));
  if (!set) co_return invalid(set.error().message);
  co_return Reply::nothing();
}

// Keys of the gossip encryption, in all of the pool.
Async<Result<Reply>> keyring(Call& call) {
  if (!call.agent.server()) co_return not_here();
  struct Op {
    std::string_view name;
    gossip::KeyOp op;
  };
  constexpr Op kOps[] = {{"list", gossip::KeyOp::kList}, {"install", gossip::KeyOp::kInstall}, {"use", gossip::KeyOp::kUse}, {"remove", gossip::KeyOp::kRemove}};
  auto* op = std::find_if(std::begin(kOps), std::end(kOps), [&](auto& o) { return o.name == call.rest; });
  if (op == std::end(kOps)) co_return not_found("resource not found");
  KeyringRequest request;
  if (op->op != gossip::KeyOp::kList) {
    auto decoded = co_await call.body(request);
    if (!decoded) co_return invalid(decoded.error().message);
  }
  auto answers = co_await call.agent.server()->serf()->keys(op->op, request.Key);
  if (!answers.error.empty()) {
    log_error("nomad", "keyring query failed", {{"operation", std::string(op->name)}, {"error", gossip::explain(answers)}});
    co_return internal(answers.error);
  }
  KeyringResponse out;
  out.Messages = std::move(answers.messages);
  out.Keys = std::move(answers.keys);
  out.NumNodes = answers.num_nodes;
  co_return call.json(out);
}

// ---- health --------------------------------------------------------------------------------------------------------

AgentHealthPart client_health(Call& call) {
  if (!call.agent.client()) return {false, "client not enabled"};
  if (call.agent.known_servers().empty()) return {false, "no known servers"};
  return {true, "ok"};
}

Async<AgentHealthPart> server_health(Call& call, rpc::GenericRequest req) {
  if (!call.agent.server()) co_return AgentHealthPart{false, "server not enabled"};
  auto leader = co_await call.rpc<std::string>("Status.Leader", std::move(req));
  if (!leader) co_return AgentHealthPart{false, leader.error().message};
  if (leader->empty()) co_return AgentHealthPart{false, "no leader"};
  co_return AgentHealthPart{true, "ok"};
}

Async<Result<Reply>> health(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::GenericRequest req;
  DROVER_CO_CHECK(call.parse_options(req));
  auto types = values_of(call.query, "type");
  auto asked = [&](std::string_view type) { return std::find(types.begin(), types.end(), type) != types.end(); };
  AgentHealthResponse out;
  if (types.empty() ? call.agent.client() != nullptr : asked("client")) out.Client = client_health(call);
  if (types.empty() ? call.agent.server() != nullptr : asked("server")) out.Server = co_await server_health(call, req);
  if ((out.Client && !out.Client->Ok) || (out.Server && !out.Server->Ok))
    co_return Reply{.status = 500, .body = to_json(out)};
  co_return call.json(out);
}

// ---- host ----------------------------------------------------------------------------------------------------------


// Of this agent: bare; of one that is named: with its name or node id.
Async<Result<Reply>> host(Call& call) {
  if (!call.is("GET")) co_return method_error();
  DROVER_CO_CHECK(debug_allowed(call.agent));
  DROVER_CO_TRY(auto target, debug_target(call));
  if (is_own(call, target)) {
    DROVER_CO_TRY(auto own, co_await call.agent.self().host());
    if (!target.named()) co_return call.json(*own.HostData);
    own.AgentID = target.node;
    co_return call.json(own);
  }
  rpc::HostDataRequest request;
  DROVER_CO_CHECK(call.parse_options(request));
  request.NodeID = target.node;
  request.ServerID = target.server;
  DROVER_CO_TRY(auto found, co_await call.rpc<rpc::HostDataResponse>("Agent.Host", std::move(request)));
  co_return call.json(found);
}

// ---- scheduler workers ---------------------------------------------------------------------------------------------

std::string member_name(const Call& call) { return fmt::format("{}.{}", call.agent.node_name(), call.agent.region()); }

Error server_only() { return invalid("Server only endpoint"); }

Async<Result<Reply>> schedulers(Call& call) {
  if (!call.is("GET")) co_return method_error();
  auto* server = call.agent.server();
  if (!server) co_return server_only();
  AgentSchedulerWorkersInfo out;
  out.ServerID = member_name(call);
  out.Schedulers = List<AgentSchedulerWorkerInfo>::empty_list();
  for (auto& w : server->workers()) {
    auto& info = out.Schedulers.emplace_back();
    info.ID = w->id();
    info.EnabledSchedulers = w->types();
    info.Started = format_rfc3339_nano(w->started());
    info.Status = w->status();
    info.WorkloadStatus = w->workload();
  }
  co_return call.json(out);
}

Reply scheduler_config_reply(Call& call, server::Server& server) {
  AgentSchedulerWorkerConfigResponse out;
  out.ServerID = member_name(call);
  out.NumSchedulers = server.worker_count();
  out.EnabledSchedulers = server.config().enabled_schedulers;
  return call.json(out);
}

bool valid_schedulers(const AgentSchedulerWorkerConfigRequest& r) {
  constexpr std::string_view kTypes[] = {"service", "batch", "system", "sysbatch", "_core"};
  bool known = std::all_of(r.EnabledSchedulers.begin(), r.EnabledSchedulers.end(), [&](auto& t) {
    return std::find(std::begin(kTypes), std::end(kTypes), t) != std::end(kTypes);
  });
  return r.NumSchedulers >= 0 && known && r.EnabledSchedulers.contains("_core");
}

Async<Result<Reply>> schedulers_config(Call& call) {
  auto* server = call.agent.server();
  if (!server) co_return server_only();
  if (call.is("GET")) co_return scheduler_config_reply(call, *server);
  if (!call.is_write()) co_return method_error();
  AgentSchedulerWorkerConfigRequest req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return invalid("Invalid request: " + decoded.error().message);
  if (!valid_schedulers(req)) co_return invalid("Invalid request");
  DROVER_CO_CHECK(server->set_workers(static_cast<int>(req.NumSchedulers), req.EnabledSchedulers.to_vector()));
  co_return scheduler_config_reply(call, *server);
}

}  // namespace

void add_agent_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/agent/self", self});
  routes.push_back({"/v1/agent/join", join});
  routes.push_back({"/v1/agent/members", members});
  routes.push_back({"/v1/agent/force-leave", force_leave});
  routes.push_back({"/v1/agent/servers", servers});
  routes.push_back({"/v1/agent/keyring/", keyring});
  routes.push_back({"/v1/agent/health", health});
  routes.push_back({"/v1/agent/host", host});
  routes.push_back({"/v1/agent/schedulers", schedulers});
  routes.push_back({"/v1/agent/schedulers/config", schedulers_config});
  routes.push_back({"/v1/agent/monitor", agent_monitor});
  routes.push_back({"/v1/agent/pprof/", agent_profile});
  routes.push_back({"/debug/pprof/", debug_profile});
}

}  // namespace drover::api
