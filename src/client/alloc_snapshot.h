// The files of an allocation that a successor on another node takes over, as a tar stream (reference client, section
// 13.4): alloc/data and each task's local directory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/result.h"
#include "client/alloc_fs.h"

namespace drover::client {

class SnapshotStream {
 public:
  virtual ~SnapshotStream() = default;
  // The next bytes; "" at the end. An error on the way becomes an entry NOMAD-<alloc id>-ERROR.log, as the status of the
  // answer is long sent by then.
  virtual Async<std::string> next() = 0;
};
// kNotFound "failed to find data dir: ..." when nothing is left of the allocation.
std::unique_ptr<SnapshotStream> snapshot_alloc(World& world, AllocFiles files);

// The name of the entry that tells of an error.
std::string snapshot_error_name(std::string_view alloc_id);

}  // namespace drover::client
