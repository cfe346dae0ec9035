#include "scheduler/preempt.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "model/status.h"

namespace drover::scheduler {
namespace {

constexpr double kParallelPenalty = 50;  // for each victim beyond what its group's migrate block allows at once

struct Victim {
  Ref<Allocation> alloc;
  int64_t priority = 0;
  double penalty = 0;
  Usage usage;
  const NetworkResource* network = nullptr;  // the first one
  int64_t mbits = 0;                         // of all on the first one's device
};

template <class F>
void each_network(const Allocation& a, F&& fn) {
  if (!a.AllocatedResources) return;
  for (auto& [name, task] : a.AllocatedResources->Tasks)
    for (auto& n : task.Networks) fn(n);
  for (auto& n : a.AllocatedResources->Shared.Networks) fn(n);
}

const NetworkResource* first_network(const Allocation& a) {
  const NetworkResource* first = nullptr;
  each_network(a, [&](const NetworkResource& n) {
    if (!first) first = &n;
  });
  return first;
}

int64_t mbits_on(const Allocation& a, const std::string& device) {
  int64_t sum = 0;
  each_network(a, [&](const NetworkResource& n) {
    if (n.Device == device) sum += n.MBits;
  });
  return sum;
}

std::vector<int64_t> ports_held(const Allocation& a) {
  std::vector<int64_t> ports;
  if (!a.AllocatedResources) return ports;
  for (auto& p : a.AllocatedResources->Shared.Ports) ports.push_back(p.Value);
  each_network(a, [&](const NetworkResource& n) {
    for (auto* list : {&n.ReservedPorts, &n.DynamicPorts})
      for (auto& p : *list) ports.push_back(p.Value);
  });
  return ports;
}

// Finds victims on one row, step by step as the placement runs into one limit after another.
class Preemptor {
 public:
  Preemptor(Context& context, GroupState& group, uint32_t row) : context_(context), group_(group), row_(row) {
    for (auto& a : context.use(row).allocs) {
      auto* job = a->Job.get();
      if (!job || (a->JobID == group.job().ID && a->Namespace == group.job().Namespace)) continue;
      if (group.job().Priority - job->Priority < kPreemptionPriorityDelta) continue;
      Victim v{a, job->Priority, penalty_of(*a, *job), comparable(*a).usage, first_network(*a), 0};
      if (v.network) v.mbits = mbits_on(*a, v.network->Device);
      candidates_.push_back(std::move(v));
    }
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](auto& a, auto& b) { return a.priority < b.priority; });
  }

  Freed run(const Cell& full) {
    Freed freed;
    freed.cell = full;
    // Each round lifts one limit with at least one more victim; a limit that no victim lifts ends it.
    for (;;) {
      auto use = use_without_victims();
      auto ports = ports_of(*context_.fleet.node(row_), use.allocs);
      auto cell = group_.judge(row_, use, ports);
      if (cell.state != Cell::State::kExhausted) {
        freed.cell = cell;
        if (cell.state == Cell::State::kFits) {
          // The reference scores the node as if the victims were still there: full.
          freed.cell.fit = std::max(cell.fit, freed_by_size_ ? fit_before_ : 0.0);
          for (auto& v : chosen_) freed.victims.push_back(v.alloc);
        }
        return freed;
      }
      auto& why = context_.reason_text(cell.reason);
      bool network = why.starts_with("network: "), device = why.starts_with("devices: ");
      auto found = network ? for_network(use, why) : device ? for_devices(use) : for_size(use, why);
      if (found.empty()) {
        freed.cell = cell;
        if (network || device) freed.cell.state = Cell::State::kSilent;
        return freed;
      }
      for (auto& v : found) choose(std::move(v));
    }
  }

 private:
  double penalty_of(const Allocation& a, const Job& job) const {
    auto* group = find_group(job, a.TaskGroup);
    auto parallel = group && group->Migrate ? group->Migrate->MaxParallel : 0;
    auto gone = context_.plan.preempted(a);
    return parallel > 0 && gone >= parallel ? static_cast<double>(gone + 1 - parallel) * kParallelPenalty : 0;
  }

  void choose(Victim v) {
    std::erase_if(candidates_, [&](auto& c) { return c.alloc->ID == v.alloc->ID; });
    chosen_.push_back(std::move(v));
  }

  NodeUse use_without_victims() {
    NodeUse use;
    for (auto& a : context_.use(row_).allocs)
      if (std::none_of(chosen_.begin(), chosen_.end(), [&](auto& v) { return v.alloc->ID == a->ID; })) use.add(a);
    return use;
  }

  // --- cpu, memory, disk ---

  std::vector<Victim> for_size(const NodeUse& use, const std::string& why) {
    if (why != "cpu" && why != "memory" && why != "disk") return {};
    auto& has = context_.fleet.capacity(row_);
    Usage ask = group_.ask().usage;
    if (group_.ask().cores) return {};
    Usage remaining{has.CpuShares - use.usage.CpuShares, has.MemoryMB - use.usage.MemoryMB, 0,
                    has.DiskMB - use.usage.DiskMB};
    auto met = [&](const Usage& u) {
      return u.CpuShares >= ask.CpuShares && u.MemoryMB >= ask.MemoryMB && u.DiskMB >= ask.DiskMB;
    };
    std::vector<Victim> pool = candidates_, picked;
    Usage available = remaining, needed = ask;
    while (!met(available) && !pool.empty()) {
      // Within the lowest priority that is left, the one that fits the need best.
      auto best = pool.begin();
      for (auto it = pool.begin(); it != pool.end() && it->priority == pool.front().priority; ++it)
        if (resource_distance(needed, it->usage) + it->penalty < resource_distance(needed, best->usage) + best->penalty)
          best = it;
      available += best->usage;
      needed -= best->usage;
      picked.push_back(std::move(*best));
      pool.erase(best);
    }
    if (!met(available)) return {};
    // Some early picks may be made needless by later, larger ones.
    std::stable_sort(picked.begin(), picked.end(), [&](auto& a, auto& b) {
      return resource_distance(ask, a.usage) > resource_distance(ask, b.usage);
    });
    std::vector<Victim> kept;
    for (auto& v : picked) {
      if (met(remaining)) break;
      remaining += v.usage;
      kept.push_back(std::move(v));
    }
    freed_by_size_ = true;
    fit_before_ = full_fit(use);
    return kept;
  }

  double full_fit(const NodeUse& use) const {
    auto used = use.usage;
    used += group_.ask().usage;
    auto& has = context_.fleet.capacity(row_);
    bool spread = context_.config.SchedulerAlgorithm == "spread";
    return (spread ? score_fit_spread(has, used) : score_fit_binpack(has, used)) / kMaxFitScore;
  }

  // --- networks ---

  // The ask that failed: the group's network, else the first task network that does not fit.
  std::vector<const NetworkResource*> network_asks() const {
    std::vector<const NetworkResource*> asks;
    if (group_.ask().network) asks.push_back(group_.ask().network);
    for (auto& task : group_.group().Tasks)
      if (task.Resources && !task.Resources->Networks.empty()) asks.push_back(&task.Resources->Networks[0]);
    return asks;
  }

  std::vector<Victim> for_network(const NodeUse& use, const std::string&) {
    NetworkResource ask;  // of all networks together
    for (auto* n : network_asks()) {
      ask.MBits += n->MBits;
      for (auto& p : n->ReservedPorts) ask.ReservedPorts.push_back(p);
    }
    std::map<std::string, std::vector<Victim>> by_device;
    for (auto& v : candidates_)
      if (v.network) by_device[v.network->Device].push_back(v);
    auto& index = context_.ports(row_).index;
    for (auto& [device, victims] : by_device) {
      auto found = on_device(ask, use, victims, bandwidth(use, index, device), device);
      if (!found.empty()) return found;
    }
    return {};
  }

  // Free megabits of a device once the victims chosen so far are gone.
  int64_t bandwidth(const NodeUse& use, const NetworkIndex& index, const std::string& device) const {
    auto free = index.free_bandwidth(device);
    for (auto& v : chosen_)
      if (v.network && v.network->Device == device) free += v.mbits;
    return free;
  }

  std::vector<Victim> on_device(const NetworkResource& ask, const NodeUse& use, std::vector<Victim> pool,
                                int64_t free, const std::string& device) {
    int64_t total = free;
    for (auto& v : pool) total += v.mbits;
    if (total < ask.MBits) return {};
    std::vector<Victim> picked;
    for (auto& port : ask.ReservedPorts) {
      for (auto& a : use.allocs) {
        auto held = ports_held(*a);
        if (std::find(held.begin(), held.end(), port.Value) == held.end()) continue;
        auto same = [&](auto& v) { return v.alloc->ID == a->ID; };
        if (std::any_of(picked.begin(), picked.end(), same)) continue;
        auto it = std::find_if(pool.begin(), pool.end(), same);
        if (it == pool.end()) {
          // Held by somebody who may not be evicted: this device cannot serve, unless it is not its device.
          auto* network = first_network(*a);
          if (network && network->Device == device) return {};
          continue;
        }
        free += it->mbits;
        picked.push_back(std::move(*it));
        pool.erase(it);
      }
    }
    auto holders = picked.size();
    auto distance = [&](const Victim& v) {
      return ask.MBits > 0 ? std::abs(static_cast<double>(ask.MBits - v.mbits)) /
                                 static_cast<double>(ask.MBits)
                           : 0.0;
    };
    std::stable_sort(pool.begin(), pool.end(), [&](auto& a, auto& b) {
      if (a.priority != b.priority) return a.priority < b.priority;
      return distance(a) + a.penalty < distance(b) + b.penalty;
    });
    std::vector<Victim> extra;
    auto with_extra = free;
    for (auto& v : pool) {
      if (with_extra >= ask.MBits) break;
      with_extra += v.mbits;
      extra.push_back(std::move(v));
    }
    if (with_extra < ask.MBits) return {};
    std::stable_sort(extra.begin(), extra.end(), [&](auto& a, auto& b) { return distance(a) > distance(b); });
    for (auto& v : extra) {
      if (free >= ask.MBits) break;
      free += v.mbits;
      picked.push_back(std::move(v));
    }
    // With no bandwidth short and no port held there is nothing to gain.
    return picked.size() == 0 && holders == 0 ? std::vector<Victim>{} : picked;
  }

  // --- devices ---

  static int64_t instances_held(const Allocation& a, const NodeDeviceResource& group) {
    int64_t n = 0;
    if (!a.AllocatedResources) return n;
    for (auto& [name, task] : a.AllocatedResources->Tasks)
      for (auto& d : task.Devices)
        if (d.Vendor == group.Vendor && d.Type == group.Type && d.Name == group.Name)
          n += static_cast<int64_t>(d.DeviceIDs.size());
    return n;
  }

  std::vector<Victim> for_devices(const NodeUse& use) {
    auto accounter = DeviceAccounter(*context_.fleet.node(row_));
    for (auto& a : use.allocs) accounter.add_alloc(*a);
    auto& checker = context_.fleet.checker();
    // The first request that does not find its instances is the one to make room for.
    for (auto* request : group_.ask().devices) {
      if (auto offer = accounter.assign(*request, checker)) {
        accounter.add(offer->device);
        continue;
      }
      return for_request(*request, accounter);
    }
    return {};
  }

  std::vector<Victim> for_request(const RequestedDevice& request, const DeviceAccounter& accounter) {
    std::vector<Victim> best;
    int64_t best_priority = 0;
    for (auto& g : accounter.groups()) {
      if (!device_matches(request, *g.resource, context_.fleet.checker())) continue;
      auto free = static_cast<int64_t>(g.free()), wanted = static_cast<int64_t>(request.Count);
      std::vector<Victim> option;
      auto freed = free;
      for (auto& v : candidates_) {
        auto held = instances_held(*v.alloc, *g.resource);
        if (held == 0) continue;
        option.push_back(v);
        if ((freed += held) >= wanted) break;
      }
      if (freed < wanted) continue;
      std::stable_sort(option.begin(), option.end(), [&](auto& a, auto& b) {
        return instances_held(*a.alloc, *g.resource) > instances_held(*b.alloc, *g.resource);
      });
      std::vector<Victim> picked;
      std::vector<int64_t> priorities;
      freed = free;
      for (auto& v : option) {
        if (freed >= wanted) break;
        freed += instances_held(*v.alloc, *g.resource);
        if (std::find(priorities.begin(), priorities.end(), v.priority) == priorities.end())
          priorities.push_back(v.priority);
        picked.push_back(v);
      }
      int64_t net = 0;
      for (auto p : priorities) net += p;
      if (best.empty() || net < best_priority) best = std::move(picked), best_priority = net;
    }
    return best;
  }

  Context& context_;
  GroupState& group_;
  const uint32_t row_;
  std::vector<Victim> candidates_;  // ascending priority
  std::vector<Victim> chosen_;
  bool freed_by_size_ = false;
  double fit_before_ = 0;
};

}  // namespace

double resource_distance(const Usage& needed, const Usage& alloc) {
  auto coordinate = [](int64_t ask, int64_t has) {
    return ask > 0 ? (static_cast<double>(ask) - static_cast<double>(has)) / static_cast<double>(ask) : 0.0;
  };
  double m = coordinate(needed.MemoryMB, alloc.MemoryMB), c = coordinate(needed.CpuShares, alloc.CpuShares),
         d = coordinate(needed.DiskMB, alloc.DiskMB);
  return std::sqrt(m * m + c * c + d * d);
}

Freed preempt_for(Context& context, GroupState& group, uint32_t row, const Cell& full) {
  return Preemptor(context, group, row).run(full);
}

std::optional<AllocatedResources> resources_without(Context& context, GroupState& group, uint32_t row,
                                                    const std::vector<Ref<Allocation>>& victims) {
  NodeUse use;
  for (auto& a : context.use(row).allocs)
    if (std::none_of(victims.begin(), victims.end(), [&](auto& v) { return v->ID == a->ID; })) use.add(a);
  auto ports = ports_of(*context.fleet.node(row), use.allocs);
  auto grant = try_row(context, group.ask(), row, use, ports, true);
  if (!grant.failure.empty()) return std::nullopt;
  return std::move(grant.resources);
}

double preemption_score(const std::vector<Ref<Allocation>>& victims) {
  double max = 0, sum = 0;
  for (auto& v : victims) {
    auto p = v->Job ? static_cast<double>(v->Job->Priority) : 0;
    max = std::max(max, p);
    sum += p;
  }
  double net = max > 0 ? max + sum / max : 0;
  return 1 / (1 + std::exp(0.0048 * (net - 2048)));
}

}  // namespace drover::scheduler
