// For tests: a stack over a small fleet, one pass.
#pragma once

#include "scheduler/feasibility.h"
#include "scheduler/pass.h"
#include "scheduler/stack.h"
#include "scheduler/testing.h"

namespace drover::scheduler::testing {

struct Bench {
  std::shared_ptr<MemState> state = std::make_shared<MemState>();
  Fleet fleet;
  Options options;
  Evaluation eval;
  Ref<Job> job;
  std::unique_ptr<Context> context;
  std::unique_ptr<Stack> stack;
  std::vector<Uuid> nodes;

  Uuid add(Node n) {
    n.ComputedClass = compute_class(n);
    nodes.push_back(n.ID);
    state->put(n);
    return nodes.back();
  }
  void add_existing(const Uuid& node, const Usage& usage, const std::function<void(Allocation&)>& change = {}) {
    auto other = std::make_shared<const Job>(make_min_job());
    auto a = make_alloc(other, node, 0);
    AllocatedResources r;
    r.Tasks["t"].Cpu.CpuShares = usage.CpuShares;
    r.Tasks["t"].Memory.MemoryMB = usage.MemoryMB;
    r.Shared.DiskMB = usage.DiskMB;
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    if (change) change(a);
    state->put(a);
  }
  void start(Job j, Stack::Kind kind = Stack::Kind::kService) {
    state->put(j);
    job = state->current.at({j.Namespace, j.ID});
    eval = make_eval(*job);
    fleet.sync(std::make_shared<MemState>(*state));
    context = std::make_unique<Context>(*state, fleet, eval, job, options, kNow, 1);
    stack = std::make_unique<Stack>(*context, kind);
    stack->set_existing(state->allocs_by_job(job->Namespace, job->ID));
    stack->set_nodes(ready_nodes(fleet, *job).rows);
    stack->set_job(job);
  }
  std::optional<Selection> select(SelectOptions o = {}, size_t group = 0) {
    return stack->select(job->TaskGroups[group], o);
  }
  Uuid node_of(const Selection& s) { return fleet.node(s.row)->ID; }
  std::map<Uuid, NodeScoreMeta> scores() {
    std::map<Uuid, NodeScoreMeta> out;
    for (auto& m : stack->metric().ScoreMetaData) out[*Uuid::parse(m.NodeID)] = m;
    return out;
  }
};

inline Node sized(int64_t cpu, int64_t memory, int64_t reserved_cpu = 0, int64_t reserved_memory = 0) {
  auto n = make_node();
  n.NodeResources->Cpu.CpuShares = cpu;
  n.NodeResources->Memory.MemoryMB = memory;
  n.ReservedResources->Cpu.CpuShares = reserved_cpu;
  n.ReservedResources->Memory.MemoryMB = reserved_memory;
  return n;
}

inline Job asking(int64_t cpu, int64_t memory, int64_t count = 10) {
  auto j = make_min_job();
  j.TaskGroups[0].Count = count;
  j.TaskGroups[0].Tasks[0].Resources->CPU = cpu;
  j.TaskGroups[0].Tasks[0].Resources->MemoryMB = memory;
  return j;
}

}  // namespace drover::scheduler::testing
