// Opening a log: reads every segment, checks every frame, cuts a torn tail, refuses a damaged middle.
#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "raft/file_log.h"
#include "raft/log_writer.h"

namespace drover::raft {
namespace {

constexpr size_t kWindow = 1u << 20;

// A file seen through a window, so that recovery needs no memory in proportion to the log.
class WindowReader {
 public:
  WindowReader(File& file, uint64_t size) : file_(file), size_(size) {}
  uint64_t size() const { return size_; }
  // `n` bytes at `at`; fewer at the end of the file. Valid until the next call.
  Result<std::string_view> view(uint64_t at, uint64_t n) {
    n = std::min(n, size_ - std::min(at, size_));
    if (at < start_ || at + n > start_ + window_.size()) {
      window_.resize(std::min(std::max<uint64_t>(n, kWindow), size_ - at));
      start_ = at;
      DROVER_TRY(size_t got, file_.read_at(at, window_.data(), window_.size()));
      window_.resize(got);
      if (got < n) n = got;
    }
    return std::string_view(window_).substr(at - start_, n);
  }

 private:
  File& file_;
  uint64_t size_, start_ = 0;
  std::string window_;
};

// Distance of the first 8-byte step that holds a frame's magic, or of the last step.
uint64_t to_magic(std::string_view window) {
  uint64_t at = 0;
  for (; at + 8 <= window.size(); at += 8) {
    uint32_t word;
    std::memcpy(&word, window.data() + at, sizeof word);
    if (word == kFrameMagic) return at;
  }
  return at >= 8 ? at - 8 : 0;
}

struct Segment {
  std::string name;
  std::unique_ptr<File> file;
  SegmentHeader header;
  uint64_t size = 0;
};

}  // namespace

std::string repair_advice(std::string raft_dir) {
  return ". With other servers alive: stop this server, move " + raft_dir +
         " and the server's node-id file away, and let it join again as a new server. A server without others must be "
         "restored from a snapshot";
}

class LogRecovery {
 public:
  LogRecovery(FileLog& log, RecoveredLog& out) : log_(log), out_(out) {}

  Status run(Pool& thread) {
    auto& o = log_.options_;
    DROVER_CHECK(log_.disk_.make_dirs(o.dir));
    DROVER_CHECK(list());
    log_.writer_ = std::make_shared<LogWriter>(o.dir, o.segment, log_.disk_, log_.world_, thread);
    for (auto& [name, size] : spares_) log_.writer_->add_spare(name, size);
    if (numbers_.empty()) return start_empty();
    for (size_t i = 0; i < numbers_.size(); i++) DROVER_CHECK(read_segment(i));
    finish();
    return {};
  }

 private:
  Status list() {
    DROVER_TRY(auto names, log_.disk_.list(log_.options_.dir));
    for (auto& name : names) {
      uint64_t number = 0;
      if (parse_segment_name(name, number)) {
        numbers_.push_back(number);
      } else if (name.starts_with("free-")) {
        DROVER_TRY(auto file, log_.disk_.open(log_.options_.dir + "/" + name, OpenMode::kRead));
        DROVER_TRY(uint64_t size, file->size());
        spares_.emplace_back(name, size);
      }
    }
    for (size_t i = 1; i < numbers_.size(); i++) {
      if (numbers_[i] != numbers_[i - 1] + 1) {
        return Error(ErrorCode::kCorrupt, "raft log file " + log_.path(numbers_[i - 1] + 1) + " is missing" + advice());
      }
    }
    return {};
  }

  Status start_empty() {
    LogWriter::Job roll;
    roll.kind = LogWriter::Job::Kind::kRoll;
    roll.header = {1, 1, static_cast<uint32_t>(log_.world_.random.next())};
    log_.segments_[1] = roll.header.salt;
    log_.segment_ = log_.last_frame_segment_ = 1;
    log_.offset_ = kSegmentHeaderSize;
    log_.writer_->push(std::move(roll));
    return {};
  }

  Status read_segment(size_t at) {
    Segment s;
    std::string path = log_.path(numbers_[at]);
    DROVER_TRY(s.file, log_.disk_.open(path, OpenMode::kWrite));
    DROVER_TRY(s.size, s.file->size());
    WindowReader in(*s.file, s.size);
    DROVER_TRY(auto head, in.view(0, kSegmentHeaderSize));
    if (!decode_segment_header(head, s.header) || s.header.number != numbers_[at]) return damaged(path, 0, "the file's header is not readable");
    if (at > 0 && s.header.first_seq != log_.next_seq_) {
      return damaged(log_.path(numbers_[at - 1]), log_.offset_,
                     "records " + std::to_string(log_.next_seq_) + " to " + std::to_string(s.header.first_seq) + " are missing");
    }
    log_.next_seq_ = s.header.first_seq;
    log_.segments_[s.header.number] = s.header.salt;
    log_.segment_ = s.header.number;
    log_.offset_ = kSegmentHeaderSize;
    DROVER_CHECK(read_frames(in, s, path));
    if (at + 1 < numbers_.size()) return {};
    DROVER_CHECK(cut_tail(in, s, path));
    log_.writer_->resume(std::move(s.file), s.header, log_.offset_, s.size, log_.next_seq_ - 1);
    return {};
  }

  // Whether a whole frame with this segment's salt is at `at`.
  Result<bool> frame_at(WindowReader& in, const Segment& s, uint64_t at, FrameHeader& header, std::string_view* frame) {
    DROVER_TRY(auto head, in.view(at, kFrameHeaderSize));
    if (!decode_frame_header(head, header) || at + header.size() > s.size) return false;
    DROVER_TRY(auto bytes, in.view(at, header.size()));
    if (!check_frame(bytes, header, s.header.salt)) return false;
    if (frame) *frame = bytes;
    return true;
  }

  Status read_frames(WindowReader& in, Segment& s, const std::string& path) {
    for (;;) {
      FrameHeader header;
      std::string_view frame;
      DROVER_TRY(bool ok, frame_at(in, s, log_.offset_, header, &frame));
      if (!ok || header.seq != log_.next_seq_) return {};
      runs_of_frame_.clear();
      FramePayload payload;
      bool decoded = decode_frame(frame, payload, [&](const dr_entry& e) {
        if (runs_of_frame_.empty() || runs_of_frame_.back().term != e.term) runs_of_frame_.push_back({e.index, e.term});
      });
      if (!decoded) return damaged(path, log_.offset_, "the record cannot be decoded");
      DROVER_CHECK(take(payload, header, path));
      log_.last_frame_segment_ = s.header.number;
      log_.offset_ += header.size();
      log_.next_seq_++;
    }
  }

  Status take(const FramePayload& p, const FrameHeader& header, const std::string& path) {
    out_.any = true;
    out_.hs = p.hs;
    if (p.snapshot_index != 0) {
      out_.snapshot_index = p.snapshot_index;
      out_.snapshot_term = p.snapshot_term;
      log_.frames_.clear();
      runs_.clear();
      last_ = 0;
    }
    if (p.n == 0) return {};
    if (last_ != 0 && p.first > last_ + 1) {
      return damaged(path, log_.offset_, "entries " + std::to_string(last_ + 1) + " to " + std::to_string(p.first - 1) + " are missing");
    }
    while (!runs_.empty() && runs_.back().first >= p.first) runs_.pop_back();
    for (auto& r : runs_of_frame_) {
      if (runs_.empty() || runs_.back().term != r.term) runs_.push_back(r);
    }
    last_ = p.first + p.n - 1;
    log_.index_frame(p.first, p.n, log_.segment_, log_.offset_, header.size());
    while (log_.frames_.size() > 1 && log_.frames_.front().last < log_.options_.keep_from) log_.frames_.pop_front();
    return {};
  }

  // Behind the last good frame: nothing, what a crash tore, or damage.
  Status cut_tail(WindowReader& in, Segment& s, const std::string& path) {
    uint64_t end = 0;
    for (uint64_t at = log_.offset_ + 8; at + kFrameHeaderSize <= s.size;) {
      DROVER_TRY(auto window, in.view(at, kWindow));
      uint64_t skip = to_magic(window);
      at += skip;
      FrameHeader header;
      bool ok = false;
      if (skip + kFrameHeaderSize <= window.size()) {
        DROVER_TRY(ok, frame_at(in, s, at, header, nullptr));
      }
      if (!ok || header.seq < log_.next_seq_) {
        at += 8;
        continue;
      }
      if (header.synced >= log_.next_seq_) {
        return damaged(path, log_.offset_, "record " + std::to_string(log_.next_seq_) +
                                               " does not match its checksum, and record " + std::to_string(header.seq) +
                                               " shows that it had been written");
      }
      end = at += header.size();
    }
    if (end == 0) return {};
    log_warn("raft.log", "cut records that a crash left incomplete", {{"file", path}, {"offset", std::to_string(log_.offset_)}});
    std::string zeros(end - log_.offset_, '\0');
    std::string_view part = zeros;
    DROVER_CHECK(s.file->write_at(log_.offset_, {&part, 1}));
    return s.file->sync();
  }

  void finish() {
    if (log_.frames_.empty()) return;
    out_.first = log_.frames_.front().first;
    out_.last = last_;
    auto it = std::upper_bound(runs_.begin(), runs_.end(), out_.first, [](uint64_t i, const dr_term_run& r) { return i < r.first; });
    if (it != runs_.begin()) --it;
    out_.runs.assign(it, runs_.end());
    if (!out_.runs.empty()) out_.runs.front().first = out_.first;
  }

  // The log is a folder of the raft directory.
  std::string advice() const {
    auto slash = log_.options_.dir.rfind('/');
    return repair_advice(slash == std::string::npos || slash == 0 ? log_.options_.dir : log_.options_.dir.substr(0, slash));
  }
  Error damaged(const std::string& path, uint64_t offset, const std::string& what) const {
    return {ErrorCode::kCorrupt, "raft log file " + path + " is damaged at offset " + std::to_string(offset) + ": " + what + advice()};
  }

  FileLog& log_;
  RecoveredLog& out_;
  std::vector<uint64_t> numbers_;
  std::vector<std::pair<std::string, uint64_t>> spares_;
  std::vector<dr_term_run> runs_, runs_of_frame_;
  uint64_t last_ = 0;
};

Result<std::unique_ptr<FileLog>> FileLog::open(const FileLogOptions& options, Disk& disk, World& world, Pool& thread,
                                               RecoveredLog& recovered) {
  std::unique_ptr<FileLog> log(new FileLog(options, disk, world));
  recovered = {};
  Status status = LogRecovery(*log, recovered).run(thread);
  if (!status) {
    if (!log->writer_) log->writer_ = std::make_shared<LogWriter>(options.dir, options.segment, disk, world, thread);
    return std::move(status).error();
  }
  return log;
}

}  // namespace drover::raft
