// The log on disk: segments zeroed ahead and reused, one frame per record, one fdatasync for all that waits.
//
// The loop decides where a frame goes and keeps the index of frames; the log thread (LogWriter) writes, syncs, makes
// and frees segments. While nothing is under way and the disk is fast, the loop writes by itself.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/world.h"
#include "raft/disk.h"
#include "raft/log_format.h"
#include "raft/log_store.h"

namespace drover::raft {

class LogWriter;

struct FileLogOptions {
  std::string dir;
  uint64_t segment = 64u << 20;
  bool inline_sync = true;
  uint64_t keep_from = 0;  // records whose entries all lie below are not indexed
};

// What an operator does about a raft directory that cannot be read.
std::string repair_advice(std::string raft_dir);

class FileLog final : public LogStore {
 public:
  // Reads the whole log; makes the directory when missing. `thread` runs one job at a time, in order, and outlives
  // this object, as do disk and world.
  static Result<std::unique_ptr<FileLog>> open(const FileLogOptions& options, Disk& disk, World& world, Pool& thread,
                                               RecoveredLog& recovered);
  // Waits for the write under way; what is queued behind it is dropped. A `done` that was posted already still runs.
  ~FileLog() override;

  Result<bool> append(LogRecord record, std::move_only_function<void(Status)> done) override;
  Status read(uint64_t lo, uint64_t hi, uint64_t max_bytes, const std::function<void(const dr_entry&)>& sink) override;
  void compact(uint64_t upto) override;
  uint64_t first_within(uint64_t bytes) const override;
  bool keeps_entries() const override { return true; }
  LogStats stats() const override;
  Status room() const override;

 private:
  friend class LogRecovery;
  // A frame that holds entries that are still part of the log.
  struct Frame {
    uint64_t first, last;  // entries
    uint64_t segment, offset;
    uint32_t size;
  };
  FileLog(const FileLogOptions& options, Disk& disk, World& world);
  std::string path(uint64_t segment) const { return options_.dir + "/" + segment_name(segment); }
  void cut(uint64_t from);  // entries at and after `from` are overwritten
  void index_frame(uint64_t first, size_t n, uint64_t segment, uint64_t offset, uint64_t size);
  Status read_frame(const Frame& frame, std::string& out);

  FileLogOptions options_;
  Disk& disk_;
  World& world_;
  std::deque<Frame> frames_;               // by index, no gaps, no overlaps
  std::map<uint64_t, uint32_t> segments_;  // number -> salt, of all segments that are in use
  uint64_t segment_ = 0, offset_ = 0;      // where the next frame goes
  uint64_t last_frame_segment_ = 0;        // the segment with the newest frame: it has the hard state
  uint64_t next_seq_ = 1;
  std::unique_ptr<File> read_file_;
  uint64_t read_segment_ = 0;
  std::shared_ptr<LogWriter> writer_;
};

}  // namespace drover::raft
