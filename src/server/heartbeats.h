// Heartbeats: when each node must be heard again (reference server-core 11.1). A pure core on the leader's loop.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "base/world.h"

namespace drover::server {

struct HeartbeatOptions {
  Duration min_ttl = 10s;
  double max_per_second = 50;
  Duration grace = 10s;
  Duration failover_ttl = 300s;
};

class Heartbeats {
 public:
  Heartbeats(Random& random, HeartbeatOptions options) : random_(random), options_(options) {}

  // Hears from a node. Returns the TTL that the node is told: it grows with the number of nodes, so that the rate of
  // heartbeats stays below max_per_second, and is drawn up to twice as long, so that they spread out.
  Duration reset(const Uuid& node, Monotonic now);
  // After an election: the node may take its time to find the new leader.
  void give_failover_ttl(const Uuid& node, Monotonic now);
  void forget(const Uuid& node);
  void clear();

  // To be called often, and before take_expired(): the leader is awake. Where it was not for two seconds or more (its machine was
  // suspended, its process stopped), no node could be heard: all have as much longer. Returns for how long it was not; else 0.
  Duration awake(Monotonic now);
  // The nodes whose time is up; they are forgotten here.
  std::vector<Uuid> take_expired(Monotonic now);
  std::optional<Monotonic> next_deadline() const;
  size_t size() const { return deadlines_.size(); }

 private:
  void set(const Uuid& node, Monotonic at);

  Random& random_;
  HeartbeatOptions options_;
  std::unordered_map<Uuid, Monotonic> deadlines_;
  std::multimap<Monotonic, Uuid> order_;
  std::optional<Monotonic> awake_;  // when it was last
};

}  // namespace drover::server
