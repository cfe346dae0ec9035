// A server's network side: its RPC port, connections to other servers, replication and ways to nodes. Server has none in
// tests of one server by itself.
#pragma once

#include <memory>

#include "net/rpc_pool.h"
#include "server/leader_calls.h"
#include "server/node_conns.h"
#include "server/raft_transport.h"
#include "server/rpc_server.h"
#include "server/rpc_tls.h"

namespace drover::server {

class Cluster {
 public:
  // Nothing is served before `listen`.
  Cluster(Server& server, net::Network& network, RpcTls tls);

  void listen(std::unique_ptr<net::Listener> listener, RpcLimits limits);
  void stop_listening() { rpc_.reset(); }
  // Connections that there are end; those to come use the new certificates.
  void set_tls(RpcTls tls);

  net::RpcPool& pool() { return pool_; }
  RaftTransport& raft() { return raft_; }
  NodeConns& nodes() { return nodes_; }
  LeaderCalls& leader_calls() { return leader_calls_; }

 private:
  Server& server_;
  RpcTls tls_;
  net::RpcPool pool_;
  RaftTransport raft_;
  NodeConns nodes_;
  LeaderCalls leader_calls_;
  std::unique_ptr<RpcServer> rpc_;
};

}  // namespace drover::server
