// Which client node a request is about, and whether this agent is it (reference http-api section 12.3).
#pragma once

#include <string>

#include "api/call.h"
#include "client/client.h"

namespace drover::api {

// The local client, when it has the allocation. Errors: the lookup texts of a malformed or unknown id
// (`Unknown allocation "<id>"`, kNotFound), "No path to node" (kNotFound) for an allocation of another node.
Async<Result<client::Client*>> client_of_alloc(Call& call, std::string alloc_id);

// The local client for an empty node id or its own; else the lookup's errors. `unknown_code` is the status of a node that
// does not exist.
Async<Result<client::Client*>> client_of_node(Call& call, std::string node_id, ErrorCode unknown_code);

}  // namespace drover::api
