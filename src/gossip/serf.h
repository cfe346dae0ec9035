// Serf: this server's place in the gossip pool. The shell around SerfCore: sockets, timers, the snapshot and keyring
// files.
//
//   auto serf = Serf::create(world, network, std::move(config));   // binds, and knows itself
//   auto joined = co_await (*serf)->join({"10.0.0.1", "10.0.0.2:4648"});
//   for (auto& m : (*serf)->members()) ...
//   co_await (*serf)->leave();
//
// All on the loop. Destroying it is what a crash is to the others: they find the member failed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "gossip/types.h"

namespace drover::net {
class Network;
}

namespace drover::gossip {

class SerfCore;

class Serf {
 public:
  // Error texts are the reference's ("Failed to create memberlist: ...").
  static Result<std::unique_ptr<Serf>> create(World& world, net::Network& network, Config config);
  ~Serf();
  Serf(const Serf&) = delete;

  struct Joined {
    int64_t count = 0;                     // addresses that took part
    std::vector<std::string> errors;       // "Failed to join 10.0.0.1:4648: dial tcp ...", one an address; empty when count > 0
  };
  // "host", "host:port", "[v6]:port", or those with "node/" in front. Names are resolved; the default port is the bound one.
  Async<Joined> join(std::vector<std::string> addresses);
  // Tells the pool and waits until that has spread (seconds). Not to be called twice at a time.
  Async<Status> leave();
  // Makes a failed member left ("timed out broadcasting node removal"); `prune` forgets it at once. An unknown name is no error.
  Async<Status> force_leave(std::string node, bool prune);
  Async<Status> set_tags(Map<std::string> tags);
  Status user_event(const std::string& name, const std::string& payload, bool coalesce = true);
  // Asks every member; ends when all have answered or the query's time is up. `key` is base64, "" for kList.
  Async<KeyResponse> keys(KeyOp op, std::string key, uint8_t relay_factor = 0);

  std::vector<Member> members() const;     // by name, this one included
  Member self() const;
  bool encrypted() const;
  Map<std::string> stats() const;          // the "serf" group of the agent's stats
  uint16_t port() const;                   // bound
  // "alive", "leaving", "left", "shutdown".
  std::string_view state() const;

 private:
  class Impl;
  explicit Serf(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::gossip
