// A plan while it grows, indexed by node, with a log of what changed so that caches need not look at all of it.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "model/eval.h"
#include "model/plan.h"

namespace drover::scheduler {

// What the plan does on one node.
struct NodeChanges {
  std::vector<Ref<Allocation>> stops, allocs, preemptions;
};

// One step of the plan. A stop that is taken back appears again with sign -1.
struct Change {
  enum class Kind : unsigned char { kStop, kPlace, kPreempt };
  Kind kind;
  int8_t sign;
  Ref<Allocation> alloc;
};

class PlanBuilder {
 public:
  PlanBuilder(const Evaluation& eval, Ref<Job> job, uint64_t snapshot_index);

  // Stops an allocation. An empty client status leaves the client's own word.
  void stop(const Ref<Allocation>& alloc, std::string_view description, std::string_view client_status, Time now,
            const Uuid& followup_eval = {});
  // Takes the last stop of the allocation's node back, if it is of this allocation.
  void pop_stop(const Ref<Allocation>& alloc);
  // A new allocation, or a changed one of the same id. A null job of the allocation stands for the plan's job.
  void place(Ref<Allocation> alloc);
  void preempt(const Ref<Allocation>& alloc, const Uuid& by);

  const NodeChanges* changes(const Uuid& node) const;
  const std::vector<Change>& log() const { return log_; }
  // Allocations of the job and group that this plan preempts.
  int64_t preempted(const Allocation& like) const;

  // Everything but allocations is set directly.
  Plan& head() { return head_; }
  // No allocation in any list, and no deployment.
  bool is_no_op() const;
  Plan finish();

 private:
  Plan head_;
  std::unordered_map<Uuid, NodeChanges> nodes_;
  std::vector<Change> log_;
};

}  // namespace drover::scheduler
