#include "model/feature_requests.h"

// The fields of the embedded bases, as the wire flattens them.
#define QUERY_OPTIONS                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(MinQueryIndex), DROVER_FIELD(MaxQueryTime),    \
      DROVER_FIELD(AllowStale), DROVER_FIELD(Prefix), DROVER_FIELD(AuthToken), DROVER_FIELD(Filter),         \
      DROVER_FIELD(PerPage), DROVER_FIELD(NextToken), DROVER_FIELD(Reverse), DROVER_FIELD(Forwarded)
#define WRITE_REQUEST                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(AuthToken), DROVER_FIELD(IdempotencyToken),    \
      DROVER_FIELD(Forwarded)
#define QUERY_META DROVER_FIELD(Index), DROVER_FIELD(LastContact), DROVER_FIELD(KnownLeader), DROVER_FIELD(NextToken)
#define WRITE_META DROVER_FIELD(Index)

DROVER_DESCRIBE(drover::rpc::PeriodicForceRequest, "structs.PeriodicForceRequest", WRITE_REQUEST, DROVER_FIELD(JobID))
DROVER_DESCRIBE(drover::rpc::ScalingPolicyListRequest, "structs.ScalingPolicyListRequest", QUERY_OPTIONS, DROVER_FIELD(Job),
                DROVER_FIELD(Type))
DROVER_DESCRIBE(drover::rpc::ScalingPolicyListResponse, "structs.ScalingPolicyListResponse", QUERY_META, DROVER_FIELD(Policies))
DROVER_DESCRIBE(drover::rpc::ScalingPolicySpecificRequest, "structs.ScalingPolicySpecificRequest", QUERY_OPTIONS, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::SingleScalingPolicyResponse, "structs.SingleScalingPolicyResponse", QUERY_META, DROVER_FIELD(Policy))
DROVER_DESCRIBE(drover::rpc::VariablesListRequest, "structs.VariablesListRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::VariablesListResponse, "structs.VariablesListResponse", QUERY_META, DROVER_FIELD(Data))
DROVER_DESCRIBE(drover::rpc::VariablesReadRequest, "structs.VariablesReadRequest", QUERY_OPTIONS, DROVER_FIELD(Path))
DROVER_DESCRIBE(drover::rpc::VariablesReadResponse, "structs.VariablesReadResponse", QUERY_META, DROVER_FIELD(Data))
DROVER_DESCRIBE(drover::rpc::VariablesApplyRequest, "structs.VariablesApplyRequest", WRITE_REQUEST,
                DROVER_FIELD(Op).wire("structs.VarOp"), DROVER_FIELD(Var))
DROVER_DESCRIBE(drover::rpc::VariablesApplyResponse, "structs.VariablesApplyResponse", WRITE_META,
                DROVER_FIELD(Op).wire("structs.VarOp"), DROVER_FIELD(Input), DROVER_FIELD(Result).wire("structs.VarOpResult"),
                DROVER_FIELD(Error), DROVER_FIELD(Conflict), DROVER_FIELD(Output))
DROVER_DESCRIBE(drover::rpc::KeyringListRootKeyMetaResponse, "structs.KeyringListRootKeyMetaResponse", QUERY_META, DROVER_FIELD(Keys))
DROVER_DESCRIBE(drover::rpc::KeyringRotateRootKeyRequest, "structs.KeyringRotateRootKeyRequest", WRITE_REQUEST,
                DROVER_FIELD(Algorithm).wire("structs.EncryptionAlgorithm"), DROVER_FIELD(Full))
DROVER_DESCRIBE(drover::rpc::CSIVolumeListRequest, "structs.CSIVolumeListRequest", QUERY_OPTIONS, DROVER_FIELD(PluginID),
                DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::CSIVolumeListResponse, "structs.CSIVolumeListResponse", QUERY_META, DROVER_FIELD(Volumes))
DROVER_DESCRIBE(drover::rpc::CSIVolumeGetRequest, "structs.CSIVolumeGetRequest", QUERY_OPTIONS, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::CSIVolumeGetResponse, "structs.CSIVolumeGetResponse", QUERY_META, DROVER_FIELD(Volume))
DROVER_DESCRIBE(drover::rpc::CSIPluginListRequest, "structs.CSIPluginListRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::CSIPluginListResponse, "structs.CSIPluginListResponse", QUERY_META, DROVER_FIELD(Plugins))
DROVER_DESCRIBE(drover::rpc::CSIPluginGetRequest, "structs.CSIPluginGetRequest", QUERY_OPTIONS, DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::CSIPluginGetResponse, "structs.CSIPluginGetResponse", QUERY_META, DROVER_FIELD(Plugin))
