// Ways to node agents: the connections on which nodes called this server, and the agent of this very process (reference
// server-core 5.8). On the loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "base/time.h"
#include "net/rpc_listener.h"

namespace drover::server {

// One way to one node.
class NodeLink {
 public:
  virtual ~NodeLink() = default;
  // A call and its encoded answer.
  virtual Async<Result<std::string>> call(std::string method, std::string body) = 0;
  // A streaming RPC, its method taken.
  virtual Async<Result<std::unique_ptr<net::Stream>>> open(std::string method) = 0;
};
using NodeLinkRef = std::shared_ptr<NodeLink>;

class NodeConns {
 public:
  // A node has called on this connection. A connection keeps the first node that it was seen with.
  void note(const std::shared_ptr<net::RpcConnection>& connection, std::string_view node_id, Time now);
  // The node agent in this process; null removes it.
  void set_local(std::string node_id, NodeLinkRef link, Time now);

  // The newest way to the node; null when there is none here.
  NodeLinkRef find(std::string_view node_id) const;
  std::optional<Time> established(std::string_view node_id) const;
  size_t size() const { return nodes_.size(); }

 private:
  class Remote;
  struct Entry {
    NodeLinkRef link;
    const net::RpcConnection* connection = nullptr;  // null: in this process
    Time established;
  };
  // Hangs on the connection; its end takes the entry out.
  struct Noted {
    std::weak_ptr<NodeConns*> owner;
    std::string node_id;
    const net::RpcConnection* connection;
    ~Noted();
  };

  std::map<std::string, std::vector<Entry>, std::less<>> nodes_;  // newest last
  std::shared_ptr<NodeConns*> self_ = std::make_shared<NodeConns*>(this);
};

}  // namespace drover::server
