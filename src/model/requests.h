// Request and response bodies of the HTTP API (server shapes).
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/alloc.h"
#include "model/client_stats.h"
#include "model/config_records.h"
#include "model/deployment.h"
#include "model/diff.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/job_records.h"
#include "model/node.h"
#include "model/volume.h"

namespace drover {

struct AllocSignalRequest {
  std::string AllocID;
  std::string Task;
  std::string Signal;
  std::string Region;
  std::string Namespace;
  uint64_t MinQueryIndex = 0;
  Duration MaxQueryTime{};
  bool AllowStale = false;
  std::string Prefix;
  std::string AuthToken;
  std::string Filter;
  int32_t PerPage = 0;
  std::string NextToken;
  bool Reverse = false;
  bool Forwarded = false;

  friend bool operator==(const AllocSignalRequest&, const AllocSignalRequest&) = default;
};

struct AllocStopResponse {
  std::string EvalID;
  uint64_t Index = 0;

  friend bool operator==(const AllocStopResponse&, const AllocStopResponse&) = default;
};

struct CSISnapshotCreateRequest {
  List<CSISnapshot> Snapshots;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const CSISnapshotCreateRequest&, const CSISnapshotCreateRequest&) = default;
};

struct CSISnapshotCreateResponse {
  List<CSISnapshot> Snapshots;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const CSISnapshotCreateResponse&, const CSISnapshotCreateResponse&) = default;
};

struct CSISnapshotListResponse {
  List<CSISnapshot> Snapshots;
  std::string NextToken;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;

  friend bool operator==(const CSISnapshotListResponse&, const CSISnapshotListResponse&) = default;
};

struct CSIVolumeCreateRequest {
  List<CSIVolume> Volumes;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const CSIVolumeCreateRequest&, const CSIVolumeCreateRequest&) = default;
};

struct CSIVolumeCreateResponse {
  List<CSIVolume> Volumes;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const CSIVolumeCreateResponse&, const CSIVolumeCreateResponse&) = default;
};

struct CSIVolumeExternalListResponse {
  List<CSIVolumeExternalStub> Volumes;
  std::string NextToken;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;

  friend bool operator==(const CSIVolumeExternalListResponse&, const CSIVolumeExternalListResponse&) = default;
};

struct CSIVolumeRegisterRequest {
  List<CSIVolume> Volumes;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const CSIVolumeRegisterRequest&, const CSIVolumeRegisterRequest&) = default;
};

struct DeploymentAllocHealthRequest {
  std::string DeploymentID;
  List<std::string> HealthyAllocationIDs;
  List<std::string> UnhealthyAllocationIDs;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const DeploymentAllocHealthRequest&, const DeploymentAllocHealthRequest&) = default;
};

struct DeploymentPauseRequest {
  std::string DeploymentID;
  bool Pause = false;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const DeploymentPauseRequest&, const DeploymentPauseRequest&) = default;
};

struct DeploymentPromoteRequest {
  std::string DeploymentID;
  bool All = false;
  List<std::string> Groups;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const DeploymentPromoteRequest&, const DeploymentPromoteRequest&) = default;
};

struct DeploymentUnblockRequest {
  std::string DeploymentID;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const DeploymentUnblockRequest&, const DeploymentUnblockRequest&) = default;
};

struct DeploymentUpdateResponse {
  std::string EvalID;
  uint64_t EvalCreateIndex = 0;
  uint64_t DeploymentModifyIndex = 0;
  std::optional<uint64_t> RevertedJobVersion;
  uint64_t Index = 0;

  friend bool operator==(const DeploymentUpdateResponse&, const DeploymentUpdateResponse&) = default;
};

struct EvalCountResponse {
  int64_t Count = 0;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const EvalCountResponse&, const EvalCountResponse&) = default;
};

struct EvalDeleteRequest {
  List<std::string> EvalIDs;
  std::string Filter;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const EvalDeleteRequest&, const EvalDeleteRequest&) = default;
};

struct EvalDeleteResponse {
  int64_t Count = 0;
  uint64_t Index = 0;

  friend bool operator==(const EvalDeleteResponse&, const EvalDeleteResponse&) = default;
};

struct EvalOptions {
  bool ForceReschedule = false;

  friend bool operator==(const EvalOptions&, const EvalOptions&) = default;
};

struct FuzzyMatch {
  std::string ID;
  List<std::string> Scope;

  friend bool operator==(const FuzzyMatch&, const FuzzyMatch&) = default;
};

struct FuzzySearchRequest {
  std::string Text;
  std::string Context;
  std::string Region;
  std::string Namespace;
  uint64_t MinQueryIndex = 0;
  Duration MaxQueryTime{};
  bool AllowStale = false;
  std::string Prefix;
  std::string AuthToken;
  std::string Filter;
  int32_t PerPage = 0;
  std::string NextToken;
  bool Reverse = false;
  bool Forwarded = false;

  friend bool operator==(const FuzzySearchRequest&, const FuzzySearchRequest&) = default;
};

struct FuzzySearchResponse {
  Map<List<FuzzyMatch>> Matches;
  Map<bool> Truncations;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const FuzzySearchResponse&, const FuzzySearchResponse&) = default;
};

struct GenericResponse {
  uint64_t Index = 0;

  friend bool operator==(const GenericResponse&, const GenericResponse&) = default;
};

struct HostDataResponse {
  std::string AgentID;
  Box<::drover::HostData> HostData;

  friend bool operator==(const HostDataResponse&, const HostDataResponse&) = default;
};

struct InternalRpcInfo {
  bool Forwarded = false;

  friend bool operator==(const InternalRpcInfo&, const InternalRpcInfo&) = default;
};

struct JobDeregisterResponse {
  std::string EvalID;
  uint64_t EvalCreateIndex = 0;
  uint64_t JobModifyIndex = 0;
  std::string VolumeEvalID;
  uint64_t VolumeEvalIndex = 0;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const JobDeregisterResponse&, const JobDeregisterResponse&) = default;
};

struct JobDispatchRequest {
  std::string JobID;
  Bytes Payload;
  Map<std::string> Meta;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;
  std::string IdPrefixTemplate;

  friend bool operator==(const JobDispatchRequest&, const JobDispatchRequest&) = default;
};

struct JobDispatchResponse {
  std::string DispatchedJobID;
  std::string EvalID;
  uint64_t EvalCreateIndex = 0;
  uint64_t JobCreateIndex = 0;
  uint64_t Index = 0;

  friend bool operator==(const JobDispatchResponse&, const JobDispatchResponse&) = default;
};

struct JobEvaluateRequest {
  std::string JobID;
  ::drover::EvalOptions EvalOptions;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const JobEvaluateRequest&, const JobEvaluateRequest&) = default;
};

struct JobPlanResponse {
  Box<PlanAnnotations> Annotations;
  Map<AllocMetric> FailedTGAllocs;
  uint64_t JobModifyIndex = 0;
  List<Evaluation> CreatedEvals;
  Box<JobDiff> Diff;
  Value NextPeriodicLaunch;  // RFC 3339 in the job's time zone, nil when there is none
  std::string Warnings;
  uint64_t Index = 0;

  friend bool operator==(const JobPlanResponse&, const JobPlanResponse&) = default;
};

struct JobRegisterResponse {
  std::string EvalID;
  uint64_t EvalCreateIndex = 0;
  uint64_t JobModifyIndex = 0;
  std::string Warnings;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const JobRegisterResponse&, const JobRegisterResponse&) = default;
};

struct JobRevertRequest {
  std::string JobID;
  uint64_t JobVersion = 0;
  std::optional<uint64_t> EnforcePriorVersion;
  std::string ConsulToken;
  std::string VaultToken;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const JobRevertRequest&, const JobRevertRequest&) = default;
};

struct TaskGroupScaleStatus {
  int64_t Desired = 0;
  int64_t Placed = 0;
  int64_t Running = 0;
  int64_t Healthy = 0;
  int64_t Unhealthy = 0;
  List<ScalingEvent> Events;

  friend bool operator==(const TaskGroupScaleStatus&, const TaskGroupScaleStatus&) = default;
};

struct JobScaleStatus {
  std::string JobID;
  std::string Namespace;
  uint64_t JobCreateIndex = 0;
  uint64_t JobModifyIndex = 0;
  bool JobStopped = false;
  Map<TaskGroupScaleStatus> TaskGroups;

  friend bool operator==(const JobScaleStatus&, const JobScaleStatus&) = default;
};

struct JobStabilityRequest {
  std::string JobID;
  uint64_t JobVersion = 0;
  bool Stable = false;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const JobStabilityRequest&, const JobStabilityRequest&) = default;
};

struct JobStabilityResponse {
  uint64_t Index = 0;

  friend bool operator==(const JobStabilityResponse&, const JobStabilityResponse&) = default;
};

struct JobValidateResponse {
  bool DriverConfigValidated = false;
  List<std::string> ValidationErrors;
  std::string Error;
  std::string Warnings;

  friend bool operator==(const JobValidateResponse&, const JobValidateResponse&) = default;
};

struct JobVersionsResponse {
  List<Job> Versions;
  List<JobDiff> Diffs;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const JobVersionsResponse&, const JobVersionsResponse&) = default;
};

struct KeyringDeleteRootKeyResponse {
  uint64_t Index = 0;

  friend bool operator==(const KeyringDeleteRootKeyResponse&, const KeyringDeleteRootKeyResponse&) = default;
};

struct KeyringRequest {
  std::string Key;

  friend bool operator==(const KeyringRequest&, const KeyringRequest&) = default;
};

struct KeyringResponse {
  Map<std::string> Messages;
  Map<int64_t> Keys;
  int64_t NumNodes = 0;

  friend bool operator==(const KeyringResponse&, const KeyringResponse&) = default;
};

struct KeyringRotateRootKeyResponse {
  Box<RootKeyMeta> Key;
  uint64_t Index = 0;

  friend bool operator==(const KeyringRotateRootKeyResponse&, const KeyringRotateRootKeyResponse&) = default;
};

struct NodeDrainUpdateResponse {
  uint64_t NodeModifyIndex = 0;
  List<std::string> EvalIDs;
  uint64_t EvalCreateIndex = 0;
  uint64_t Index = 0;

  friend bool operator==(const NodeDrainUpdateResponse&, const NodeDrainUpdateResponse&) = default;
};

struct NodeEligibilityUpdateResponse {
  uint64_t NodeModifyIndex = 0;
  List<std::string> EvalIDs;
  uint64_t EvalCreateIndex = 0;
  uint64_t Index = 0;

  friend bool operator==(const NodeEligibilityUpdateResponse&, const NodeEligibilityUpdateResponse&) = default;
};

struct NodeMetaApplyRequest {
  std::string Region;
  std::string Namespace;
  uint64_t MinQueryIndex = 0;
  Duration MaxQueryTime{};
  bool AllowStale = false;
  std::string Prefix;
  std::string AuthToken;
  std::string Filter;
  int32_t PerPage = 0;
  std::string NextToken;
  bool Reverse = false;
  bool Forwarded = false;
  std::string NodeID;
  Map<std::optional<std::string>> Meta;

  friend bool operator==(const NodeMetaApplyRequest&, const NodeMetaApplyRequest&) = default;
};

struct NodeMetaResponse {
  Map<std::string> Meta;
  Map<std::optional<std::string>> Dynamic;
  Map<std::string> Static;

  friend bool operator==(const NodeMetaResponse&, const NodeMetaResponse&) = default;
};

struct NodeServerInfo {
  std::string RPCAdvertiseAddr;
  int32_t RPCMajorVersion = 0;
  int32_t RPCMinorVersion = 0;
  std::string Datacenter;

  friend bool operator==(const NodeServerInfo&, const NodeServerInfo&) = default;
};

struct NodeUpdateEligibilityRequest {
  std::string NodeID;
  std::string Eligibility;
  Box<::drover::NodeEvent> NodeEvent;
  int64_t UpdatedAt = 0;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const NodeUpdateEligibilityRequest&, const NodeUpdateEligibilityRequest&) = default;
};

struct NodeUpdateResponse {
  Duration HeartbeatTTL{};
  List<std::string> EvalIDs;
  uint64_t EvalCreateIndex = 0;
  uint64_t NodeModifyIndex = 0;
  uint64_t Features = 0;
  std::string LeaderRPCAddr;
  int32_t NumNodes = 0;
  List<NodeServerInfo> Servers;
  std::string SchedulingEligibility;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const NodeUpdateResponse&, const NodeUpdateResponse&) = default;
};

struct PeriodicForceResponse {
  std::string EvalID;
  uint64_t EvalCreateIndex = 0;
  uint64_t Index = 0;

  friend bool operator==(const PeriodicForceResponse&, const PeriodicForceResponse&) = default;
};

struct QueryMeta {
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const QueryMeta&, const QueryMeta&) = default;
};

struct QueryOptions {
  std::string Region;
  std::string Namespace;
  uint64_t MinQueryIndex = 0;
  Duration MaxQueryTime{};
  bool AllowStale = false;
  std::string Prefix;
  std::string AuthToken;
  std::string Filter;
  int32_t PerPage = 0;
  std::string NextToken;
  bool Reverse = false;
  bool Forwarded = false;

  friend bool operator==(const QueryOptions&, const QueryOptions&) = default;
};

struct RaftServer {
  std::string ID;
  std::string Node;
  std::string Address;
  bool Leader = false;
  bool Voter = false;
  std::string RaftProtocol;

  friend bool operator==(const RaftServer&, const RaftServer&) = default;
};

struct RaftConfigurationResponse {
  List<RaftServer> Servers;
  uint64_t Index = 0;

  friend bool operator==(const RaftConfigurationResponse&, const RaftConfigurationResponse&) = default;
};

struct SchedulerConfigurationResponse {
  Box<SchedulerConfiguration> SchedulerConfig;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const SchedulerConfigurationResponse&, const SchedulerConfigurationResponse&) = default;
};

struct SchedulerSetConfigurationResponse {
  bool Updated = false;
  uint64_t Index = 0;

  friend bool operator==(const SchedulerSetConfigurationResponse&, const SchedulerSetConfigurationResponse&) = default;
};

struct SearchRequest {
  std::string Prefix;
  std::string Context;
  std::string Region;
  std::string Namespace;
  uint64_t MinQueryIndex = 0;
  Duration MaxQueryTime{};
  bool AllowStale = false;
  std::string AuthToken;
  std::string Filter;
  int32_t PerPage = 0;
  std::string NextToken;
  bool Reverse = false;
  bool Forwarded = false;

  friend bool operator==(const SearchRequest&, const SearchRequest&) = default;
};

struct SearchResponse {
  Map<List<std::string>> Matches;
  Map<bool> Truncations;
  uint64_t Index = 0;
  Duration LastContact{};
  bool KnownLeader = false;
  std::string NextToken;

  friend bool operator==(const SearchResponse&, const SearchResponse&) = default;
};

struct ServerMember {
  std::string Name;
  std::string Addr;  // between servers: the 4 or 16 bytes; over HTTP: text
  uint16_t Port = 0;
  Map<std::string> Tags;
  std::string Status;
  uint8_t ProtocolMin = 0;
  uint8_t ProtocolMax = 0;
  uint8_t ProtocolCur = 0;
  uint8_t DelegateMin = 0;
  uint8_t DelegateMax = 0;
  uint8_t DelegateCur = 0;

  friend bool operator==(const ServerMember&, const ServerMember&) = default;
};

struct ServerMembersResponse {
  std::string ServerName;
  std::string ServerRegion;
  std::string ServerDC;
  List<ServerMember> Members;

  friend bool operator==(const ServerMembersResponse&, const ServerMembersResponse&) = default;
};

struct WriteMeta {
  uint64_t Index = 0;

  friend bool operator==(const WriteMeta&, const WriteMeta&) = default;
};

struct WriteRequest {
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const WriteRequest&, const WriteRequest&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(AllocSignalRequest)
DROVER_TYPE(AllocStopResponse)
DROVER_TYPE(CSISnapshotCreateRequest)
DROVER_TYPE(CSISnapshotCreateResponse)
DROVER_TYPE(CSISnapshotListResponse)
DROVER_TYPE(CSIVolumeCreateRequest)
DROVER_TYPE(CSIVolumeCreateResponse)
DROVER_TYPE(CSIVolumeExternalListResponse)
DROVER_TYPE(CSIVolumeRegisterRequest)
DROVER_TYPE(DeploymentAllocHealthRequest)
DROVER_TYPE(DeploymentPauseRequest)
DROVER_TYPE(DeploymentPromoteRequest)
DROVER_TYPE(DeploymentUnblockRequest)
DROVER_TYPE(DeploymentUpdateResponse)
DROVER_TYPE(EvalCountResponse)
DROVER_TYPE(EvalDeleteRequest)
DROVER_TYPE(EvalDeleteResponse)
DROVER_TYPE(EvalOptions)
DROVER_TYPE(FuzzyMatch)
DROVER_TYPE(FuzzySearchRequest)
DROVER_TYPE(FuzzySearchResponse)
DROVER_TYPE(GenericResponse)
DROVER_TYPE(HostDataResponse)
DROVER_TYPE(InternalRpcInfo)
DROVER_TYPE(JobDeregisterResponse)
DROVER_TYPE(JobDispatchRequest)
DROVER_TYPE(JobDispatchResponse)
DROVER_TYPE(JobEvaluateRequest)
DROVER_TYPE(JobPlanResponse)
DROVER_TYPE(JobRegisterResponse)
DROVER_TYPE(JobRevertRequest)
DROVER_TYPE(TaskGroupScaleStatus)
DROVER_TYPE(JobScaleStatus)
DROVER_TYPE(JobStabilityRequest)
DROVER_TYPE(JobStabilityResponse)
DROVER_TYPE(JobValidateResponse)
DROVER_TYPE(JobVersionsResponse)
DROVER_TYPE(KeyringDeleteRootKeyResponse)
DROVER_TYPE(KeyringRequest)
DROVER_TYPE(KeyringResponse)
DROVER_TYPE(KeyringRotateRootKeyResponse)
DROVER_TYPE(NodeDrainUpdateResponse)
DROVER_TYPE(NodeEligibilityUpdateResponse)
DROVER_TYPE(NodeMetaApplyRequest)
DROVER_TYPE(NodeMetaResponse)
DROVER_TYPE(NodeServerInfo)
DROVER_TYPE(NodeUpdateEligibilityRequest)
DROVER_TYPE(NodeUpdateResponse)
DROVER_TYPE(PeriodicForceResponse)
DROVER_TYPE(QueryMeta)
DROVER_TYPE(QueryOptions)
DROVER_TYPE(RaftServer)
DROVER_TYPE(RaftConfigurationResponse)
DROVER_TYPE(SchedulerConfigurationResponse)
DROVER_TYPE(SchedulerSetConfigurationResponse)
DROVER_TYPE(SearchRequest)
DROVER_TYPE(SearchResponse)
DROVER_TYPE(ServerMember)
DROVER_TYPE(ServerMembersResponse)
DROVER_TYPE(WriteMeta)
DROVER_TYPE(WriteRequest)
}  // namespace drover
