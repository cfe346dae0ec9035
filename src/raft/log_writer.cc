#include "raft/log_writer.h"

#include <algorithm>

#include "base/assert.h"

namespace drover::raft {
namespace {

constexpr uint64_t kZeroLow = 256u << 10;        // zeros ahead of the tail before more are written
constexpr uint64_t kZeroStepMin = 1u << 20;      // a small server stays small
constexpr uint64_t kZeroStepMax = 2u << 20;
constexpr uint64_t kMaxGather = 16u << 20;       // bytes in one write
constexpr uint64_t kMaxInlineFrame = 256u << 10;  // larger ones go to the thread
constexpr uint64_t kFastSyncNs = 1'000'000;
constexpr size_t kMaxSpares = 2;

}  // namespace

LogWriter::LogWriter(std::string dir, uint64_t segment_size, Disk& disk, World& world, Pool& thread)
    : dir_(std::move(dir)), segment_size_(segment_size), disk_(disk), world_(world), thread_(thread) {}

void LogWriter::resume(std::unique_ptr<File> file, const SegmentHeader& header, uint64_t tail, uint64_t file_size, uint64_t seq) {
  file_ = std::move(file);
  header_ = header;
  tail_ = tail;
  zeroed_ = file_size;
  durable_seq_ = written_seq_ = seq;
  disk_bytes_ += file_size;
}

void LogWriter::add_spare(std::string name, uint64_t size) {
  disk_bytes_ += size;
  spares_.push_back({std::move(name), size});
}

void LogWriter::push(Job job) {
  bool start = false;
  {
    std::lock_guard lock(queue_mutex_);
    queue_.push_back(std::move(job));
    start = !std::exchange(busy_, true);
  }
  if (start) thread_.run([self = shared_from_this()] { self->drain(); });
}

bool LogWriter::try_inline(Job& job, Status& status) {
  if (job.before || job.frame.size() > kMaxInlineFrame) return false;
  uint64_t typical = typical_sync_ns_;
  if (typical > kFastSyncNs || syncs_ == 0) return false;
  {
    std::lock_guard lock(queue_mutex_);
    if (busy_ || stopped_) return false;
    busy_ = true;
  }
  bool zeros;
  {
    std::lock_guard run_lock(run_mutex_);
    if (health_) health_ = write(job);
    if (health_) health_ = flush();
    status = health_;
    zeros = wants_zeros();
  }
  {
    std::lock_guard lock(queue_mutex_);
    busy_ = false;
  }
  if (zeros) push(Job{});
  return true;
}

void LogWriter::stop() {
  {
    std::lock_guard lock(queue_mutex_);
    stopped_ = true;
    queue_.clear();
  }
  std::lock_guard wait_for_the_running_job(run_mutex_);
}

void LogWriter::drain() {
  for (;;) {
    std::vector<Job> jobs;
    std::lock_guard run_lock(run_mutex_);
    {
      std::lock_guard lock(queue_mutex_);
      if (stopped_ || queue_.empty()) {
        busy_ = false;
        return;
      }
      jobs.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
      queue_.clear();
    }
    if (health_) health_ = run(jobs);
    std::vector<std::move_only_function<void(Status)>> done;
    for (auto& job : jobs) {
      if (job.done) done.push_back(std::move(job.done));
    }
    if (!done.empty()) {
      world_.loop.post([done = std::move(done), status = health_]() mutable {
        for (auto& fn : done) fn(status);
      });
    }
    bool idle;
    {
      std::lock_guard lock(queue_mutex_);
      idle = queue_.empty();
    }
    if (idle && health_ && wants_zeros()) health_ = zero_ahead();
  }
}

Status LogWriter::run(std::vector<Job>& jobs) {
  for (auto& job : jobs) {
    switch (job.kind) {
      case Job::Kind::kWrite: DROVER_CHECK(write(job)); break;
      case Job::Kind::kRoll:
        DROVER_CHECK(flush());
        DROVER_CHECK(roll(job));
        break;
      case Job::Kind::kFree:
        DROVER_CHECK(flush());
        DROVER_CHECK(free_segment(job.segment));
        break;
      case Job::Kind::kIdle: break;
    }
  }
  return flush();
}

// Gathers the frame; `job` must live until the next flush.
Status LogWriter::write(Job& job) {
  if (job.before) {
    DROVER_CHECK(flush());
    DROVER_CHECK(job.before());
  }
  if (parts_size_ + job.frame.size() > kMaxGather) DROVER_CHECK(flush());
  DROVER_ASSERT(job.segment == header_.number && job.offset == tail_ + parts_size_, "frames are written where the index has them");
  seal_frame(job.frame, durable_seq_, header_.salt);
  parts_.push_back(job.frame);
  parts_size_ += job.frame.size();
  written_seq_ = job.seq;
  return {};
}

Status LogWriter::flush() {
  if (parts_.empty()) return {};
  DROVER_CHECK(file_->write_at(tail_, parts_));
  DROVER_CHECK(sync());
  tail_ += parts_size_;
  if (tail_ > zeroed_) {
    disk_bytes_ += tail_ - zeroed_;
    zeroed_ = tail_;
  }
  durable_seq_ = written_seq_;
  parts_.clear();
  parts_size_ = 0;
  return {};
}

Status LogWriter::sync() {
  Monotonic start = world_.clock.monotonic();
  DROVER_CHECK(file_->sync());
  auto took = static_cast<uint64_t>((world_.clock.monotonic() - start).count());
  syncs_++;
  sync_ns_ += took;
  typical_sync_ns_ = typical_sync_ns_ == 0 ? took : (typical_sync_ns_ * 7 + took) / 8;
  return {};
}

// The new segment is complete under another name before it gets its own: a crash leaves none or a good one.
Status LogWriter::roll(const Job& job) {
  std::string target = dir_ + "/" + segment_name(job.header.number);
  std::string source = dir_ + "/new";
  std::string header = encode_segment_header(job.header);
  if (!spares_.empty()) {
    source = dir_ + "/" + spares_.back().name;
    zeroed_ = spares_.back().size;
    spares_.pop_back();
    DROVER_TRY(file_, disk_.open(source, OpenMode::kWrite));
    std::string_view part = header;
    DROVER_CHECK(file_->write_at(0, {&part, 1}));
  } else {
    DROVER_TRY(file_, disk_.open(source, OpenMode::kCreate));
    header.resize(std::min(kZeroStepMin, segment_size_));
    std::string_view part = header;
    DROVER_CHECK(file_->write_at(0, {&part, 1}));
    zeroed_ = header.size();
    disk_bytes_ += zeroed_;
  }
  DROVER_CHECK(sync());
  DROVER_CHECK(disk_.rename(source, target));
  DROVER_CHECK(disk_.sync_dir(dir_));
  header_ = job.header;
  tail_ = kSegmentHeaderSize;
  return {};
}

Status LogWriter::free_segment(uint64_t number) {
  std::string name = segment_name(number);
  DROVER_TRY(auto file, disk_.open(dir_ + "/" + name, OpenMode::kRead));
  DROVER_TRY(uint64_t size, file->size());
  if (spares_.size() >= kMaxSpares || size < segment_size_ / 2 || size > segment_size_ * 2) {
    DROVER_CHECK(disk_.remove(dir_ + "/" + name));
    disk_bytes_ -= size;
    return disk_.sync_dir(dir_);
  }
  file->forget(0, size);
  std::string spare = "free-" + name;
  DROVER_CHECK(disk_.rename(dir_ + "/" + name, dir_ + "/" + spare));
  // Durable before it is written to: under its old name it must be what it was.
  DROVER_CHECK(disk_.sync_dir(dir_));
  spares_.push_back({spare, size});
  return {};
}

bool LogWriter::wants_zeros() const { return file_ && zeroed_ < segment_size_ && tail_ + kZeroLow > zeroed_; }

Status LogWriter::zero_ahead() {
  uint64_t step = std::clamp(zeroed_, kZeroStepMin, kZeroStepMax);
  std::string zeros(std::min(step, segment_size_ - zeroed_), '\0');
  std::string_view part = zeros;
  DROVER_CHECK(file_->write_at(zeroed_, {&part, 1}));
  DROVER_CHECK(file_->sync());
  zeroed_ += zeros.size();
  disk_bytes_ += zeros.size();
  return {};
}

}  // namespace drover::raft
