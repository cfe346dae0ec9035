// Timing of registration, heartbeats and the groups that stop themselves when the servers stay away: pure
// (reference client, sections 5 and 8).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace drover::client {

// base + a random part of base; exactly 1 s in dev mode.
Duration retry_interval(Duration base, bool dev_mode, uint64_t random);

inline constexpr Duration kRegisterRetry = std::chrono::seconds(15);
inline constexpr Duration kAllocRetry = std::chrono::seconds(30);
inline constexpr Duration kNoServersRetry = std::chrono::seconds(1);
inline constexpr Duration kNodeUpdateDelay = std::chrono::seconds(5);

// When to try again after a failed heartbeat. `since` is how long ago the last good one was (nullopt: never).
Duration heartbeat_retry(std::optional<Duration> since, Duration ttl, bool no_leader, bool dev_mode, uint64_t random);

// Allocations whose group has stop_after_client_disconnect. The clock of the last good contact begins with the agent.
class DisconnectStop {
 public:
  explicit DisconnectStop(Monotonic now) : last_contact_(now) {}
  void contact(Monotonic now) { last_contact_ = now; }
  void watch(const Uuid& alloc, Duration interval) { intervals_[alloc] = interval; }
  void forget(const Uuid& alloc) { intervals_.erase(alloc); }
  bool expired(Duration interval, Monotonic now) const { return now > last_contact_ + interval; }
  std::vector<Uuid> due(Monotonic now) const;
  // Until the next look; nullopt when nothing is watched.
  std::optional<Duration> poll_interval() const;

 private:
  Monotonic last_contact_;
  std::map<Uuid, Duration> intervals_;
};

}  // namespace drover::client
