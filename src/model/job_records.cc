#include "model/job_records.h"

DROVER_DESCRIBE(drover::JobChildrenSummary, "structs.JobChildrenSummary",
    DROVER_FIELD(Pending).wire("int64"), DROVER_FIELD(Running).wire("int64"), DROVER_FIELD(Dead).wire("int64"))

DROVER_DESCRIBE(drover::TaskGroupSummary, "structs.TaskGroupSummary",
    DROVER_FIELD(Queued), DROVER_FIELD(Complete), DROVER_FIELD(Failed), DROVER_FIELD(Running), DROVER_FIELD(Starting),
    DROVER_FIELD(Lost), DROVER_FIELD(Unknown))

DROVER_DESCRIBE(drover::JobSummary, "structs.JobSummary",
    DROVER_FIELD(JobID), DROVER_FIELD(Namespace), DROVER_FIELD(Summary), DROVER_FIELD(Children),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::JobListStub, "structs.JobListStub",
    DROVER_FIELD(ID), DROVER_FIELD(ParentID), DROVER_FIELD(Name), DROVER_FIELD(Namespace).with(drover::kOmitEmpty), DROVER_FIELD(Datacenters),
    DROVER_FIELD(Multiregion), DROVER_FIELD(Type), DROVER_FIELD(Priority), DROVER_FIELD(Periodic),
    DROVER_FIELD(ParameterizedJob), DROVER_FIELD(Stop), DROVER_FIELD(Status), DROVER_FIELD(StatusDescription),
    DROVER_FIELD(JobSummary), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex), DROVER_FIELD(JobModifyIndex),
    DROVER_FIELD(SubmitTime).wire("int64"), DROVER_FIELD(Meta).with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::JobSubmission, "structs.JobSubmission",
    DROVER_FIELD(Source), DROVER_FIELD(Format), DROVER_FIELD(VariableFlags), DROVER_FIELD(Variables),
    DROVER_FIELD(Namespace), DROVER_FIELD(JobID), DROVER_FIELD(Version), DROVER_FIELD(JobModifyIndex))

DROVER_DESCRIBE(drover::ScalingEvent, "structs.ScalingEvent",
    DROVER_FIELD(Time).wire("int64"), DROVER_FIELD(Count).wire("int64"), DROVER_FIELD(PreviousCount).wire("int64"),
    DROVER_FIELD(Message), DROVER_FIELD(Error), DROVER_FIELD(Meta), DROVER_FIELD(EvalID), DROVER_FIELD(CreateIndex))

DROVER_DESCRIBE(drover::ScalingPolicyListStub, "structs.ScalingPolicyListStub",
    DROVER_FIELD(ID), DROVER_FIELD(Enabled), DROVER_FIELD(Type), DROVER_FIELD(Target), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))
