// Calls to node agents from any server: over the node's own connection, or by way of the server that has it (reference
// server-core 5.8).
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "base/result.h"
#include "net/stream.h"

namespace drover::server {

class Server;

// A streaming RPC of a node. Errors: `Unknown node <id>`, "No path to node".
Async<Result<std::unique_ptr<net::Stream>>> open_to_node(Server& server, std::string node_id, std::string method);
// The same streaming RPC of some server of another region.
Async<Result<std::unique_ptr<net::Stream>>> open_in_region(Server& server, std::string region, std::string method);

}  // namespace drover::server
