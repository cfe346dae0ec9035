#include "raft/mem_disk.h"

#include <algorithm>
#include <set>

namespace drover::raft {
namespace {

constexpr uint64_t kSector = 512;

void put(std::string& content, uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  content.replace(offset, bytes.size(), bytes);
}


}  // namespace

class MemDisk::MemFile final : public File {
 public:
  MemFile(MemDisk& disk, InodeRef inode, std::string path)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), generation_(disk.generation_) {}

  Status write_at(uint64_t offset, std::span<const std::string_view> parts) override {
    std::lock_guard lock(disk_.mutex_);
    DROVER_CHECK(alive());
    DROVER_CHECK(disk_.change(path_));
    std::string all;
    for (auto p : parts) all += p;
    bool grows = offset + all.size() > inode_->now.size();
    if (grows && disk_.full(path_)) {
      // What there is room for is written, as a real disk does.
      all.resize(std::max(offset, inode_->now.size()) - offset);
      put(inode_->now, std::min<uint64_t>(offset, inode_->now.size()), all);
      if (!all.empty()) inode_->unsynced.push_back({offset, std::move(all)});
      return disk_.no_room_for(path_);
    }
    put(inode_->now, offset, all);
    inode_->unsynced.push_back({offset, std::move(all)});
    return {};
  }
  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    std::lock_guard lock(disk_.mutex_);
    DROVER_CHECK(alive());
    if (offset >= inode_->now.size()) return size_t{0};
    return inode_->now.copy(out, size, offset);
  }
  Status sync() override {
    std::lock_guard lock(disk_.mutex_);
    DROVER_CHECK(alive());
    DROVER_CHECK(disk_.change(path_));
    if (disk_.lies_) return {};
    if (std::exchange(inode_->cut, false)) inode_->durable = inode_->now;
    else for (auto& w : inode_->unsynced) put(inode_->durable, w.offset, w.bytes);
    inode_->unsynced.clear();
    return {};
  }
  Result<uint64_t> size() override {
    std::lock_guard lock(disk_.mutex_);
    DROVER_CHECK(alive());
    return inode_->now.size();
  }
  Status truncate(uint64_t size) override {
    std::lock_guard lock(disk_.mutex_);
    DROVER_CHECK(alive());
    DROVER_CHECK(disk_.change(path_));
    inode_->now.resize(size);
    inode_->durable.resize(std::min<uint64_t>(size, inode_->durable.size()));
    inode_->cut = true;
    return {};
  }

 private:
  Status alive() const {
    if (generation_ != disk_.generation_) return Error(ErrorCode::kIo, path_ + ": opened before the crash");
    return {};
  }
  MemDisk& disk_;
  InodeRef inode_;
  std::string path_;
  uint64_t generation_;
};

Status MemDisk::change(const std::string& path) {
  if (!fail_on_.empty() && path.find(fail_on_) != std::string::npos) return Error(ErrorCode::kIo, "write " + path + ": Input/output error");
  if (operations_ >= power_off_at_) return Error(ErrorCode::kIo, path + ": the power is off");
  operations_++;
  return {};
}

bool MemDisk::full(const std::string& path) const { return !full_.empty() && path.find(full_) != std::string::npos; }

Error MemDisk::no_room_for(const std::string& path) const {
  return {ErrorCode::kUnavailable, "write " + path + ": no space left on device"};
}

void MemDisk::set_name(const std::string& path, InodeRef inode) {
  if (inode) {
    names_[path] = inode;
  } else {
    names_.erase(path);
  }
  unsynced_names_.push_back({path, std::move(inode)});
}

Result<std::unique_ptr<File>> MemDisk::open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  auto it = names_.find(path);
  if (mode == OpenMode::kCreate) {
    DROVER_CHECK(change(path));
    if (full(path)) return no_room_for(path);
    set_name(path, std::make_shared<Inode>());
    it = names_.find(path);
  }
  if (it == names_.end()) return Error(ErrorCode::kIo, "open " + path + ": No such file or directory");
  return std::unique_ptr<File>(new MemFile(*this, it->second, path));
}

// Takes a whole directory along when `from` is one.
Status MemDisk::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  DROVER_CHECK(change(from));
  std::vector<std::pair<std::string, InodeRef>> moved;
  for (auto& [path, inode] : names_) {
    if (path == from || path.starts_with(from + "/")) moved.emplace_back(path, inode);
  }
  if (moved.empty()) return Error(ErrorCode::kIo, "rename " + from + ": No such file or directory");
  for (auto& [path, inode] : moved) {
    set_name(to + path.substr(from.size()), inode);
    set_name(path, nullptr);
  }
  return {};
}

Status MemDisk::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  DROVER_CHECK(change(path));
  if (!names_.contains(path)) return Error(ErrorCode::kIo, "remove " + path + ": No such file or directory");
  set_name(path, nullptr);
  return {};
}

Status MemDisk::remove_all(const std::string& path) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> gone;
  for (auto& [name, inode] : names_) {
    if (name == path || name.starts_with(path + "/")) gone.push_back(name);
  }
  if (gone.empty()) return {};
  DROVER_CHECK(change(path));
  for (auto& name : gone) set_name(name, nullptr);
  return {};
}

// As the file systems in use do, a sync of one directory makes all earlier name changes durable: one journal.
Status MemDisk::sync_dir(const std::string& path) {
  std::lock_guard lock(mutex_);
  DROVER_CHECK(change(path));
  durable_names_ = names_;
  unsynced_names_.clear();
  return {};
}

Result<std::vector<std::string>> MemDisk::list(const std::string& path) {
  std::lock_guard lock(mutex_);
  std::set<std::string> out;
  for (auto& [name, inode] : names_) {
    if (!name.starts_with(path + "/")) continue;
    auto rest = name.substr(path.size() + 1);
    out.insert(rest.substr(0, rest.find('/')));
  }
  return std::vector<std::string>(out.begin(), out.end());
}

void MemDisk::cut_power_after(uint64_t operations) {
  std::lock_guard lock(mutex_);
  power_off_at_ = operations_ + operations;
}

void MemDisk::crash(Random& random) {
  std::lock_guard lock(mutex_);
  size_t keep = random.below(unsynced_names_.size() + 1);
  // A rename of a directory is one change in the journal, several here: never cut between a name's two halves.
  while (keep > 0 && keep < unsynced_names_.size() && !unsynced_names_[keep].inode) keep++;
  for (size_t i = 0; i < keep; i++) {
    auto& c = unsynced_names_[i];
    if (c.inode) {
      durable_names_[c.path] = c.inode;
    } else {
      durable_names_.erase(c.path);
    }
  }
  std::set<Inode*> done;
  for (auto& [path, inode] : durable_names_) {
    if (!done.insert(inode.get()).second) continue;
    for (auto& w : inode->unsynced) {
      switch (random.below(3)) {
        case 0: break;
        case 1: put(inode->durable, w.offset, w.bytes); break;
        default: {
          // Any of its sectors, the bytes before the first boundary counting as one.
          for (uint64_t at = 0; at < w.bytes.size();) {
            uint64_t n = std::min<uint64_t>(w.bytes.size() - at, kSector - (w.offset + at) % kSector);
            if (random.below(2)) put(inode->durable, w.offset + at, std::string_view(w.bytes).substr(at, n));
            at += n;
          }
        }
      }
    }
    inode->unsynced.clear();
    inode->now = inode->durable;
  }
  names_ = durable_names_;
  unsynced_names_.clear();
  generation_++;
  power_off_at_ = ~0ull;
}

std::string* MemDisk::content(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto it = names_.find(path);
  return it == names_.end() ? nullptr : &it->second->now;
}

}  // namespace drover::raft
