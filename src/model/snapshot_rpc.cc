#include "model/snapshot_rpc.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::SnapshotSaveRequest, "structs.SnapshotSaveRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::SnapshotSaveResponse, "structs.SnapshotSaveResponse", DROVER_QUERY_META, DROVER_FIELD(SnapshotChecksum),
                DROVER_FIELD(ErrorCode), DROVER_FIELD(ErrorMsg))
DROVER_DESCRIBE(drover::rpc::SnapshotRestoreRequest, "structs.SnapshotRestoreRequest", DROVER_WRITE_REQUEST)
DROVER_DESCRIBE(drover::rpc::SnapshotRestoreResponse, "structs.SnapshotRestoreResponse", DROVER_QUERY_META, DROVER_FIELD(ErrorCode),
                DROVER_FIELD(ErrorMsg))
