// Snapshots as a stream of records, out and in (reference server-core 7.2): a MessagePack header, then one type byte and
// one MessagePack object each, until the end.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "state/store.h"

namespace drover::state {

enum class SnapshotStyle {
  // Ours: everything, so that a server restored from it has the same state_hash(); job specs are written once and not
  // with each allocation, defaults are left out.
  kNative,
  // As the reference reads it: only its records (no job submissions, one-time tokens, autopilot configuration).
  kReference,
};

// Takes the stream in chunks of about 64 KiB. An error stops the writing.
using SnapshotSink = std::function<Status(std::string_view chunk)>;
Status write_snapshot(const Snapshot& snapshot, const SnapshotSink& sink, SnapshotStyle style = SnapshotStyle::kNative);

// Fills `into`; returns how many bytes, 0 at the end of the stream.
using SnapshotSource = std::function<Result<size_t>(char* into, size_t size)>;
// Reads either style. Equal parts of allocations are shared through `interner`, which then belongs to the state.
// kCorrupt when the stream is damaged or ends within a record: "Unrecognized snapshot type: 99".
// A stream of the reference has no index of its own: state.index is then the highest of its tables.
Result<State> read_snapshot(const SnapshotSource& source, Interner& interner);
// Reads and swaps in; on an error the store is as before. The writer's thread.
Status restore_snapshot(Store& store, const SnapshotSource& source);

}  // namespace drover::state
