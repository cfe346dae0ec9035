// Judgements about a deployment in progress (reference server-workflows section 4). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/alloc.h"
#include "model/deployment.h"
#include "model/job.h"
#include "state/store.h"

namespace drover::server {

// When the deployment must have progressed at the latest; none when every group is done or has no deadline.
std::optional<Time> progress_cutoff(const Deployment& d, const std::vector<Ref<Allocation>>& allocs);

struct Verdict {
  bool fail = false;
  bool rollback = false;  // some failing group wants auto_revert
};
// What a passed deadline means.
Verdict deadline_verdict(const Deployment& d);

// What the allocations of a deployment call for.
struct Reaction {
  std::vector<Uuid> replace;  // unhealthy ones that may be rescheduled
  bool evaluate = false;      // something became healthy that no evaluation has seen
  Verdict verdict;            // an unhealthy one in a group without a progress deadline
};
// `seen_index`: the newest state that an evaluation of the job has looked at.
Reaction react(const Deployment& d, const std::vector<Ref<Allocation>>& allocs, uint64_t seen_index);
uint64_t newest_eval_index(const state::Snapshot& snap, const Deployment& d);

// Every canary of every group is healthy and every group promotes by itself.
bool wants_auto_promotion(const Deployment& d, const std::vector<Ref<Allocation>>& allocs);

struct Rollback {
  std::string suffix;      // of the status description
  std::optional<Job> job;  // to register; none when there is nothing to go back to
};
// `warn_missing`: say so when there is no stable version.
Rollback plan_rollback(const state::Snapshot& snap, const Deployment& d, bool warn_missing = true);

}  // namespace drover::server
