#include "model/plan.h"

DROVER_DESCRIBE(drover::DeploymentStatusUpdate, "structs.DeploymentStatusUpdate",
    DROVER_FIELD(DeploymentID), DROVER_FIELD(Status), DROVER_FIELD(StatusDescription))

DROVER_DESCRIBE(drover::Plan, "structs.Plan",
    DROVER_FIELD(EvalID), DROVER_FIELD(EvalToken), DROVER_FIELD(Priority), DROVER_FIELD(AllAtOnce), DROVER_FIELD(Job),
    DROVER_FIELD(NodeUpdate), DROVER_FIELD(NodeAllocation), DROVER_FIELD(Annotations), DROVER_FIELD(Deployment),
    DROVER_FIELD(DeploymentUpdates), DROVER_FIELD(NodePreemptions), DROVER_FIELD(SnapshotIndex))

DROVER_DESCRIBE(drover::PlanResult, "structs.PlanResult",
    DROVER_FIELD(NodeUpdate), DROVER_FIELD(NodeAllocation), DROVER_FIELD(Deployment), DROVER_FIELD(DeploymentUpdates),
    DROVER_FIELD(NodePreemptions), DROVER_FIELD(RejectedNodes), DROVER_FIELD(IneligibleNodes),
    DROVER_FIELD(RefreshIndex), DROVER_FIELD(AllocIndex))

namespace drover {

bool is_no_op(const Plan& plan) {
  return plan.NodeUpdate.empty() && plan.NodeAllocation.empty() && !plan.Deployment && plan.DeploymentUpdates.empty();
}

bool is_no_op(const PlanResult& result) {
  return result.NodeUpdate.empty() && result.NodeAllocation.empty() && result.DeploymentUpdates.empty() &&
         !result.Deployment && result.IneligibleNodes.empty();
}

Commit full_commit(const Plan& plan, const PlanResult& result) {
  Commit c;
  for (auto& [node, asked] : plan.NodeAllocation) {
    c.expected += asked.size();
    if (auto* granted = result.NodeAllocation.find(node)) c.actual += granted->size();
  }
  c.full = c.expected == c.actual;
  return c;
}

}  // namespace drover
