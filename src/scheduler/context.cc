#include "scheduler/context.h"

#include <algorithm>

#include "model/status.h"

namespace drover::scheduler {

Context::Context(const StateView& s, Fleet& f, const Evaluation& e, Ref<Job> job, const Options& o, Time t,
                 uint64_t seed)
    : state(s), fleet(f), eval(e), options(o), now(t), random(seed), plan(e, std::move(job), s.index()) {
  if (auto stored = state.scheduler_config()) {
    config = *stored;
    has_config = true;
  }
}

bool Context::preemption_enabled() const {
  if (!has_config) return true;
  auto& p = config.PreemptionConfig;
  if (eval.Type == job_type::kSystem) return p.SystemSchedulerEnabled;
  if (eval.Type == job_type::kSysbatch) return p.SysBatchSchedulerEnabled;
  return eval.Type == job_type::kBatch ? p.BatchSchedulerEnabled : p.ServiceSchedulerEnabled;
}

void Context::rebuild(uint32_t row, Touched& t) {
  auto* changes = plan.changes(fleet.node(row)->ID);
  auto in = [](const std::vector<Ref<Allocation>>& list, const Uuid& id) {
    return std::any_of(list.begin(), list.end(), [&](auto& a) { return a->ID == id; });
  };
  t.use = {};
  for (auto& a : fleet.use(row).allocs)
    if (!in(changes->stops, a->ID) && !in(changes->preemptions, a->ID) && !in(changes->allocs, a->ID)) t.use.add(a);
  for (auto& a : changes->allocs) t.use.add(a);
  t.ports.reset();
}

void Context::replay(const Change& change) {
  auto row = fleet.row(change.alloc->NodeID);
  if (row == kNoRow) return;
  auto it = touched_.find(row);
  bool known = it != touched_.end();
  if (!known) it = touched_.emplace(row, Touched{fleet.use(row), nullptr}).first;
  auto& t = it->second;
  bool replaces = change.kind != Change::Kind::kPlace ||
                  std::any_of(t.use.allocs.begin(), t.use.allocs.end(),
                              [&](auto& a) { return a->ID == change.alloc->ID; });
  if (replaces) return rebuild(row, t);
  bool ports = t.use.port_holders > 0 || holds_ports(*change.alloc);
  if (!t.ports && !known && ports) t.ports = std::make_unique<NodePorts>(fleet.ports(row));
  if (t.ports && !t.ports->invalid_node && !is_client_terminal(*change.alloc))
    t.ports->collision = !t.ports->index.add_alloc(*change.alloc).empty() || t.ports->collision;
  t.use.add(change.alloc);
}

void Context::catch_up() {
  auto& log = plan.log();
  for (; replayed_ < log.size(); ++replayed_) replay(log[replayed_]);
}

const NodeUse& Context::use(uint32_t row) {
  catch_up();
  auto it = touched_.find(row);
  return it == touched_.end() ? fleet.use(row) : it->second.use;
}

NodeUse Context::use_without(uint32_t row, const Uuid& alloc) {
  NodeUse without;
  for (auto& a : use(row).allocs)
    if (a->ID != alloc) without.add(a);
  return without;
}

const NodePorts& Context::ports(uint32_t row) {
  catch_up();
  auto it = touched_.find(row);
  if (it == touched_.end()) return fleet.ports(row);
  auto& t = it->second;
  if (!t.ports && t.use.port_holders == 0 && fleet.use(row).port_holders == 0) return fleet.ports(row);
  if (!t.ports) t.ports = std::make_unique<NodePorts>(ports_of(*fleet.node(row), t.use.allocs));
  return *t.ports;
}

DeviceAccounter Context::devices(uint32_t row) {
  DeviceAccounter devices(*fleet.node(row));
  if (!devices.empty())
    for (auto& a : use(row).allocs) devices.add_alloc(*a);
  return devices;
}

void Context::each_touched(size_t& from, const std::function<void(uint32_t)>& fn) {
  auto& log = plan.log();
  for (; from < log.size(); ++from)
    if (auto row = fleet.row(log[from].alloc->NodeID); row != kNoRow) fn(row);
}

int32_t Context::reason(std::string_view text) {
  auto [it, fresh] = reason_ids_.try_emplace(std::string(text), static_cast<int32_t>(reasons_.size()) + 1);
  if (fresh) reasons_.emplace_back(text);
  return it->second;
}

}  // namespace drover::scheduler
