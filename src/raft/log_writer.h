// The writing half of FileLog. Jobs run in order on the log thread, or one by one on the loop while nothing is queued.
//
// A full disk is waited for. The zeros ahead of the tail are room that is there already: when they cannot be made any
// more, room() says so while the little that the engine itself must write still goes through. A job that finds no room
// stays at the head of the queue and is tried again until there is.
//
// The segment after this one is made in the pool while the second half of this one is written, at the pace of the writing:
// a busy server never waits for blocks to be found, and one that writes little never has more than it needs.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/world.h"
#include "raft/disk.h"
#include "raft/log_format.h"

namespace drover::raft {

class LogWriter : public std::enable_shared_from_this<LogWriter> {
 public:
  struct Job {
    enum class Kind : uint8_t {
      kWrite,  // `frame` at `offset` of the current segment
      kRoll,   // `segment` with `header` becomes the current one
      kFree,   // `segment` is needed no more
      kIdle,   // nothing: lets the thread zero ahead
    } kind = Kind::kIdle;
    uint64_t segment = 0, offset = 0, seq = 0;
    SegmentHeader header;
    std::string frame;
    std::move_only_function<Status()> before;
    std::move_only_function<void(Status)> done;
  };

  LogWriter(std::string dir, uint64_t segment_size, Disk& disk, World& world, Pool& thread);

  // Before the first job: goes on in a segment whose frames end at `tail`, all durable up to `seq`.
  void resume(std::unique_ptr<File> file, const SegmentHeader& header, uint64_t tail, uint64_t file_size, uint64_t seq);
  void add_spare(std::string name, uint64_t size);

  void push(Job job);
  // Runs `job` (a write) on the calling thread when nothing is queued or running and the disk is fast; false: `job`
  // is untouched.
  bool try_inline(Job& job, Status& status);
  // Waits for the running job. No job runs and no `done` is posted after this returns. On the loop.
  void stop();
  // Any thread.
  Status room() const;
  bool stalled() const { return stalled_; }

  uint64_t syncs() const { return syncs_; }
  Duration sync_time() const { return Duration(sync_ns_); }
  uint64_t disk_bytes() const { return disk_bytes_; }

 private:
  struct Spare {
    std::string name;
    uint64_t size;
  };
  void drain();
  // `complete`: how many of the jobs are done when it returns.
  Status run(std::vector<Job>& jobs, size_t& complete);
  bool wait_for_room(std::vector<Job>& jobs, size_t complete, const Status& why);
  void set_full(const Status& why);
  void arm_retry();
  void retry();
  void forget_gathered();
  void finish(std::vector<Job>& jobs, size_t n);
  Status write(Job& job);
  Status flush();  // writes and syncs what is gathered
  Status roll(const Job& job);
  bool take_spare(Spare& out);
  void grow_spare();
  void grow(const std::string& name, uint64_t from, uint64_t size);
  Status free_segment(uint64_t number);
  bool wants_zeros() const;
  Status zero_ahead();
  Status sync();

  const std::string dir_;
  const uint64_t segment_size_;
  Disk& disk_;
  World& world_;
  Pool& thread_;

  mutable std::mutex queue_mutex_;
  std::deque<Job> queue_;  // under queue_mutex_, as are the next ones
  bool busy_ = false;
  bool stopped_ = false;
  Status room_;            // an error: the disk is full
  bool retrying_ = false;  // the timer is armed or about to be
  Timer retry_timer_;      // on the loop

  std::mutex run_mutex_;  // held while a job runs; guards the rest
  Status health_;         // the first error stays: nothing is written after it
  std::unique_ptr<File> file_;
  SegmentHeader header_;
  uint64_t tail_ = 0;       // end of the written frames
  uint64_t zeroed_ = 0;     // end of the file
  uint64_t durable_seq_ = 0, written_seq_ = 0;
  std::vector<std::string_view> parts_;  // gathered frames, from tail_ on
  uint64_t parts_size_ = 0;

  std::mutex spare_mutex_;
  std::vector<Spare> spares_;   // under spare_mutex_, as are the next ones; the last one is used first
  bool growing_ = false;        // the last one, in the pool: not to be used meanwhile
  bool grow_failed_ = false;    // not tried again in this segment
  std::mutex grow_mutex_;       // held while a spare grows, taken before spare_mutex_

  std::atomic<bool> stalled_{false};
  std::atomic<uint64_t> syncs_{0}, sync_ns_{0}, disk_bytes_{0};
  std::atomic<uint64_t> typical_sync_ns_{0};  // moving average; 0: none measured
};

}  // namespace drover::raft
