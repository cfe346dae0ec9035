// Directories of allocations on this node (reference client, section 18). Blocking file work: call on the pool.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/driver.h"

namespace drover::client {

// Paths only; a value.
struct AllocPaths {
  std::string root;  // <alloc_dir>/<alloc id>

  std::string shared() const { return root + "/alloc"; }
  std::string logs() const { return root + "/alloc/logs"; }
  std::string data() const { return root + "/alloc/data"; }
  std::string task(std::string_view name) const { return root + "/" + std::string(name); }
  std::string local(std::string_view name) const { return task(name) + "/local"; }
  std::string secrets(std::string_view name) const { return task(name) + "/secrets"; }
  std::string tmp(std::string_view name) const { return task(name) + "/tmp"; }
};

// Sets up root, alloc/, alloc/{logs,tmp,data}. May be repeated.
Status build_alloc_dir(const AllocPaths& paths);

struct TaskDirOptions {
  drivers::FsIsolation isolation = drivers::FsIsolation::kNone;
  std::map<std::string, std::string> chroot;  // host path -> path in the chroot; used with kChroot
  std::string skip;                           // never descended into: the client's alloc_dir
  bool mount_secrets = true;                  // secrets as tmpfs where the process may mount
};
// Sets up <task>/{local,tmp,secrets} and, for chroot drivers, the chroot and the bind mount of alloc/. May be repeated.
Status build_task_dir(const AllocPaths& paths, std::string_view task, const TaskDirOptions& options);

// Recreates host directories under `root`: hard links where possible, else copies; links as they are; devices, sockets
// and pipes left out; missing sources skipped.
Status build_chroot(const std::string& root, const std::map<std::string, std::string>& entries, const std::string& skip);

// Unmounts what is mounted inside and removes everything. A missing directory is fine.
Status destroy_alloc_dir(const AllocPaths& paths, const std::vector<std::string>& tasks);

// Moves alloc/data and the local directories of `tasks` from a previous allocation that has ended.
Status move_alloc_data(const AllocPaths& from, const AllocPaths& to, const std::vector<std::string>& tasks);

// ---- Helpers that other file work here shares.

Status make_dir(const std::string& path, unsigned mode);          // and parents; the mode is set whatever the umask
Status write_file(const std::string& path, std::string_view data, unsigned mode);  // replaced atomically
Status remove_tree(const std::string& path);                      // does not cross into mounts
bool is_dir(const std::string& path);
bool exists(const std::string& path);

// `path` joined below `base` and cleaned of "." and ".."; the result may escape `base`.
std::string clean_join(std::string_view base, std::string_view path);
// Whether `path`, with every symbolic link followed as far as it exists, stays within `base`.
bool stays_within(const std::string& base, const std::string& path);

extern const char* const kDefaultChroot[9];

}  // namespace drover::client
