#include "raft/log_writer.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"

namespace drover::raft {
namespace {

constexpr uint64_t kZeroLow = 256u << 10;        // zeros ahead of the tail before more are written
constexpr uint64_t kZeroStepMin = 1u << 20;      // a small server stays small
constexpr uint64_t kZeroStepMax = 2u << 20;
constexpr uint64_t kMaxGather = 16u << 20;       // bytes in one write
constexpr uint64_t kMaxInlineFrame = 256u << 10;  // larger ones go to the thread
constexpr uint64_t kFastSyncNs = 1'000'000;
constexpr uint64_t kPage = 4096;
constexpr char kZeros[kPage] = {};
constexpr size_t kMaxSpares = 2;
constexpr std::string_view kGrownSpare = "free-ahead";  // made when there is no other
constexpr Duration kRetry = std::chrono::milliseconds(500);  // on a full disk

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
  bool zeros, full = false;
  {
    std::lock_guard run_lock(run_mutex_);
    status = health_;
    if (status) status = write(job);
    if (status) status = flush();
    full = no_room(status) && health_;
    if (full) {
      forget_gathered();
    } else {
      health_ = status;
    }
    zeros = wants_zeros();
  }
  {
    std::lock_guard lock(queue_mutex_);
    busy_ = false;
    zeros = zeros && room_;
  }
  if (full) return false;
  if (zeros) push(Job{});
  return true;
}

void LogWriter::stop() {
  {
    std::lock_guard lock(queue_mutex_);
    stopped_ = true;
    queue_.clear();
  }
  retry_timer_.cancel();
  std::lock_guard wait_for_the_running_job(run_mutex_);
  std::lock_guard wait_for_the_growing_spare(grow_mutex_);
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
    size_t complete = 0;
    Status status = health_;
    if (status) status = run(jobs, complete);
    if (health_ && no_room(status)) {
      if (wait_for_room(jobs, complete, status)) return;
      continue;
    }
    health_ = status;
    stalled_ = false;
    bool asked = std::any_of(jobs.begin(), jobs.end(), [](const Job& job) { return job.kind == Job::Kind::kIdle; });
    finish(jobs, jobs.size());
    bool idle, full;
    {
      std::lock_guard lock(queue_mutex_);
      idle = queue_.empty();
      full = !room_;
    }
    if (!idle || !health_) continue;
    status = wants_zeros() && (!full || asked) ? zero_ahead() : wants_zeros() && full ? room() : Status();
    if (!no_room(status)) health_ = status;
    set_full(no_room(status) ? status : Status());
  }
}

// Answers the first `n` jobs.
void LogWriter::finish(std::vector<Job>& jobs, size_t n) {
  std::vector<std::move_only_function<void(Status)>> done;
  for (size_t i = 0; i < n; i++) {
    if (jobs[i].done) done.push_back(std::move(jobs[i].done));
  }
  if (done.empty()) return;
  world_.loop.post([done = std::move(done), status = health_]() mutable {
    for (auto& fn : done) fn(status);
  });
}

// ---- a full disk

Status LogWriter::room() const {
  std::lock_guard lock(queue_mutex_);
  return room_;
}

// Puts what is left of the jobs back, to be tried again later. False: stopped meanwhile.
bool LogWriter::wait_for_room(std::vector<Job>& jobs, size_t complete, const Status& why) {
  forget_gathered();
  finish(jobs, complete);
  {
    std::lock_guard lock(queue_mutex_);
    if (stopped_) return false;
    queue_.insert(queue_.begin(), std::make_move_iterator(jobs.begin() + static_cast<ptrdiff_t>(complete)),
                  std::make_move_iterator(jobs.end()));
  }
  stalled_ = true;  // still busy: nobody else begins
  set_full(why);
  return true;
}

void LogWriter::set_full(const Status& why) {
  std::lock_guard lock(queue_mutex_);
  bool was = !room_, full = !why;
  room_ = why;
  if (was && !full) log_info("raft.log", "there is room for the log again");
  if (!was && full) log_error("raft.log", "no room for the log; nothing new is accepted until there is", {{"error", why.error().message}});
  if (!full || stopped_ || std::exchange(retrying_, true)) return;
  world_.loop.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->arm_retry();
  });
}

void LogWriter::arm_retry() {
  std::lock_guard lock(queue_mutex_);
  if (stopped_) return;
  retry_timer_ = world_.loop.after(kRetry, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->retry();
  });
}

void LogWriter::retry() {
  {
    std::lock_guard lock(queue_mutex_);
    retrying_ = false;
    if (stopped_) return;
  }
  if (stalled_) {
    thread_.run([self = shared_from_this()] { self->drain(); });
  } else {
    push(Job{});
  }
}

Status LogWriter::run(std::vector<Job>& jobs, size_t& complete) {
  for (size_t i = 0; i < jobs.size(); i++) {
    auto& job = jobs[i];
    auto flush_before = [&]() -> Status {
      DROVER_CHECK(flush());
      complete = i;
      return {};
    };
    switch (job.kind) {
      case Job::Kind::kWrite:
        if (job.before || parts_size_ + job.frame.size() > kMaxGather) DROVER_CHECK(flush_before());
        DROVER_CHECK(write(job));
        break;
      case Job::Kind::kRoll:
        DROVER_CHECK(flush_before());
        DROVER_CHECK(roll(job));
        complete = i + 1;
        break;
      case Job::Kind::kFree:
        DROVER_CHECK(flush_before());
        DROVER_CHECK(free_segment(job.segment));
        complete = i + 1;
        break;
      case Job::Kind::kIdle: break;
    }
  }
  DROVER_CHECK(flush());
  complete = jobs.size();
  return {};
}

void LogWriter::forget_gathered() {
  parts_.clear();
  parts_size_ = 0;
}

// Gathers the frame; `job` must live until the next flush. What `before` waits for is flushed already.
Status LogWriter::write(Job& job) {
  if (job.before) {
    DROVER_CHECK(job.before());
    job.before = nullptr;
  }
  DROVER_ASSERT(job.segment == header_.number && job.offset == tail_ + parts_size_, "frames are written where the index has them");
  seal_frame(job.frame, durable_seq_, header_.salt);
  parts_.push_back(job.frame);
  parts_size_ += job.frame.size();
  written_seq_ = job.seq;
  return {};
}

Status LogWriter::flush() {
  if (parts_.empty()) return {};
  // Zeros to the end of the page: in a segment that is used again the system would first read what is there.
  uint64_t end = tail_ + parts_size_, page_end = (end + kPage - 1) / kPage * kPage;
  if (page_end != end && page_end <= zeroed_) parts_.push_back({kZeros, page_end - end});
  DROVER_CHECK(file_->write_at(tail_, parts_));
  DROVER_CHECK(sync());
  tail_ += parts_size_;
  if (tail_ > zeroed_) {
    disk_bytes_ += tail_ - zeroed_;
    zeroed_ = tail_;
  }
  durable_seq_ = written_seq_;
  forget_gathered();
  grow_spare();
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
  Spare spare;
  if (take_spare(spare)) {
    source = dir_ + "/" + spare.name;
    zeroed_ = spare.size;
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
  size_t spares;
  {
    std::lock_guard lock(spare_mutex_);
    spares = spares_.size();
  }
  if (spares >= kMaxSpares || size < segment_size_ / 2 || size > segment_size_ * 2) {
    DROVER_CHECK(disk_.remove(dir_ + "/" + name));
    disk_bytes_ -= size;
    return disk_.sync_dir(dir_);
  }
  file->forget(0, size);
  std::string spare = "free-" + name;
  DROVER_CHECK(disk_.rename(dir_ + "/" + name, dir_ + "/" + spare));
  // Durable before it is written to: under its old name it must be what it was.
  DROVER_CHECK(disk_.sync_dir(dir_));
  std::lock_guard lock(spare_mutex_);
  spares_.insert(spares_.begin(), {spare, size});
  return {};
}

// ---- the segment after this one

bool LogWriter::take_spare(Spare& out) {
  std::lock_guard lock(spare_mutex_);
  grow_failed_ = false;
  if (spares_.size() <= (growing_ ? 1 : 0)) return false;
  auto it = growing_ ? spares_.end() - 2 : spares_.end() - 1;
  out = std::move(*it);
  spares_.erase(it);
  return true;
}

// As much of it as the second half of the current segment is used up, a step more and at twice the pace.
void LogWriter::grow_spare() {
  uint64_t half = segment_size_ / 2;
  if (tail_ <= half || !room()) return;
  std::string name;
  uint64_t from = 0, size = 0;
  {
    std::lock_guard lock(spare_mutex_);
    if (growing_ || grow_failed_) return;
    if (!spares_.empty()) from = spares_.back().size;
    if (from >= segment_size_ || from > 2 * (tail_ - half)) return;
    size = std::min(kZeroStepMin, segment_size_ - from);
    if (spares_.empty()) spares_.push_back({std::string(kGrownSpare), 0});
    name = spares_.back().name;
    growing_ = true;
  }
  world_.pool.run([self = shared_from_this(), name, from, size] { self->grow(name, from, size); });
}

// In the pool. What fails is given up: the segment is then made when it is needed, and says what is wrong.
void LogWriter::grow(const std::string& name, uint64_t from, uint64_t size) {
  std::lock_guard alone(grow_mutex_);
  {
    std::lock_guard lock(queue_mutex_);
    if (stopped_) return;
  }
  Status status = [&]() -> Status {
    DROVER_TRY(auto file, disk_.open(dir_ + "/" + name, from == 0 ? OpenMode::kCreate : OpenMode::kWrite));
    std::string zeros(size, '\0');
    std::string_view part = zeros;
    Status written = file->write_at(from, {&part, 1});
    if (written) written = file->sync();
    if (!written) static_cast<void>(file->truncate(from));
    return written;
  }();
  std::lock_guard lock(spare_mutex_);
  growing_ = false;
  if (status) {
    spares_.back().size = from + size;
    disk_bytes_ += size;
    return;
  }
  grow_failed_ = true;
  log_debug("raft.log", "the next segment of the log is not made ahead", {{"error", status.error().message}});
  if (from != 0) return;
  spares_.pop_back();
  static_cast<void>(disk_.remove(dir_ + "/" + name));
}

bool LogWriter::wants_zeros() const { return file_ && zeroed_ < segment_size_ && tail_ + kZeroLow > zeroed_; }

Status LogWriter::zero_ahead() {
  uint64_t left = segment_size_ - zeroed_;
  Status status;
  // Near a full disk a smaller step may do.
  for (uint64_t step : {std::clamp(zeroed_, kZeroStepMin, kZeroStepMax), kZeroLow}) {
    std::string zeros(std::min(step, left), '\0');
    std::string_view part = zeros;
    status = file_->write_at(zeroed_, {&part, 1});
    if (no_room(status)) {
      // What fits is left to others.
      DROVER_CHECK(file_->truncate(zeroed_));
      continue;
    }
    DROVER_CHECK(status);
    DROVER_CHECK(file_->sync());
    zeroed_ += zeros.size();
    disk_bytes_ += zeros.size();
    return {};
  }
  return status;
}

}  // namespace drover::raft
