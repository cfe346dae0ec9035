#include "model/raft_requests.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::EvalUpdateRequest, "structs.EvalUpdateRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Evals),
                DROVER_FIELD(EvalToken))
DROVER_DESCRIBE(drover::rpc::EvalReapRequest, "structs.EvalReapRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Evals),
                DROVER_FIELD(Allocs), DROVER_FIELD(Filter), DROVER_FIELD(PerPage), DROVER_FIELD(NextToken),
                DROVER_FIELD(UserInitiated))
DROVER_DESCRIBE(drover::rpc::VaultAccessorsRequest, "structs.VaultAccessorsRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Accessors))
DROVER_DESCRIBE(drover::rpc::SITokenAccessorsRequest, "structs.SITokenAccessorsRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Accessors))
DROVER_DESCRIBE(drover::rpc::ApplyPlanResultsRequest, "structs.ApplyPlanResultsRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Job), DROVER_FIELD(AllocsStopped), DROVER_FIELD(AllocsUpdated),
                DROVER_FIELD(AllocsPreempted), DROVER_FIELD(IneligibleNodes), DROVER_FIELD(Deployment),
                DROVER_FIELD(DeploymentUpdates), DROVER_FIELD(EvalID), DROVER_FIELD(PreemptionEvals),
                DROVER_FIELD(UpdatedAt).wire("int64"))
DROVER_DESCRIBE(drover::rpc::ApplyPlanResultsBatch, "structs.ApplyPlanResultsBatch", DROVER_FIELD(Plans))
DROVER_DESCRIBE(drover::rpc::DeploymentStatusUpdateRequest, "structs.DeploymentStatusUpdateRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Eval), DROVER_FIELD(DeploymentUpdate), DROVER_FIELD(Job))
DROVER_DESCRIBE(drover::rpc::ApplyDeploymentPromoteRequest, "structs.ApplyDeploymentPromoteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(DeploymentID), DROVER_FIELD(All), DROVER_FIELD(Groups), DROVER_FIELD(Eval))
DROVER_DESCRIBE(drover::rpc::ApplyDeploymentAllocHealthRequest, "structs.ApplyDeploymentAllocHealthRequest",
                DROVER_WRITE_REQUEST, DROVER_FIELD(DeploymentID), DROVER_FIELD(HealthyAllocationIDs),
                DROVER_FIELD(UnhealthyAllocationIDs), DROVER_FIELD(Timestamp), DROVER_FIELD(DeploymentUpdate),
                DROVER_FIELD(Job), DROVER_FIELD(Eval))
DROVER_DESCRIBE(drover::rpc::DeploymentDeleteRequest, "structs.DeploymentDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Deployments))
DROVER_DESCRIBE(drover::rpc::ACLPolicyUpsertRequest, "structs.ACLPolicyUpsertRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Policies))
DROVER_DESCRIBE(drover::rpc::ACLPolicyDeleteRequest, "structs.ACLPolicyDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Names))
DROVER_DESCRIBE(drover::rpc::ACLTokenUpsertRequest, "structs.ACLTokenUpsertRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Tokens))
DROVER_DESCRIBE(drover::rpc::ACLTokenDeleteRequest, "structs.ACLTokenDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(AccessorIDs))
DROVER_DESCRIBE(drover::rpc::JobDeregisterOptions, "structs.JobDeregisterOptions", DROVER_FIELD(Namespace),
                DROVER_FIELD(ID), DROVER_FIELD(Purge))
DROVER_DESCRIBE(drover::rpc::JobBatchDeregisterRequest, "structs.JobBatchDeregisterRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Jobs), DROVER_FIELD(Evals))
DROVER_DESCRIBE(drover::rpc::AllocUpdateDesiredTransitionRequest, "structs.AllocUpdateDesiredTransitionRequest",
                DROVER_WRITE_REQUEST, DROVER_FIELD(Allocs), DROVER_FIELD(Evals))
DROVER_DESCRIBE(drover::rpc::DrainUpdate, "structs.DrainUpdate", DROVER_FIELD(DrainStrategy),
                DROVER_FIELD(MarkEligible))
DROVER_DESCRIBE(drover::rpc::BatchNodeUpdateDrainRequest, "structs.BatchNodeUpdateDrainRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Updates), DROVER_FIELD(NodeEvents), DROVER_FIELD(UpdatedAt).wire("int64"))
DROVER_DESCRIBE(drover::rpc::NodeBatchDeregisterRequest, "structs.NodeBatchDeregisterRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(NodeIDs))
DROVER_DESCRIBE(drover::rpc::CSIVolumeDeregisterRequest, "structs.CSIVolumeDeregisterRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(VolumeIDs), DROVER_FIELD(Force))
DROVER_DESCRIBE(drover::rpc::CSIVolumeClaimRequest, "structs.CSIVolumeClaimRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(VolumeID), DROVER_FIELD(AllocationID), DROVER_FIELD(NodeID),
                DROVER_FIELD(ExternalNodeID), DROVER_FIELD(Claim).wire("structs.CSIVolumeClaimMode"),
                DROVER_FIELD(AccessMode), DROVER_FIELD(AttachmentMode),
                DROVER_FIELD(State).wire("structs.CSIVolumeClaimState"))
DROVER_DESCRIBE(drover::rpc::CSIVolumeClaimBatchRequest, "structs.CSIVolumeClaimBatchRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Claims))
DROVER_DESCRIBE(drover::rpc::CSIPluginDeleteRequest, "structs.CSIPluginDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::ScalingEventRequest, "structs.ScalingEventRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(JobID),
                DROVER_FIELD(TaskGroup), DROVER_FIELD(ScalingEvent))
DROVER_DESCRIBE(drover::rpc::OneTimeTokenDeleteRequest, "structs.OneTimeTokenDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(AccessorIDs))
DROVER_DESCRIBE(drover::rpc::OneTimeTokenExpireRequest, "structs.OneTimeTokenExpireRequest", DROVER_WRITE_REQUEST)
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationDeleteByNodeIDRequest, "structs.ServiceRegistrationDeleteByNodeIDRequest",
                DROVER_WRITE_REQUEST, DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::VarApplyStateRequest, "structs.VarApplyStateRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Op),
                DROVER_FIELD(Var))
DROVER_DESCRIBE(drover::rpc::VarApplyStateResponse, "structs.VarApplyStateResponse", DROVER_FIELD(Index),
                DROVER_FIELD(Op), DROVER_FIELD(Result), DROVER_FIELD(Error), DROVER_FIELD(Conflict),
                DROVER_FIELD(WrittenSVMeta))
DROVER_DESCRIBE(drover::rpc::KeyringUpdateRootKeyMetaRequest, "structs.KeyringUpdateRootKeyMetaRequest",
                DROVER_WRITE_REQUEST, DROVER_FIELD(RootKeyMeta), DROVER_FIELD(Rekey))
DROVER_DESCRIBE(drover::rpc::KeyringDeleteRootKeyRequest, "structs.KeyringDeleteRootKeyRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(KeyID))
DROVER_DESCRIBE(drover::rpc::ACLRolesUpsertRequest, "structs.ACLRolesUpsertRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(ACLRoles), DROVER_FIELD(AllowMissingPolicies))
DROVER_DESCRIBE(drover::rpc::ACLRolesDeleteByIDRequest, "structs.ACLRolesDeleteByIDRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(ACLRoleIDs))
DROVER_DESCRIBE(drover::rpc::ACLAuthMethodUpsertRequest, "structs.ACLAuthMethodUpsertRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(AuthMethods))
DROVER_DESCRIBE(drover::rpc::ACLAuthMethodDeleteRequest, "structs.ACLAuthMethodDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Names))
DROVER_DESCRIBE(drover::rpc::ACLBindingRulesUpsertRequest, "structs.ACLBindingRulesUpsertRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(ACLBindingRules), DROVER_FIELD(AllowMissingAuthMethods))
DROVER_DESCRIBE(drover::rpc::ACLBindingRulesDeleteRequest, "structs.ACLBindingRulesDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(ACLBindingRuleIDs))
