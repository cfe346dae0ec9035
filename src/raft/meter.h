// What is measured of a replicated log, under the names that dashboards know (reference metrics section 16.1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "raft/engine/drover_raft.h"

namespace drover::raft {

struct Configuration;

// One a driver, on its loop. Round trips are measured one at a time for each peer: appends overlap.
class Meter {
 public:
  // A message of the engine's leaves for, or has come from, the peer of this id.
  void sent(const std::string& peer, const dr_msg& m, Monotonic now);
  void heard(const std::string& peer, const dr_msg& m, Monotonic now);
  // How long handling a message of another server took.
  static void handled(const dr_msg& m, Duration took);
  void role(uint32_t was, uint32_t is, bool same_term);
  // Of a leader, each tick: how long ago each other voter was heard.
  void contacts(const Configuration& conf, uint64_t self, Monotonic now);
  // Entries of a write that has become durable.
  static void stored(bool leads, size_t entries, Duration took);

 private:
  struct Peer {
    std::optional<std::pair<uint64_t, Monotonic>> append;  // the last index of one under way
    std::optional<Monotonic> heartbeat;
    Monotonic heard{};
  };
  std::map<std::string, Peer> peers_;
  Monotonic next_contacts_{};
};

}  // namespace drover::raft
