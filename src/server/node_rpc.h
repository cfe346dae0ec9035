// Calls to node agents from any server: over the node's own connection, or by way of the server that has it (reference
// server-core 5.8).
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "base/result.h"
#include "codec/type_info.h"
#include "net/stream.h"

namespace drover::server {

class Server;

// The names of a procedure on servers and on nodes.
struct NodeRoute {
  std::string_view on_server, on_client;
};
// A procedure of a node; `request` and `response` outlive the call.
Async<Status> call_node(Server& server, std::string node_id, NodeRoute route, const TypeInfo& request_type, const void* request,
                        const TypeInfo& response_type, void* response);
// A streaming RPC of a node. Errors: `Unknown node <id>`, "No path to node".
Async<Result<std::unique_ptr<net::Stream>>> open_to_node(Server& server, std::string node_id, std::string method);
// The same streaming RPC of some server of another region.
Async<Result<std::unique_ptr<net::Stream>>> open_in_region(Server& server, std::string region, std::string method);

}  // namespace drover::server
