// /v1/client/stats, gc, metadata and /v1/client/allocation/... (reference http-api section 12.2).
#include <algorithm>

#include <fmt/format.h>

#include "api/bodies.h"
#include "api/client_target.h"
#include "api/exec_route.h"
#include "api/fs_routes.h"
#include "api/routes.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "client/alloc_fs.h"
#include "client/alloc_snapshot.h"
#include "codec/reflect.h"
#include "model/client_rpc.h"
#include "model/requests.h"
#include "model/rpc_requests.h"

namespace drover::api {

namespace {

rpc::NodeSpecificRequest about_node(std::string node) {
  rpc::NodeSpecificRequest req;
  req.NodeID = std::move(node);
  return req;
}

// Where only the code differs: an unknown node is 404 on one route, 500 on the others.
Error unknown_node_is_internal(Error e) {
  return e.message.starts_with("Unknown node") ? internal(std::move(e.message)) : e;
}

Async<Result<Reply>> node_stats(Call& call) {
  auto node = std::string(call.query.get("node_id"));
  DROVER_CO_TRY(auto* local, local_client_of_node(call, node));
  if (local) {
    MetricTimer timer("client.client_stats.stats");
    DROVER_CO_TRY(auto stats, local->host_stats());
    co_return call.json(stats);
  }
  auto resp = co_await ask_node<rpc::ClientStatsResponse>(call, "ClientStats.Stats", about_node(std::move(node)));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(resp->HostStats);
}

Async<Result<Reply>> node_gc(Call& call) {
  auto node = std::string(call.query.get("node_id"));
  DROVER_CO_TRY(auto* local, local_client_of_node(call, node));
  if (local) {
    MetricTimer timer("client.allocations.garbage_collect_all");
    co_await local->collect_all();
    co_return Reply::nothing();
  }
  auto resp = co_await ask_node<GenericResponse>(call, "ClientAllocations.GarbageCollectAll", about_node(std::move(node)));
  if (!resp) co_return unknown_node_is_internal(std::move(resp).error());
  co_return Reply::nothing();
}

Async<Result<Reply>> read_metadata(Call& call, std::string node) {
  DROVER_CO_TRY(auto* local, local_client_of_node(call, node));
  if (local) {
    MetricTimer timer("client.node_meta.read");
    co_return call.json(local->node_meta());
  }
  auto resp = co_await ask_node<NodeMetaResponse>(call, "NodeMeta.Read", about_node(std::move(node)));
  if (!resp) co_return unknown_node_is_internal(std::move(resp).error());
  co_return call.json(*resp);
}

Async<Result<Reply>> node_metadata(Call& call) {
  auto node = std::string(call.query.get("node_id"));
  if (call.is("GET")) co_return co_await read_metadata(call, std::move(node));
  if (!call.is("POST")) co_return method_error();
  NodeMetaApplyRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (!node.empty()) body.NodeID = node;
  DROVER_CO_TRY(auto* local, local_client_of_node(call, body.NodeID));
  if (local) {
    if (body.Meta.is_nil()) co_return invalid("missing required Meta object");
    MetricTimer timer("client.node_meta.apply");
    DROVER_CO_TRY(auto applied, local->apply_node_meta(body.Meta));
    co_return call.json(applied);
  }
  auto resp = co_await ask_node<NodeMetaResponse>(call, "NodeMeta.Apply", std::move(body));
  if (!resp) co_return unknown_node_is_internal(std::move(resp).error());
  co_return call.json(*resp);
}

// ---- one allocation --------------------------------------------------------------------------------------------------

Async<Result<Reply>> alloc_stats(Call& call, std::string id) {
  auto task = std::string(call.query.get("task"));
  if (auto* local = local_client_of(call, id)) {
    DROVER_CO_TRY(auto usage, co_await local->alloc_stats(*Uuid::parse(id), task));
    co_return call.json(usage);
  }
  rpc::AllocStatsRequest req;
  req.AllocID = std::move(id);
  req.Task = std::move(task);
  auto resp = co_await ask_node<rpc::AllocStatsResponse>(call, "ClientAllocations.Stats", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(resp->Stats);
}

// What an operation came to, as the route answers it.
Result<Reply> operation_reply(Call& call, Status done, bool with_body) {
  if (!done) return operation_error(std::move(done).error());
  return with_body ? call.json(GenericResponse{}) : Reply::nothing();
}

template <class Request>
Async<Status> operate_remotely(Call& call, std::string_view method, Request request) {
  auto resp = co_await ask_node<GenericResponse>(call, method, std::move(request));
  if (!resp) co_return std::move(resp).error();
  co_return Status{};
}

Async<Result<Reply>> alloc_restart(Call& call, std::string id) {
  AllocRestartBody body;
  if (call.has_body()) {
    auto decoded = co_await call.body(body);
    bool blank = !decoded && decoded.error().message == "EOF";  // nothing but space: no body
    if (!decoded && !blank) co_return internal(decoded.error().message);
  }
  auto* local = local_client_of(call, id);
  if (local && body.AllTasks && !body.TaskName.empty())
    co_return internal("task name cannot be set when restarting all tasks");
  if (local) co_return operation_reply(call, co_await local->restart_alloc(*Uuid::parse(id), body.TaskName, body.AllTasks), true);
  rpc::AllocRestartRequest req;
  req.AllocID = std::move(id);
  req.TaskName = body.TaskName;
  req.AllTasks = body.AllTasks;
  co_return operation_reply(call, co_await operate_remotely(call, "ClientAllocations.Restart", std::move(req)), true);
}

Async<Result<Reply>> alloc_collect(Call& call, std::string id) {
  if (auto* local = local_client_of(call, id)) co_return operation_reply(call, co_await local->collect_alloc(*Uuid::parse(id)), false);
  rpc::AllocSpecificRequest req;
  req.AllocID = std::move(id);
  co_return operation_reply(call, co_await operate_remotely(call, "ClientAllocations.GarbageCollect", std::move(req)), false);
}

Async<Result<Reply>> alloc_signal(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  AllocSignalRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return invalid("Failed to decode body: " + decoded.error().message);
  if (auto* local = local_client_of(call, id))
    co_return operation_reply(call, co_await local->signal_alloc(*Uuid::parse(id), body.Task, body.Signal), true);
  body.AllocID = std::move(id);
  co_return operation_reply(call, co_await operate_remotely(call, "ClientAllocations.Signal", std::move(body)), true);
}

// Only from the node itself: a successor's node asks this one by its own address.
Async<Result<Reply>> alloc_snapshot(Call& call, std::string id) {
  auto* client = call.agent.client();
  if (!client) co_return invalid("node is not running a Nomad Client");
  auto uuid = Uuid::parse(id);
  auto files = uuid ? client->alloc_files(*uuid) : Result<client::AllocFiles>(not_found(""));
  if (!files) co_return internal("allocation not found");
  auto stream = client::snapshot_alloc(call.agent.world(), std::move(*files));
  call.exchange.headers().set("Content-Type", "application/octet-stream");
  DROVER_CO_CHECK(co_await call.exchange.start(200));
  for (auto bytes = co_await stream->next(); !bytes.empty(); bytes = co_await stream->next())
    DROVER_CO_CHECK(co_await call.exchange.write(bytes));
  (void)co_await call.exchange.finish();
  co_return Reply{.sent = true};
}

struct AllocOp {
  std::string_view name;
  Async<Result<Reply>> (*handle)(Call&, std::string id);
  std::string_view timer;  // of a node that is asked itself; empty: none here
};
constexpr AllocOp kOps[] = {
    {"stats", alloc_stats, "client.allocations.stats"},
    {"exec", exec_alloc, "client.allocations.exec"},
    {"restart", alloc_restart, "client.allocations.restart"},
    {"gc", alloc_collect, "client.allocations.garbage_collect"},
    {"signal", alloc_signal, "client.allocations.signal"},
    {"checks", alloc_checks, ""},
    {"snapshot", alloc_snapshot, ""},
};

Async<Result<Reply>> one_client_alloc(Call& call) {
  auto parts = split(call.rest, '/');
  auto* op = std::find_if(std::begin(kOps), std::end(kOps), [&](auto& o) { return parts.size() == 2 && o.name == parts[1]; });
  if (op == std::end(kOps)) co_return not_found("resource not found");
  MetricTimer timer(local_client_of(call, parts[0]) ? op->timer : "");
  co_return co_await op->handle(call, parts[0]);
}

}  // namespace

Async<Result<Reply>> alloc_checks(Call& call, std::string id) {
  Map<CheckQueryResult> checks;
  if (auto* local = local_client_of(call, id)) {
    MetricTimer timer("client.allocations.checks");
    DROVER_CO_TRY(checks, local->alloc_checks(*Uuid::parse(id)));
  } else {
    rpc::AllocChecksRequest req;
    req.AllocID = std::move(id);
    auto resp = co_await ask_node<rpc::AllocChecksResponse>(call, "ClientAllocations.Checks", std::move(req));
    if (!resp) co_return Error(std::move(resp).error());
    checks = std::move(resp->Results);
  }
  if (checks.empty()) checks.reset();
  co_return call.json(checks);
}

void add_client_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/client/stats", node_stats, kCorsRead});
  routes.push_back({"/v1/client/gc", node_gc});
  routes.push_back({"/v1/client/metadata", node_metadata, kCorsRead});
  routes.push_back({"/v1/client/allocation/", one_client_alloc, kCorsRead});
  routes.push_back({"/v1/client/fs/", alloc_files, kCorsRead});
}

}  // namespace drover::api
