#include "server/cluster.h"

#include "server/membership.h"
#include "server/server.h"

namespace drover::server {
namespace {

net::RpcPoolOptions pool_options(const RpcTls& tls) {
  net::RpcPoolOptions o;
  o.tls = tls.outgoing;
  o.verify_server_name = tls.verify_server_hostname;
  return o;
}

RaftTransportOptions raft_options(Server& server, const RpcTls& tls) {
  RaftTransportOptions o;
  o.seen_at = [&server](uint64_t peer) -> std::string {
    if (!server.membership()) return {};
    for (auto& s : server.membership()->peers().in_region(server.config().region))
      if (raft::peer_id(s.id) == peer) return s.address;
    return {};
  };
  o.tls = tls.outgoing;
  o.verify_server_name = tls.verify_server_hostname;
  o.region = server.config().region;
  return o;
}

}  // namespace

Cluster::Cluster(Server& server, net::Network& network, RpcTls tls)
    : server_(server),
      tls_(std::move(tls)),
      pool_(server.world(), network, pool_options(tls_)),
      raft_(server.world(), network, server.node_id(), raft_options(server, tls_)),
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
