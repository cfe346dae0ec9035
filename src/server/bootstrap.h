// Bootstrap: waits until bootstrap_expect servers have found each other in gossip, then begins the cluster (reference
// server-core 3.1). Of the servers that are there the one with the lowest id does it, so that two views of the pool do not
// make two first configurations; the others are added by it. On the loop.
#pragma once

#include <string>
#include <vector>

#include "base/async.h"
#include "server/membership.h"

namespace drover::server {

class Server;

// What one look at the pool comes to.
struct BootstrapLook {
  enum Verdict : uint8_t {
    kWait,    // not enough servers, or another one begins
    kRefuse,  // the servers do not agree; `why`
    kAsk,     // this server begins, unless one of `servers` has peers already
  };
  Verdict verdict = kWait;
  std::string why;
  std::vector<ServerParts> servers;
};
BootstrapLook look_at_pool(const std::vector<ServerParts>& region, std::string_view own_id, int expect);

class Bootstrap {
 public:
  explicit Bootstrap(Server& server);
  // The pool has changed.
  void check();

 private:
  Async<void> run();
  // True: some server has peers, or cannot be asked.
  Async<bool> others_have_peers(std::vector<ServerParts> servers, bool& known);

  Server& server_;
  bool over_ = false;
  std::string told_;  // the last refusal in the log
  Timer again_;
  Running running_;
};

}  // namespace drover::server
