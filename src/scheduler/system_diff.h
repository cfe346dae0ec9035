// What has to change so that a system or sysbatch job runs on every fitting node. Rules: reference scheduler 3.3.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "scheduler/reconcile.h"

namespace drover::scheduler {

struct SystemPlacement {
  std::string name;
  const TaskGroup* group = nullptr;
  Uuid node;
  Ref<Allocation> previous;  // the terminal allocation of that name on that node, if any
};

struct SystemChange {
  std::string name;
  const TaskGroup* group = nullptr;  // null when the job no longer has it
  Ref<Allocation> alloc;
};

struct SystemDiff {
  std::vector<SystemPlacement> place;
  std::vector<SystemChange> update, migrate, stop, ignore, lost, disconnecting, reconnecting;
};

struct SystemDiffInput {
  const Job* job = nullptr;
  bool stopped = false;
  std::unordered_set<Uuid> eligible;   // ready nodes in the job's datacenters
  std::unordered_set<Uuid> not_ready;  // nodes that exist but take no new work
  std::vector<Uuid> nodes;             // eligible ones in the order in which placements are to be made
  TaintedNodes tainted;
  Allocs live;
  Allocs terminal;
  bool supports_disconnected_clients = true;
  Time now;
};

SystemDiff diff_system(const SystemDiffInput& input);

}  // namespace drover::scheduler
