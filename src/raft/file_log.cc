#include "raft/file_log.h"

#include <algorithm>

#include "base/assert.h"
#include "raft/log_writer.h"

namespace drover::raft {

FileLog::FileLog(const FileLogOptions& options, Disk& disk, World& world) : options_(options), disk_(disk), world_(world) {}

FileLog::~FileLog() { writer_->stop(); }

Result<bool> FileLog::append(LogRecord record, std::move_only_function<void(Status)> done) {
  LogWriter::Job job;
  job.kind = LogWriter::Job::Kind::kWrite;
  job.seq = next_seq_++;
  job.frame = encode_frame(job.seq, record);
  job.before = std::move(record.before);
  if (record.snapshot_index != 0) frames_.clear();

  if (offset_ + job.frame.size() > options_.segment && offset_ > kSegmentHeaderSize) {
    LogWriter::Job roll;
    roll.kind = LogWriter::Job::Kind::kRoll;
    roll.header = {++segment_, job.seq, static_cast<uint32_t>(world_.random.next())};
    segments_[segment_] = roll.header.salt;
    offset_ = kSegmentHeaderSize;
    writer_->push(std::move(roll));
  }
  job.segment = segment_;
  job.offset = offset_;
  offset_ += job.frame.size();
  last_frame_segment_ = segment_;
  if (record.n_entries > 0) {
    index_frame(record.entries[0].index, record.n_entries, job.segment, job.offset, job.frame.size());
  }

  Status status;
  if (options_.inline_sync && !record.has_peers && writer_->try_inline(job, status)) {
    if (!status) return std::move(status).error();
    return true;
  }
  job.done = std::move(done);
  writer_->push(std::move(job));
  return false;
}

void FileLog::cut(uint64_t from) {
  while (!frames_.empty() && frames_.back().first >= from) frames_.pop_back();
  if (!frames_.empty() && frames_.back().last >= from) frames_.back().last = from - 1;
}

void FileLog::index_frame(uint64_t first, size_t n, uint64_t segment, uint64_t offset, uint64_t size) {
  cut(first);
  frames_.push_back({first, first + n - 1, segment, offset, static_cast<uint32_t>(size)});
}

Status FileLog::read_frame(const Frame& frame, std::string& out) {
  if (!read_file_ || read_segment_ != frame.segment) {
    DROVER_TRY(read_file_, disk_.open(path(frame.segment), OpenMode::kRead));
    read_segment_ = frame.segment;
  }
  out.resize(frame.size);
  DROVER_TRY(size_t got, read_file_->read_at(frame.offset, out.data(), out.size()));
  FrameHeader header;
  if (got != out.size() || !decode_frame_header(out, header) || !check_frame(out, header, segments_[frame.segment])) {
    return Error(ErrorCode::kCorrupt, path(frame.segment) + ": the frame at offset " + std::to_string(frame.offset) +
                                          " does not match its checksum any more");
  }
  return {};
}

Status FileLog::read(uint64_t lo, uint64_t hi, uint64_t max_bytes, const std::function<void(const dr_entry&)>& sink) {
  auto it = std::upper_bound(frames_.begin(), frames_.end(), lo, [](uint64_t i, const Frame& f) { return i < f.first; });
  if (it == frames_.begin()) return internal("raft log entry " + std::to_string(lo) + " is not in the log");
  --it;
  uint64_t next = lo, size = 0;
  bool full = false;
  std::string bytes;
  for (; it != frames_.end() && next < hi && !full; ++it) {
    if (next < it->first || next > it->last) break;
    DROVER_CHECK(read_frame(*it, bytes));
    FramePayload payload;
    bool ok = decode_frame(bytes, payload, [&](const dr_entry& e) {
      if (full || e.index != next || e.index >= hi || e.index > it->last) return;
      size += e.data.n + 48;
      full = size > max_bytes && next > lo;
      if (full) return;
      sink(e);
      next++;
    });
    if (!ok) return Error(ErrorCode::kCorrupt, path(it->segment) + ": a frame cannot be decoded");
  }
  if (next == lo) return internal("raft log entry " + std::to_string(lo) + " is not in the log");
  return {};
}

void FileLog::compact(uint64_t upto) {
  while (!frames_.empty() && frames_.front().last <= upto) frames_.pop_front();
  uint64_t needed = last_frame_segment_;
  if (!frames_.empty()) needed = std::min(needed, frames_.front().segment);
  while (!segments_.empty() && segments_.begin()->first < needed) {
    LogWriter::Job job;
    job.kind = LogWriter::Job::Kind::kFree;
    job.segment = segments_.begin()->first;
    if (read_segment_ == job.segment) read_file_.reset();
    segments_.erase(segments_.begin());
    writer_->push(std::move(job));
  }
}

uint64_t FileLog::first_within(uint64_t bytes) const {
  uint64_t size = 0;
  for (auto it = frames_.rbegin(); it != frames_.rend(); ++it) {
    size += it->size;
    if (size > bytes) return it->last + 1;
  }
  return 0;
}

LogStats FileLog::stats() const {
  return {writer_->disk_bytes(), writer_->syncs(), writer_->stalled(), writer_->sync_time()};
}

Status FileLog::room() const { return writer_->room(); }

}  // namespace drover::raft
