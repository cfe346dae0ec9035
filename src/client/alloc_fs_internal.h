// Shared by alloc_fs.cc and alloc_streams.cc: opening files so that nothing outside the allocation is reached.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/alloc_fs.h"

namespace drover::client::fs_detail {

// Owner of a file descriptor.
class Handle {
 public:
  explicit Handle(int fd = -1) : fd_(fd) {}
  Handle(Handle&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Handle& operator=(Handle&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// "stat /x: no such file or directory", as clients know it.
Error go_errno(std::string_view op, const std::string& path, int err);
Error escapes();
// Cleaned and relative to the allocation's directory, "." for itself; an error when it climbs out.
Result<std::string> relative_path(const AllocFiles& files, std::string_view path);
bool is_secret(const AllocFiles& files, std::string_view relative);
// `op` is what errors say was tried on the path.
Result<Handle> open_in(const AllocFiles& files, std::string_view path, int flags, std::string_view op = "stat");
// A regular file whose content may be shown.
Result<Handle> open_for_reading(const AllocFiles& files, const std::string& path);
// Where the opened file really is, relative to the allocation's directory.
std::string path_within(const AllocFiles& files, const Handle& handle);
Result<std::vector<std::string>> dir_names(const Handle& dir);

}  // namespace drover::client::fs_detail
