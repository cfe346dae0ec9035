// What one allocation of a group asks of a node, and what a node would give it.
#pragma once

#include <string>
#include <vector>

#include "model/fit.h"
#include "scheduler/context.h"

namespace drover::scheduler {

// Extracted once per group.
struct Ask {
  const TaskGroup* group = nullptr;
  const NetworkResource* network = nullptr;         // Networks[0]
  std::vector<const RequestedDevice*> devices;      // of all tasks
  double device_affinity_weight = 0;                // sum of |weight| over all device affinities
  bool cores = false;
  bool task_networks = false;
  bool oversubscription = false;
  Usage usage;                                      // exact when no cores are asked for
  // Same on every node: no network, device or core. Then all allocations share one object.
  Ref<AllocatedResources> uniform;

  static Ask make(const TaskGroup& group, bool oversubscription);
};

// Group and task resources as every node would give them: without networks, devices and cores.
AllocatedResources base_resources(const Ask& ask);

// What a row would give; `failure` empty when it would.
struct Grant {
  std::string failure;      // "cpu", "network: reserved port collision http=80", ...
  bool silent = false;      // failed, but not to be counted (an unresolvable host_network)
  Usage used;               // of the node with the new allocation, for scoring
  double device_weight = 0; // matched device affinities
  AllocatedResources resources;
};

// Tries the ask on a row as it is under the plan. With `fill` the grant carries the resources; without, networks and
// devices are only checked.
Grant try_row(Context& context, const Ask& ask, uint32_t row, const NodeUse& use, const NodePorts& ports, bool fill);

// The network ask with its host_network templates resolved on a node; nullopt when one cannot be.
std::optional<NetworkResource> resolve_network(const NetworkResource& ask, const Node& node);

// The older form of task and shared resources that an allocation also carries.
Map<Resources> legacy_task_resources(const AllocatedResources& resources);

}  // namespace drover::scheduler
