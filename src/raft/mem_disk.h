// A disk in memory that loses power: what was not synced may be there after a crash, or not, or half. For tests and
// the simulator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/world.h"
#include "raft/disk.h"

namespace drover::raft {

class MemDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& path) override;
  Status make_dirs(const std::string& path) override { return {}; }  // directories are names only
  Status sync_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;

  // After `operations` more changes (writes, syncs, renames, removals) the power is off: nothing else takes effect and
  // everything fails, until crash().
  void cut_power_after(uint64_t operations);
  // The power comes back: synced bytes and names are there; of the others chance decides, write by write (a write may
  // be torn at a sector) and, for names, up to some point in their order. Open files are dead.
  void crash(Random& random);
  // The next operations whose path contains `part` fail with this error; "" ends it.
  void fail_on(std::string part) { fail_on_ = std::move(part); }

  // Files whose path contains `part` neither grow nor are made, for want of room, until "" ends it.
  void fill(std::string part) { full_ = std::move(part); }

  // From now on sync() of files does nothing: a disk that lies about its cache. Tests of the tests.
  void lie() { lies_ = true; }

  // For tests that damage bytes: the file's content as a process sees it.
  std::string* content(const std::string& path);
  uint64_t operations() const { return operations_; }

 private:
  struct Write {
    uint64_t offset;
    std::string bytes;
  };
  struct Inode {
    std::string now, durable;
    std::vector<Write> unsynced;
    bool cut = false;  // among them
    uint64_t generation = 0;
  };
  using InodeRef = std::shared_ptr<Inode>;
  struct NameChange {
    std::string path;
    InodeRef inode;  // null: removed
  };
  class MemFile;
  // Counts a change; an error when the power is off.
  Status change(const std::string& path);
  bool full(const std::string& path) const;
  Error no_room_for(const std::string& path) const;
  void set_name(const std::string& path, InodeRef inode);

  std::mutex mutex_;
  std::map<std::string, InodeRef> names_, durable_names_;
  std::vector<NameChange> unsynced_names_;
  uint64_t generation_ = 0;
  uint64_t operations_ = 0, power_off_at_ = ~0ull;
  std::string fail_on_, full_;
  bool lies_ = false;
};

}  // namespace drover::raft
