#include "model/requests.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::AllocSignalRequest, "structs.AllocSignalRequest",
    DROVER_FIELD(AllocID), DROVER_FIELD(Task), DROVER_FIELD(Signal), DROVER_QUERY_OPTIONS)

DROVER_DESCRIBE(drover::AllocStopResponse, "structs.AllocStopResponse",
    DROVER_FIELD(EvalID), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::CSISnapshotCreateRequest, "structs.CSISnapshotCreateRequest",
    DROVER_FIELD(Snapshots), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::CSISnapshotCreateResponse, "structs.CSISnapshotCreateResponse",
    DROVER_FIELD(Snapshots), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::CSISnapshotListResponse, "structs.CSISnapshotListResponse",
    DROVER_FIELD(Snapshots), DROVER_FIELD(NextToken), DROVER_FIELD(Index), DROVER_FIELD(LastContact),
    DROVER_FIELD(KnownLeader))

DROVER_DESCRIBE(drover::CSIVolumeCreateRequest, "structs.CSIVolumeCreateRequest",
    DROVER_FIELD(Volumes), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::CSIVolumeCreateResponse, "structs.CSIVolumeCreateResponse",
    DROVER_FIELD(Volumes), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::CSIVolumeExternalListResponse, "structs.CSIVolumeExternalListResponse",
    DROVER_FIELD(Volumes), DROVER_FIELD(NextToken), DROVER_FIELD(Index), DROVER_FIELD(LastContact),
    DROVER_FIELD(KnownLeader))

DROVER_DESCRIBE(drover::CSIVolumeRegisterRequest, "structs.CSIVolumeRegisterRequest",
    DROVER_FIELD(Volumes), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::DeploymentAllocHealthRequest, "structs.DeploymentAllocHealthRequest",
    DROVER_FIELD(DeploymentID), DROVER_FIELD(HealthyAllocationIDs), DROVER_FIELD(UnhealthyAllocationIDs),
    DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::DeploymentPauseRequest, "structs.DeploymentPauseRequest",
    DROVER_FIELD(DeploymentID), DROVER_FIELD(Pause), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::DeploymentPromoteRequest, "structs.DeploymentPromoteRequest",
    DROVER_FIELD(DeploymentID), DROVER_FIELD(All), DROVER_FIELD(Groups), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::DeploymentUnblockRequest, "structs.DeploymentUnblockRequest",
    DROVER_FIELD(DeploymentID), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::DeploymentUpdateResponse, "structs.DeploymentUpdateResponse",
    DROVER_FIELD(EvalID), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(DeploymentModifyIndex),
    DROVER_FIELD(RevertedJobVersion), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::EvalCountResponse, "structs.EvalCountResponse",
    DROVER_FIELD(Count), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::EvalDeleteRequest, "structs.EvalDeleteRequest",
    DROVER_FIELD(EvalIDs), DROVER_FIELD(Filter), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::EvalDeleteResponse, "structs.EvalDeleteResponse",
    DROVER_FIELD(Count), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::EvalOptions, "structs.EvalOptions",
    DROVER_FIELD(ForceReschedule))

DROVER_DESCRIBE(drover::FuzzyMatch, "structs.FuzzyMatch",
    DROVER_FIELD(ID), DROVER_FIELD(Scope).with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::FuzzySearchRequest, "structs.FuzzySearchRequest",
    DROVER_FIELD(Text), DROVER_FIELD(Context).wire("structs.Context"), DROVER_QUERY_OPTIONS)

DROVER_DESCRIBE(drover::FuzzySearchResponse, "structs.FuzzySearchResponse",
    DROVER_FIELD(Matches), DROVER_FIELD(Truncations), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::GenericResponse, "structs.GenericResponse",
    DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::HostDataResponse, "structs.HostDataResponse",
    DROVER_FIELD(AgentID), DROVER_FIELD(HostData))

DROVER_DESCRIBE(drover::InternalRpcInfo, "structs.InternalRpcInfo",
    DROVER_FIELD(Forwarded))

DROVER_DESCRIBE(drover::JobDeregisterResponse, "structs.JobDeregisterResponse",
    DROVER_FIELD(EvalID), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(JobModifyIndex), DROVER_FIELD(VolumeEvalID),
    DROVER_FIELD(VolumeEvalIndex), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::JobDispatchRequest, "structs.JobDispatchRequest",
    DROVER_FIELD(JobID), DROVER_FIELD(Payload), DROVER_FIELD(Meta), DROVER_WRITE_REQUEST, DROVER_FIELD(IdPrefixTemplate))

DROVER_DESCRIBE(drover::JobDispatchResponse, "structs.JobDispatchResponse",
    DROVER_FIELD(DispatchedJobID), DROVER_FIELD(EvalID), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(JobCreateIndex),
    DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::JobEvaluateRequest, "structs.JobEvaluateRequest",
    DROVER_FIELD(JobID), DROVER_FIELD(EvalOptions), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::JobPlanResponse, "structs.JobPlanResponse",
    DROVER_FIELD(Annotations), DROVER_FIELD(FailedTGAllocs), DROVER_FIELD(JobModifyIndex), DROVER_FIELD(CreatedEvals),
    DROVER_FIELD(Diff), DROVER_FIELD(NextPeriodicLaunch), DROVER_FIELD(Warnings), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::JobRegisterResponse, "structs.JobRegisterResponse",
    DROVER_FIELD(EvalID), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(JobModifyIndex), DROVER_FIELD(Warnings),
    DROVER_QUERY_META)

DROVER_DESCRIBE(drover::JobRevertRequest, "structs.JobRevertRequest",
    DROVER_FIELD(JobID), DROVER_FIELD(JobVersion), DROVER_FIELD(EnforcePriorVersion), DROVER_FIELD(ConsulToken),
    DROVER_FIELD(VaultToken), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::TaskGroupScaleStatus, "structs.TaskGroupScaleStatus",
    DROVER_FIELD(Desired), DROVER_FIELD(Placed), DROVER_FIELD(Running), DROVER_FIELD(Healthy),
    DROVER_FIELD(Unhealthy), DROVER_FIELD(Events))

DROVER_DESCRIBE(drover::JobScaleStatus, "structs.JobScaleStatus",
    DROVER_FIELD(JobID), DROVER_FIELD(Namespace), DROVER_FIELD(JobCreateIndex), DROVER_FIELD(JobModifyIndex),
    DROVER_FIELD(JobStopped), DROVER_FIELD(TaskGroups))

DROVER_DESCRIBE(drover::JobStabilityRequest, "structs.JobStabilityRequest",
    DROVER_FIELD(JobID), DROVER_FIELD(JobVersion), DROVER_FIELD(Stable), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::JobStabilityResponse, "structs.JobStabilityResponse",
    DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::JobValidateResponse, "structs.JobValidateResponse",
    DROVER_FIELD(DriverConfigValidated), DROVER_FIELD(ValidationErrors), DROVER_FIELD(Error), DROVER_FIELD(Warnings))

DROVER_DESCRIBE(drover::JobVersionsResponse, "structs.JobVersionsResponse",
    DROVER_FIELD(Versions), DROVER_FIELD(Diffs), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::KeyringDeleteRootKeyResponse, "structs.KeyringDeleteRootKeyResponse",
    DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::KeyringRequest, "structs.KeyringRequest",
    DROVER_FIELD(Key))

DROVER_DESCRIBE(drover::KeyringResponse, "structs.KeyringResponse",
    DROVER_FIELD(Messages), DROVER_FIELD(Keys), DROVER_FIELD(NumNodes))

DROVER_DESCRIBE(drover::KeyringRotateRootKeyResponse, "structs.KeyringRotateRootKeyResponse",
    DROVER_FIELD(Key), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::NodeDrainUpdateResponse, "structs.NodeDrainUpdateResponse",
    DROVER_FIELD(NodeModifyIndex), DROVER_FIELD(EvalIDs), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::NodeEligibilityUpdateResponse, "structs.NodeEligibilityUpdateResponse",
    DROVER_FIELD(NodeModifyIndex), DROVER_FIELD(EvalIDs), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::NodeMetaApplyRequest, "structs.NodeMetaApplyRequest",
    DROVER_QUERY_OPTIONS,
    DROVER_FIELD(NodeID), DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::NodeMetaResponse, "structs.NodeMetaResponse",
    DROVER_FIELD(Meta), DROVER_FIELD(Dynamic), DROVER_FIELD(Static))

DROVER_DESCRIBE(drover::NodeServerInfo, "structs.NodeServerInfo",
    DROVER_FIELD(RPCAdvertiseAddr), DROVER_FIELD(RPCMajorVersion), DROVER_FIELD(RPCMinorVersion),
    DROVER_FIELD(Datacenter))

DROVER_DESCRIBE(drover::NodeUpdateEligibilityRequest, "structs.NodeUpdateEligibilityRequest",
    DROVER_FIELD(NodeID), DROVER_FIELD(Eligibility), DROVER_FIELD(NodeEvent), DROVER_FIELD(UpdatedAt).wire("int64"),
    DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::NodeUpdateResponse, "structs.NodeUpdateResponse",
    DROVER_FIELD(HeartbeatTTL), DROVER_FIELD(EvalIDs), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(NodeModifyIndex),
    DROVER_FIELD(Features), DROVER_FIELD(LeaderRPCAddr), DROVER_FIELD(NumNodes), DROVER_FIELD(Servers),
    DROVER_FIELD(SchedulingEligibility), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::PeriodicForceResponse, "structs.PeriodicForceResponse",
    DROVER_FIELD(EvalID), DROVER_FIELD(EvalCreateIndex), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::QueryMeta, "structs.QueryMeta",
    DROVER_QUERY_META)

DROVER_DESCRIBE(drover::QueryOptions, "structs.QueryOptions",
    DROVER_QUERY_OPTIONS)

DROVER_DESCRIBE(drover::RaftServer, "structs.RaftServer",
    DROVER_FIELD(ID).wire("raft.ServerID"), DROVER_FIELD(Node), DROVER_FIELD(Address).wire("raft.ServerAddress"),
    DROVER_FIELD(Leader), DROVER_FIELD(Voter), DROVER_FIELD(RaftProtocol))

DROVER_DESCRIBE(drover::RaftConfigurationResponse, "structs.RaftConfigurationResponse",
    DROVER_FIELD(Servers), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::SchedulerConfigurationResponse, "structs.SchedulerConfigurationResponse",
    DROVER_FIELD(SchedulerConfig), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::SchedulerSetConfigurationResponse, "structs.SchedulerSetConfigurationResponse",
    DROVER_FIELD(Updated), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::SearchRequest, "structs.SearchRequest",
    DROVER_FIELD(Prefix), DROVER_FIELD(Context).wire("structs.Context"), DROVER_FIELD(Region),
    DROVER_FIELD(Namespace), DROVER_FIELD(MinQueryIndex), DROVER_FIELD(MaxQueryTime), DROVER_FIELD(AllowStale),
    DROVER_FIELD(AuthToken), DROVER_FIELD(Filter), DROVER_FIELD(PerPage), DROVER_FIELD(NextToken),
    DROVER_FIELD(Reverse), DROVER_FIELD(Forwarded))

DROVER_DESCRIBE(drover::SearchResponse, "structs.SearchResponse",
    DROVER_FIELD(Matches), DROVER_FIELD(Truncations), DROVER_QUERY_META)

DROVER_DESCRIBE(drover::ServerMember, "structs.ServerMember",
    DROVER_FIELD(Name), DROVER_FIELD(Addr).wire("net.IP"), DROVER_FIELD(Port), DROVER_FIELD(Tags),
    DROVER_FIELD(Status), DROVER_FIELD(ProtocolMin), DROVER_FIELD(ProtocolMax), DROVER_FIELD(ProtocolCur),
    DROVER_FIELD(DelegateMin), DROVER_FIELD(DelegateMax), DROVER_FIELD(DelegateCur))

DROVER_DESCRIBE(drover::ServerMembersResponse, "structs.ServerMembersResponse",
    DROVER_FIELD(ServerName), DROVER_FIELD(ServerRegion), DROVER_FIELD(ServerDC), DROVER_FIELD(Members))

DROVER_DESCRIBE(drover::WriteMeta, "structs.WriteMeta",
    DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::WriteRequest, "structs.WriteRequest",
    DROVER_WRITE_REQUEST)
