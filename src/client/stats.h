// Resource usage of the machine (reference client, section 21).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "client/config.h"
#include "client/host_source.h"
#include "drivers/driver.h"
#include "model/client_stats.h"

namespace drover::client {

// CPU percentages are over the time since the previous sample; asking again within a second gives the same answer.
class HostStatsSampler {
 public:
  // Takes the first sample.
  HostStatsSampler(HostSource& host, std::string alloc_dir, int64_t total_compute_mhz, Monotonic now);
  Result<HostStats> sample(Time wall, Monotonic now);

 private:
  struct CpuTimes {
    double user = 0, system = 0, idle = 0, total = 0;  // ticks since boot
  };
  std::map<std::string, CpuTimes> read_cpu();

  HostSource& host_;
  std::string alloc_dir_;
  int64_t total_compute_mhz_;
  std::map<std::string, CpuTimes> last_cpu_;
  Monotonic last_at_;
  std::optional<HostStats> cached_;
};

// A driver's figures in the shape of the API.
TaskResourceUsage to_api(const drivers::TaskResourceUsage& usage);
// Adds one task's usage to the sum of its allocation.
void add_usage(ResourceUsage& sum, const ResourceUsage& more);

}  // namespace drover::client
