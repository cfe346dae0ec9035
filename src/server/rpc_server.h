// The RPC port of a server: serves every row of rpc_table() and the streaming RPCs on connections of nodes, servers and
// command lines, and takes replication connections (reference server-core section 5). On the loop.
#pragma once

#include <memory>
#include <string>

#include "codec/msgpack_memo.h"
#include "model/job.h"
#include "net/rpc_listener.h"
#include "server/config.h"
#include "server/rpc_tls.h"

namespace drover::net {
class RpcWire;
struct RpcRequestMessage;
}  // namespace drover::net

namespace drover::server {

class RaftTransport;
class Server;
struct RpcRow;

class RpcServer {
 public:
  RpcServer(Server& server, RaftTransport& raft, RpcTls tls, RpcLimits limits);
  ~RpcServer();

  void add_listener(std::unique_ptr<net::Listener> listener) { listener_->add_listener(std::move(listener)); }
  void set_tls(RpcTls tls);
  size_t connections() const { return listener_->connections(); }

 private:
  using Connection = std::shared_ptr<net::RpcConnection>;
  Async<void> serve_rpc(std::unique_ptr<net::Stream> stream, Connection connection);
  Async<void> serve_raft(std::unique_ptr<net::Stream> stream, Connection connection);
  Async<void> serve_streaming(std::unique_ptr<net::Stream> stream, Connection connection);
  // The encoded answer to one request; "" when the caller has gone.
  Async<std::string> answer(net::RpcWire& wire, Connection connection, net::RpcRequestMessage request);
  Async<Result<std::string>> run(const RpcRow& row, Connection connection, std::string body, net::RpcWire& wire, bool& left);
  // Evaluations that went out over a connection are for somebody else once it has ended.
  void note_work(Connection connection, const void* dequeued);
  Status check_certificate(std::string_view method, const net::RpcConnection& connection) const;

  Server& server_;
  RaftTransport& raft_;
  RpcTls tls_;
  MsgpackMemo jobs_{std::type_identity<Job>()};  // of sparse answers
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::unique_ptr<net::RpcListener> listener_;
};

// `rpc: can't find service Foo.Bar`, `rpc: can't find method Status.Bar`, `rpc: service/method request ill-formed: Bar`.
Error unknown_method(std::string_view method);

}  // namespace drover::server
