// Event.Stream: events of this server's buffer and those that come, as JSON lines.
#include <algorithm>

#include "base/metrics.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "net/peer_watch.h"
#include "net/rpc_pool.h"
#include "net/rpc_wire.h"
#include "server/event_broker.h"
#include "server/node_rpc.h"
#include "server/server.h"
#include "server/streaming.h"

namespace drover::server {
namespace {

constexpr Duration kHeartbeat = 30s;
constexpr size_t kInline = 16;  // events that are encoded on the loop; more of them go to the pool

std::string line(std::string json) {
  rpc::EventStreamWrapper out;
  out.Event.ensure().Data.data = std::move(json);
  return to_msgpack(out);
}

// Errors of this stream are 500 whatever they are.
Async<void> fail(net::Stream& stream, const Error& e) {
  metric_count("nomad.streaming_rpc.request_error");
  rpc::EventStreamWrapper out;
  out.Error.ensure().Message = e.message;
  out.Error->Code = 500;
  std::string bytes = to_msgpack(out);
  (void)co_await net::write_all(stream, bytes);
  stream.shutdown_write();
}

Async<std::string> encode(World& world, EventBroker::BatchRef batch, std::vector<const EventRow*> rows) {
  if (rows.size() <= kInline) co_return batch->encode(rows);
  co_return co_await on_pool(world, [batch, rows = std::move(rows)] { return batch->encode(rows); });
}

// Until the subscriber has gone (no error), falls behind or is closed.
Async<Status> send(World& world, net::RpcWire& wire, EventBroker::Subscription& sub, const EventFilter& filter) {
  net::PeerWatch peer(world.loop, wire);
  DROVER_CO_CHECK(co_await wire.write(line("{}")));
  auto beat = world.clock.monotonic() + kHeartbeat;
  for (;;) {
    auto batch = co_await peer.wait(sub.next(), beat - world.clock.monotonic());
    if (peer.gone()) co_return Status{};
    if (batch && !*batch) co_return std::move(*batch).error();
    if (batch) {
      auto rows = (**batch)->select(filter);
      if (!rows.empty() && !co_await wire.write(line(co_await encode(world, **batch, std::move(rows))))) co_return Status{};
    }
    if (world.clock.monotonic() < beat) continue;
    if (!co_await wire.write(line("{}"))) co_return Status{};
    beat = std::max(beat + kHeartbeat, world.clock.monotonic());
  }
}

}  // namespace

Async<void> serve_events(Server& server, std::unique_ptr<net::Stream> stream, std::string unread) {
  net::RpcWire wire(*stream, std::move(unread));
  auto bytes = co_await wire.read_value();
  if (!bytes) co_return;
  auto request = from_msgpack<rpc::EventStreamRequest>(*bytes);
  if (!request) {
    co_await fail(*stream, request.error());
    co_return;
  }
  if (!request->Region.empty() && request->Region != server.config().region) {
    auto there = co_await open_in_region(server, request->Region, "Event.Stream");
    if (!there) co_await fail(*stream, there.error());
    else co_await net::bridge(server.world().loop, *stream, **there, *bytes + wire.take_unread());
    co_return;
  }
  if (!server.events()) {
    co_await fail(*stream, internal("EventBroker not configured"));
    co_return;
  }
  EventFilter filter{std::move(request->Topics), request->Namespace};
  auto sub = server.events()->subscribe(static_cast<uint64_t>(request->Index));
  auto done = co_await send(server.world(), wire, *sub, filter);
  if (!done) co_await fail(*stream, done.error());
}

}  // namespace drover::server
