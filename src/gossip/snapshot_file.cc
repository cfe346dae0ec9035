#include "gossip/snapshot_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/unique_fd.h"
#include "gossip/limits.h"

namespace drover::gossip {
namespace {

constexpr size_t kReadMax = 64 * 1024 * 1024;

Status write_all_to(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write " + path, errno);
    text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status replace_file(const std::string& path, const std::string& content, mode_t mode) {
  auto fresh = path + ".compact";
  UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (fd.get() < 0) return errno_error("open " + fresh, errno);
  DROVER_CHECK(write_all_to(fd.get(), fresh, content));
  if (::fsync(fd.get()) != 0) return errno_error("sync " + fresh, errno);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return errno_error("rename " + fresh, errno);
  return {};
}

}  // namespace

Result<std::string> SnapshotFile::read() const {
  std::error_code ec;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ec);
  if (ec) return Error(ErrorCode::kIo, "failed to open snapshot: mkdir " + path_ + ": " + ec.message());
  UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
  if (fd.get() < 0) return errno_error("failed to open snapshot: open " + path_, errno);
  std::string out;
  char buffer[16 * 1024];
  for (ssize_t n; (n = ::read(fd.get(), buffer, sizeof buffer)) != 0;) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("failed to read snapshot: read " + path_, errno);
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > kReadMax) return Error(ErrorCode::kCorrupt, "failed to read snapshot: " + path_ + " is too large");
  }
  return out;
}

Status SnapshotFile::drain(bool sync) {
  std::lock_guard lock(mutex_);
  if (queue_.empty() && !sync) return {};
  while (!queue_.empty() && queue_.front().whole) {
    DROVER_CHECK(replace_file(path_, queue_.front().text, 0644));
    queue_.pop_front();
  }
  std::string lines;
  for (; !queue_.empty() && !queue_.front().whole; queue_.pop_front()) lines += queue_.front().text;
  UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (fd.get() < 0) return errno_error("open " + path_, errno);
  DROVER_CHECK(write_all_to(fd.get(), path_, lines));
  if (sync && ::fsync(fd.get()) != 0) return errno_error("sync " + path_, errno);
  return {};
}

Status write_private_file(const std::string& path, const std::string& content) { return replace_file(path, content, 0600); }

}  // namespace drover::gossip
