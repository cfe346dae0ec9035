// The scheduler's entry points.
//
// One pass is a function: (state, evaluation, options, now, seed) -> plan, and what else is to be written. A whole
// evaluation may need several passes, because the plan applier may refuse parts of a plan: `EvalProcess` is that loop
// as a value, fed with results. Neither does I/O, reads a clock or logs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/eval.h"
#include "model/plan.h"
#include "scheduler/explain.h"
#include "scheduler/state_view.h"

namespace drover {
class Clock;
}

namespace drover::scheduler {

class Fleet;

struct Options {
  // How many nodes a placement looks at. kFleet scores every feasible node; kSampled is the reference's rule: two
  // nodes for batch jobs, log2 of the fleet for service jobs, at least 100 when the group has affinities or spreads.
  enum class Candidates { kFleet, kSampled };
  Candidates candidates = Candidates::kFleet;
  // Every server can deal with disconnected clients (1.3.0 or later). Dry runs say no, as the reference's do.
  bool supports_disconnected_clients = true;
  // Times each placement for its AllocationTime and decides nothing; null: none is written. Called on the caller's thread.
  Clock* stopwatch = nullptr;
  // Fill in Outcome::explanation.
  bool explain = true;
};

// What one pass wants.
struct Outcome {
  ::drover::Plan Plan;
  // False: nothing to submit (and no annotations were asked for).
  bool submit = false;
  // To be written before the plan, in this order: blocked, delayed, rolling follow-ups. Their CreateTime, ModifyTime
  // and SnapshotIndex are stamped by whoever writes them.
  std::vector<Evaluation> create_evals;
  // The evaluation as it ends if the whole plan is committed.
  Evaluation eval;
  // The evaluation was a blocked one and still cannot place everything: back to the blocked set with `eval`, no update.
  bool reblock = false;
  // Why groups failed, and what would make them fit.
  std::vector<Explanation> explanation;
  // Placements that could not be made, per group.
  Map<int64_t> queued;
  Map<AllocMetric> failed_groups;
};

// One pass. `fleet` may be null; keep one per worker and pass it again, then only what changed is read.
// `seed` decides ids, ports and the order of equal nodes: same input, same seed, same plan.
// Errors: an unknown evaluation type, or state that contradicts itself.
Result<Outcome> schedule(const std::shared_ptr<const StateView>& state, const Evaluation& eval, const Options& options,
                         Time now, uint64_t seed, Fleet* fleet = nullptr);

// The reference's seed: the same evaluation at the same index looks at nodes in the same order.
uint64_t default_seed(const Uuid& eval, uint64_t index);

// What the shell is to do next with an evaluation.
struct Step {
  enum class Kind {
    kSubmit,   // write create_evals, submit plan, call result()
    kDone,     // write create_evals, then update `eval`; acknowledge
    kReblock,  // put `eval` back into the blocked set; acknowledge
  };
  Kind kind = Kind::kDone;
  std::vector<Evaluation> create_evals;
  ::drover::Plan Plan;
  Evaluation eval;
  std::vector<Explanation> explanation;
};

// The life of one evaluation, from its first snapshot to its final status. Not thread-safe; owned by one worker.
class EvalProcess {
 public:
  EvalProcess(Evaluation eval, Options options, uint64_t seed);
  ~EvalProcess();
  EvalProcess(EvalProcess&&) noexcept;

  Result<Step> start(const std::shared_ptr<const StateView>& state, Fleet* fleet, Time now);
  // `state` is at RefreshIndex or newer when the result has one, else the same as before.
  Result<Step> result(const PlanResult& result, const std::shared_ptr<const StateView>& state, Fleet* fleet, Time now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr int kMaxServiceAttempts = 5;  // also system
inline constexpr int kMaxBatchAttempts = 2;    // also sysbatch
inline constexpr uint16_t kSchedulerVersion = 1;

}  // namespace drover::scheduler
