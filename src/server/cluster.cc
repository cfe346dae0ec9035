#include "server/cluster.h"

#include "server/server.h"

namespace drover::server {
namespace {

net::RpcPoolOptions pool_options(const RpcTls& tls) {
  net::RpcPoolOptions o;
  o.tls = tls.outgoing;
  o.verify_server_name = tls.verify_server_hostname;
  return o;
}

RaftTransportOptions raft_options(const RpcTls& tls, const std::string& region) {
  RaftTransportOptions o;
  o.tls = tls.outgoing;
  o.verify_server_name = tls.verify_server_hostname;
  o.region = region;
  return o;
}

}  // namespace

Cluster::Cluster(Server& server, net::Network& network, RpcTls tls)
    : server_(server),
      tls_(std::move(tls)),
      pool_(server.world(), network, pool_options(tls_)),
      raft_(server.world(), network, server.node_id(), raft_options(tls_, server.config().region)),
      leader_calls_(server.world().loop) {}

void Cluster::listen(std::unique_ptr<net::Listener> listener, RpcLimits limits) {
  rpc_ = std::make_unique<RpcServer>(server_, raft_, tls_, limits);
  rpc_->add_listener(std::move(listener));
}

void Cluster::set_tls(RpcTls tls) {
  tls_ = std::move(tls);
  pool_.set_tls(tls_.outgoing, tls_.verify_server_hostname);
  raft_.set_tls(tls_.outgoing, tls_.verify_server_hostname);
  if (rpc_) rpc_->set_tls(tls_);
}

}  // namespace drover::server
