// Connections to servers, kept and shared: one yamux session an address, streams of it reused call after call. What both
// servers and clients call servers through (reference server-core 2.2, 5.1).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/world.h"
#include "net/rpc_listener.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/yamux.h"

namespace drover::net {

struct RpcPoolOptions {
  Duration dial_timeout = 10s;
  Duration idle_timeout = 2min;     // a connection without calls is dropped after it
  size_t idle_streams = 64;         // kept for reuse, a connection
  YamuxOptions yamux;
  TlsContextRef tls;                // null: plain connections
  bool verify_server_name = false;  // the certificate must be that of server.<region>.nomad
  // Serves the streams that a server opens on our connection. Empty: they are refused.
  std::function<Async<void>(std::unique_ptr<Stream>)> inbound;
};

// Errors: kUnavailable "rpc error: failed to get conn: ..." where nothing was sent, kIo "rpc error: ..." where the
// connection broke and the outcome is unknown; else what the server answered (net/rpc_error.h). All on the loop.
class RpcPool {
 public:
  RpcPool(World& world, Network& network, RpcPoolOptions options);
  ~RpcPool();
  RpcPool(const RpcPool&) = delete;

  // `body` is the encoded request; the value is the encoded response. Dropping the call abandons it: the server sees its
  // stream end.
  Async<Result<std::string>> call(Address address, std::string region, std::string method, std::string body);
  // A streaming RPC, its method accepted by the server.
  Async<Result<std::unique_ptr<Stream>>> open_streaming(Address address, std::string region, std::string method);

  // A call there was not answered in time: whether the other end still lives is found out soon, not at the next keepalive.
  void probe(const Address& address);
  // New certificates: connections made from now on use them, those there are go.
  void set_tls(TlsContextRef tls, bool verify_server_name);
  // Ends the streams that servers opened and refuses those to come. Not from within one of them.
  void stop_inbound();
  size_t connections() const;

 private:
  struct Connection;
  using ConnectionRef = std::shared_ptr<Connection>;
  Async<Result<ConnectionRef>> connect(Address address, std::string region);
  Async<void> dial(Connection& connection, std::string region);
  Async<void> serve(Connection& connection);
  void retire(const ConnectionRef& connection);
  void arm_reaper();
  void reap();

  World& world_;
  Network& network_;
  RpcPoolOptions options_;
  std::map<Address, ConnectionRef> connections_;
  Timer reaper_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// The two ends of a streaming RPC's beginning (reference server-core 5.3): {Method}, then {Error}, empty where it is taken.
Async<Status> begin_streaming(Stream& stream, std::string method);
// Reads the caller's header; bytes that came behind it are kept in `unread`.
Async<Result<std::string>> read_streaming_method(Stream& stream, std::string& unread);
Async<Status> answer_streaming(Stream& stream, const Status& status);

// Both directions between two streams until either has ended. `first` goes to `b` before all else.
Async<void> bridge(Loop& loop, Stream& a, Stream& b, std::string first = {});

}  // namespace drover::net
