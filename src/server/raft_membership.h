// RaftMembership: the leader keeps the log's configuration in step with the servers that gossip knows (reference
// server-core 4.5): those that come are added without a vote, those that left are taken out. Failed ones are autopilot's.
// Lives with the leader, on the loop.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "base/async.h"
#include "server/membership.h"

namespace drover::server {

class Server;

class RaftMembership {
 public:
  explicit RaftMembership(Server& server);
  ~RaftMembership();
  // A change that gossip told of. More than it can hold are left to the next look at all members.
  void changed(const ServerParts& member, gossip::MemberStatus status);

 private:
  Async<void> run();
  Async<void> look(bool all);
  bool disagrees(const ServerParts& member, gossip::MemberStatus status) const;
  Async<void> settle(ServerParts member, gossip::MemberStatus status);
  Async<void> add(ServerParts member);
  // Whether the server may be taken in; those that may not are told of once.
  Async<bool> is_kin(ServerParts member);
  void tell(const ServerParts& member, std::string_view what, const std::string& reason);
  void ask_again(const ServerParts& member);
  Async<void> remove(ServerParts member);

  Server& server_;
  struct Change {
    ServerParts member;
    gossip::MemberStatus status;
  };
  std::deque<Change> queue_;
  Promise<bool> news_;
  // A server that is not taken in, or not yet.
  struct Outside {
    std::string told;     // why, as the log has it
    bool silent = false;  // it did not answer when it was last asked
    Duration wait{};      // before it is tried again
    Timer again;
  };
  std::map<std::string, Outside> outside_;  // by id
  Running running_;
};

}  // namespace drover::server
