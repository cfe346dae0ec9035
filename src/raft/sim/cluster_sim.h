// A cluster of real replicas in one process on virtual time: false network (loss, duplication, delay, partitions), false
// disks (slow, power cuts, torn writes), clients that propose and read, membership changes, transfers, snapshots. An
// oracle checks safety with every applied entry and answered request, and progress after everything is healed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/sim_loop.h"
#include "raft/mem_disk.h"
#include "raft/replica.h"

namespace drover::raft {

struct ClusterSimOptions {
  uint64_t seed = 1;
  Duration chaos = std::chrono::seconds(20);
  Duration healed = std::chrono::seconds(10);
  bool membership = true;
  bool lying_disk = false;  // sabotage: sync() does nothing, so acknowledged entries can vanish
  bool trace = false;
};

struct ClusterSimResult {
  std::vector<std::string> violations;  // empty: safe, and live after healing
  uint64_t commits = 0, elections = 0, crashes = 0, installs = 0, snapshots = 0, reads = 0, changes = 0, transfers = 0, messages = 0;
};

ClusterSimResult run_cluster_sim(const ClusterSimOptions& options);

}  // namespace drover::raft
