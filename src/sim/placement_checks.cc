#include "sim/placement_checks.h"

#include "model/status.h"

namespace drover::sim {

PlacementChecks::PlacementChecks(Oracle& oracle, Report report) : report_(std::move(report)) {
  oracle.listeners.push_back([this](const state::CommitInfo& commit) {
    for (auto& change : commit.changes) {
      // What came back from a silent node may be too much; it was not placed.
      if (change.table != state::TableId::allocs || change.before || !change.after) continue;
      auto alloc = change.after_as<Allocation>();
      if (!is_terminal(*alloc)) placed(commit, *alloc);
    }
  });
}

void PlacementChecks::placed(const state::CommitInfo& commit, const Allocation& alloc) const {
  auto node = commit.after.nodes().get(alloc.NodeID);
  if (!node) return report_(fmt::format("allocation {} is placed on a node that does not exist", alloc.ID.str()));
  int64_t cpu = 0, memory = 0;
  for (auto& a : commit.after.allocs().by_node(alloc.NodeID)) {
    if (is_terminal(*a) || !a->AllocatedResources) continue;
    for (auto& [name, task] : a->AllocatedResources->Tasks) {
      cpu += task.Cpu.CpuShares;
      memory += task.Memory.MemoryMB;
    }
  }
  auto has_cpu = node->NodeResources->Cpu.CpuShares, has_memory = node->NodeResources->Memory.MemoryMB;
  if (cpu > has_cpu || memory > has_memory)
    report_(fmt::format("node {} has more than it can hold (index {}): {} of {} MHz, {} of {} MiB", node->Name, commit.index, cpu, has_cpu, memory, has_memory));
}

}  // namespace drover::sim
