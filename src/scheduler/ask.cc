#include "scheduler/ask.h"

#include <algorithm>
#include <cmath>

#include "model/shown.h"

namespace drover::scheduler {

Ask Ask::make(const TaskGroup& group, bool oversubscription) {
  Ask ask;
  ask.group = &group;
  ask.oversubscription = oversubscription;
  if (!group.Networks.empty()) ask.network = &group.Networks[0];
  for (auto& task : group.Tasks) {
    if (!task.Resources) continue;
    ask.cores = ask.cores || task.Resources->Cores > 0;
    ask.task_networks = ask.task_networks || !task.Resources->Networks.empty();
    for (auto& d : task.Resources->Devices) {
      ask.devices.push_back(&d);
      for (auto& a : d.Affinities) ask.device_affinity_weight += std::abs(a.Weight);
    }
  }
  auto base = base_resources(ask);
  ask.usage = comparable(base).usage;
  if (!ask.network && ask.devices.empty() && !ask.cores && !ask.task_networks)
    ask.uniform = std::make_shared<const AllocatedResources>(std::move(base));
  return ask;
}

AllocatedResources base_resources(const Ask& ask) {
  AllocatedResources r;
  r.Tasks.vec();
  r.TaskLifecycles.vec();
  for (auto& task : ask.group->Tasks) {
    auto& given = r.Tasks[task.Name];
    if (auto* wanted = task.Resources.get()) {
      given.Cpu.CpuShares = wanted->CPU;
      given.Memory.MemoryMB = wanted->MemoryMB;
      if (ask.oversubscription) given.Memory.MemoryMaxMB = wanted->MemoryMaxMB;
    }
    r.TaskLifecycles[task.Name] = task.Lifecycle;
  }
  r.Shared.DiskMB = ask.group->EphemeralDisk ? ask.group->EphemeralDisk->SizeMB : 0;
  return r;
}

std::optional<NetworkResource> resolve_network(const NetworkResource& ask, const Node& node) {
  NetworkResource resolved = ask;
  for (auto* ports : {&resolved.ReservedPorts, &resolved.DynamicPorts})
    for (auto& port : *ports) {
      if (port.HostNetwork.find("${") == std::string::npos) continue;
      auto value = interpolate(port.HostNetwork, node);
      if (!value) return std::nullopt;
      port.HostNetwork = *value;
    }
  return resolved;
}

namespace {

// The steps of one attempt on one row.
class RowTry {
 public:
  RowTry(Context& context, const Ask& ask, uint32_t row, const NodeUse& use, const NodePorts& ports, bool fill)
      : context_(context),
        ask_(ask),
        row_(row),
        node_(*context.fleet.node(row)),
        has_(context.fleet.capacity(row)),
        use_(use),
        ports_(ports),
        fill_(fill) {}

  Grant run() {
    if (ports_.invalid_node) return fail("network: invalid node");
    if (ports_.collision) return fail("network: port collision");
    if (fill_ || ask_.cores) grant_.resources = base_resources(ask_);
    if (!networks() || !devices() || !cores()) return std::move(grant_);
    grant_.used = use_.usage;
    std::vector<uint16_t> used_cores = use_.cores;
    if (ask_.cores) {
      auto one = comparable(grant_.resources);
      grant_.used += one.usage;
      used_cores.insert(used_cores.end(), one.cores.begin(), one.cores.end());
      std::sort(used_cores.begin(), used_cores.end());
    } else {
      grant_.used += ask_.usage;
    }
    if (use_.core_twice) return fail("cores");
    if (auto dimension = exhausted_dimension(has_, grant_.used, used_cores); !dimension.empty())
      return fail(std::string(dimension));
    return std::move(grant_);
  }

 private:
  Grant fail(std::string why) {
    grant_.failure = std::move(why);
    return std::move(grant_);
  }
  bool stop(std::string why, bool silent = false) {
    grant_.failure = std::move(why);
    grant_.silent = silent;
    return false;
  }

  bool networks() {
    if (!ask_.network && !ask_.task_networks) return true;
    NetworkIndex index = ports_.index;
    if (ask_.network) {
      auto wanted = resolve_network(*ask_.network, node_);
      if (!wanted) return stop("network: unresolved host network", true);
      auto offer = index.assign_ports(*wanted, context_.random);
      if (!offer) return stop("network: " + offer.error().message);
      if (fill_ || ask_.task_networks) (void)index.add_ports({offer->begin(), offer->size()});
      if (fill_) {
        grant_.resources.Shared.Networks =
            List<NetworkResource>{index.materialize(*wanted, {offer->begin(), offer->size()})};
        grant_.resources.Shared.Ports = std::move(*offer);
      }
    }
    for (auto& task : ask_.group->Tasks) {
      if (!task.Resources || task.Resources->Networks.empty()) continue;
      auto offer = index.assign_task_network(task.Resources->Networks[0], context_.random);
      if (!offer) return stop("network: " + offer.error().message);
      (void)index.add_network(*offer);
      if (fill_) grant_.resources.Tasks[task.Name].Networks = List<NetworkResource>{std::move(*offer)};
    }
    return true;
  }

  bool devices() {
    if (ask_.devices.empty()) return true;
    auto accounter = context_.devices(row_);
    // The caller's view of the node may lack an allocation that the plan still shows.
    if (&use_ != &context_.use(row_)) {
      accounter = DeviceAccounter(node_);
      for (auto& a : use_.allocs) accounter.add_alloc(*a);
    }
    for (auto& task : ask_.group->Tasks) {
      if (!task.Resources) continue;
      for (auto& request : task.Resources->Devices) {
        auto offer = accounter.assign(request, context_.fleet.checker());
        if (!offer) return stop("devices: " + offer.error().message);
        accounter.add(offer->device);
        grant_.device_weight += offer->matched_weight;
        if (fill_) grant_.resources.Tasks[task.Name].Devices.push_back(std::move(offer->device));
      }
    }
    return true;
  }

  bool cores() {
    if (!ask_.cores) return true;
    std::vector<uint16_t> free;
    std::set_difference(has_.cores.begin(), has_.cores.end(), use_.cores.begin(), use_.cores.end(),
                        std::back_inserter(free));
    for (auto& task : ask_.group->Tasks) {
      auto wanted = task.Resources ? task.Resources->Cores : 0;
      if (wanted <= 0) continue;
      if (free.size() < static_cast<size_t>(wanted)) return stop("cores");
      auto& cpu = grant_.resources.Tasks[task.Name].Cpu;
      cpu.ReservedCores = List<uint16_t>(std::vector<uint16_t>(free.begin(), free.begin() + wanted));
      free.erase(free.begin(), free.begin() + wanted);
      cpu.CpuShares = has_.total_cores > 0 ? has_.total_shares / has_.total_cores * wanted : 0;
    }
    return true;
  }

  Context& context_;
  const Ask& ask_;
  const uint32_t row_;
  const Node& node_;
  const NodeCapacity& has_;
  const NodeUse& use_;
  const NodePorts& ports_;
  const bool fill_;
  Grant grant_;
};

}  // namespace

Grant try_row(Context& context, const Ask& ask, uint32_t row, const NodeUse& use, const NodePorts& ports, bool fill) {
  return RowTry(context, ask, row, use, ports, fill).run();
}

Map<Resources> legacy_task_resources(const AllocatedResources& resources) {
  Map<Resources> old;
  old.vec();
  for (auto& [name, given] : resources.Tasks) old[name] = legacy_resources(given);
  return old;
}

}  // namespace drover::scheduler
