#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace drover::cli {

Result<FileReader> open_for_reading(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "open " + path + ": " + errno_text(errno));
  return FileReader(std::move(fd), path);
}

Result<size_t> FileReader::read_at(uint64_t offset, char* into, size_t size) const {
  for (;;) {
    ssize_t n = ::pread(fd_.get(), into, size, static_cast<off_t>(offset));
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return Error(ErrorCode::kIo, "read " + path_ + ": " + errno_text(errno));
  }
}

Result<size_t> FileReader::read(char* into, size_t size) {
  DROVER_TRY(size_t n, read_at(at_, into, size));
  at_ += n;
  return n;
}

Status write_file(const std::string& path, std::string_view text, mode_t mode) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return Error(ErrorCode::kIo, "open " + path + ": " + errno_text(errno));
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      Error e(ErrorCode::kIo, "write " + path + ": " + errno_text(errno));
      ::close(fd);
      return e;
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
  if (::close(fd) != 0) return Error(ErrorCode::kIo, "close " + path + ": " + errno_text(errno));
  return {};
}

bool exists(const std::string& path) {
  struct stat s{};
  return ::lstat(path.c_str(), &s) == 0;
}

bool is_directory(const std::string& path) {
  struct stat s{};
  return ::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
}

std::string working_directory() {
  char path[4096];
  return ::getcwd(path, sizeof path) ? path : ".";
}

}  // namespace drover::cli
