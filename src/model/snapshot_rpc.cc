#include "model/snapshot_rpc.h"

#define QUERY_META DROVER_FIELD(Index), DROVER_FIELD(LastContact), DROVER_FIELD(KnownLeader), DROVER_FIELD(NextToken)

DROVER_DESCRIBE(drover::rpc::SnapshotSaveRequest, "structs.SnapshotSaveRequest", DROVER_FIELD(Region), DROVER_FIELD(Namespace),
                DROVER_FIELD(MinQueryIndex), DROVER_FIELD(MaxQueryTime), DROVER_FIELD(AllowStale), DROVER_FIELD(Prefix),
                DROVER_FIELD(AuthToken), DROVER_FIELD(Filter), DROVER_FIELD(PerPage), DROVER_FIELD(NextToken),
                DROVER_FIELD(Reverse), DROVER_FIELD(Forwarded))
DROVER_DESCRIBE(drover::rpc::SnapshotSaveResponse, "structs.SnapshotSaveResponse", QUERY_META, DROVER_FIELD(SnapshotChecksum),
                DROVER_FIELD(ErrorCode), DROVER_FIELD(ErrorMsg))
DROVER_DESCRIBE(drover::rpc::SnapshotRestoreRequest, "structs.SnapshotRestoreRequest", DROVER_FIELD(Region),
                DROVER_FIELD(Namespace), DROVER_FIELD(AuthToken), DROVER_FIELD(IdempotencyToken), DROVER_FIELD(Forwarded))
DROVER_DESCRIBE(drover::rpc::SnapshotRestoreResponse, "structs.SnapshotRestoreResponse", QUERY_META, DROVER_FIELD(ErrorCode),
                DROVER_FIELD(ErrorMsg))
