// The disk as the log and the snapshots see it: small enough to be false in tests (mem_disk.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace drover::raft {

// Used by one thread at a time. Errors are kIo and name the path; kUnavailable when the disk has no room.
class File {
 public:
  virtual ~File() = default;
  // Writes the parts one after the other from `offset` on; the file grows as needed. Not durable before sync().
  virtual Status write_at(uint64_t offset, std::span<const std::string_view> parts) = 0;
  // As many bytes as there are, up to `size`; fewer only at the end.
  virtual Result<size_t> read_at(uint64_t offset, char* out, size_t size) = 0;
  virtual Status sync() = 0;
  virtual Result<uint64_t> size() = 0;
  virtual Status truncate(uint64_t size) = 0;
  // Has the system begin to write the range out, and waits for what it began with before. So a large file does not wait
  // in memory for its sync(), where it would hold up the syncs of others. Nothing is durable by it.
  virtual void write_behind(uint64_t offset, uint64_t size) {}
  // Tells the system that the pages of the range are not needed soon.
  virtual void forget(uint64_t offset, uint64_t size) {}
};

enum class OpenMode : unsigned char { kRead, kWrite, kCreate };  // kCreate: made, or emptied

// Whether a write failed because the disk is full: it may do later what it could not do now.
inline bool no_room(const Status& status) { return !status && status.error().code == ErrorCode::kUnavailable; }

// Thread safe. Renames, creations and removals are durable after sync_dir of the directory.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;      // a file
  virtual Status remove_all(const std::string& path) = 0;  // a directory and what is in it; missing is fine
  virtual Status make_dirs(const std::string& path) = 0;
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // names, sorted
};

// The process's file system.
Disk& real_disk();

}  // namespace drover::raft
