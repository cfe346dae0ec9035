// Judging a plan against the latest state: which nodes' parts still fit. Pure; the server's plan applier commits the
// result. Rules: reference server-core 10.2.
#pragma once

#include <string>

#include "model/plan.h"
#include "scheduler/state_view.h"

namespace drover::scheduler {

// "" when this node's part of the plan can be committed, else why not ("node is not eligible", "cpu").
std::string node_verdict(const StateView& state, const Plan& plan, const Uuid& node);

struct Judgement {
  PlanResult result;
  // Node id and reason of each part that was dropped; result.RejectedNodes has the ids.
  std::vector<std::pair<std::string, std::string>> rejections;
};

// RefreshIndex is set when any part was dropped: the scheduler has looked at an older state. With AllAtOnce one
// rejection empties the result.
Judgement evaluate_plan(const StateView& state, const Plan& plan);

}  // namespace drover::scheduler
