// Garbage collection: which terminal objects are old enough to go (reference server-workflows section 6).
//
// The judgements are pure functions of a snapshot and a threshold index; CoreJob runs one evaluation of type `_core`.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "model/eval.h"
#include "state/store.h"

namespace drover::server {

class Server;

inline constexpr std::string_view kForceGc = "force-gc";
// Those that run on the common interval.
inline constexpr std::array<std::string_view, 4> kPeriodicCoreJobs{"eval-gc", "job-gc", "node-gc", "deployment-gc"};

// A core evaluation: never stored, only queued.
Evaluation core_eval(std::string_view job, uint64_t modify_index, World& world);

// What one pass may delete.
struct Garbage {
  std::vector<Uuid> evals, allocs;
};

// Threshold indexes: objects last changed at or before them are old.
struct EvalThresholds {
  uint64_t others = 0, batch = 0;
};
// Terminal evaluations with the allocations that may go with them, and allocations that may go without.
Garbage collectable_evals(const state::Snapshot& snap, EvalThresholds thresholds, Time now);
// Whether the evaluation may go, adding the allocations that may go to `garbage`.
bool collect_eval(const state::Snapshot& snap, const Evaluation& eval, uint64_t threshold, bool job_gc, Time now,
                  Garbage& garbage);
struct JobGarbage {
  std::vector<Ref<Job>> jobs;
  Garbage garbage;
};
JobGarbage collectable_jobs(const state::Snapshot& snap, uint64_t threshold, Time now);
std::vector<Uuid> collectable_nodes(const state::Snapshot& snap, uint64_t threshold);
std::vector<Uuid> collectable_deployments(const state::Snapshot& snap, uint64_t threshold);

// Runs a core evaluation to its end.
Async<Status> run_core_job(Server& server, const Evaluation& eval);

}  // namespace drover::server
