// Snapshots on disk: <dir>/<term>-<index>-<ms>/{meta,state}. A snapshot is there whole or not at all: it is written under
// another name, synced, renamed, and the directory synced. The two newest are kept.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "raft/configuration.h"
#include "raft/disk.h"
#include "raft/types.h"

namespace drover::raft {

// The descriptor: what a server needs to know about the state file. The engine carries it in its snapshots.
struct SnapshotMeta {
  uint64_t index = 0, term = 0;
  uint64_t index_offset = 0;  // added to a log index to give the index that the state machine sees
  uint64_t configuration_index = 0;
  Configuration configuration;
  bool initial = false;  // the empty state of a new cluster: there is no state to restore
  uint64_t size = 0;     // of the state
  uint32_t crc = 0;      // CRC-32C of the state
  int64_t created_ms = 0;  // Unix time

  std::string encode() const;
  static Result<SnapshotMeta> decode(std::string_view bytes);
  bool same_state(const SnapshotMeta& o) const { return index == o.index && term == o.term && size == o.size && crc == o.crc; }
};

// Thread safe; writers and readers are used by one thread at a time each.
class SnapshotStore {
 public:
  // Removes what a crash left half done. `keep`: how many snapshots stay.
  static Result<std::unique_ptr<SnapshotStore>> open(std::string dir, Disk& disk, size_t keep = 2);

  // All complete snapshots, newest first.
  std::vector<SnapshotMeta> list() const;

  // Writes the state through the sink, then finish() makes it durable and reaps old ones. Dropped unfinished: removed.
  class Writer : public SnapshotSink {
   public:
    virtual Result<SnapshotMeta> finish() = 0;
  };
  // `meta` without size and crc.
  Result<std::unique_ptr<Writer>> create(SnapshotMeta meta);

  // The state, checked against its checksum at the end.
  Result<std::unique_ptr<SnapshotReader>> open_state(const SnapshotMeta& meta);
  // The state file itself, for transfers.
  Result<std::unique_ptr<File>> open_file(const SnapshotMeta& meta);

  // A snapshot that another server sends. At most one at a time; a second `begin` with another state drops the first.
  // Returns how many bytes of it are here already.
  Result<uint64_t> begin_incoming(const SnapshotMeta& meta);
  Status write_incoming(uint64_t offset, std::string_view bytes);
  // Checks the whole file and syncs it. kCorrupt: dropped, to be sent anew.
  Status complete_incoming();
  // The state that complete_incoming was called for becomes the newest snapshot. Durable on return.
  Status install_incoming(const SnapshotMeta& meta);

 private:
  SnapshotStore(std::string dir, Disk& disk, size_t keep) : dir_(std::move(dir)), disk_(disk), keep_(keep) {}
  struct Entry {
    std::string name;
    SnapshotMeta meta;
  };
  class FileWriter;
  Status load();
  Status publish(const std::string& from, const SnapshotMeta& meta);
  void reap();
  Result<std::string> path_of(const SnapshotMeta& meta) const;

  const std::string dir_;
  Disk& disk_;
  const size_t keep_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // newest first; under mutex_, as is the rest
  std::optional<SnapshotMeta> incoming_;
  std::unique_ptr<File> incoming_file_;
  uint64_t incoming_size_ = 0, incoming_behind_ = 0;  // the second: given to write_behind
};

}  // namespace drover::raft
