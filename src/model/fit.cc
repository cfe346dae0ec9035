#include "model/fit.h"

#include <algorithm>
#include <cmath>

#include "model/devices.h"
#include "model/status.h"

namespace drover {
namespace {

Usage max_of(const Usage& a, const Usage& b) {
  return {std::max(a.CpuShares, b.CpuShares), std::max(a.MemoryMB, b.MemoryMB),
          std::max(a.MemoryMaxMB, b.MemoryMaxMB), std::max(a.DiskMB, b.DiskMB)};
}

Usage usage_of(const AllocatedTaskResources& r) {
  return {r.Cpu.CpuShares, r.Memory.MemoryMB, r.Memory.MemoryMaxMB > 0 ? r.Memory.MemoryMaxMB : r.Memory.MemoryMB, 0};
}

Usage usage_of(const Resources& r) {
  return {r.CPU, r.MemoryMB, r.MemoryMaxMB > 0 ? r.MemoryMaxMB : r.MemoryMB, r.DiskMB};
}

void add_cores(std::vector<uint16_t>& to, std::span<const uint16_t> from) {
  to.insert(to.end(), from.begin(), from.end());
  std::sort(to.begin(), to.end());
  to.erase(std::unique(to.begin(), to.end()), to.end());
}

enum Phase { kMain, kPrestart, kSidecar, kPoststop, kNotCounted };

// Poststart tasks cost nothing here: the reference counts only what runs before or after the main tasks, and plans
// of both must fit the same nodes.
Phase phase_of(const TaskLifecycleConfig* lifecycle) {
  if (!lifecycle || lifecycle->Hook.empty()) return kMain;
  if (lifecycle->Hook == "prestart") return lifecycle->Sidecar ? kSidecar : kPrestart;
  if (lifecycle->Hook == "poststop") return kPoststop;
  return kNotCounted;
}

}  // namespace

Comparable comparable(const AllocatedResources& resources) {
  Comparable phases[5];
  for (auto& [name, task] : resources.Tasks) {
    auto* lifecycle = resources.TaskLifecycles.find(name);
    auto& phase = phases[phase_of(lifecycle ? lifecycle->get() : nullptr)];
    phase.usage += usage_of(task);
    if (!task.Cpu.ReservedCores.empty())
      add_cores(phase.cores, {task.Cpu.ReservedCores.begin(), task.Cpu.ReservedCores.size()});
  }
  Comparable total;
  total.usage = max_of(max_of(phases[kPrestart].usage, phases[kMain].usage), phases[kPoststop].usage);
  total.usage += phases[kSidecar].usage;
  for (auto p : {kPrestart, kMain, kPoststop})
    if (phases[p].cores.size() > total.cores.size()) total.cores = phases[p].cores;
  if (!phases[kSidecar].cores.empty()) add_cores(total.cores, phases[kSidecar].cores);
  total.usage.DiskMB = resources.Shared.DiskMB;
  return total;
}

Comparable comparable(const Allocation& alloc) {
  if (alloc.AllocatedResources) return comparable(*alloc.AllocatedResources);
  Comparable total;
  if (alloc.Resources) {
    total.usage = usage_of(*alloc.Resources);
  } else {
    for (auto& [name, r] : alloc.TaskResources) total.usage += usage_of(r);
    total.usage.DiskMB = alloc.SharedResources ? alloc.SharedResources->DiskMB : 0;
  }
  return total;
}

NodeCapacity node_capacity(const Node& node) {
  NodeCapacity has;
  if (auto* r = node.NodeResources.get()) {
    has = {r->Cpu.CpuShares, r->Memory.MemoryMB, r->Disk.DiskMB, {}, r->Cpu.CpuShares, r->Cpu.TotalCpuCores};
    has.cores.assign(r->Cpu.ReservableCpuCores.begin(), r->Cpu.ReservableCpuCores.end());
    std::sort(has.cores.begin(), has.cores.end());
  } else if (auto* old = node.Resources.get()) {
    has = {old->CPU, old->MemoryMB, old->DiskMB, {}, old->CPU, 0};
  }
  if (auto* r = node.ReservedResources.get()) {
    has.CpuShares -= r->Cpu.CpuShares;
    has.MemoryMB -= r->Memory.MemoryMB;
    has.DiskMB -= r->Disk.DiskMB;
    std::erase_if(has.cores, [&](uint16_t c) { return r->Cpu.ReservedCpuCores.contains(c); });
  } else if (auto* old = node.Reserved.get(); old && !node.NodeResources) {
    has.CpuShares -= old->CPU;
    has.MemoryMB -= old->MemoryMB;
    has.DiskMB -= old->DiskMB;
  }
  return has;
}

std::string_view exhausted_dimension(const NodeCapacity& has, const Usage& used, std::span<const uint16_t> cores) {
  if (used.CpuShares > has.CpuShares) return "cpu";
  if (!has.cores.empty() && !std::includes(has.cores.begin(), has.cores.end(), cores.begin(), cores.end()))
    return "cores";
  if (used.MemoryMB > has.MemoryMB) return "memory";
  if (used.DiskMB > has.DiskMB) return "disk";
  return {};
}

Fit allocs_fit(const Node& node, std::span<const Ref<Allocation>> allocs, const NetworkIndex* index,
               bool check_devices) {
  Fit fit;
  bool core_twice = false;
  for (auto& a : allocs) {
    if (is_client_terminal(*a)) continue;
    auto one = comparable(*a);
    fit.used.usage += one.usage;
    for (auto c : one.cores)
      core_twice = core_twice || std::binary_search(fit.used.cores.begin(), fit.used.cores.end(), c);
    if (!one.cores.empty()) add_cores(fit.used.cores, one.cores);
  }
  if (core_twice) return fit.dimension = "cores", fit;
  fit.dimension = exhausted_dimension(node_capacity(node), fit.used.usage, fit.used.cores);
  if (!fit.dimension.empty()) return fit;
  // Nearly all nodes have nothing on them that uses ports: then only the node itself can be wrong.
  if (!index && std::none_of(allocs.begin(), allocs.end(), [](auto& a) { return holds_ports(*a); })) {
    if (auto ok = NetworkIndex::check_node(node); !ok)
      return fit.dimension = "reserved node port collision: " + ok.error().message, fit;
  } else if (!index) {
    NetworkIndex own;
    if (auto ok = own.set_node(node); !ok)
      return fit.dimension = "reserved node port collision: " + ok.error().message, fit;
    if (auto why = own.add_allocs(allocs); !why.empty())
      return fit.dimension = "reserved alloc port collision: " + why, fit;
  }
  if (check_devices) {
    DeviceAccounter devices(node);
    bool twice = false;
    for (auto& a : allocs) twice = devices.add_alloc(*a) || twice;
    if (twice) return fit.dimension = "device oversubscribed", fit;
  }
  fit.fits = true;
  return fit;
}

namespace {

// 10^(free share of cpu) + 10^(free share of memory): 2 when full, 20 when empty.
double free_total(const NodeCapacity& has, const Usage& used) {
  auto free = [](int64_t used, int64_t has) {
    return has > 0 ? 1 - static_cast<double>(used) / static_cast<double>(has) : 0.0;
  };
  return std::pow(10.0, free(used.CpuShares, has.CpuShares)) + std::pow(10.0, free(used.MemoryMB, has.MemoryMB));
}

}  // namespace

double score_fit_binpack(const NodeCapacity& has, const Usage& used) {
  return std::clamp(20.0 - free_total(has, used), 0.0, kMaxFitScore);
}

double score_fit_spread(const NodeCapacity& has, const Usage& used) {
  return std::clamp(free_total(has, used) - 2.0, 0.0, kMaxFitScore);
}

}  // namespace drover
