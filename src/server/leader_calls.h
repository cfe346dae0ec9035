// Calls of this server to the leader. One that waits for an answer when another server is known to lead ends at once: a host
// that died or stands still answers nobody, and its connections can stay up for long. On the loop.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/cancel.h"
#include "base/world.h"

namespace drover::server {

class LeaderCalls {
 public:
  explicit LeaderCalls(Loop& loop) : loop_(loop) {}
  LeaderCalls(const LeaderCalls&) = delete;

  // What `call`, to the server with this id, comes to; kIo `leadership lost while committing log` when another one leads
  // before that: whether a write was done is then unknown.
  Async<Status> run(std::string leader_id, Async<Status> call);
  // Another leader, or none (""), is known. Calls end on a later turn of the loop.
  void changed(std::string leader_id);

 private:
  struct Call {
    std::string to;
    CancellableAwait<Status>* await;
  };
  void end_stale();

  Loop& loop_;
  std::map<uint64_t, Call> calls_;
  uint64_t numbers_ = 0;
  std::string leader_;
  Timer ending_;
};

}  // namespace drover::server
