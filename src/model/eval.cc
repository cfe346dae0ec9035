#include "model/eval.h"

DROVER_DESCRIBE(drover::EvaluationStub, "structs.EvaluationStub",
    DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(Priority), DROVER_FIELD(Type), DROVER_FIELD(TriggeredBy),
    DROVER_FIELD(JobID), DROVER_FIELD(NodeID), DROVER_FIELD(DeploymentID), DROVER_FIELD(Status),
    DROVER_FIELD(StatusDescription), DROVER_FIELD(WaitUntil), DROVER_FIELD(NextEval), DROVER_FIELD(PreviousEval),
    DROVER_FIELD(BlockedEval), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex),
    DROVER_FIELD(CreateTime).wire("int64"), DROVER_FIELD(ModifyTime).wire("int64"))

DROVER_DESCRIBE_OMIT_EMPTY(drover::Evaluation, "structs.Evaluation",
    DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(Priority), DROVER_FIELD(Type), DROVER_FIELD(TriggeredBy),
    DROVER_FIELD(JobID), DROVER_FIELD(JobModifyIndex), DROVER_FIELD(NodeID), DROVER_FIELD(NodeModifyIndex),
    DROVER_FIELD(DeploymentID), DROVER_FIELD(Status), DROVER_FIELD(StatusDescription), DROVER_FIELD(Wait),
    DROVER_FIELD(WaitUntil), DROVER_FIELD(NextEval), DROVER_FIELD(PreviousEval), DROVER_FIELD(BlockedEval),
    DROVER_FIELD(RelatedEvals), DROVER_FIELD(FailedTGAllocs), DROVER_FIELD(ClassEligibility),
    DROVER_FIELD(QuotaLimitReached), DROVER_FIELD(EscapedComputedClass), DROVER_FIELD(AnnotatePlan),
    DROVER_FIELD(QueuedAllocations), DROVER_FIELD(LeaderACL), DROVER_FIELD(SnapshotIndex), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(CreateTime).wire("int64"), DROVER_FIELD(ModifyTime).wire("int64"))
