// One pass over one snapshot, as the two families of schedulers make it. Inner interface of the part.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/context.h"
#include "scheduler/reconcile.h"
#include "scheduler/stack.h"

namespace drover::scheduler {

// What earlier passes over the same evaluation have done already.
struct Carried {
  bool blocked_created = false;
  bool rolling_created = false;
};

struct PassResult {
  ::drover::Plan Plan;
  bool submit = false;
  std::vector<Evaluation> create_evals;
  Uuid blocked_eval;      // of the evaluation that waits for capacity, when this pass made one
  Uuid next_eval;         // of the rolling follow-up
  Uuid deployment;
  Map<int64_t> queued;
  Map<AllocMetric> failed;
  Map<bool> class_eligibility;
  bool escaped = false;
  std::vector<Explanation> explanation;
};

PassResult run_generic(const StateView& state, Fleet& fleet, const Evaluation& eval, const Options& options, Time now,
                       uint64_t seed, const Carried& carried);
PassResult run_system(const StateView& state, Fleet& fleet, const Evaluation& eval, const Options& options, Time now,
                      uint64_t seed, const Carried& carried);

// --- what both use ---

// "dc*": * stands for any run of characters.
bool matches_datacenter(std::string_view pattern, std::string_view datacenter);
bool in_datacenters(const List<std::string>& patterns, std::string_view datacenter);

struct ReadyNodes {
  std::vector<uint32_t> rows;  // by node id
  Map<int64_t> by_datacenter;  // how many of them are where
};
ReadyNodes ready_nodes(Fleet& fleet, const Job& job);

TaintedNodes tainted_nodes(const StateView& state, const Allocs& allocs);

// Allocations that should stop and whose node is gone for good are lost, not running.
void stop_lost(Context& context, const Allocs& allocs, const TaintedNodes& tainted);

// Whether the group could stay on its node under the new job; then the updated allocation.
UpdateDecision try_in_place(Context& context, Stack& stack, const Job& job, const Ref<Allocation>& alloc,
                            const TaskGroup& group, bool keep_metrics);

// A new allocation of `group` for what the stack selected. The plan's job stands behind it unless `job` is set.
std::shared_ptr<Allocation> make_alloc(Context& context, const Job& job, const TaskGroup& group,
                                       const Selection& selection, std::string name, AllocMetric metric);
// Evicts what the selection preempts, for the sake of `alloc`.
void preempt_allocs(Context& context, const Selection& selection, Allocation& alloc);

// Adds what one more failed placement of the group would have needed in the dimensions that were short.
void add_exhausted_resources(AllocMetric& metric, const TaskGroup& group);

Evaluation blocked_eval(Context& context, const Map<AllocMetric>& failed);

}  // namespace drover::scheduler
