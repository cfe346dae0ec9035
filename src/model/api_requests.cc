#include "model/api_requests.h"

DROVER_DESCRIBE(drover::api::AgentSchedulerWorkerConfigRequest, "api.AgentSchedulerWorkerConfigRequest",
    DROVER_FIELD(NumSchedulers).json("num_schedulers"), DROVER_FIELD(EnabledSchedulers).json("enabled_schedulers"))

DROVER_DESCRIBE(drover::api::AgentSchedulerWorkerConfigResponse, "api.AgentSchedulerWorkerConfigResponse",
    DROVER_FIELD(ServerID).json("server_id"), DROVER_FIELD(NumSchedulers).json("num_schedulers"),
    DROVER_FIELD(EnabledSchedulers).json("enabled_schedulers"))

DROVER_DESCRIBE(drover::api::AgentSchedulerWorkerInfo, "api.AgentSchedulerWorkerInfo",
    DROVER_FIELD(ID).json("id"), DROVER_FIELD(EnabledSchedulers).json("enabled_schedulers"),
    DROVER_FIELD(Started).json("started"), DROVER_FIELD(Status).json("status"),
    DROVER_FIELD(WorkloadStatus).json("workload_status"))

DROVER_DESCRIBE(drover::api::AgentSchedulerWorkersInfo, "api.AgentSchedulerWorkersInfo",
    DROVER_FIELD(ServerID).json("server_id"), DROVER_FIELD(Schedulers).json("schedulers"))

DROVER_DESCRIBE(drover::api::AutopilotConfiguration, "api.AutopilotConfiguration",
    DROVER_FIELD(CleanupDeadServers), DROVER_FIELD(LastContactThreshold).with(drover::kDurationText).wire("string"),
    DROVER_FIELD(MaxTrailingLogs), DROVER_FIELD(MinQuorum).wire("uint"),
    DROVER_FIELD(ServerStabilizationTime).with(drover::kDurationText).wire("string"), DROVER_FIELD(EnableRedundancyZones),
    DROVER_FIELD(DisableUpgradeMigration), DROVER_FIELD(EnableCustomUpgrades), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::api::DrainSpec, "api.DrainSpec",
    DROVER_FIELD(Deadline), DROVER_FIELD(IgnoreSystemJobs))

DROVER_DESCRIBE(drover::api::JobPlanRequest, "api.JobPlanRequest",
    DROVER_FIELD(Job), DROVER_FIELD(Diff), DROVER_FIELD(PolicyOverride), DROVER_FIELD(Region),
    DROVER_FIELD(Namespace), DROVER_FIELD(SecretID))

DROVER_DESCRIBE(drover::api::JobSubmission, "api.JobSubmission",
    DROVER_FIELD(Source), DROVER_FIELD(Format), DROVER_FIELD(VariableFlags), DROVER_FIELD(Variables))

DROVER_DESCRIBE(drover::api::JobRegisterRequest, "api.JobRegisterRequest",
    DROVER_FIELD(Submission), DROVER_FIELD(Job), DROVER_FIELD(EnforceIndex).with(drover::kOmitEmpty),
    DROVER_FIELD(JobModifyIndex).with(drover::kOmitEmpty), DROVER_FIELD(PolicyOverride).with(drover::kOmitEmpty),
    DROVER_FIELD(PreserveCounts).with(drover::kOmitEmpty), DROVER_FIELD(EvalPriority).with(drover::kOmitEmpty),
    DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(SecretID))

DROVER_DESCRIBE(drover::api::JobValidateRequest, "api.JobValidateRequest",
    DROVER_FIELD(Job), DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(SecretID))

DROVER_DESCRIBE(drover::api::JobsParseRequest, "api.JobsParseRequest",
    DROVER_FIELD(JobHCL), DROVER_FIELD(HCLv1).json("hclv1").with(drover::kOmitEmpty), DROVER_FIELD(Variables),
    DROVER_FIELD(Canonicalize))

DROVER_DESCRIBE(drover::api::NodeUpdateDrainRequest, "api.NodeUpdateDrainRequest",
    DROVER_FIELD(NodeID), DROVER_FIELD(DrainSpec), DROVER_FIELD(MarkEligible), DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::api::ServerHealth, "api.ServerHealth",
    DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Address), DROVER_FIELD(SerfStatus), DROVER_FIELD(Version),
    DROVER_FIELD(Leader), DROVER_FIELD(LastContact).with(drover::kDurationText), DROVER_FIELD(LastTerm),
    DROVER_FIELD(LastIndex), DROVER_FIELD(Healthy), DROVER_FIELD(Voter), DROVER_FIELD(StableSince))

DROVER_DESCRIBE(drover::api::OperatorHealthReply, "api.OperatorHealthReply",
    DROVER_FIELD(Healthy), DROVER_FIELD(FailureTolerance), DROVER_FIELD(Servers))

DROVER_DESCRIBE(drover::api::PreemptionConfig, "api.PreemptionConfig",
    DROVER_FIELD(SystemSchedulerEnabled), DROVER_FIELD(SysBatchSchedulerEnabled), DROVER_FIELD(BatchSchedulerEnabled),
    DROVER_FIELD(ServiceSchedulerEnabled))

DROVER_DESCRIBE(drover::api::ScalingRequest, "api.ScalingRequest",
    DROVER_FIELD(Count).wire("int64"), DROVER_FIELD(Target), DROVER_FIELD(Message), DROVER_FIELD(Error),
    DROVER_FIELD(Meta), DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(SecretID),
    DROVER_FIELD(PolicyOverride))

DROVER_DESCRIBE(drover::api::SchedulerConfiguration, "api.SchedulerConfiguration",
    DROVER_FIELD(SchedulerAlgorithm).wire("api.SchedulerAlgorithm"), DROVER_FIELD(PreemptionConfig),
    DROVER_FIELD(MemoryOversubscriptionEnabled), DROVER_FIELD(RejectJobRegistration), DROVER_FIELD(PauseEvalBroker),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::api::WriteRequest, "api.WriteRequest",
    DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(SecretID))
