#include "raft/snapshot_store.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "raft/bytes.h"
#include "raft/crc32c.h"

namespace drover::raft {
namespace {

constexpr std::string_view kMetaMagic = "DROVRSN1";
constexpr std::string_view kTemporary = "tmp-";
constexpr std::string_view kIncoming = "incoming";
constexpr size_t kBuffer = 256u << 10;
constexpr uint64_t kWriteBehind = 2u << 20;

bool newer(const SnapshotMeta& a, const SnapshotMeta& b) {
  return std::tie(a.index, a.term, a.created_ms) > std::tie(b.index, b.term, b.created_ms);
}

Status write_file(Disk& disk, const std::string& path, std::string_view bytes) {
  DROVER_TRY(auto file, disk.open(path, OpenMode::kCreate));
  DROVER_CHECK(file->write_at(0, {&bytes, 1}));
  return file->sync();
}

Result<std::string> read_file(Disk& disk, const std::string& path) {
  DROVER_TRY(auto file, disk.open(path, OpenMode::kRead));
  DROVER_TRY(uint64_t size, file->size());
  std::string out(size, '\0');
  DROVER_TRY(size_t got, file->read_at(0, out.data(), out.size()));
  out.resize(got);
  return out;
}

class StateReader final : public SnapshotReader {
 public:
  StateReader(std::unique_ptr<File> file, std::string path, uint64_t size, uint32_t crc)
      : file_(std::move(file)), path_(std::move(path)), size_(size), crc_(crc) {}

  Result<size_t> read(char* out, size_t size) override {
    if (at_ == size_) {
      if (sum_ != crc_) return Error(ErrorCode::kCorrupt, "snapshot " + path_ + " does not match its checksum");
      return size_t{0};
    }
    DROVER_TRY(size_t got, file_->read_at(at_, out, std::min<uint64_t>(size, size_ - at_)));
    if (got == 0) return Error(ErrorCode::kCorrupt, "snapshot " + path_ + " is cut short");
    sum_ = crc32c(sum_, out, got);
    at_ += got;
    return got;
  }

 private:
  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t size_, at_ = 0;
  uint32_t crc_, sum_ = 0;
};

}  // namespace

std::string SnapshotMeta::encode() const {
  std::string body;
  ByteWriter w(body);
  for (uint64_t v : {index, term, index_offset, configuration_index, size}) w.put(v);
  w.put(crc);
  w.put(created_ms);
  w.put(static_cast<uint8_t>(initial));
  configuration.encode(w);
  std::string out(kMetaMagic);
  ByteWriter(out).put(crc32c(0, body));
  return out + body;
}

Result<SnapshotMeta> SnapshotMeta::decode(std::string_view bytes) {
  Error bad(ErrorCode::kCorrupt, "the snapshot's descriptor does not match its checksum");
  if (bytes.size() < 12 || bytes.substr(0, 8) != kMetaMagic) return bad;
  ByteReader head(bytes.substr(8, 4));
  ByteReader r(bytes.substr(12));
  if (head.get<uint32_t>() != crc32c(0, bytes.substr(12))) return bad;
  SnapshotMeta m;
  for (uint64_t* v : {&m.index, &m.term, &m.index_offset, &m.configuration_index, &m.size}) *v = r.get<uint64_t>();
  m.crc = r.get<uint32_t>();
  m.created_ms = r.get<int64_t>();
  m.initial = r.get<uint8_t>() != 0;
  if (!m.configuration.decode(r) || !r.done()) return bad;
  return m;
}

Result<std::unique_ptr<SnapshotStore>> SnapshotStore::open(std::string dir, Disk& disk, size_t keep) {
  std::unique_ptr<SnapshotStore> store(new SnapshotStore(std::move(dir), disk, keep));
  DROVER_CHECK(store->load());
  return store;
}

Status SnapshotStore::load() {
  DROVER_CHECK(disk_.make_dirs(dir_));
  DROVER_TRY(auto names, disk_.list(dir_));
  for (auto& name : names) {
    std::string path = dir_ + "/" + name;
    if (name.starts_with(kTemporary) || name == kIncoming) {
      DROVER_CHECK(disk_.remove_all(path));
      continue;
    }
    Result<SnapshotMeta> meta = Error();
    if (auto bytes = read_file(disk_, path + "/meta")) {
      meta = SnapshotMeta::decode(*bytes);
    } else {
      meta = Error(std::move(bytes).error());
    }
    if (meta) {
      entries_.push_back({name, std::move(*meta)});
    } else {
      log_warn("raft.snapshot", "ignoring a snapshot that is not readable", {{"path", path}, {"error", meta.error().message}});
    }
  }
  std::sort(entries_.begin(), entries_.end(), [](auto& a, auto& b) { return newer(a.meta, b.meta); });
  return {};
}

std::vector<SnapshotMeta> SnapshotStore::list() const {
  std::lock_guard lock(mutex_);
  std::vector<SnapshotMeta> out;
  for (auto& e : entries_) out.push_back(e.meta);
  return out;
}

class SnapshotStore::FileWriter final : public Writer {
 public:
  FileWriter(SnapshotStore& store, std::string path, SnapshotMeta meta, std::unique_ptr<File> file)
      : store_(store), path_(std::move(path)), meta_(std::move(meta)), file_(std::move(file)) {}
  ~FileWriter() override {
    if (finished_) return;
    file_.reset();
    static_cast<void>(store_.disk_.remove_all(path_));  // what stays is removed at the next start
  }
  Status write(std::string_view bytes) override {
    buffer_.append(bytes);
    return buffer_.size() < kBuffer ? Status() : flush();
  }
  Result<SnapshotMeta> finish() override {
    DROVER_CHECK(flush());
    DROVER_CHECK(file_->sync());
    file_.reset();
    DROVER_CHECK(store_.publish(path_, meta_));
    finished_ = true;
    return meta_;
  }

 private:
  Status flush() {
    if (buffer_.empty()) return {};
    std::string_view part = buffer_;
    DROVER_CHECK(file_->write_at(meta_.size, {&part, 1}));
    meta_.crc = crc32c(meta_.crc, buffer_);
    meta_.size += buffer_.size();
    buffer_.clear();
    if (meta_.size - behind_ >= kWriteBehind) {
      file_->write_behind(behind_, meta_.size - behind_);
      behind_ = meta_.size;
    }
    return {};
  }
  SnapshotStore& store_;
  std::string path_;
  SnapshotMeta meta_;
  std::unique_ptr<File> file_;
  std::string buffer_;
  uint64_t behind_ = 0;  // given to write_behind
  bool finished_ = false;
};

Result<std::unique_ptr<SnapshotStore::Writer>> SnapshotStore::create(SnapshotMeta meta) {
  meta.size = 0;
  meta.crc = 0;
  std::string path = fmt::format("{}/{}{}-{}-{}", dir_, kTemporary, meta.term, meta.index, meta.created_ms);
  DROVER_CHECK(disk_.remove_all(path));
  DROVER_CHECK(disk_.make_dirs(path));
  DROVER_TRY(auto file, disk_.open(path + "/state", OpenMode::kCreate));
  return std::unique_ptr<Writer>(new FileWriter(*this, path, std::move(meta), std::move(file)));
}

Status SnapshotStore::publish(const std::string& from, const SnapshotMeta& meta) {
  DROVER_CHECK(write_file(disk_, from + "/meta", meta.encode()));
  DROVER_CHECK(disk_.sync_dir(from));
  std::string name = fmt::format("{}-{}-{}", meta.term, meta.index, meta.created_ms);
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](auto& e) { return e.name == name; });
  DROVER_CHECK(disk_.remove_all(dir_ + "/" + name));
  DROVER_CHECK(disk_.rename(from, dir_ + "/" + name));
  DROVER_CHECK(disk_.sync_dir(dir_));
  entries_.push_back({name, meta});
  std::sort(entries_.begin(), entries_.end(), [](auto& a, auto& b) { return newer(a.meta, b.meta); });
  reap();
  return {};
}

void SnapshotStore::reap() {
  while (entries_.size() > keep_) {
    if (auto status = disk_.remove_all(dir_ + "/" + entries_.back().name); !status) {
      log_warn("raft.snapshot", "failed to remove an old snapshot", {{"error", status.error().message}});
    }
    entries_.pop_back();
  }
}

Result<std::string> SnapshotStore::path_of(const SnapshotMeta& meta) const {
  std::lock_guard lock(mutex_);
  for (auto& e : entries_) {
    if (e.meta.same_state(meta)) return dir_ + "/" + e.name + "/state";
  }
  return not_found(fmt::format("snapshot {}-{} is not here any more", meta.term, meta.index));
}

Result<std::unique_ptr<File>> SnapshotStore::open_file(const SnapshotMeta& meta) {
  DROVER_TRY(std::string path, path_of(meta));
  return disk_.open(path, OpenMode::kRead);
}

Result<std::unique_ptr<SnapshotReader>> SnapshotStore::open_state(const SnapshotMeta& meta) {
  DROVER_TRY(std::string path, path_of(meta));
  DROVER_TRY(auto file, disk_.open(path, OpenMode::kRead));
  return std::unique_ptr<SnapshotReader>(new StateReader(std::move(file), path, meta.size, meta.crc));
}

Result<uint64_t> SnapshotStore::begin_incoming(const SnapshotMeta& meta) {
  std::lock_guard lock(mutex_);
  if (incoming_ && incoming_->same_state(meta) && incoming_file_) return incoming_size_;
  std::string path = dir_ + "/" + std::string(kIncoming);
  incoming_.reset();
  incoming_file_.reset();
  incoming_size_ = incoming_behind_ = 0;
  DROVER_CHECK(disk_.remove_all(path));
  DROVER_CHECK(disk_.make_dirs(path));
  DROVER_TRY(incoming_file_, disk_.open(path + "/state", OpenMode::kCreate));
  incoming_ = meta;
  return uint64_t{0};
}

Status SnapshotStore::write_incoming(uint64_t offset, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (!incoming_file_ || offset != incoming_size_ || offset + bytes.size() > incoming_->size) return invalid("a chunk out of order");
  DROVER_CHECK(incoming_file_->write_at(offset, {&bytes, 1}));
  incoming_size_ += bytes.size();
  if (incoming_size_ - incoming_behind_ >= kWriteBehind) {
    incoming_file_->write_behind(incoming_behind_, incoming_size_ - incoming_behind_);
    incoming_behind_ = incoming_size_;
  }
  return {};
}

Status SnapshotStore::complete_incoming() {
  std::lock_guard lock(mutex_);
  if (!incoming_file_ || incoming_size_ != incoming_->size) return invalid("the incoming snapshot is not complete");
  uint32_t crc = 0;
  std::string buffer(kBuffer, '\0');
  for (uint64_t at = 0; at < incoming_size_;) {
    DROVER_TRY(size_t got, incoming_file_->read_at(at, buffer.data(), buffer.size()));
    if (got == 0) break;
    crc = crc32c(crc, buffer.data(), got);
    at += got;
  }
  if (crc != incoming_->crc) {
    incoming_.reset();
    incoming_file_.reset();
    return Error(ErrorCode::kCorrupt, "the snapshot that was received does not match its checksum");
  }
  return incoming_file_->sync();
}

Status SnapshotStore::install_incoming(const SnapshotMeta& meta) {
  {
    std::lock_guard lock(mutex_);
    if (!incoming_ || !incoming_->same_state(meta)) return internal("the snapshot to install was not received");
    incoming_.reset();
    incoming_file_.reset();
  }
  return publish(dir_ + "/" + std::string(kIncoming), meta);
}

}  // namespace drover::raft
