// What the first leader of a cluster writes, once (reference server-core 4.7): autopilot configuration, scheduler
// configuration, cluster id.
#pragma once

#include "base/async.h"
#include "base/result.h"

namespace drover::server {
class Server;
Async<Status> write_first_objects(Server& server);
}  // namespace drover::server
