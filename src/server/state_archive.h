// Snapshot archives of the replicated state: made from a snapshot, and turned into the stream that the log replicates.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "archive/snapshot_archive.h"
#include "archive/spool.h"
#include "base/async.h"
#include "base/result.h"
#include "state/store.h"

namespace drover::raft {
class SnapshotReader;
}

namespace drover::server {

class Server;

// An archive, read from anywhere: as many bytes as there are from `offset` on, up to `size`.
using ArchiveSource = std::function<Result<size_t>(uint64_t offset, char* out, size_t size)>;
struct ArchivedState {
  archive::SnapshotMeta meta;
  std::shared_ptr<state::State> state;
};
// Blocks. `cut`: why the archive's bytes end early, if they do. Errors are the reference's whole texts.
Result<ArchivedState> read_archive(const ArchiveSource& source, state::Interner& interner, std::optional<Error> cut = std::nullopt);

// The state as it is now, in the reference's form. Packs on the pool.
Async<Result<archive::SavedArchive>> save_state(Server& server);

// A state that came in an archive, read and found good: waits in a file to go through the log.
struct LoadedState {
  archive::SnapshotMeta meta;
  archive::Spool stream;    // in our own form
  uint64_t min_index = 0;   // the log goes on above it
};
// Nothing of the server changes. Errors as in read_archive.
Async<Result<LoadedState>> load_state(Server& server, archive::Spool archive, std::optional<Error> cut);
std::unique_ptr<raft::SnapshotReader> stream_of(LoadedState state);

// Where archives wait: the server's data folder, else the system's (see Spool).
std::string spool_dir(Server& server);

}  // namespace drover::server
