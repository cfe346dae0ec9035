#include "net/rpc_pool.h"

#include <vector>

#include "base/flows.h"
#include "base/log.h"
#include "codec/msgpack.h"
#include "net/rpc_error.h"
#include "net/rpc_header.h"
#include "net/rpc_wire.h"

namespace drover::net {
namespace {

constexpr Duration kReapInterval = 10s;

Error no_connection(Error e) {
  return {ErrorCode::kUnavailable, "rpc error: failed to get conn: " + e.message};
}
Error broken(const Error& e) { return {ErrorCode::kIo, "rpc error: " + e.message}; }

}  // namespace

struct RpcPool::Connection : std::enable_shared_from_this<RpcPool::Connection> {
  Address address;
  std::unique_ptr<YamuxSession> session;  // null while dialling
  std::vector<Promise<Status>> waiting;   // for the dial
  std::vector<std::unique_ptr<Stream>> idle;
  Flows inbound;
  Running flow;  // dials, then accepts
  Monotonic used{};
  size_t calls = 0;
  bool dropped = false;

  bool usable() const { return session && !session->ended() && !dropped; }
};

RpcPool::RpcPool(World& world, Network& network, RpcPoolOptions options)
    : world_(world), network_(network), options_(std::move(options)) {}

RpcPool::~RpcPool() {
  // Flows first: they refer to sessions.
  for (auto& [address, c] : connections_) {
    c->flow.reset();
    c->inbound.cancel();
  }
}

void RpcPool::set_tls(TlsContextRef tls, bool verify) {
  options_.tls = std::move(tls);
  options_.verify_server_name = verify;
  for (auto& [address, c] : connections_) {
    c->dropped = true;
    if (c->session) c->session->close();
  }
  // From the loop: a call may be on its way through one of them.
  world_.loop.post([gone = std::move(connections_)]() mutable { gone.clear(); });
  connections_.clear();
}

void RpcPool::stop_inbound() {
  options_.inbound = nullptr;
  for (auto& [address, c] : connections_) c->inbound.cancel();
}

void RpcPool::probe(const Address& address) {
  auto it = connections_.find(address);
  if (it != connections_.end() && it->second->session) it->second->session->probe();
}

size_t RpcPool::connections() const { return connections_.size(); }

Async<void> RpcPool::dial(Connection& connection, std::string region) {
  auto* c = &connection;
  auto made = co_await dial_rpc(network_, c->address, options_.dial_timeout, options_.tls,
                                options_.verify_server_name ? "server." + region + ".nomad" : std::string(), options_.yamux);
  Status status;
  if (made) c->session = std::move(*made);
  else status = std::move(made).error();
  auto waiting = std::move(c->waiting);
  c->waiting.clear();
  if (!status) {
    // The next caller dials anew. This flow is owned by the entry, so it goes from the loop.
    world_.loop.post([this, c = c->shared_from_this(), alive = std::weak_ptr<int>(alive_)] {
      if (alive.expired()) return;
      auto it = connections_.find(c->address);
      if (it != connections_.end() && it->second == c) connections_.erase(it);
    });
    c->dropped = true;
  }
  for (auto& w : waiting) w.set_from_any_thread(world_.loop, status);
  if (status) co_await serve(*c);
}

// Streams that the other end opens.
Async<void> RpcPool::serve(Connection& c) {
  for (;;) {
    auto stream = co_await c.session->accept();
    if (!stream) co_return;
    if (options_.inbound) c.inbound.start(options_.inbound(std::move(*stream)));
  }
}

Async<Result<RpcPool::ConnectionRef>> RpcPool::connect(Address address, std::string region) {
  auto& slot = connections_[address];
  if (slot && !slot->usable() && slot->session) {
    // Its streams and flows end by themselves.
    auto old = std::move(slot);
    old->dropped = true;
    world_.loop.post([old] {});
  }
  if (slot && slot->dropped) slot.reset();
  if (!slot) {
    slot = std::make_shared<Connection>();
    slot->address = address;
    auto c = slot;
    Promise<Status> done;
    c->waiting.push_back(done);
    c->flow = Running(dial(*c, region));
    arm_reaper();
    DROVER_CO_CHECK(co_await done);
    co_return c;
  }
  auto c = slot;
  if (!c->session) {
    Promise<Status> done;
    c->waiting.push_back(done);
    DROVER_CO_CHECK(co_await done);
  }
  co_return c;
}

Async<Result<std::string>> RpcPool::call(Address address, std::string region, std::string method, std::string body) {
  auto got = co_await connect(std::move(address), std::move(region));
  if (!got) co_return no_connection(std::move(got).error());
  auto c = std::move(*got);
  std::unique_ptr<Stream> stream;
  if (!c->idle.empty()) {
    stream = std::move(c->idle.back());
    c->idle.pop_back();
  } else {
    auto opened = co_await open_rpc_stream(*c->session, RpcByte::kNomad);
    if (!opened) co_return no_connection(std::move(opened).error());
    stream = std::move(*opened);
  }
  struct InUse {
    Connection& c;
    World& w;
    InUse(Connection& c, World& w) : c(c), w(w) { ++c.calls; }
    ~InUse() {
      --c.calls;
      c.used = w.clock.monotonic();
    }
  } in_use{*c, world_};
  RpcWire wire(*stream);
  RpcRequestMessage request{method, 0, std::move(body)};
  Result<RpcResponseMessage> response = Error();
  if (auto sent = co_await wire.write(encode_rpc(request)); !sent) response = std::move(sent).error();
  else response = co_await wire.read_response();
  if (!response) {
    // Whatever is wrong with it, the next call gets a new connection; calls under way on this one go on.
    retire(c);
    co_return broken(response.error());
  }
  if (c->usable() && c->idle.size() < options_.idle_streams) c->idle.push_back(std::move(stream));
  if (!response->error.empty()) co_return rpc_error(response->error);
  co_return std::move(response->body);
}

Async<Result<std::unique_ptr<Stream>>> RpcPool::open_streaming(Address address, std::string region, std::string method) {
  auto got = co_await connect(std::move(address), std::move(region));
  if (!got) co_return no_connection(std::move(got).error());
  auto c = std::move(*got);
  c->used = world_.clock.monotonic();
  auto opened = co_await open_rpc_stream(*c->session, RpcByte::kStreaming);
  if (!opened) co_return no_connection(std::move(opened).error());
  DROVER_CO_CHECK(co_await begin_streaming(**opened, std::move(method)));
  co_return std::move(*opened);
}

void RpcPool::retire(const ConnectionRef& c) {
  c->dropped = true;
  auto it = connections_.find(c->address);
  if (it == connections_.end() || it->second != c) return;
  world_.loop.post([c] {});  // not destroyed from within one of its own flows
  connections_.erase(it);
}

void RpcPool::arm_reaper() {
  if (!reaper_.armed()) reaper_ = world_.loop.after(kReapInterval, [this] { reap(); });
}

void RpcPool::reap() {
  auto now = world_.clock.monotonic();
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto& c = *it->second;
    bool ended = c.session && c.session->ended();
    bool idle = c.session && c.calls == 0 && now - c.used > options_.idle_timeout &&
                c.session->streams() == c.idle.size() && c.inbound.idle();
    if (ended || idle) it = connections_.erase(it);
    else ++it;
  }
  reaper_.cancel();
  if (!connections_.empty()) arm_reaper();
}

// ---- streaming -------------------------------------------------------------------------------------------------------

Async<Status> begin_streaming(Stream& stream, std::string method) {
  StreamingRpcHeader header{std::move(method)};
  std::string bytes = to_msgpack(header);
  DROVER_CO_CHECK(co_await write_all(stream, bytes));
  // The server says nothing after its answer before it has heard of the request, so reading ahead takes nothing away.
  RpcWire wire(stream);
  DROVER_CO_TRY(auto value, co_await wire.read_value());
  DROVER_CO_TRY(auto ack, from_msgpack<StreamingRpcAck>(value));
  if (!ack.Error.empty()) co_return rpc_error(ack.Error);
  co_return Status{};
}

Async<Result<std::string>> read_streaming_method(Stream& stream, std::string& unread) {
  RpcWire wire(stream);
  DROVER_CO_TRY(auto value, co_await wire.read_value());
  unread = wire.take_unread();
  DROVER_CO_TRY(auto header, from_msgpack<StreamingRpcHeader>(value));
  co_return std::move(header.Method);
}

Async<Status> answer_streaming(Stream& stream, const Status& status) {
  StreamingRpcAck ack;
  if (!status) ack.Error = rpc_error_text(status.error());
  std::string bytes = to_msgpack(ack);
  co_return co_await write_all(stream, bytes);
}

namespace {

constexpr size_t kBridgeBytes = 64 << 10;

Async<void> copy_all(Stream& from, Stream& to, std::string first) {
  if (!first.empty() && !co_await write_all(to, first)) co_return;
  thread_local std::unique_ptr<char[]> scratch = std::make_unique<char[]>(kBridgeBytes);
  for (;;) {
    auto a = from.try_read(scratch.get(), kBridgeBytes);
    if (a.state == Attempt::kWait) {
      co_await from.wait(a.event);
      continue;
    }
    if (a.state != Attempt::kDone) co_return;
    std::string bytes(scratch.get(), a.size);
    if (!co_await write_all(to, bytes)) co_return;
  }
}

Async<void> copy_and_tell(Stream& from, Stream& to, std::string first, Promise<int> done) {
  co_await copy_all(from, to, std::move(first));
  // Never resumes the waiter from within this flow.
  done.set(0);
}

}  // namespace

Async<void> bridge(Loop& loop, Stream& a, Stream& b, std::string first) {
  Promise<int> forward, back, over;
  auto tell = [&loop, over](Promise<int> one) -> Async<void> {
    auto end = over;
    co_await one;
    end.set_from_any_thread(loop, 0);
  };
  Running watch_forward(tell(forward)), watch_back(tell(back));
  Running there(copy_and_tell(a, b, std::move(first), forward)), here(copy_and_tell(b, a, {}, back));
  co_await over;
}

}  // namespace drover::net
