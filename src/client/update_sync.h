// What of the allocations' states goes to the servers, and when: prioritized client updates (reference server-core 11.6),
// with a leading edge. Pure; the shell sleeps until next_due() and sends what take() gives.
//
// An update is urgent when its ClientStatus differs from what the servers have (what they acknowledged last; pending, as
// they placed it, before that), typical when anything else does, and dropped when nothing differs. Urgent ones leave at
// once, but at most one batch in an interval that grows with the cluster, to 200 ms; typical ones wait for company, at
// most one batch a second, and ride along with urgent ones.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "model/alloc.h"

namespace drover::client {

enum class UpdatePriority : unsigned char { kNone, kTypical, kUrgent };
// `acknowledged` null: never.
UpdatePriority update_priority(const Allocation& update, const Allocation* acknowledged);

// The part of an allocation that the client owns and the servers are told.
Allocation stripped_update(const Allocation& alloc);

class UpdateSync {
 public:
  // The last state that the servers took; null when none. Called for pending updates only.
  using Acknowledged = std::function<const Allocation*(const Uuid&)>;

  static constexpr Duration kUrgentInterval = std::chrono::milliseconds(200);      // in a cluster of 1,000 nodes or more
  static constexpr Duration kUrgentPerNode = std::chrono::microseconds(200);
  static constexpr Duration kUrgentLeast = std::chrono::milliseconds(5);
  static constexpr Duration kTypicalInterval = std::chrono::seconds(1);
  static constexpr Duration kRetry = std::chrono::seconds(5);      // and as much again at random
  static constexpr Duration kDevRetry = std::chrono::seconds(1);

  explicit UpdateSync(bool dev_mode) : dev_mode_(dev_mode) {}

  // Nothing leaves before the first allocations came from the servers.
  void contacted() { contacted_ = true; }
  // How many nodes share the servers.
  void set_cluster_size(int64_t nodes);
  // The newest state of an allocation replaces an older one that still waits. `patient`: the servers asked for this end
  // and wait for no news, so it may wait for company even when urgent: stops come many at a time.
  void put(Allocation update, Monotonic now, bool patient = false);
  // When the next batch is due; nullopt: nothing to send, or one is on its way. Drops updates without news.
  std::optional<Monotonic> next_due(const Acknowledged& acknowledged);
  // The batch; done() must follow.
  std::vector<Allocation> take(Monotonic now);
  // Whether the servers took the batch. If not, it waits again, except where newer states came in. `random`: any number.
  void done(bool ok, Monotonic now, uint64_t random);

  size_t pending() const { return pending_.size(); }

 private:
  struct Pending {
    Allocation update;
    Monotonic since;
    bool patient = false;
  };
  bool dev_mode_;
  Duration urgent_interval_ = kUrgentInterval;
  bool contacted_ = false;
  bool in_flight_ = false;
  std::map<Uuid, Pending> pending_;
  std::map<Uuid, Pending> sent_;
  std::optional<Monotonic> last_sent_;
  std::optional<Monotonic> retry_at_;
};

}  // namespace drover::client
