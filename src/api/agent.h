// What the HTTP routes are served from: the agent's parts. Implemented by the agent; the api part knows no other way to
// them. References stay valid while requests are served.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/world.h"
#include "codec/type_info.h"
#include "model/client_stats.h"
#include "model/requests.h"

namespace drover::client {
class Client;
}
namespace drover::net {
class Stream;
}
namespace drover::server {
class Server;
}

namespace drover {
class AgentSelf;
}

namespace drover::api {

class Agent {
 public:
  virtual ~Agent() = default;

  virtual World& world() = 0;
  virtual server::Server* server() = 0;   // null on a client-only agent
  virtual client::Client* client() = 0;   // null on a server-only agent
  virtual const std::string& region() const = 0;
  virtual const std::string& node_name() const = 0;

  // A remote procedure: in process where this agent is a server, else by way of its servers ("no servers").
  virtual Async<Status> rpc(std::string_view method, const TypeInfo& request_type, const void* request,
                            const TypeInfo& response_type, void* response) = 0;
  // A streaming RPC, its method taken: the request is to be written next.
  virtual Async<Result<std::unique_ptr<net::Stream>>> stream(std::string method) = 0;

  // The "config" and "stats" of /v1/agent/self; "config" is encoded already.
  virtual std::string config_json() const = 0;
  virtual Map<Map<std::string>> stats() const = 0;
  virtual Map<std::string> response_headers() const = 0;  // http_api_response_headers
  virtual bool debug_enabled() const = 0;                 // enable_debug
  virtual std::vector<std::string> known_servers() const = 0;
  // Replaces the servers that a client asks, once each of them has answered.
  virtual Async<Status> set_known_servers(std::vector<std::string> servers) = 0;
  // Joins the gossip of other servers: how many of the addresses answered, and what went wrong with the rest.
  struct Joined {
    int64_t count = 0;
    std::string error;
  };
  virtual Async<Joined> join(std::vector<std::string> addresses) = 0;
  virtual HostData host_data() const = 0;
  virtual AgentSelf& self() = 0;  // what others are told of this agent
  virtual bool ui_enabled() const = 0;
  virtual bool prometheus_enabled() const = 0;            // telemetry.prometheus_metrics
};

}  // namespace drover::api
