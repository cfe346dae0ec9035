// Scenario: what one seed draws: how large the region is, how bad its network and disks are, which faults come how often.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "sim/dice.h"
#include "net/memory_network.h"

namespace drover::sim {

// Faults of the code that the simulator must notice: tests of the checks.
enum class Plant : unsigned char {
  kNone,
  kAckEarly,        // a server answers a write before it is committed
  kStaleRead,       // a consistent read is answered by whichever server is asked
  kLyingDisk,       // sync() of the log does nothing
  kRunStopped,      // a node does not hear that it is to stop a task
  kStopHealthy,     // a node stops a task that is to run
  kRunTwice,        // a machine starts a second copy of a task
  kStopForNothing,  // the log stops an allocation, with a reason that does not hold
  kOtherState,      // a server applies something else
  kNoMajority,      // two servers stop where only one may suffer
  kLaunchTwice,     // a periodic job's launch comes again
  kDeafNode,        // a node is cut off where only servers may suffer
  kOverbook,        // an allocation is placed where there is no room for it
};

struct Options {
  uint64_t seed = 1;
  Duration chaos = std::chrono::seconds(150);   // with faults
  Duration patience = std::chrono::minutes(12);  // until all is well after they ended
  Plant plant = Plant::kNone;
  bool log = false;  // prints what happens
};

struct Scenario {
  int servers = 3;  // that begin the region
  int spare_servers = 1;  // that may be added
  int nodes = 3;
  net::LinkQuality network;
  Duration disk_delay_min{}, disk_delay_max{};
  double clock_drift = 0;  // at most this part, either way
  Duration fault_pause_min{}, fault_pause_max{};
  uint64_t snapshot_threshold = 0, trailing_logs = 0;
  uint64_t segment = 0;         // of the log, bytes; a large one has room ahead of its end
  uint64_t snapshot_chunk = 0;  // bytes
  bool membership = false;
  // Faults strike one server at a time and no node: then no node may be given up and no work be touched.
  bool gentle = false;

  static Scenario draw(Dice& dice, Plant plant);
};

}  // namespace drover::sim
