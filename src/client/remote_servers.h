// RemoteServers: the servers over the RPC wire, with the reference's choice of server, failover and retry (reference
// client, section 4). Servers call this node back on the connections that it makes. On the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/server_api.h"
#include "client/server_list.h"
#include "net/rpc_pool.h"

namespace drover::client {

class RemoteServers final : public ServerApi {
 public:
  struct Options {
    std::string region = "global";
    Duration hold = 5s;  // how long a call is tried again while there is no leader
    // A server that is silent for so long on a plain call is left for another one; each next one of a call gets twice as long.
    // Well below the grace of a heartbeat, so that a server that hangs costs no node its work.
    Duration attempt = 4s;
    net::RpcPoolOptions pool;
  };
  RemoteServers(World& world, net::Network& network, Options options);
  ~RemoteServers() override;

  // Addresses as configured; names are resolved when they are dialled.
  Status set_addresses(const std::vector<std::string>& addresses);
  std::vector<std::string> addresses() const;
  void set_servers(const List<NodeServerInfo>& servers, int num_nodes) override;

  Async<Status> call_method(std::string_view method, const TypeInfo& request_type, const void* request,
                            const TypeInfo& response_type, void* response);
  // A streaming RPC of one of the servers.
  Async<Result<std::unique_ptr<net::Stream>>> open_streaming(std::string method);
  // "Status.Ping": whether a server answers there.
  Async<Status> ping(net::Address address);
  // Ends what servers have asked of this node and takes no more.
  void stop_inbound() { pool_.stop_inbound(); }
  void set_tls(net::TlsContextRef tls, bool verify_server_name) { pool_.set_tls(std::move(tls), verify_server_name); }

 protected:
  Async<Status> invoke(std::string_view method, const TypeInfo& request_type, const void* request,
                       const TypeInfo& response_type, void* response) override {
    return call_method(method, request_type, request, response_type, response);
  }

 private:
  Async<void> rebalance_flow();

  World& world_;
  Options options_;
  net::RpcPool pool_;
  ServerList list_;
  int num_nodes_ = 0;
  Running rebalancing_;
};

}  // namespace drover::client
