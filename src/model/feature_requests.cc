#include "model/feature_requests.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::PeriodicForceRequest, "structs.PeriodicForceRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(JobID))
DROVER_DESCRIBE(drover::rpc::ScalingPolicyListRequest, "structs.ScalingPolicyListRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(Job),
                DROVER_FIELD(Type))
DROVER_DESCRIBE(drover::rpc::ScalingPolicyListResponse, "structs.ScalingPolicyListResponse", DROVER_QUERY_META, DROVER_FIELD(Policies))
DROVER_DESCRIBE(drover::rpc::ScalingPolicySpecificRequest, "structs.ScalingPolicySpecificRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::SingleScalingPolicyResponse, "structs.SingleScalingPolicyResponse", DROVER_QUERY_META, DROVER_FIELD(Policy))
DROVER_DESCRIBE(drover::rpc::VariablesListRequest, "structs.VariablesListRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::VariablesListResponse, "structs.VariablesListResponse", DROVER_QUERY_META, DROVER_FIELD(Data))
DROVER_DESCRIBE(drover::rpc::VariablesReadRequest, "structs.VariablesReadRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(Path))
DROVER_DESCRIBE(drover::rpc::VariablesReadResponse, "structs.VariablesReadResponse", DROVER_QUERY_META, DROVER_FIELD(Data))
DROVER_DESCRIBE(drover::rpc::VariablesApplyRequest, "structs.VariablesApplyRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Op).wire("structs.VarOp"), DROVER_FIELD(Var))
DROVER_DESCRIBE(drover::rpc::VariablesApplyResponse, "structs.VariablesApplyResponse", DROVER_WRITE_META,
                DROVER_FIELD(Op).wire("structs.VarOp"), DROVER_FIELD(Input), DROVER_FIELD(Result).wire("structs.VarOpResult"),
                DROVER_FIELD(Error), DROVER_FIELD(Conflict), DROVER_FIELD(Output))
DROVER_DESCRIBE(drover::rpc::KeyringListRootKeyMetaResponse, "structs.KeyringListRootKeyMetaResponse", DROVER_QUERY_META, DROVER_FIELD(Keys))
DROVER_DESCRIBE(drover::rpc::KeyringRotateRootKeyRequest, "structs.KeyringRotateRootKeyRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Algorithm).wire("structs.EncryptionAlgorithm"), DROVER_FIELD(Full))
DROVER_DESCRIBE(drover::rpc::IdentityClaims, "structs.IdentityClaims", DROVER_FIELD(Namespace),
                DROVER_FIELD(JobID), DROVER_FIELD(AllocationID),
                DROVER_FIELD(TaskName), DROVER_FIELD(Issuer), DROVER_FIELD(Subject), DROVER_FIELD(Audience),
                DROVER_FIELD(ExpiresAt), DROVER_FIELD(NotBefore), DROVER_FIELD(IssuedAt), DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::AuthenticatedIdentity, "structs.AuthenticatedIdentity", DROVER_FIELD(ACLToken), DROVER_FIELD(Claims),
                DROVER_FIELD(ClientID), DROVER_FIELD(TLSName), DROVER_FIELD(RemoteIP).wire("net.IP"))
DROVER_DESCRIBE(drover::rpc::ACLWhoAmIResponse, "structs.ACLWhoAmIResponse", DROVER_QUERY_META, DROVER_FIELD(Identity))
DROVER_DESCRIBE(drover::rpc::CSIVolumeListRequest, "structs.CSIVolumeListRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(PluginID),
                DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::CSIVolumeListResponse, "structs.CSIVolumeListResponse", DROVER_QUERY_META, DROVER_FIELD(Volumes))
DROVER_DESCRIBE(drover::rpc::CSIVolumeGetRequest, "structs.CSIVolumeGetRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::CSIVolumeGetResponse, "structs.CSIVolumeGetResponse", DROVER_QUERY_META, DROVER_FIELD(Volume))
DROVER_DESCRIBE(drover::rpc::CSIPluginListRequest, "structs.CSIPluginListRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::CSIPluginListResponse, "structs.CSIPluginListResponse", DROVER_QUERY_META, DROVER_FIELD(Plugins))
DROVER_DESCRIBE(drover::rpc::CSIPluginGetRequest, "structs.CSIPluginGetRequest", DROVER_QUERY_OPTIONS, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::CSIPluginGetResponse, "structs.CSIPluginGetResponse", DROVER_QUERY_META, DROVER_FIELD(Plugin))
