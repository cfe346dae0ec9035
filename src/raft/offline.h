// What a server that is stopped has on its disk, read without changing anything there: for operators who look into a
// log, not for the server itself. A torn tail just ends the log; nothing is cut or repaired.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/disk.h"
#include "raft/snapshot_store.h"

namespace drover::raft {

struct OfflineEntry {
  enum class Kind : unsigned char {
    kCommand,        // `data` is the state machine's entry
    kNoop,           // the first entry of a term
    kConfiguration,  // a change of membership; `data` is the engine's
    kRestoreChunk,   // a piece of a snapshot that operators restored; `data` is the piece
  };
  Kind kind = Kind::kNoop;
  uint64_t index = 0;  // as the state machine sees it
  uint64_t term = 0;
  std::string_view data;      // valid during the call
  bool restore_done = false;  // the last piece
};

struct OfflineSnapshot {
  SnapshotMeta meta;
  std::string path;  // of the state
  uint64_t index() const { return meta.index + meta.index_offset; }
};

class OfflineLog {
 public:
  // `dir` holds log/ and snapshots/. kNotFound: "no raft log in <dir>"; kCorrupt names file and offset.
  static Result<OfflineLog> open(std::string dir, Disk& disk);

  const std::string& dir() const { return dir_; }
  // Of the entries, as the state machine sees them; both 0 when there are none.
  uint64_t first() const { return first_; }
  uint64_t last() const { return last_; }
  // Newest first; those that cannot be read are left out. The first state of a cluster, which is empty, is not one.
  const std::vector<OfflineSnapshot>& snapshots() const { return snapshots_; }
  // Every entry in order, until `sink` says false.
  Status read(const std::function<bool(const OfflineEntry&)>& sink) const;

 private:
  struct Frame {
    uint64_t first, last;  // entries of it that no later frame replaces
    uint64_t segment, offset, size;
  };
  OfflineLog(std::string dir, Disk& disk) : dir_(std::move(dir)), disk_(&disk) {}
  Status read_snapshots();
  Status read_segments();
  Status read_segment(uint64_t number, uint64_t& next_seq);
  void take(const struct FramePayload& payload, uint64_t segment, uint64_t offset, uint64_t size);
  void find_ends();

  std::string dir_;
  Disk* disk_;
  std::vector<Frame> frames_;
  std::vector<OfflineSnapshot> snapshots_;
  uint64_t start_offset_ = 0;  // between the log's indexes and the state machine's, at the first entry
  uint64_t first_ = 0, last_ = 0;
};

// Where below `path` a server's log lies: <path>/server/raft, <path>/raft, <path>, else the first such directory
// further down. kNotFound when there is none.
Result<std::string> find_raft_dir(const std::string& path, Disk& disk);

}  // namespace drover::raft
