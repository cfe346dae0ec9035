// From the counters of a task's processes to what is reported about it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "drivers/task_spec.h"
#include "shim/protocol.h"

namespace drover::drivers {

struct ComputeCapacity {
  double total_mhz = 0;
  int cores = 1;
};

// Keeps the last sample, because percentages are differences: of CPU time over wall time, times 100, so that one busy
// core is 100. The first sample shows none. TotalTicks is that share in MHz of one core.
class UsageMeter {
 public:
  TaskResourceUsage measure(const shim::UsageReply& sums, const std::vector<shim::ProcessEntry>& processes, Time now,
                            const ComputeCapacity& capacity);

 private:
  struct Counters {
    uint64_t user_ns = 0, system_ns = 0;
  };
  uint64_t last_ns_ = 0;
  std::map<int32_t, Counters> last_;
};

}  // namespace drover::drivers
