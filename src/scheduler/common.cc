#include <algorithm>
#include <cmath>

#include "codec/reflect.h"
#include "model/status.h"
#include "scheduler/pass.h"
#include "scheduler/tasks_updated.h"
#include "scheduler/texts.h"

namespace drover::scheduler {

bool matches_datacenter(std::string_view pattern, std::string_view text) {
  // On a mismatch the last star takes one character more.
  size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool in_datacenters(const List<std::string>& patterns, std::string_view datacenter) {
  return std::any_of(patterns.begin(), patterns.end(), [&](auto& p) { return matches_datacenter(p, datacenter); });
}

ReadyNodes ready_nodes(Fleet& fleet, const Job& job) {
  ReadyNodes ready;
  ready.by_datacenter = Map<int64_t>::empty_map();
  auto& column = fleet.datacenters();
  std::vector<int64_t> count(column.values.size() + 1, 0);
  std::vector<bool> wanted(count.size(), false);
  for (uint32_t c = 1; c < wanted.size(); ++c) wanted[c] = in_datacenters(job.Datacenters, column.value(c));
  for (auto row : fleet.by_id()) {
    auto dc = column.codes[row];
    if (!fleet.ready().test(row) || !wanted[dc]) continue;
    ready.rows.push_back(row);
    ++count[dc];
  }
  for (uint32_t c = 1; c < count.size(); ++c)
    if (count[c]) ready.by_datacenter[column.value(c)] = count[c];
  return ready;
}

TaintedNodes tainted_nodes(const StateView& state, const Allocs& allocs) {
  TaintedNodes tainted;
  std::unordered_map<Uuid, bool> seen;
  for (auto& a : allocs) {
    if (!seen.emplace(a->NodeID, true).second) continue;
    auto node = state.node(a->NodeID);
    if (!node || is_down(*node) || node->DrainStrategy || node->Status == node_status::kDisconnected)
      tainted.emplace(a->NodeID, std::move(node));
  }
  return tainted;
}

void stop_lost(Context& context, const Allocs& allocs, const TaintedNodes& tainted) {
  for (auto& a : allocs) {
    auto it = tainted.find(a->NodeID);
    if (it == tainted.end() || (it->second && !is_down(*it->second))) continue;
    bool alive = a->ClientStatus == alloc_client::kPending || a->ClientStatus == alloc_client::kRunning;
    if (is_server_terminal(*a) && alive) context.plan.stop(a, text::kLost, alloc_client::kLost, context.now);
  }
}

namespace {

// Ports and devices stay what the running tasks hold; the rest is as the new job asks.
AllocatedResources updated_resources(const Allocation& old, const AllocatedResources& next) {
  AllocatedResources r = next;
  for (auto& [name, task] : r.Tasks) {
    task.Networks.reset();
    task.Devices.reset();
    if (old.AllocatedResources) {
      if (auto* had = old.AllocatedResources->Tasks.find(name)) {
        task.Networks = had->Networks;
        task.Devices = had->Devices;
      }
    } else if (auto* had = old.TaskResources.find(name)) {
      task.Networks = had->Networks;
    }
  }
  r.Shared.Networks.reset();
  r.Shared.Ports.reset();
  if (old.AllocatedResources) {
    r.Shared.Networks = old.AllocatedResources->Shared.Networks;
    r.Shared.Ports = old.AllocatedResources->Shared.Ports;
  }
  return r;
}

}  // namespace

UpdateDecision try_in_place(Context& context, Stack& stack, const Job& job, const Ref<Allocation>& alloc,
                            const TaskGroup& group, bool keep_metrics) {
  auto row = context.fleet.row(alloc->NodeID);
  if (row == kNoRow || !in_datacenters(job.Datacenters, context.fleet.node(row)->Datacenter))
    return {UpdateDecision::Kind::kDestructive, nullptr};
  // Its own room is free for it.
  context.plan.stop(alloc, text::kInPlace, {}, context.now);
  SelectOptions options;
  options.alloc_name = alloc->Name;
  auto selection = stack.select_row(group, row, options);
  context.plan.pop_stop(alloc);
  if (!selection) return {UpdateDecision::Kind::kDestructive, nullptr};
  auto updated = std::make_shared<Allocation>(*alloc);
  updated->EvalID = context.eval.ID;
  updated->Job = nullptr;
  updated->Resources = nullptr;
  updated->AllocatedResources =
      std::make_shared<const AllocatedResources>(updated_resources(*alloc, *selection->resources));
  if (!keep_metrics) updated->Metrics = std::make_shared<const AllocMetric>(std::move(stack.metric()));
  return {UpdateDecision::Kind::kInPlace, std::move(updated)};
}

std::shared_ptr<Allocation> make_alloc(Context& context, const Job& job, const TaskGroup& group,
                                       const Selection& selection, std::string name, AllocMetric metric) {
  static const SharedString run(alloc_desired::kRun), pending(alloc_client::kPending);
  auto& node = *context.fleet.node(selection.row);
  auto a = std::make_shared<Allocation>();
  a->ID = context.new_id();
  a->Namespace = job.Namespace;
  a->EvalID = context.eval.ID;
  a->Name = name;
  a->NodeID = node.ID;
  a->NodeName = node.Name;
  a->JobID = job.ID;
  a->TaskGroup = group.Name;
  a->Metrics = std::make_shared<const AllocMetric>(std::move(metric));
  a->AllocatedResources = selection.resources;
  a->TaskResources = legacy_task_resources(*selection.resources);
  Resources shared;
  shared.DiskMB = selection.resources->Shared.DiskMB;
  shared.Networks = selection.resources->Shared.Networks;
  a->SharedResources = std::move(shared);
  a->DesiredStatus = run;
  a->ClientStatus = pending;
  return a;
}

void preempt_allocs(Context& context, const Selection& selection, Allocation& alloc) {
  if (selection.preempted.empty()) return;
  auto& annotations = context.plan.head().Annotations;
  for (auto& victim : selection.preempted) {
    context.plan.preempt(victim, alloc.ID);
    alloc.PreemptedAllocations.push_back(victim->ID);
    if (!annotations) continue;
    auto stub = convert<AllocListStub>(*victim);
    if (victim->Job) {
      stub.JobType = victim->Job->Type;
      stub.JobVersion = victim->Job->Version;
    }
    annotations->PreemptedAllocs.push_back(std::move(stub));
    if (auto* desired = annotations->DesiredTGUpdates.find(alloc.TaskGroup)) ++desired->Preemptions;
  }
}

void add_exhausted_resources(AllocMetric& metric, const TaskGroup& group) {
  if (metric.DimensionExhausted.is_nil()) return;
  bool cpu = metric.DimensionExhausted.get_or("cpu") > 0, memory = metric.DimensionExhausted.get_or("memory") > 0;
  for (auto& task : group.Tasks) {
    auto& r = metric.ResourcesExhausted[task.Name];
    if (!task.Resources) continue;
    if (cpu) r.CPU += task.Resources->CPU;
    if (memory) r.MemoryMB += task.Resources->MemoryMB;
  }
}

Evaluation blocked_eval(Context& context, const Map<AllocMetric>& failed) {
  auto& eval = context.eval;
  Evaluation b;
  b.ID = context.new_id();
  b.Namespace = eval.Namespace;
  b.Priority = eval.Priority;
  b.Type = eval.Type;
  b.TriggeredBy = eval_trigger::kQueuedAllocs;
  b.JobID = eval.JobID;
  b.JobModifyIndex = eval.JobModifyIndex;
  b.Status = eval_status::kBlocked;
  b.StatusDescription = text::kBlockedPlacements;
  b.PreviousEval = eval.ID;
  b.FailedTGAllocs = failed;
  b.EscapedComputedClass = context.eligibility.has_escaped();
  if (!b.EscapedComputedClass) b.ClassEligibility = context.eligibility.classes(context.fleet.classes());
  return b;
}

}  // namespace drover::scheduler
