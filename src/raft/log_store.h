// Where readies become durable. One record is one ready: latest hard state, installed snapshot, entries; a crash keeps
// it whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "raft/engine/drover_raft.h"

namespace drover::raft {

struct LogRecord {
  dr_hard_state hs{};
  // The log before this record is replaced by this snapshot; index 0: none.
  uint64_t snapshot_index = 0, snapshot_term = 0;
  const dr_entry* entries = nullptr;  // an entry at index i cuts what the log had from i on
  size_t n_entries = 0;
  // Runs on the writing thread after everything before is durable and before this record is written (installs a
  // snapshot's file). Its error is the record's.
  std::move_only_function<Status()> before;
  // Never synced on the loop: there are peers, and messages to send and to take meanwhile.
  bool has_peers = false;
};

struct RecoveredLog {
  bool any = false;  // a record was found
  dr_hard_state hs{};
  uint64_t snapshot_index = 0, snapshot_term = 0;  // of the newest record that installed one
  uint64_t first = 0, last = 0;                    // entries; last == 0: none
  std::vector<dr_term_run> runs;                   // terms of first..last
};

struct LogStats {
  uint64_t bytes = 0;  // on disk, spare segments included
  uint64_t syncs = 0;
  bool stalled = false;  // what was appended waits for room on the disk
  Duration sync_time{0};
};

// All calls on the loop.
class LogStore {
 public:
  virtual ~LogStore() = default;
  // Copies the record. True: it and all before it are durable now, `done` is dropped. False: `done` runs later on the
  // loop, in the order of the appends, with success or with the error that ends this log.
  virtual Result<bool> append(LogRecord record, std::move_only_function<void(Status)> done) = 0;
  // Hands entries [lo, hi) to `sink` in order: at least one, then as many as fit in max_bytes. Only durable entries.
  virtual Status read(uint64_t lo, uint64_t hi, uint64_t max_bytes, const std::function<void(const dr_entry&)>& sink) = 0;
  // Entries up to and including `upto` are needed no more.
  virtual void compact(uint64_t upto) = 0;
  // The first of the newest entries that take no more than `bytes` of the log together; 0: all of them do.
  virtual uint64_t first_within(uint64_t bytes) const { return 0; }
  // False: nothing can be read back; the engine must keep all entries cached.
  virtual bool keeps_entries() const = 0;
  virtual LogStats stats() const = 0;
  // An error while the disk has no room to grow the log. What is appended then still becomes durable, some of it at
  // once and the rest when there is room.
  virtual Status room() const { return {}; }
};

// Dev mode: durable the moment it is appended, gone with the process.
class MemoryLog final : public LogStore {
 public:
  Result<bool> append(LogRecord record, std::move_only_function<void(Status)>) override {
    if (record.before) DROVER_CHECK(record.before());
    return true;
  }
  Status read(uint64_t, uint64_t, uint64_t, const std::function<void(const dr_entry&)>&) override {
    return internal("the log in memory keeps no entries");
  }
  void compact(uint64_t) override {}
  bool keeps_entries() const override { return false; }
  LogStats stats() const override { return {}; }
};

}  // namespace drover::raft
