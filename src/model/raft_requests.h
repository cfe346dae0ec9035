// Bodies of replicated log entries that are not requests of rpc_requests.h or rpc.h already (reference server-core
// section 7). Names of structs and fields are the reference's. Ids, stamps and indexes of creation are set by the
// proposer: applying an entry reads no clock and no random.
#pragma once

#include <cstdint>
#include <string>

#include "model/acl.h"
#include "model/plan.h"
#include "model/rpc.h"
#include "model/state_records.h"
#include "model/volume.h"

namespace drover::rpc {

// Evaluations to create or update. EvalToken proves to the leader that the caller holds the evaluation.
struct EvalUpdateRequest : WriteRequest {
  List<Evaluation> Evals;
  std::string EvalToken;

  friend bool operator==(const EvalUpdateRequest&, const EvalUpdateRequest&) = default;
};

// Garbage collection and deletion by operators: ids, or a filter.
struct EvalReapRequest : WriteRequest {
  List<Uuid> Evals;
  List<Uuid> Allocs;
  std::string Filter;
  int32_t PerPage = 0;
  std::string NextToken;
  bool UserInitiated = false;

  friend bool operator==(const EvalReapRequest&, const EvalReapRequest&) = default;
};

struct VaultAccessorsRequest : WriteRequest {
  List<VaultAccessor> Accessors;

  friend bool operator==(const VaultAccessorsRequest&, const VaultAccessorsRequest&) = default;
};

struct SITokenAccessorsRequest : WriteRequest {
  List<SITokenAccessor> Accessors;

  friend bool operator==(const SITokenAccessorsRequest&, const SITokenAccessorsRequest&) = default;
};

// A plan's outcome. AllocsStopped and AllocsPreempted carry only what changes. Allocations of AllocsUpdated carry no job:
// Job is theirs; where the state has that version of it, the four fields Namespace, ID, Version and CreateIndex are
// enough. UpdatedAt is in Unix nanoseconds.
struct ApplyPlanResultsRequest : WriteRequest {
  Ref<::drover::Job> Job;
  List<Ref<Allocation>> AllocsStopped;
  List<Ref<Allocation>> AllocsUpdated;
  List<Ref<Allocation>> AllocsPreempted;
  List<std::string> IneligibleNodes;
  Box<::drover::Deployment> Deployment;
  List<::drover::DeploymentStatusUpdate> DeploymentUpdates;
  Uuid EvalID;
  List<Evaluation> PreemptionEvals;
  int64_t UpdatedAt = 0;

  friend bool operator==(const ApplyPlanResultsRequest&, const ApplyPlanResultsRequest&) = default;
};

// Several plans' outcomes in one log entry, applied in order.
struct ApplyPlanResultsBatch {
  List<ApplyPlanResultsRequest> Plans;

  friend bool operator==(const ApplyPlanResultsBatch&, const ApplyPlanResultsBatch&) = default;
};

// Job: what an automatic revert registers.
struct DeploymentStatusUpdateRequest : WriteRequest {
  Box<Evaluation> Eval;
  Box<::drover::DeploymentStatusUpdate> DeploymentUpdate;
  Box<::drover::Job> Job;

  friend bool operator==(const DeploymentStatusUpdateRequest&, const DeploymentStatusUpdateRequest&) = default;
};

struct ApplyDeploymentPromoteRequest : WriteRequest {
  std::string DeploymentID;
  bool All = false;
  List<std::string> Groups;
  Box<Evaluation> Eval;

  friend bool operator==(const ApplyDeploymentPromoteRequest&, const ApplyDeploymentPromoteRequest&) = default;
};

struct ApplyDeploymentAllocHealthRequest : WriteRequest {
  std::string DeploymentID;
  List<std::string> HealthyAllocationIDs;
  List<std::string> UnhealthyAllocationIDs;
  ::drover::Time Timestamp;
  Box<::drover::DeploymentStatusUpdate> DeploymentUpdate;
  Box<::drover::Job> Job;
  Box<Evaluation> Eval;

  friend bool operator==(const ApplyDeploymentAllocHealthRequest&, const ApplyDeploymentAllocHealthRequest&) = default;
};

struct DeploymentDeleteRequest : WriteRequest {
  List<Uuid> Deployments;

  friend bool operator==(const DeploymentDeleteRequest&, const DeploymentDeleteRequest&) = default;
};

struct ACLPolicyUpsertRequest : WriteRequest {
  List<ACLPolicy> Policies;

  friend bool operator==(const ACLPolicyUpsertRequest&, const ACLPolicyUpsertRequest&) = default;
};

struct ACLPolicyDeleteRequest : WriteRequest {
  List<std::string> Names;

  friend bool operator==(const ACLPolicyDeleteRequest&, const ACLPolicyDeleteRequest&) = default;
};

struct ACLTokenUpsertRequest : WriteRequest {
  List<ACLToken> Tokens;

  friend bool operator==(const ACLTokenUpsertRequest&, const ACLTokenUpsertRequest&) = default;
};

struct ACLTokenDeleteRequest : WriteRequest {
  List<std::string> AccessorIDs;

  friend bool operator==(const ACLTokenDeleteRequest&, const ACLTokenDeleteRequest&) = default;
};

// The reference keys these by (namespace, id); a map with such keys has no JSON, so the key is part of the value here.
struct JobDeregisterOptions {
  std::string Namespace;
  std::string ID;
  bool Purge = false;

  friend bool operator==(const JobDeregisterOptions&, const JobDeregisterOptions&) = default;
};

struct JobBatchDeregisterRequest : WriteRequest {
  List<JobDeregisterOptions> Jobs;
  List<Evaluation> Evals;

  friend bool operator==(const JobBatchDeregisterRequest&, const JobBatchDeregisterRequest&) = default;
};

// Allocs: allocation id -> what to merge into its DesiredTransition.
struct AllocUpdateDesiredTransitionRequest : WriteRequest {
  Map<DesiredTransition> Allocs;
  List<Evaluation> Evals;

  friend bool operator==(const AllocUpdateDesiredTransitionRequest&, const AllocUpdateDesiredTransitionRequest&) = default;
};

struct DrainUpdate {
  Box<::drover::DrainStrategy> DrainStrategy;
  bool MarkEligible = false;

  friend bool operator==(const DrainUpdate&, const DrainUpdate&) = default;
};

// By node id. UpdatedAt is in Unix seconds.
struct BatchNodeUpdateDrainRequest : WriteRequest {
  Map<DrainUpdate> Updates;
  Map<NodeEvent> NodeEvents;
  int64_t UpdatedAt = 0;

  friend bool operator==(const BatchNodeUpdateDrainRequest&, const BatchNodeUpdateDrainRequest&) = default;
};

struct NodeBatchDeregisterRequest : WriteRequest {
  List<std::string> NodeIDs;

  friend bool operator==(const NodeBatchDeregisterRequest&, const NodeBatchDeregisterRequest&) = default;
};

struct CSIVolumeDeregisterRequest : WriteRequest {
  List<std::string> VolumeIDs;
  bool Force = false;

  friend bool operator==(const CSIVolumeDeregisterRequest&, const CSIVolumeDeregisterRequest&) = default;
};

// Claim: 0 read, 1 write, 2 gc. State: see CSIVolumeClaim.
struct CSIVolumeClaimRequest : WriteRequest {
  std::string VolumeID;
  std::string AllocationID;
  std::string NodeID;
  std::string ExternalNodeID;
  int64_t Claim = 0;
  std::string AccessMode;
  std::string AttachmentMode;
  int64_t State = 0;

  friend bool operator==(const CSIVolumeClaimRequest&, const CSIVolumeClaimRequest&) = default;
};

struct CSIVolumeClaimBatchRequest : WriteRequest {
  List<CSIVolumeClaimRequest> Claims;

  friend bool operator==(const CSIVolumeClaimBatchRequest&, const CSIVolumeClaimBatchRequest&) = default;
};

struct CSIPluginDeleteRequest : WriteRequest {
  std::string ID;

  friend bool operator==(const CSIPluginDeleteRequest&, const CSIPluginDeleteRequest&) = default;
};

struct ScalingEventRequest : WriteRequest {
  std::string JobID;
  std::string TaskGroup;
  Box<::drover::ScalingEvent> ScalingEvent;

  friend bool operator==(const ScalingEventRequest&, const ScalingEventRequest&) = default;
};

struct OneTimeTokenDeleteRequest : WriteRequest {
  List<std::string> AccessorIDs;

  friend bool operator==(const OneTimeTokenDeleteRequest&, const OneTimeTokenDeleteRequest&) = default;
};

struct OneTimeTokenExpireRequest : WriteRequest {
  friend bool operator==(const OneTimeTokenExpireRequest&, const OneTimeTokenExpireRequest&) = default;
};

struct ServiceRegistrationDeleteByNodeIDRequest : WriteRequest {
  std::string NodeID;

  friend bool operator==(const ServiceRegistrationDeleteByNodeIDRequest&,
                         const ServiceRegistrationDeleteByNodeIDRequest&) = default;
};

// Op: set, cas, delete, delete-cas. The index to compare with is Var.ModifyIndex.
struct VarApplyStateRequest : WriteRequest {
  std::string Op;
  Box<VariableEncrypted> Var;

  friend bool operator==(const VarApplyStateRequest&, const VarApplyStateRequest&) = default;
};

// Result: ok, conflict, error.
struct VarApplyStateResponse : WriteMeta {
  std::string Op;
  std::string Result;
  std::string Error;
  Box<VariableEncrypted> Conflict;
  Box<VariableMetadata> WrittenSVMeta;

  friend bool operator==(const VarApplyStateResponse&, const VarApplyStateResponse&) = default;
};

struct KeyringUpdateRootKeyMetaRequest : WriteRequest {
  Box<::drover::RootKeyMeta> RootKeyMeta;
  bool Rekey = false;

  friend bool operator==(const KeyringUpdateRootKeyMetaRequest&, const KeyringUpdateRootKeyMetaRequest&) = default;
};

struct KeyringDeleteRootKeyRequest : WriteRequest {
  std::string KeyID;

  friend bool operator==(const KeyringDeleteRootKeyRequest&, const KeyringDeleteRootKeyRequest&) = default;
};

struct ACLRolesUpsertRequest : WriteRequest {
  List<ACLRole> ACLRoles;
  bool AllowMissingPolicies = false;

  friend bool operator==(const ACLRolesUpsertRequest&, const ACLRolesUpsertRequest&) = default;
};

struct ACLRolesDeleteByIDRequest : WriteRequest {
  List<std::string> ACLRoleIDs;

  friend bool operator==(const ACLRolesDeleteByIDRequest&, const ACLRolesDeleteByIDRequest&) = default;
};

struct ACLAuthMethodUpsertRequest : WriteRequest {
  List<ACLAuthMethod> AuthMethods;

  friend bool operator==(const ACLAuthMethodUpsertRequest&, const ACLAuthMethodUpsertRequest&) = default;
};

struct ACLAuthMethodDeleteRequest : WriteRequest {
  List<std::string> Names;

  friend bool operator==(const ACLAuthMethodDeleteRequest&, const ACLAuthMethodDeleteRequest&) = default;
};

struct ACLBindingRulesUpsertRequest : WriteRequest {
  List<ACLBindingRule> ACLBindingRules;
  bool AllowMissingAuthMethods = false;

  friend bool operator==(const ACLBindingRulesUpsertRequest&, const ACLBindingRulesUpsertRequest&) = default;
};

struct ACLBindingRulesDeleteRequest : WriteRequest {
  List<std::string> ACLBindingRuleIDs;

  friend bool operator==(const ACLBindingRulesDeleteRequest&, const ACLBindingRulesDeleteRequest&) = default;
};

}  // namespace drover::rpc

namespace drover {
DROVER_TYPE(rpc::EvalUpdateRequest)
DROVER_TYPE(rpc::EvalReapRequest)
DROVER_TYPE(rpc::VaultAccessorsRequest)
DROVER_TYPE(rpc::SITokenAccessorsRequest)
DROVER_TYPE(rpc::ApplyPlanResultsRequest)
DROVER_TYPE(rpc::ApplyPlanResultsBatch)
DROVER_TYPE(rpc::DeploymentStatusUpdateRequest)
DROVER_TYPE(rpc::ApplyDeploymentPromoteRequest)
DROVER_TYPE(rpc::ApplyDeploymentAllocHealthRequest)
DROVER_TYPE(rpc::DeploymentDeleteRequest)
DROVER_TYPE(rpc::ACLPolicyUpsertRequest)
DROVER_TYPE(rpc::ACLPolicyDeleteRequest)
DROVER_TYPE(rpc::ACLTokenUpsertRequest)
DROVER_TYPE(rpc::ACLTokenDeleteRequest)
DROVER_TYPE(rpc::JobDeregisterOptions)
DROVER_TYPE(rpc::JobBatchDeregisterRequest)
DROVER_TYPE(rpc::AllocUpdateDesiredTransitionRequest)
DROVER_TYPE(rpc::DrainUpdate)
DROVER_TYPE(rpc::BatchNodeUpdateDrainRequest)
DROVER_TYPE(rpc::NodeBatchDeregisterRequest)
DROVER_TYPE(rpc::CSIVolumeDeregisterRequest)
DROVER_TYPE(rpc::CSIVolumeClaimRequest)
DROVER_TYPE(rpc::CSIVolumeClaimBatchRequest)
DROVER_TYPE(rpc::CSIPluginDeleteRequest)
DROVER_TYPE(rpc::ScalingEventRequest)
DROVER_TYPE(rpc::OneTimeTokenDeleteRequest)
DROVER_TYPE(rpc::OneTimeTokenExpireRequest)
DROVER_TYPE(rpc::ServiceRegistrationDeleteByNodeIDRequest)
DROVER_TYPE(rpc::VarApplyStateRequest)
DROVER_TYPE(rpc::VarApplyStateResponse)
DROVER_TYPE(rpc::KeyringUpdateRootKeyMetaRequest)
DROVER_TYPE(rpc::KeyringDeleteRootKeyRequest)
DROVER_TYPE(rpc::ACLRolesUpsertRequest)
DROVER_TYPE(rpc::ACLRolesDeleteByIDRequest)
DROVER_TYPE(rpc::ACLAuthMethodUpsertRequest)
DROVER_TYPE(rpc::ACLAuthMethodDeleteRequest)
DROVER_TYPE(rpc::ACLBindingRulesUpsertRequest)
DROVER_TYPE(rpc::ACLBindingRulesDeleteRequest)
}  // namespace drover
