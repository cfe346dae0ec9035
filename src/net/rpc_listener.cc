#include "net/rpc_listener.h"

#include <list>
#include <map>
#include <unordered_map>

#include "base/cancel.h"
#include "base/flows.h"
#include "base/log.h"
#include "base/metrics.h"

namespace drover::net {

namespace {
class Served;
constexpr int kReservedConnections = 20;
}

struct RpcListener::Impl {
  World& world;
  RpcListenerOptions options;
  RpcHandlers handlers;
  struct Acceptor {
    std::unique_ptr<Listener> listener;
    Running flow;
  };
  std::list<Acceptor> acceptors;
  std::map<uint64_t, std::shared_ptr<Served>> connections;  // in the order in which they came
  uint64_t accepted = 0;
  std::unordered_map<std::string, int> per_client, streaming_per_client;

  Impl(World& w, RpcListenerOptions o, RpcHandlers h) : world(w), options(std::move(o)), handlers(std::move(h)) {}
  Async<void> accept(Listener& l);
  void admit(std::unique_ptr<Stream> stream);
};

namespace {

// One connection and all flows on it.
class Served : public std::enable_shared_from_this<Served> {
 public:
  Served(RpcListener::Impl& owner, uint64_t number, std::unique_ptr<Stream> stream)
      : owner_(owner), number_(number), stream_(std::move(stream)), info_(std::make_shared<RpcConnection>()) {
    info_->remote = stream_->remote();
    ++owner_.per_client[info_->remote.host];
  }
  ~Served() {
    flow_.reset();
    streams_.cancel();
    info_->session = nullptr;
    session_.reset();
    auto it = owner_.per_client.find(info_->remote.host);
    if (it != owner_.per_client.end() && --it->second <= 0) owner_.per_client.erase(it);
  }
  void start() { flow_ = Running(run()); }

 private:
  using Handler = RpcHandlers::Handler;

  Async<void> run() {
    auto type = co_await with_timeout(owner_.world.loop, owner_.options.handshake_timeout, greet(),
                                      Error(ErrorCode::kTimeout, "i/o timeout"));
    if (type) {
      co_await serve(*type);
    } else if (type.error().message != "EOF") {
      log_warn("nomad.rpc", "connection refused", {{"remote_addr", info_->remote.str()}, {"error", type.error().message}});
    }
    // Removal destroys this flow, so it happens after it.
    owner_.world.loop.post([self = shared_from_this()] { self->owner_.connections.erase(self->number_); });
  }

  static Async<Result<RpcByte>> read_byte(Stream& s) {
    DROVER_CO_TRY(auto byte, co_await read_exactly(s, 1));
    co_return static_cast<RpcByte>(byte[0]);
  }

  // The protocol, with TLS behind it where that was asked for.
  Async<Result<RpcByte>> greet() {
    DROVER_CO_TRY(auto type, co_await read_byte(*stream_));
    if (type != RpcByte::kTls) {
      if (owner_.options.require_tls)
        co_return Error(ErrorCode::kPermissionDenied, "non-TLS connection attempted with RequireTLS set");
      co_return type;
    }
    if (!owner_.options.tls)
      co_return Error(ErrorCode::kPermissionDenied, "TLS connection attempted, server not configured for TLS");
    DROVER_CO_TRY(stream_, co_await tls_accept(owner_.options.tls, stream_));
    info_->tls = true;
    if (auto* peer = stream_->peer_certificate()) info_->peer = *peer;
    if (!owner_.options.verify_region.empty() && !has_rpc_role(info_->peer, owner_.options.verify_region))
      co_return Error(ErrorCode::kPermissionDenied, "invalid role or region for certificate");
    DROVER_CO_TRY(type, co_await read_byte(*stream_));
    if (type == RpcByte::kTls) co_return Error(ErrorCode::kPermissionDenied, "TLS connection attempted inside TLS");
    co_return type;
  }

  Async<void> serve(RpcByte type) {
    switch (type) {
      case RpcByte::kNomad: co_return co_await owner_.handlers.rpc(std::move(stream_), info_);
      case RpcByte::kRaft: co_return co_await owner_.handlers.raft(std::move(stream_), info_);
      case RpcByte::kStreaming: co_return co_await serve_streaming();
      case RpcByte::kMultiplex: co_return co_await serve_session(false);
      case RpcByte::kMultiplexV2: co_return co_await serve_session(true);
      case RpcByte::kTls: break;
    }
    unknown_byte(type);
  }

  void unknown_byte(RpcByte type) const {
    log_error("nomad.rpc", "unrecognized RPC byte",
              {{"byte", std::to_string(static_cast<int>(type))}, {"remote_addr", info_->remote.str()}});
  }

  // The old way, a connection for each: some connections of an address are kept free for all else.
  Async<void> serve_streaming() {
    auto& counts = owner_.streaming_per_client;
    auto host = info_->remote.host;
    int limit = owner_.options.max_conns_per_client;
    if (limit > 0 && counts[host] >= limit - kReservedConnections) {
      log_error("nomad.rpc", "rejecting client for exceeding maximum streaming RPC connections", {{"remote_addr", info_->remote.str()}});
      co_return;
    }
    struct Counted {
      std::unordered_map<std::string, int>& counts;
      std::string host;
      ~Counted() {
        if (--counts[host] <= 0) counts.erase(host);
      }
    } counted{counts, host};
    ++counts[host];
    co_await owner_.handlers.streaming(std::move(stream_), info_);
  }

  Async<void> serve_session(bool typed) {
    session_ = std::make_unique<YamuxSession>(owner_.world.loop, std::move(stream_), false, owner_.options.yamux);
    info_->session = session_.get();
    for (;;) {
      auto s = co_await session_->accept();
      if (!s) {
        if (s.error().code == ErrorCode::kCorrupt)
          log_error("nomad.rpc", "multiplexed connection ended", {{"remote_addr", info_->remote.str()}, {"error", s.error().message}});
        co_return;
      }
      streams_.start(serve_stream(std::move(*s), typed));
    }
  }

  Async<void> serve_stream(std::unique_ptr<Stream> s, bool typed) {
    auto type = RpcByte::kNomad;
    if (typed) {
      auto byte = co_await with_timeout(owner_.world.loop, owner_.options.handshake_timeout, read_byte(*s),
                                        Error(ErrorCode::kTimeout, "i/o timeout"));
      if (!byte) co_return;
      type = *byte;
    }
    if (type == RpcByte::kNomad) {
      co_await owner_.handlers.rpc(std::move(s), info_);
    } else if (type == RpcByte::kStreaming) {
      co_await owner_.handlers.streaming(std::move(s), info_);
    } else {
      unknown_byte(type);
    }
  }

  RpcListener::Impl& owner_;
  uint64_t number_;
  std::unique_ptr<Stream> stream_;
  std::shared_ptr<RpcConnection> info_;
  std::unique_ptr<YamuxSession> session_;
  Flows streams_;
  Running flow_;
};

}  // namespace

Async<void> RpcListener::Impl::accept(Listener& l) {
  for (;;) {
    auto s = co_await l.accept();
    if (!s) co_return;
    admit(std::move(*s));
  }
}

void RpcListener::Impl::admit(std::unique_ptr<Stream> stream) {
  if (options.max_conns_per_client > 0) {
    auto it = per_client.find(stream->remote().host);
    if (it != per_client.end() && it->second >= options.max_conns_per_client) {
      log_error("nomad.rpc", "rejecting client for exceeding maximum RPC connections",
                {{"remote_addr", stream->remote().str()}});
      return;
    }
  }
  metric_count("nomad.rpc.accept_conn");
  auto number = ++accepted;
  auto c = std::make_shared<Served>(*this, number, std::move(stream));
  connections.emplace(number, c);
  c->start();
}

RpcListener::RpcListener(World& world, RpcListenerOptions options, RpcHandlers handlers)
    : impl_(std::make_unique<Impl>(world, std::move(options), std::move(handlers))) {}

RpcListener::~RpcListener() {
  impl_->acceptors.clear();
  auto connections = std::move(impl_->connections);
  impl_->connections.clear();
  connections.clear();
}

void RpcListener::add_listener(std::unique_ptr<Listener> listener) {
  auto& a = impl_->acceptors.emplace_back();
  a.listener = std::move(listener);
  a.flow = Running(impl_->accept(*a.listener));
}
void RpcListener::add_connection(std::unique_ptr<Stream> stream) { impl_->admit(std::move(stream)); }
void RpcListener::set_tls(TlsContextRef tls, bool require, std::string verify_region) {
  impl_->options.tls = std::move(tls);
  impl_->options.require_tls = require;
  impl_->options.verify_region = std::move(verify_region);
  auto connections = std::move(impl_->connections);
  impl_->connections.clear();
  connections.clear();
}
size_t RpcListener::connections() const { return impl_->connections.size(); }

Async<Result<std::unique_ptr<YamuxSession>>> dial_rpc(Network& network, Address address, Duration timeout,
                                                      TlsContextRef tls, std::string server_name, YamuxOptions options) {
  auto flow = [](Network& network, Address address, Duration timeout, TlsContextRef tls,
                 std::string name) -> Async<Result<std::unique_ptr<Stream>>> {
    DROVER_CO_TRY(auto stream, co_await network.dial(address, timeout));
    if (tls) {
      DROVER_CO_CHECK(co_await write_all(*stream, "\x04"));
      DROVER_CO_TRY(stream, co_await tls_connect(tls, std::move(stream), name));
    }
    DROVER_CO_CHECK(co_await write_all(*stream, "\x06"));
    co_return std::move(stream);
  };
  DROVER_CO_TRY(auto stream,
                co_await with_timeout(network.loop(), timeout, flow(network, address, timeout, tls, server_name),
                                      Error(ErrorCode::kTimeout, "dial tcp " + address.str() + ": i/o timeout")));
  co_return std::make_unique<YamuxSession>(network.loop(), std::move(stream), true, options);
}

Async<Result<std::unique_ptr<Stream>>> open_rpc_stream(YamuxSession& session, RpcByte type) {
  DROVER_CO_TRY(auto stream, session.open());
  char byte = static_cast<char>(type);
  DROVER_CO_CHECK(co_await write_all(*stream, {&byte, 1}));
  co_return std::move(stream);
}

}  // namespace drover::net
