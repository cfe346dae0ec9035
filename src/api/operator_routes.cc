// /v1/operator/..., /v1/system/..., /v1/status/..., /v1/regions (reference http-api sections 24 and 25), namespaces (20)
// and services of the built-in provider (18).
#include <fmt/format.h>

#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/strings.h"
#include "codec/reflect.h"
#include "gossip/types.h"
#include "model/api_requests.h"
#include "model/operator_rpc.h"
#include "model/rpc.h"
#include "model/validate.h"

namespace drover::api {
namespace {

// ---- status, regions, system ---------------------------------------------------------------------------------------

Async<Result<Reply>> status_leader(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::GenericRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto resp = co_await call.rpc<std::string>("Status.Leader", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(*resp);
}

Async<Result<Reply>> string_list(Call& call, std::string_view method) {
  if (!call.is("GET")) co_return method_error();
  rpc::GenericRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto resp = co_await call.rpc<List<std::string>>(method, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(*resp);
}

Async<Result<Reply>> status_peers(Call& call) { return string_list(call, "Status.Peers"); }

// The regions that this agent's server knows, whatever region is asked for.
Async<Result<Reply>> regions(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::GenericRequest req;
  req.Region = call.agent.region();
  auto resp = co_await call.rpc<List<std::string>>("Region.List", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(*resp);
}

Async<Result<Reply>> system_call(Call& call, std::string_view method) {
  if (!call.is("PUT")) co_return method_error();
  rpc::GenericWriteRequest req;
  call.parse_write(req);
  auto resp = co_await call.rpc<GenericResponse>(method, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return Reply::nothing();
}

Async<Result<Reply>> system_gc(Call& call) { return system_call(call, "System.GarbageCollect"); }
Async<Result<Reply>> system_reconcile(Call& call) { return system_call(call, "System.ReconcileJobSummaries"); }

// ---- scheduler configuration ---------------------------------------------------------------------------------------

Result<std::optional<uint64_t>> cas_of(const Call& call) {
  auto text = call.query.get("cas");
  if (!call.query.has("cas")) return std::optional<uint64_t>();
  auto n = parse_uint(text);
  if (!n) return invalid(fmt::format("Error parsing cas value: strconv.ParseUint: parsing {}: invalid syntax", go_quote(text)));
  return std::optional<uint64_t>(*n);
}

Async<Result<Reply>> scheduler_configuration(Call& call) {
  if (call.is("GET")) {
    rpc::GenericRequest req;
    auto parsed = call.parse_options(req);
    if (!parsed) co_return Error(std::move(parsed).error());
    auto resp = co_await call.rpc<SchedulerConfigurationResponse>("Operator.SchedulerGetConfiguration", std::move(req));
    if (!resp) co_return Error(std::move(resp).error());
    call.set_meta(convert<QueryMeta>(*resp));
    co_return call.json(*resp);
  }
  if (!call.is_write()) co_return method_error();
  SchedulerConfiguration body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return invalid("Error parsing scheduler config: " + decoded.error().message);
  rpc::SchedulerSetConfigRequest req;
  req.Config = convert<drover::SchedulerConfiguration>(body);
  DROVER_CO_CHECK(check_scheduler_algorithm(req.Config.SchedulerAlgorithm));
  DROVER_CO_TRY(auto cas, cas_of(call));
  if (cas) {
    req.CAS = true;
    req.Config.ModifyIndex = *cas;
  }
  co_return co_await reply_write<SchedulerSetConfigurationResponse>(call, "Operator.SchedulerSetConfiguration", std::move(req));
}

// ---- autopilot, raft -----------------------------------------------------------------------------------------------

Async<Result<Reply>> autopilot_configuration(Call& call) {
  if (call.is("GET")) {
    rpc::GenericRequest req;
    auto parsed = call.parse_options(req);
    if (!parsed) co_return Error(std::move(parsed).error());
    auto resp = co_await call.rpc<AutopilotConfig>("Operator.AutopilotGetConfiguration", std::move(req));
    if (!resp) co_return Error(std::move(resp).error());
    co_return call.json(convert<AutopilotConfiguration>(*resp));
  }
  if (!call.is("PUT")) co_return not_found("Invalid method");
  AutopilotConfiguration body;
  auto decoded = co_await call.body(body);
  // The reference reads it through a nameless struct, and says so.
  constexpr std::string_view kShape = "struct { LastContactThreshold string; ServerStabilizationTime string; *api.Alias }";
  if (!decoded)
    co_return invalid("Error parsing autopilot config: " + replace_all(decoded.error().message, "api.AutopilotConfiguration", kShape));
  rpc::AutopilotSetConfigRequest req;
  req.Config = convert<AutopilotConfig>(body);
  DROVER_CO_TRY(auto cas, cas_of(call));
  if (cas) {
    req.CAS = true;
    req.Config.ModifyIndex = *cas;
  }
  call.parse_write(req);
  auto resp = co_await call.rpc<bool>("Operator.AutopilotSetConfiguration", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(!cas || *resp);
}

// Clients see the status of gossip as a word.
OperatorHealthReply health_shown(const rpc::OperatorHealthReply& reply) {
  OperatorHealthReply out{.Healthy = reply.Healthy, .FailureTolerance = reply.FailureTolerance, .Servers = {}};
  for (auto& s : reply.Servers)
    out.Servers.push_back({.ID = s.ID, .Name = s.Name, .Address = s.Address,
                           .SerfStatus = std::string(gossip::status_text(static_cast<gossip::MemberStatus>(s.SerfStatus))),
                           .Version = s.Version, .Leader = s.Leader, .LastContact = s.LastContact, .LastTerm = s.LastTerm,
                           .LastIndex = s.LastIndex, .Healthy = s.Healthy, .Voter = s.Voter, .StableSince = s.StableSince});
  return out;
}

Async<Result<Reply>> autopilot_health(Call& call) {
  if (!call.is("GET")) co_return not_found("Invalid method");
  rpc::GenericRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto resp = co_await call.rpc<rpc::OperatorHealthReply>("Operator.ServerHealth", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  auto shown = health_shown(*resp);
  auto reply = call.json(shown);
  if (!resp->Healthy) reply.status = 429, reply.json = false;
  co_return reply;
}

Async<Result<Reply>> raft_routes(Call& call) {
  std::string_view path = call.rest;
  if (path.starts_with("configuration")) {
    if (!call.is("GET")) co_return Reply{.status = 405};
    rpc::GenericRequest req;
    auto parsed = call.parse_options(req);
    if (!parsed) co_return Error(std::move(parsed).error());
    auto resp = co_await call.rpc<RaftConfigurationResponse>("Operator.RaftGetConfiguration", std::move(req));
    if (!resp) co_return Error(std::move(resp).error());
    co_return call.json(*resp);
  }
  if (!path.starts_with("peer") || !call.is("DELETE")) co_return not_found("Invalid method");
  bool id = call.query.has("id"), address = call.query.has("address");
  if (!id && !address)
    co_return invalid("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  if (id && address) co_return invalid("Must specify only one of ?id or ?address");
  Result<GenericResponse> resp = Error();
  if (id) {
    rpc::RaftPeerByIDRequest req;
    req.ID = call.query.get("id");
    call.parse_write(req);
    resp = co_await call.rpc<GenericResponse>("Operator.RaftRemovePeerByID", std::move(req));
  } else {
    rpc::RaftPeerByAddressRequest req;
    req.Address = call.query.get("address");
    call.parse_write(req);
    resp = co_await call.rpc<GenericResponse>("Operator.RaftRemovePeerByAddress", std::move(req));
  }
  if (!resp) co_return Error(std::move(resp).error());
  co_return Reply::nothing();
}

// Ours: the digests of all servers' states.
Async<Result<Reply>> state_hashes(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::GenericRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto resp = co_await call.rpc<rpc::StateHashesResponse>("Operator.StateHashes", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(*resp);
}

// ---- namespaces ----------------------------------------------------------------------------------------------------

Async<Result<Reply>> all_namespaces(Call& call) {
  if (!call.is("GET")) return at_once(method_error());
  return reply_member<rpc::NamespaceListResponse>(call, "Namespace.ListNamespaces", rpc::NamespaceListRequest{},
                                                  &rpc::NamespaceListResponse::Namespaces);
}

Async<Result<Reply>> write_namespace(Call& call, std::string_view name) {
  if (!call.is_write()) co_return method_error();
  rpc::NamespaceUpsertRequest req;
  auto& ns = req.Namespaces.emplace_back();
  auto decoded = co_await call.body(ns);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (!name.empty() && ns.Name != name) co_return invalid("Namespace name does not match request path");
  co_return co_await reply_written<GenericResponse>(call, "Namespace.UpsertNamespaces", std::move(req));
}

Async<Result<Reply>> new_namespace(Call& call) { return write_namespace(call, ""); }

Async<Result<Reply>> one_namespace(Call& call) {
  std::string_view name = call.rest;  // the call outlives what is returned
  if (name.empty()) return at_once(invalid("Missing Namespace Name"));
  if (call.is("GET")) {
    rpc::NamespaceSpecificRequest req;
    req.Name = name;
    return reply_object<rpc::SingleNamespaceResponse>(call, "Namespace.GetNamespace", std::move(req),
                                                      &rpc::SingleNamespaceResponse::Namespace, "Namespace not found");
  }
  if (call.is("DELETE")) {
    rpc::NamespaceDeleteRequest req;
    req.Namespaces = {std::string(name)};
    return reply_written<GenericResponse>(call, "Namespace.DeleteNamespaces", std::move(req));
  }
  return write_namespace(call, name);
}

// ---- services ------------------------------------------------------------------------------------------------------

Async<Result<Reply>> all_services(Call& call) {
  if (!call.is("GET")) return at_once(method_error());
  return reply_member<rpc::ServiceRegistrationListResponse>(
      call, "ServiceRegistration.List", rpc::ServiceRegistrationListRequest{}, &rpc::ServiceRegistrationListResponse::Services);
}

Async<Result<Reply>> one_service(Call& call) {
  auto parts = split(call.rest, '/');
  if (parts.size() > 2) return at_once(invalid("invalid URI"));
  if (parts[0].empty()) return at_once(invalid("missing service name"));
  if (parts.size() == 1) {
    if (!call.is("GET")) return at_once(method_error());
    rpc::ServiceRegistrationByNameRequest req;
    req.ServiceName = parts[0];
    req.Choose = call.query.get("choose");
    return reply_member<rpc::ServiceRegistrationsResponse>(call, "ServiceRegistration.GetService", std::move(req),
                                                           &rpc::ServiceRegistrationsResponse::Services);
  }
  if (!call.is("DELETE")) return at_once(method_error());
  if (parts[1].empty()) return at_once(invalid("missing service id"));
  rpc::ServiceRegistrationDeleteByIDRequest req;
  req.ID = parts[1];
  return reply_written<rpc::ServiceRegistrationDeleteByIDResponse>(call, "ServiceRegistration.DeleteByID", std::move(req));
}

}  // namespace

void add_operator_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/status/leader", status_leader});
  routes.push_back({"/v1/status/peers", status_peers});
  routes.push_back({"/v1/regions", regions});
  routes.push_back({"/v1/system/gc", system_gc});
  routes.push_back({"/v1/system/reconcile/summaries", system_reconcile});
  routes.push_back({"/v1/operator/scheduler/configuration", scheduler_configuration});
  routes.push_back({"/v1/operator/autopilot/configuration", autopilot_configuration});
  routes.push_back({"/v1/operator/autopilot/health", autopilot_health});
  routes.push_back({"/v1/operator/raft/", raft_routes});
  routes.push_back({"/v1/operator/state-hash", state_hashes});
}

void add_namespace_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/namespaces", all_namespaces});
  routes.push_back({"/v1/namespace", new_namespace});
  routes.push_back({"/v1/namespace/", one_namespace});
  routes.push_back({"/v1/services", all_services});
  routes.push_back({"/v1/service/", one_service});
}

}  // namespace drover::api
