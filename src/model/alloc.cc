#include "model/alloc.h"

DROVER_DESCRIBE(drover::AllocDeploymentStatus, "structs.AllocDeploymentStatus",
    DROVER_FIELD(Healthy), DROVER_FIELD(Timestamp), DROVER_FIELD(Canary), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::DesiredTransition, "structs.DesiredTransition",
    DROVER_FIELD(Migrate), DROVER_FIELD(Reschedule), DROVER_FIELD(ForceReschedule), DROVER_FIELD(NoShutdownDelay))

DROVER_DESCRIBE(drover::RescheduleEvent, "structs.RescheduleEvent",
    DROVER_FIELD(RescheduleTime).wire("int64"), DROVER_FIELD(PrevAllocID), DROVER_FIELD(PrevNodeID),
    DROVER_FIELD(Delay))

DROVER_DESCRIBE(drover::RescheduleTracker, "structs.RescheduleTracker",
    DROVER_FIELD(Events))

DROVER_DESCRIBE(drover::TaskEvent, "structs.TaskEvent",
    DROVER_FIELD(Type), DROVER_FIELD(Time).wire("int64"), DROVER_FIELD(Message), DROVER_FIELD(DisplayMessage),
    DROVER_FIELD(Details), DROVER_FLAT_FIELD(more, FailsTask), DROVER_FLAT_FIELD(more, RestartReason),
    DROVER_FLAT_FIELD(more, SetupError), DROVER_FLAT_FIELD(more, DriverError), DROVER_FLAT_FIELD(more, ExitCode),
    DROVER_FLAT_FIELD(more, Signal), DROVER_FLAT_FIELD(more, KillTimeout), DROVER_FLAT_FIELD(more, KillError),
    DROVER_FLAT_FIELD(more, KillReason), DROVER_FLAT_FIELD(more, StartDelay).wire("int64"),
    DROVER_FLAT_FIELD(more, DownloadError), DROVER_FLAT_FIELD(more, ValidationError),
    DROVER_FLAT_FIELD(more, DiskLimit).wire("int64"), DROVER_FLAT_FIELD(more, FailedSibling),
    DROVER_FLAT_FIELD(more, VaultError), DROVER_FLAT_FIELD(more, TaskSignalReason),
    DROVER_FLAT_FIELD(more, TaskSignal), DROVER_FLAT_FIELD(more, DriverMessage),
    DROVER_FLAT_FIELD(more, GenericSource))

DROVER_DESCRIBE(drover::TaskHandle, "structs.TaskHandle",
    DROVER_FIELD(Version), DROVER_FIELD(DriverState))

DROVER_DESCRIBE(drover::TaskState, "structs.TaskState",
    DROVER_FIELD(State), DROVER_FIELD(Failed), DROVER_FIELD(Restarts), DROVER_FIELD(LastRestart),
    DROVER_FIELD(StartedAt), DROVER_FIELD(FinishedAt), DROVER_FIELD(Events), DROVER_FIELD(TaskHandle))

DROVER_DESCRIBE(drover::AllocListStub, "structs.AllocListStub",
    DROVER_FIELD(ID), DROVER_FIELD(EvalID), DROVER_FIELD(Name), DROVER_FIELD(Namespace), DROVER_FIELD(NodeID),
    DROVER_FIELD(NodeName), DROVER_FIELD(JobID), DROVER_FIELD(JobType), DROVER_FIELD(JobVersion),
    DROVER_FIELD(TaskGroup), DROVER_FIELD(AllocatedResources).with(drover::kOmitEmpty), DROVER_FIELD(DesiredStatus),
    DROVER_FIELD(DesiredDescription), DROVER_FIELD(ClientStatus), DROVER_FIELD(ClientDescription),
    DROVER_FIELD(DesiredTransition), DROVER_FIELD(TaskStates), DROVER_FIELD(DeploymentStatus),
    DROVER_FIELD(FollowupEvalID), DROVER_FIELD(NextAllocation), DROVER_FIELD(RescheduleTracker),
    DROVER_FIELD(PreemptedAllocations), DROVER_FIELD(PreemptedByAllocation), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(CreateTime).wire("int64"), DROVER_FIELD(ModifyTime).wire("int64"))

DROVER_DESCRIBE(drover::NodeScoreMeta, "structs.NodeScoreMeta",
    DROVER_FIELD(NodeID), DROVER_FIELD(Scores), DROVER_FIELD(NormScore))

DROVER_DESCRIBE(drover::AllocMetric, "structs.AllocMetric",
    DROVER_FIELD(NodesEvaluated), DROVER_FIELD(NodesFiltered), DROVER_FIELD(NodesAvailable),
    DROVER_FIELD(ClassFiltered), DROVER_FIELD(ConstraintFiltered), DROVER_FIELD(NodesExhausted),
    DROVER_FIELD(ClassExhausted), DROVER_FIELD(DimensionExhausted), DROVER_FIELD(QuotaExhausted),
    DROVER_FIELD(ResourcesExhausted), DROVER_FIELD(Scores), DROVER_FIELD(ScoreMetaData), DROVER_FIELD(AllocationTime),
    DROVER_FIELD(CoalescedFailures))

DROVER_DESCRIBE(drover::AllocNetworkStatus, "structs.AllocNetworkStatus",
    DROVER_FIELD(InterfaceName), DROVER_FIELD(Address), DROVER_FIELD(DNS))

DROVER_DESCRIBE(drover::AllocState, "structs.AllocState",
    DROVER_FIELD(Field).wire("structs.AllocStateField"), DROVER_FIELD(Value), DROVER_FIELD(Time))

DROVER_DESCRIBE_OMIT_EMPTY(drover::Allocation, "structs.Allocation",
    DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(EvalID), DROVER_FIELD(Name), DROVER_FIELD(NodeID),
    DROVER_FIELD(NodeName), DROVER_FIELD(JobID), DROVER_FIELD(Job), DROVER_FIELD(TaskGroup), DROVER_FIELD(Resources),
    DROVER_FIELD(SharedResources), DROVER_FIELD(TaskResources), DROVER_FIELD(AllocatedResources),
    DROVER_FIELD(Metrics), DROVER_FIELD(DesiredStatus), DROVER_FIELD(DesiredDescription),
    DROVER_FIELD(DesiredTransition), DROVER_FIELD(ClientStatus), DROVER_FIELD(ClientDescription),
    DROVER_FIELD(TaskStates), DROVER_FIELD(AllocStates), DROVER_FIELD(PreviousAllocation),
    DROVER_FIELD(NextAllocation), DROVER_FIELD(DeploymentID), DROVER_FIELD(DeploymentStatus),
    DROVER_FIELD(RescheduleTracker), DROVER_FIELD(NetworkStatus), DROVER_FIELD(FollowupEvalID),
    DROVER_FIELD(PreemptedAllocations), DROVER_FIELD(PreemptedByAllocation),
    DROVER_FIELD(SignedIdentities).with(drover::kNotInJson), DROVER_FIELD(SigningKeyID), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(AllocModifyIndex), DROVER_FIELD(CreateTime).wire("int64"),
    DROVER_FIELD(ModifyTime).wire("int64"))

DROVER_DESCRIBE(drover::CheckQueryResult, "structs.CheckQueryResult",
    DROVER_FIELD(ID).wire("structs.CheckID"), DROVER_FIELD(Mode).wire("structs.CheckMode"),
    DROVER_FIELD(Status).wire("structs.CheckStatus"), DROVER_FIELD(StatusCode).with(drover::kOmitEmpty), DROVER_FIELD(Output),
    DROVER_FIELD(Timestamp).wire("int64"), DROVER_FIELD(Group), DROVER_FIELD(Task).with(drover::kOmitEmpty), DROVER_FIELD(Service),
    DROVER_FIELD(Check))
