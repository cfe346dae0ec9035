#include "server/dir_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace drover::server {

Result<std::unique_ptr<DirLock>> DirLock::take(const std::string& dir) {
  std::error_code ec;
  std::filesystem::create_directories(dir, ec);
  auto path = dir + "/lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error(ErrorCode::kIo, fmt::format("open {}: {}", path, std::strerror(errno)));
  std::unique_ptr<DirLock> lock(new DirLock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error(ErrorCode::kIo, fmt::format("lock {}: {}", path, std::strerror(errno)));
    char pid[32];
    ssize_t n = ::pread(fd, pid, sizeof pid - 1, 0);
    std::string who = n > 0 ? fmt::format(" (process {})", std::string_view(pid, static_cast<size_t>(n))) : "";
    return Error(ErrorCode::kConflict, fmt::format("the data directory {} is in use by another agent{}: stop it first, or give this one a "
                                                   "data_dir of its own", dir, who));
  }
  auto pid = fmt::format("{}", ::getpid());
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, pid.data(), pid.size(), 0);  // for the message above only
  return lock;
}

DirLock::~DirLock() { ::close(fd_); }

}  // namespace drover::server
