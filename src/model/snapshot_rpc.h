// The messages of Operator.SnapshotSave and Operator.SnapshotRestore (reference server-core 5.3). Save: request, response, then
// the archive's bytes to the end of the stream. Restore: request, then StreamErrWrapper frames with the archive, the last with
// the error "EOF"; then the response.
#pragma once

#include "model/requests.h"

namespace drover::rpc {

struct SnapshotSaveRequest : QueryOptions {};

struct SnapshotSaveResponse : QueryMeta {
  std::string SnapshotChecksum;  // "sha-256=<base64>"
  int64_t ErrorCode = 0;         // HTTP status; with ErrorMsg
  std::string ErrorMsg;
};

struct SnapshotRestoreRequest : WriteRequest {};

struct SnapshotRestoreResponse : QueryMeta {
  int64_t ErrorCode = 0;
  std::string ErrorMsg;
};

}  // namespace drover::rpc

namespace drover {
DROVER_TYPE(rpc::SnapshotSaveRequest)
DROVER_TYPE(rpc::SnapshotSaveResponse)
DROVER_TYPE(rpc::SnapshotRestoreRequest)
DROVER_TYPE(rpc::SnapshotRestoreResponse)
}  // namespace drover
