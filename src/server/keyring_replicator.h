// KeyringReplicator: the log tells every server which root keys there are; their secret bytes come from the leader, or from
// whichever server has them (reference security section 8.4). On every server, on the loop.
#pragma once

#include <string>

#include "base/async.h"
#include "model/config_records.h"

namespace drover::server {

class Server;

class KeyringReplicator {
 public:
  explicit KeyringReplicator(Server& server);
  // A key may have come to the state.
  void look();

 private:
  Async<void> run();
  Async<bool> fetch(RootKeyMeta meta);

  Server& server_;
  Promise<bool> news_;
  Running running_;
};

}  // namespace drover::server
