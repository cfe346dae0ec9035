#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "raft/disk.h"

namespace drover::raft {
namespace {

Error disk_error(const std::string& what, int err) {
  auto error = errno_error(what, err);
  if (err == ENOSPC || err == EDQUOT) error.code = ErrorCode::kUnavailable;
  return error;
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }

  Status write_at(uint64_t offset, std::span<const std::string_view> parts) override {
    std::vector<iovec> vec;
    vec.reserve(parts.size());
    for (auto p : parts) {
      if (!p.empty()) vec.push_back({const_cast<char*>(p.data()), p.size()});
    }
    for (size_t i = 0; i < vec.size();) {
      ssize_t n = ::pwritev(fd_, &vec[i], static_cast<int>(std::min<size_t>(vec.size() - i, 512)), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return disk_error("write " + path_, errno);
      }
      offset += static_cast<uint64_t>(n);
      for (size_t left = static_cast<size_t>(n); left > 0;) {
        size_t take = std::min(left, vec[i].iov_len);
        vec[i].iov_base = static_cast<char*>(vec[i].iov_base) + take;
        vec[i].iov_len -= take;
        left -= take;
        if (vec[i].iov_len == 0) i++;
      }
    }
    return {};
  }

  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    size_t got = 0;
    while (got < size) {
      ssize_t n = ::pread(fd_, out + got, size - got, static_cast<off_t>(offset + got));
      if (n < 0) {
        if (errno == EINTR) continue;
        return errno_error("read " + path_, errno);
      }
      if (n == 0) break;
      got += static_cast<size_t>(n);
    }
    return got;
  }

  Status sync() override {
    if (::fdatasync(fd_) < 0) return errno_error("sync " + path_, errno);
    return {};
  }
  Result<uint64_t> size() override {
    struct stat st;
    if (::fstat(fd_, &st) < 0) return errno_error("stat " + path_, errno);
    return static_cast<uint64_t>(st.st_size);
  }
  Status truncate(uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) < 0) return errno_error("truncate " + path_, errno);
    return {};
  }
  void write_behind(uint64_t offset, uint64_t size) override {
    static_cast<void>(::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE));
    uint64_t before = std::min(offset, size);
    if (before == 0) return;
    constexpr unsigned kWait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    static_cast<void>(::sync_file_range(fd_, static_cast<off_t>(offset - before), static_cast<off_t>(before), kWait));
  }
  void forget(uint64_t offset, uint64_t size) override {
    ::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
  }

 private:
  int fd_;
  std::string path_;
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    if (mode == OpenMode::kRead) flags |= O_RDONLY;
    if (mode == OpenMode::kWrite) flags |= O_RDWR;
    if (mode == OpenMode::kCreate) flags |= O_RDWR | O_CREAT | O_TRUNC;
    int fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0) return disk_error("open " + path, errno);
    return std::unique_ptr<File>(new PosixFile(fd, path));
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) < 0) return errno_error("rename " + from + " to " + to, errno);
    return {};
  }
  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) < 0) return errno_error("remove " + path, errno);
    return {};
  }
  Status remove_all(const std::string& path) override {
    std::error_code ec;
    std::filesystem::remove_all(path, ec);
    if (ec) return Error(ErrorCode::kIo, "remove " + path + ": " + ec.message());
    return {};
  }
  Status make_dirs(const std::string& path) override {
    for (size_t at = 1; at != std::string::npos;) {
      at = path.find('/', at);
      std::string part = path.substr(0, at);
      if (::mkdir(part.c_str(), 0700) < 0 && errno != EEXIST) return errno_error("mkdir " + part, errno);
      if (at != std::string::npos) at++;
    }
    return {};
  }
  Status sync_dir(const std::string& path) override {
    int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno_error("open " + path, errno);
    int rc = ::fsync(fd), err = errno;
    ::close(fd);
    if (rc < 0) return errno_error("sync " + path, err);
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (!dir) return errno_error("open " + path, errno);
    std::vector<std::string> names;
    while (dirent* e = ::readdir(dir)) {
      std::string name = e->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

Disk& real_disk() {
  static PosixDisk disk;
  return disk;
}

}  // namespace drover::raft
