#include "server/streaming.h"

#include <algorithm>

#include "base/metrics.h"
#include "base/strings.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "net/address.h"
#include "net/memory_pipe.h"
#include "net/rpc_error.h"
#include "net/rpc_pool.h"
#include "net/rpc_wire.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/leader.h"
#include "server/lookup.h"
#include "server/membership.h"
#include "server/node_rpc.h"
#include "server/rpc_metrics.h"
#include "server/server.h"
#include "server/snapshot_endpoint.h"

namespace drover::server {
namespace {

constexpr Duration kHoldTimeout = 5s;  // how long a stream waits for a leader
constexpr Duration kHoldPause = 20ms;

Async<void> refuse(net::Stream& stream, Error e) {
  return refuse_stream(stream, std::move(e.message), net::rpc_status_of(e.code));
}

// The node that a request is about.
Result<std::string> node_of(Server& server, const rpc::StreamTarget& target) {
  if (target.AllocID.empty()) return invalid("missing AllocID");
  DROVER_TRY(auto id, parse_id(target.AllocID, "alloc lookup failed"));
  auto alloc = server.snapshot().allocs().get(id);
  if (!alloc) return not_found("Unknown allocation " + go_quote(target.AllocID));
  return alloc->NodeID.str();
}

// A stream to wherever the request is to be answered, its method taken.
Async<Result<std::unique_ptr<net::Stream>>> next_hop(Server& server, rpc::StreamTarget target, std::string method) {
  if (!target.Region.empty() && target.Region != server.config().region)
    co_return co_await open_in_region(server, target.Region, std::move(method));
  DROVER_CO_TRY(auto node, node_of(server, target));
  co_return co_await open_to_node(server, std::move(node), std::move(method));
}

Async<void> to_node(Server& server, std::unique_ptr<net::Stream> stream, std::string unread, std::string method) {
  net::RpcWire wire(*stream, std::move(unread));
  auto request = co_await wire.read_value();
  if (!request) co_return;
  auto target = from_msgpack<rpc::StreamTarget>(*request);
  if (!target) co_return co_await refuse(*stream, invalid(target.error().message));
  auto there = co_await next_hop(server, std::move(*target), std::move(method));
  if (!there) co_return co_await refuse(*stream, std::move(there).error());
  co_await net::bridge(server.world().loop, *stream, **there, *request + wire.take_unread());
}

template <const char* Method>
Async<void> forward_to_node(Server& server, std::unique_ptr<net::Stream> stream, std::string unread) {
  return to_node(server, std::move(stream), std::move(unread), Method);
}

constexpr char kLogs[] = "FileSystem.Logs", kStream[] = "FileSystem.Stream", kExec[] = "Allocations.Exec";

}  // namespace

Async<void> refuse_stream(net::Stream& stream, std::string message, int64_t code) {
  metric_count("nomad.streaming_rpc.request_error");
  rpc::StreamErrWrapper out;
  out.Error.ensure().Message = std::move(message);
  out.Error->Code = code;
  std::string bytes = to_msgpack(out);
  (void)co_await net::write_all(stream, bytes);
  stream.shutdown_write();
}

const std::vector<StreamingRow>& streaming_table() {
  static const std::vector<StreamingRow> table = {
      {kExec, forward_to_node<kExec>},
      {"Event.Stream", serve_events},
      {"Agent.Monitor", serve_monitor},
      {kLogs, forward_to_node<kLogs>},
      {kStream, forward_to_node<kStream>},
      {"Operator.SnapshotSave", serve_snapshot_save},
      {"Operator.SnapshotRestore", serve_snapshot_restore},
  };
  return table;
}

const StreamingRow* find_streaming(std::string_view method) {
  for (auto& row : streaming_table())
    if (row.method == method) return &row;
  return nullptr;
}

Async<Result<std::unique_ptr<net::Stream>>> open_to_leader(Server& server, std::string method, bool may_forward) {
  auto& clock = server.world().clock;
  auto deadline = clock.monotonic() + kHoldTimeout;
  for (;;) {
    if (server.leader() && server.leader()->ready()) co_return std::unique_ptr<net::Stream>();
    auto leader = server.replica().leader();
    if (may_forward && server.cluster() && !leader.address.empty() && leader.id != server.node_id()) {
      DROVER_CO_TRY(auto address, net::Address::parse(leader.address));
      auto there = co_await server.cluster()->pool().open_streaming(address, server.config().region, method);
      if (there || there.error().code != ErrorCode::kUnavailable) co_return there;
    }
    if (clock.monotonic() >= deadline)
      co_return Error(ErrorCode::kNoLeader, server.is_leader() ? "Not ready to serve consistent reads" : "No cluster leader");
    co_await sleep_for(server.world().loop, kHoldPause + server.world().random.jitter(kHoldPause));
  }
}

namespace {

// The timer measures the whole session.
Async<void> serve_measured(Server& server, const StreamingRow& row, std::unique_ptr<net::Stream> stream, std::string unread) {
  auto& metrics = rpc_metrics(row.method);
  if (!metrics.rate.empty()) metric_count(metrics.rate);
  MetricTimer timer(metrics.timer);
  co_await row.serve(server, std::move(stream), std::move(unread));
}

}  // namespace

Async<void> answer_stream(Server& server, std::unique_ptr<net::Stream> stream) {
  std::string unread;
  auto method = co_await net::read_streaming_method(*stream, unread);
  if (!method) co_return;
  auto* row = find_streaming(*method);
  Status taken;
  if (!row) taken = internal("Unknown rpc method: " + go_quote(*method));
  if (!co_await net::answer_streaming(*stream, taken) || !row) co_return;
  co_await serve_measured(server, *row, std::move(stream), std::move(unread));
}

Result<std::unique_ptr<net::Stream>> open_stream(Server& server, std::string_view method) {
  auto* row = find_streaming(method);
  if (!row) return internal("Unknown rpc method: " + go_quote(std::string(method)));
  auto [mine, theirs] = net::make_pipe(server.world().loop);
  server.run_flow(serve_measured(server, *row, std::move(theirs), {}));
  return std::move(mine);
}

}  // namespace drover::server
