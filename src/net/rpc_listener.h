// The front of port 4647: takes connections, reads the first byte that chooses the protocol, does TLS and yamux, and hands
// each stream to whoever serves it (reference server-core, section 5.1).
#pragma once

#include <functional>
#include <memory>

#include "net/stream.h"
#include "net/tls.h"
#include "net/yamux.h"

namespace drover::net {

enum class RpcByte : unsigned char {
  kNomad = 1,         // one RPC session on the connection
  kRaft = 2,
  kMultiplex = 3,     // yamux; every stream is an RPC session
  kTls = 4,           // TLS, then another of these bytes
  kStreaming = 5,     // one streaming RPC on the connection
  kMultiplexV2 = 6,   // yamux; every stream starts with kNomad or kStreaming
};

struct RpcListenerOptions {
  TlsContextRef tls;                  // null: connections that ask for TLS are refused
  bool require_tls = false;           // tls.rpc without rpc_upgrade_mode
  std::string verify_region;          // tls.verify_server_hostname: the peer's certificate must have a role here
  Duration handshake_timeout = 5s;    // first byte and TLS together; 0: none
  int max_conns_per_client = 0;       // per remote IP; 0: no limit. 20 of them are no use to kStreaming
  YamuxOptions yamux;
};

// Of the connection that a stream came on; two streams of one connection share it, so state per connection (the NodeID that
// registered, the batch of Node.UpdateAlloc) can hang on it.
struct RpcConnection {
  Address remote;
  bool tls = false;
  PeerCertificate peer;               // empty without a client certificate
  YamuxSession* session = nullptr;    // for calls in the other direction, on yamux; null once the connection has ended
  std::shared_ptr<void> state;        // whatever the server keeps per connection
  std::shared_ptr<void> work;         // what went out over it and is not answered yet
};

// Each serves one stream to its end; destroyed when the listener is, or when its connection ends.
struct RpcHandlers {
  using Handler = std::function<Async<void>(std::unique_ptr<Stream>, std::shared_ptr<RpcConnection>)>;
  Handler rpc, streaming, raft;
};

class RpcListener {
 public:
  RpcListener(World& world, RpcListenerOptions options, RpcHandlers handlers);
  ~RpcListener();

  void add_listener(std::unique_ptr<Listener> listener);
  void add_connection(std::unique_ptr<Stream> stream);
  size_t connections() const;
  // New certificates and rules: connections that there are end.
  void set_tls(TlsContextRef tls, bool require, std::string verify_region);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// The client's side: dials (TLS when `tls` is given, after its byte), and starts a kMultiplexV2 session.
Async<Result<std::unique_ptr<YamuxSession>>> dial_rpc(Network& network, Address address, Duration timeout,
                                                      TlsContextRef tls, std::string server_name,
                                                      YamuxOptions options = {});
// A stream of such a session, its type byte sent.
Async<Result<std::unique_ptr<Stream>>> open_rpc_stream(YamuxSession& session, RpcByte type);

}  // namespace drover::net
