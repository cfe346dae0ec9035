// Whether allocations fit a node: resource arithmetic shared by the scheduler, the plan applier and the client.
// Rules: reference scheduler 7.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/alloc.h"
#include "model/node.h"
#include "model/ports.h"

namespace drover {

// What counts in sums. CPU in shares (MHz), the rest in MB.
struct Usage {
  int64_t CpuShares = 0;
  int64_t MemoryMB = 0;
  int64_t MemoryMaxMB = 0;  // memory where no larger maximum is given
  int64_t DiskMB = 0;

  Usage& operator+=(const Usage& o) {
    CpuShares += o.CpuShares, MemoryMB += o.MemoryMB, MemoryMaxMB += o.MemoryMaxMB, DiskMB += o.DiskMB;
    return *this;
  }
  Usage& operator-=(const Usage& o) {
    CpuShares -= o.CpuShares, MemoryMB -= o.MemoryMB, MemoryMaxMB -= o.MemoryMaxMB, DiskMB -= o.DiskMB;
    return *this;
  }
  friend bool operator==(const Usage&, const Usage&) = default;
};

// One allocation, or several, as one vector. Cores are sorted.
struct Comparable {
  Usage usage;
  std::vector<uint16_t> cores;
};

// What a job's tasks ask for at the same time, by lifecycle: sidecars beside the largest of prestart, main, poststop.
Comparable comparable(const AllocatedResources& resources);
// Of an allocation of any age; older ones carry TaskResources or Resources only.
Comparable comparable(const Allocation& alloc);

// What a node has for allocations: its total less what is reserved for the system.
struct NodeCapacity {
  int64_t CpuShares = 0;
  int64_t MemoryMB = 0;
  int64_t DiskMB = 0;
  std::vector<uint16_t> cores;    // reservable ones, sorted
  int64_t total_shares = 0;       // with what is reserved: the share of one core is of this
  int64_t total_cores = 0;
};
NodeCapacity node_capacity(const Node& node);

// "cpu", "cores", "memory" or "disk": the first dimension in which `used` is more than the node has; "" when it fits.
std::string_view exhausted_dimension(const NodeCapacity& has, const Usage& used, std::span<const uint16_t> cores);

struct Fit {
  bool fits = false;
  std::string dimension;  // why not
  Comparable used;        // by those that the client is not done with
};
// Allocations whose client is done with them do not count. Without an index one is made, and port collisions count.
Fit allocs_fit(const Node& node, std::span<const Ref<Allocation>> allocs, const NetworkIndex* index,
               bool check_devices);

// 0 to 18; higher is better. `used` includes the new allocation.
double score_fit_binpack(const NodeCapacity& has, const Usage& used);
double score_fit_spread(const NodeCapacity& has, const Usage& used);
inline constexpr double kMaxFitScore = 18.0;

}  // namespace drover
