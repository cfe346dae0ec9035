// Snapshot archives: a tar file in gzip with meta.json, state.bin and SHA256SUMS.
#pragma once

#include <string>

#include "base/result.h"

namespace drover::cli {

struct SnapshotMeta {
  std::string ID;
  uint64_t Index = 0;
  uint64_t Term = 0;
  int64_t Version = 0;
  int64_t Size = 0;
};

struct SnapshotArchive {
  SnapshotMeta meta;
  std::string meta_list;  // meta.json as it stands, in a JSON list
  std::string state;      // the stream of records
};
// Unpacks and checks the archive. Errors: "failed to decompress snapshot: unexpected EOF", "hash check failed ...".
Result<SnapshotArchive> open_snapshot(const std::string& archive);
Result<SnapshotMeta> inspect_snapshot(const std::string& archive);

}  // namespace drover::cli
