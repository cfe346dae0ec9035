// /v1/client/stats, gc, metadata and /v1/client/allocation/... (reference http-api section 12.2).
#include <fmt/format.h>

#include "api/bodies.h"
#include "api/client_target.h"
#include "api/exec_route.h"
#include "api/fs_routes.h"
#include "api/routes.h"
#include "base/strings.h"
#include "client/alloc_fs.h"
#include "client/alloc_snapshot.h"
#include "codec/reflect.h"
#include "model/requests.h"
#include "model/rpc_requests.h"

namespace drover::api {

Async<Result<client::Client*>> client_of_alloc(Call& call, std::string alloc_id) {
  auto* local = call.agent.client();
  auto id = Uuid::parse(alloc_id);
  if (local && id && !id->nil() && local->has_alloc(*id)) co_return local;
  rpc::AllocSpecificRequest req;
  req.AllocID = alloc_id;
  req.AllowStale = true;
  req.Region = call.query.get("region");
  auto found = co_await call.rpc<rpc::SingleAllocResponse>("Alloc.GetAlloc", std::move(req));
  if (!found) co_return Error(std::move(found).error());
  if (!found->Alloc) co_return not_found(fmt::format("Unknown allocation {}", go_quote(alloc_id)));
  // Collected here, still known to the servers: the local client answers for what is left of it.
  if (local && found->Alloc->NodeID == local->node_id()) co_return local;
  co_return not_found("No path to node");
}

Async<Result<client::Client*>> client_of_node(Call& call, std::string node_id, ErrorCode unknown_code) {
  auto* local = call.agent.client();
  if (node_id.empty() || (local && node_id == local->node_id().str())) {
    if (!local) co_return invalid("No local Node and node_id not provided");
    co_return local;
  }
  rpc::NodeSpecificRequest req;
  req.NodeID = node_id;
  req.AllowStale = true;
  req.Region = call.query.get("region");
  auto found = co_await call.rpc<rpc::SingleNodeResponse>("Node.GetNode", std::move(req));
  if (!found) co_return Error(std::move(found).error());
  if (!found->Node) co_return Error(unknown_code, "Unknown node " + node_id);
  co_return not_found("No path to node");
}

namespace {

Async<Result<Reply>> node_stats(Call& call) {
  DROVER_CO_TRY(auto* client, co_await client_of_node(call, std::string(call.query.get("node_id")), ErrorCode::kNotFound));
  DROVER_CO_TRY(auto stats, client->host_stats());
  co_return call.json(stats);
}

Async<Result<Reply>> node_gc(Call& call) {
  DROVER_CO_TRY(auto* client, co_await client_of_node(call, std::string(call.query.get("node_id")), ErrorCode::kInternal));
  co_await client->collect_all();
  co_return Reply::nothing();
}

Async<Result<Reply>> node_metadata(Call& call) {
  auto node = std::string(call.query.get("node_id"));
  if (call.is("GET")) {
    DROVER_CO_TRY(auto* client, co_await client_of_node(call, node, ErrorCode::kInternal));
    co_return call.json(client->node_meta());
  }
  if (!call.is("POST")) co_return method_error();
  NodeMetaApplyRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (node.empty()) node = body.NodeID;
  DROVER_CO_TRY(auto* client, co_await client_of_node(call, node, ErrorCode::kInternal));
  if (body.Meta.is_nil()) co_return invalid("missing required Meta object");
  DROVER_CO_TRY(auto applied, client->apply_node_meta(body.Meta));
  co_return call.json(applied);
}

// ---- one allocation --------------------------------------------------------------------------------------------------

Async<Result<Reply>> alloc_stats(Call& call, std::string id) {
  DROVER_CO_TRY(auto* client, co_await client_of_alloc(call, id));
  DROVER_CO_TRY(auto usage, co_await client->alloc_stats(*Uuid::parse(id), std::string(call.query.get("task"))));
  co_return call.json(usage);
}

Async<Result<Reply>> alloc_restart(Call& call, std::string id) {
  AllocRestartBody body;
  if (call.has_body()) {
    auto decoded = co_await call.body(body);
    bool blank = !decoded && decoded.error().message == "EOF";  // nothing but space: no body
    if (!decoded && !blank) co_return internal(decoded.error().message);
  }
  DROVER_CO_TRY(auto* client, co_await client_of_alloc(call, id));
  if (body.AllTasks && !body.TaskName.empty()) co_return internal("task name cannot be set when restarting all tasks");
  auto restarted = co_await client->restart_alloc(*Uuid::parse(id), body.TaskName, body.AllTasks);
  if (!restarted) co_return internal(restarted.error().message);
  co_return call.json(GenericResponse{});
}

Async<Result<Reply>> alloc_collect(Call& call, std::string id) {
  DROVER_CO_TRY(auto* client, co_await client_of_alloc(call, id));
  auto collected = co_await client->collect_alloc(*Uuid::parse(id));
  if (!collected) co_return internal(collected.error().message);
  co_return Reply::nothing();
}

Async<Result<Reply>> alloc_signal(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  AllocSignalRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return invalid("Failed to decode body: " + decoded.error().message);
  DROVER_CO_TRY(auto* client, co_await client_of_alloc(call, id));
  auto signalled = co_await client->signal_alloc(*Uuid::parse(id), body.Task, body.Signal);
  if (!signalled) co_return internal(signalled.error().message);
  co_return call.json(GenericResponse{});
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
};
constexpr AllocOp kOps[] = {
    {"stats", alloc_stats},   {"exec", exec_alloc},     {"restart", alloc_restart},
    {"gc", alloc_collect},    {"signal", alloc_signal}, {"checks", alloc_checks},
    {"snapshot", alloc_snapshot},
};

Async<Result<Reply>> one_client_alloc(Call& call) {
  auto parts = split(call.rest, '/');
  if (parts.size() == 2)
    for (auto& op : kOps)
      if (op.name == parts[1]) co_return co_await op.handle(call, parts[0]);
  co_return not_found("resource not found");
}

}  // namespace

Async<Result<Reply>> alloc_checks(Call& call, std::string id) {
  DROVER_CO_TRY(auto* client, co_await client_of_alloc(call, id));
  DROVER_CO_TRY(auto checks, client->alloc_checks(*Uuid::parse(id)));
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
