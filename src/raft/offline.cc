#include "raft/offline.h"

#include <fmt/format.h>

#include <algorithm>

#include "raft/bytes.h"
#include "raft/log_format.h"

namespace drover::raft {
namespace {

constexpr int kSearchDepth = 4;

Result<std::string> read_range(File& file, uint64_t offset, uint64_t size) {
  std::string out(size, '\0');
  DROVER_TRY(size_t got, file.read_at(offset, out.data(), size));
  out.resize(got);
  return out;
}

Result<std::string> whole_file(Disk& disk, const std::string& path) {
  DROVER_TRY(auto file, disk.open(path, OpenMode::kRead));
  DROVER_TRY(uint64_t size, file->size());
  return read_range(*file, 0, size);
}

bool has_log(const std::string& dir, Disk& disk) {
  auto names = disk.list(dir + "/log");
  uint64_t number = 0;
  return names && std::any_of(names->begin(), names->end(), [&](auto& n) { return parse_segment_name(n, number); });
}

std::string search(const std::string& dir, Disk& disk, int depth) {
  if (has_log(dir, disk)) return dir;
  auto names = disk.list(dir);
  if (!names || depth == 0) return {};
  for (auto& name : *names)
    if (auto found = search(dir + "/" + name, disk, depth - 1); !found.empty()) return found;
  return {};
}

// What a chunk of a restored snapshot says (driver_apply.cc).
struct Chunk {
  bool last = false;
  uint64_t min_index = 0;
  std::string_view data;
};
Chunk parse_chunk(std::string_view bytes) {
  ByteReader in(bytes);
  Chunk c;
  in.get<uint64_t>();  // id
  in.get<uint64_t>();  // offset
  c.last = in.get<uint8_t>() != 0;
  c.min_index = in.get<uint64_t>();
  in.get<uint32_t>();  // checksum
  c.data = in.raw(in.left());
  return c;
}

}  // namespace

Result<std::string> find_raft_dir(const std::string& path, Disk& disk) {
  for (auto* below : {"/server/raft", "/raft", ""})
    if (has_log(path + below, disk)) return path + below;
  auto found = search(path, disk, kSearchDepth);
  if (found.empty()) return not_found("no raft log in " + path);
  return found;
}

Result<OfflineLog> OfflineLog::open(std::string dir, Disk& disk) {
  OfflineLog log(std::move(dir), disk);
  DROVER_CHECK(log.read_snapshots());
  DROVER_CHECK(log.read_segments());
  log.find_ends();
  return log;
}

Status OfflineLog::read_snapshots() {
  auto names = disk_->list(dir_ + "/snapshots");
  if (!names) return {};
  for (auto& name : *names) {
    auto path = dir_ + "/snapshots/" + name;
    auto bytes = whole_file(*disk_, path + "/meta");
    if (!bytes) continue;
    auto meta = SnapshotMeta::decode(*bytes);
    if (meta) snapshots_.push_back({std::move(*meta), path + "/state"});
  }
  std::sort(snapshots_.begin(), snapshots_.end(), [](auto& a, auto& b) { return a.meta.index > b.meta.index; });
  return {};
}

Status OfflineLog::read_segments() {
  auto names = disk_->list(dir_ + "/log");
  if (!names) return not_found("no raft log in " + dir_);
  uint64_t next_seq = 0;
  for (auto& name : *names) {  // in order of name, which is in order of number
    uint64_t number = 0;
    if (parse_segment_name(name, number)) DROVER_CHECK(read_segment(number, next_seq));
  }
  return {};
}

// `next_seq`: of the record that has to come; 0 before the first.
Status OfflineLog::read_segment(uint64_t number, uint64_t& next_seq) {
  auto path = dir_ + "/log/" + segment_name(number);
  auto damaged = [&](uint64_t offset, std::string_view what) {
    return Error(ErrorCode::kCorrupt, fmt::format("raft log file {} is damaged at offset {}: {}", path, offset, what));
  };
  DROVER_TRY(auto file, disk_->open(path, OpenMode::kRead));
  DROVER_TRY(auto head, read_range(*file, 0, kSegmentHeaderSize));
  SegmentHeader header;
  if (!decode_segment_header(head, header)) return damaged(0, "the file's header is not readable");
  if (next_seq != 0 && header.first_seq != next_seq) return damaged(0, "records in front of it are missing");
  next_seq = header.first_seq;
  for (uint64_t offset = kSegmentHeaderSize;;) {
    DROVER_TRY(auto start, read_range(*file, offset, kFrameHeaderSize));
    FrameHeader frame;
    if (!decode_frame_header(start, frame) || frame.seq != next_seq) return {};
    DROVER_TRY(auto bytes, read_range(*file, offset, frame.size()));
    if (bytes.size() < frame.size() || !check_frame(bytes, frame, header.salt)) return {};
    FramePayload payload;
    if (!decode_frame(bytes, payload, [](const dr_entry&) {})) return damaged(offset, "the record cannot be decoded");
    take(payload, number, offset, frame.size());
    offset += frame.size();
    ++next_seq;
  }
}

// A record's entries replace what the log had from the first of them on; an installed snapshot replaces everything.
void OfflineLog::take(const FramePayload& payload, uint64_t segment, uint64_t offset, uint64_t size) {
  if (payload.snapshot_index != 0) frames_.clear();
  if (payload.n == 0) return;
  while (!frames_.empty() && frames_.back().first >= payload.first) frames_.pop_back();
  if (!frames_.empty()) frames_.back().last = std::min(frames_.back().last, payload.first - 1);
  frames_.push_back({payload.first, payload.first + payload.n - 1, segment, offset, size});
}

void OfflineLog::find_ends() {
  if (!frames_.empty())
    for (auto& s : snapshots_)  // the newest one that the first entry follows, else the oldest there is
      if (start_offset_ = s.meta.index_offset; s.meta.index < frames_.front().first) break;
  std::erase_if(snapshots_, [](auto& s) { return s.meta.initial; });
  (void)read([&](const OfflineEntry& e) {
    if (first_ == 0) first_ = e.index;
    last_ = e.index;
    return true;
  });
}

Status OfflineLog::read(const std::function<bool(const OfflineEntry&)>& sink) const {
  uint64_t index_offset = start_offset_, open_segment = 0;
  std::unique_ptr<File> file;
  bool going = true;
  for (auto& frame : frames_) {
    if (!file || open_segment != frame.segment) {
      open_segment = frame.segment;
      DROVER_TRY(file, disk_->open(dir_ + "/log/" + segment_name(frame.segment), OpenMode::kRead));
    }
    DROVER_TRY(auto bytes, read_range(*file, frame.offset, frame.size));
    FramePayload payload;
    decode_frame(bytes, payload, [&](const dr_entry& e) {
      if (!going || e.index < frame.first || e.index > frame.last) return;
      OfflineEntry out;
      out.index = e.index + index_offset;
      out.term = e.term;
      out.data = std::string_view(reinterpret_cast<const char*>(e.data.p), e.data.n);
      if (e.kind != DR_ENTRY_NORMAL) {
        out.kind = OfflineEntry::Kind::kConfiguration;
      } else if (!out.data.empty() && out.data[0] == kTagUser) {
        out.kind = OfflineEntry::Kind::kCommand;
        out.data.remove_prefix(1);
      } else if (!out.data.empty()) {
        auto chunk = parse_chunk(out.data.substr(1));
        out.kind = OfflineEntry::Kind::kRestoreChunk;
        out.data = chunk.data;
        out.restore_done = chunk.last;
        // From here on indexes go on above those of the state that was restored.
        if (chunk.last && out.index <= chunk.min_index) index_offset = chunk.min_index + 1 - e.index;
      }
      going = sink(out);
    });
    if (!going) return {};
  }
  return {};
}

}  // namespace drover::raft
