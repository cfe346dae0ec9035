// What of a plan is granted on a given state, and the log entry that says so. Pure; runs on the pool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/plan.h"
#include "model/raft_requests.h"
#include "state/store.h"

namespace drover::server {

// What is to be written of a plan, and the same as the body of its log entry: made with it in the pool, since the loop would
// take longer over it than over all else. Empty: to be made anew, the request was changed.
struct PlanRecord : rpc::ApplyPlanResultsRequest {
  std::string encoded;
};
using PlanEntry = std::shared_ptr<PlanRecord>;
// Gives the placed allocations of an entry their identities.
using SignPlaced = std::function<void(const state::Snapshot&, rpc::ApplyPlanResultsRequest&)>;

struct JudgedPlan {
  PlanResult result;
  std::vector<std::pair<std::string, std::string>> rejections;  // node id, reason
  PlanEntry entry;                      // null: nothing is to be written
  state::Snapshot after;                // the state as it is once the entry is committed
  std::vector<Ref<Job>> preempted;      // jobs that lose allocations: each gets an evaluation
  std::vector<std::pair<Uuid, Ref<Node>>> placed_on;  // the nodes that get work, as they were looked at
  bool frees = false;                   // stops or evicts something
};

// Judges `plan` on `base` with the entries of `ahead`, granted and not in it yet, laid over it. Errors: the entry could
// not be applied ("alloc x doesn't exist").
Result<JudgedPlan> judge_plan(state::Snapshot base, const std::vector<PlanEntry>& ahead, const Plan& plan, Time now,
                              const SignPlaced& sign);

// Adds to the entry, which is made where there was none, that the nodes are to be marked ineligible.
void mark_ineligible(JudgedPlan& judged, const Plan& plan, const std::vector<std::string>& nodes, Time now);

// Whether the nodes that get work are as they were when the plan was judged. What else changes on a node, clients'
// reports and earlier plans, only makes room or was laid over it.
bool still_holds(const JudgedPlan& judged, const state::Snapshot& now);
// Whether `later` puts work where `earlier` makes room.
bool needs_room_of(const JudgedPlan& later, const JudgedPlan& earlier);

}  // namespace drover::server
