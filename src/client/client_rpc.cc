#include "client/client_rpc.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/metrics.h"
#include "base/strings.h"
#include "client/alloc_fs.h"
#include "client/client.h"
#include "codec/msgpack.h"
#include "model/agent_self.h"
#include "model/client_rpc.h"
#include "net/memory_pipe.h"
#include "net/rpc_error.h"
#include "net/rpc_listener.h"
#include "net/rpc_pool.h"
#include "net/rpc_wire.h"

namespace drover::client {
namespace {

Result<Uuid> alloc_id(const std::string& text) {
  auto id = Uuid::parse(text);
  if (!id || id->nil()) return not_found("Unknown allocation " + go_quote(text));
  return *id;
}

Async<Status> stats(World&, Client& client, const rpc::NodeSpecificRequest&, rpc::ClientStatsResponse& out) {
  DROVER_CO_TRY(auto sampled, client.host_stats());
  out.HostStats = std::move(sampled);
  co_return Status{};
}

Async<Status> alloc_stats(World&, Client& client, const rpc::AllocStatsRequest& req, rpc::AllocStatsResponse& out) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  DROVER_CO_TRY(auto usage, co_await client.alloc_stats(id, req.Task));
  out.Stats = std::move(usage);
  co_return Status{};
}

Async<Status> alloc_checks(World&, Client& client, const rpc::AllocChecksRequest& req, rpc::AllocChecksResponse& out) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  DROVER_CO_TRY(out.Results, client.alloc_checks(id));
  co_return Status{};
}

Async<Status> alloc_restart(World&, Client& client, const rpc::AllocRestartRequest& req, GenericResponse&) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  co_return co_await client.restart_alloc(id, req.TaskName, req.AllTasks);
}

Async<Status> alloc_signal(World&, Client& client, const AllocSignalRequest& req, GenericResponse&) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  co_return co_await client.signal_alloc(id, req.Task, req.Signal);
}

Async<Status> alloc_collect(World&, Client& client, const rpc::AllocSpecificRequest& req, GenericResponse&) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  co_return co_await client.collect_alloc(id);
}

Async<Status> collect_all(World&, Client& client, const rpc::NodeSpecificRequest&, GenericResponse&) {
  co_await client.collect_all();
  co_return Status{};
}

Async<Status> fs_list(World& world, Client& client, const rpc::FsRequest& req, rpc::FsListResponse& out) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  DROVER_CO_TRY(auto files, client.alloc_files(id));
  DROVER_CO_TRY(out.Files, co_await list_files(world, files, req.Path));
  co_return Status{};
}

Async<Status> fs_stat(World& world, Client& client, const rpc::FsRequest& req, rpc::FsStatResponse& out) {
  DROVER_CO_TRY(auto id, alloc_id(req.AllocID));
  DROVER_CO_TRY(auto files, client.alloc_files(id));
  DROVER_CO_TRY(auto info, co_await stat_file(world, files, req.Path));
  out.Info = std::move(info);
  co_return Status{};
}

Result<AgentSelf*> self_of(Client& client) {
  if (!client.self) return Error(ErrorCode::kNotImplemented, "Invalid method");
  return client.self;
}

Async<Status> agent_host(World&, Client& client, const rpc::HostDataRequest&, rpc::HostDataResponse& out) {
  DROVER_CO_TRY(auto* self, self_of(client));
  DROVER_CO_TRY(out, co_await self->host());
  out.AgentID = client.node_id().str();
  co_return Status{};
}

Async<Status> agent_profile(World&, Client& client, const rpc::AgentPprofRequest& req, rpc::AgentPprofResponse& out) {
  DROVER_CO_TRY(auto* self, self_of(client));
  DROVER_CO_TRY(out, co_await self->profile(req));
  out.AgentID = client.node_id().str();
  co_return Status{};
}

Async<Status> meta_read(World&, Client& client, const rpc::NodeSpecificRequest&, NodeMetaResponse& out) {
  out = client.node_meta();
  co_return Status{};
}

Async<Status> meta_apply(World&, Client& client, const NodeMetaApplyRequest& req, NodeMetaResponse& out) {
  DROVER_CO_TRY(out, client.apply_node_meta(req.Meta));
  co_return Status{};
}

struct Row {
  std::string_view method;
  Async<Result<std::string>> (*run)(World&, Client&, std::string body);
  std::string_view timer;  // key; empty: none
};

template <auto Fn>
struct RowOf;
template <class Req, class Resp, Async<Status> (*Fn)(World&, Client&, const Req&, Resp&)>
struct RowOf<Fn> {
  static Async<Result<std::string>> run(World& world, Client& client, std::string body) {
    DROVER_CO_TRY(auto request, from_msgpack<Req>(body));
    Resp response{};
    DROVER_CO_CHECK(co_await Fn(world, client, request, response));
    co_return to_msgpack(response);
  }
};

constexpr Row kRows[] = {
    {"ClientStats.Stats", RowOf<&stats>::run, "client.client_stats.stats"},
    {"Allocations.Stats", RowOf<&alloc_stats>::run, "client.allocations.stats"},
    {"Allocations.Checks", RowOf<&alloc_checks>::run, "client.allocations.checks"},
    {"Allocations.Restart", RowOf<&alloc_restart>::run, "client.allocations.restart"},
    {"Allocations.Signal", RowOf<&alloc_signal>::run, "client.allocations.signal"},
    {"Allocations.GarbageCollect", RowOf<&alloc_collect>::run, "client.allocations.garbage_collect"},
    {"Allocations.GarbageCollectAll", RowOf<&collect_all>::run, "client.allocations.garbage_collect_all"},
    {"FileSystem.List", RowOf<&fs_list>::run, "client.file_system.list"},
    {"FileSystem.Stat", RowOf<&fs_stat>::run, "client.file_system.stat"},
    {"Agent.Host", RowOf<&agent_host>::run, ""},
    {"Agent.Profile", RowOf<&agent_profile>::run, ""},
    {"NodeMeta.Read", RowOf<&meta_read>::run, "client.node_meta.read"},
    {"NodeMeta.Apply", RowOf<&meta_apply>::run, "client.node_meta.apply"},
};

}  // namespace

Async<Result<std::string>> ClientRpc::call(std::string method, std::string body) {
  auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](auto& r) { return r.method == method; });
  if (row == std::end(kRows)) co_return internal("rpc: can't find method " + method);
  MetricTimer timer(row->timer);
  co_return co_await row->run(world_, client_, std::move(body));
}

Async<void> ClientRpc::serve(std::unique_ptr<net::Stream> stream) {
  metric_count("client.rpc.accept_conn");
  auto type = co_await net::read_exactly(*stream, 1);
  if (!type) co_return;
  switch (static_cast<net::RpcByte>((*type)[0])) {
    case net::RpcByte::kNomad: co_return co_await serve_calls(*stream);
    case net::RpcByte::kStreaming: co_return co_await serve_streaming(std::move(stream));
    default: co_return;
  }
}

Async<void> ClientRpc::serve_calls(net::Stream& stream) {
  net::RpcWire wire(stream);
  for (;;) {
    auto request = co_await wire.read_request();
    if (!request) co_return;
    metric_count("client.rpc.request");
    net::RpcResponseMessage response{request->method, request->seq, {}, {}};
    auto body = co_await call(request->method, std::move(request->body));
    if (body) {
      response.body = std::move(*body);
    } else {
      metric_count("client.rpc.request_error");
      response.error = net::rpc_error_text(body.error());
    }
    if (!co_await wire.write(net::encode_rpc(response))) co_return;
  }
}

Async<void> ClientRpc::serve_streaming(std::unique_ptr<net::Stream> stream) {
  std::string unread;
  auto method = co_await net::read_streaming_method(*stream, unread);
  if (!method) co_return;
  auto fn = find_client_stream(*method);
  Status taken;
  metric_count("client.streaming_rpc.request");
  if (!fn) {
    metric_count("client.streaming_rpc.request_error");
    taken = internal("Unknown rpc method: " + go_quote(*method));
  }
  if (!co_await net::answer_streaming(*stream, taken) || !fn) co_return;
  co_await fn(world_, client_, std::move(stream), std::move(unread));
}

Result<std::unique_ptr<net::Stream>> ClientRpc::open(std::string_view method) {
  auto fn = find_client_stream(method);
  if (!fn) return internal("Unknown rpc method: " + go_quote(std::string(method)));
  auto [mine, theirs] = net::make_pipe(world_.loop);
  streams_.start(fn(world_, client_, std::move(theirs), {}));
  return std::move(mine);
}

}  // namespace drover::client
