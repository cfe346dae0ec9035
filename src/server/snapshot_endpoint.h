// Operator.SnapshotSave and Operator.SnapshotRestore: streaming RPCs that carry snapshot archives (messages:
// model/snapshot_rpc.h). The leader answers, for `stale` saves any server.
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "net/stream.h"

namespace drover::server {

class Server;

Async<void> serve_snapshot_save(Server& server, std::unique_ptr<net::Stream> stream, std::string unread);
Async<void> serve_snapshot_restore(Server& server, std::unique_ptr<net::Stream> stream, std::string unread);

}  // namespace drover::server
