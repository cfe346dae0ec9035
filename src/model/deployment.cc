#include "model/deployment.h"

DROVER_DESCRIBE(drover::DeploymentState, "structs.DeploymentState",
    DROVER_FIELD(AutoRevert), DROVER_FIELD(AutoPromote), DROVER_FIELD(ProgressDeadline),
    DROVER_FIELD(RequireProgressBy), DROVER_FIELD(Promoted), DROVER_FIELD(PlacedCanaries),
    DROVER_FIELD(DesiredCanaries), DROVER_FIELD(DesiredTotal), DROVER_FIELD(PlacedAllocs),
    DROVER_FIELD(HealthyAllocs), DROVER_FIELD(UnhealthyAllocs))

DROVER_DESCRIBE(drover::Deployment, "structs.Deployment",
    DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(JobID), DROVER_FIELD(JobVersion),
    DROVER_FIELD(JobModifyIndex), DROVER_FIELD(JobSpecModifyIndex), DROVER_FIELD(JobCreateIndex),
    DROVER_FIELD(IsMultiregion), DROVER_FIELD(TaskGroups), DROVER_FIELD(Status), DROVER_FIELD(StatusDescription),
    DROVER_FIELD(EvalPriority), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::DesiredUpdates, "structs.DesiredUpdates",
    DROVER_FIELD(Ignore), DROVER_FIELD(Place), DROVER_FIELD(Migrate), DROVER_FIELD(Stop), DROVER_FIELD(InPlaceUpdate),
    DROVER_FIELD(DestructiveUpdate), DROVER_FIELD(Canary), DROVER_FIELD(Preemptions))

DROVER_DESCRIBE(drover::PlanAnnotations, "structs.PlanAnnotations",
    DROVER_FIELD(DesiredTGUpdates), DROVER_FIELD(PreemptedAllocs))
