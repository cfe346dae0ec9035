#include "base/log_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

namespace drover {
namespace {

struct Name {
  std::string dir, base, ext;
};

Name split_name(const std::string& path) {
  Name n;
  auto slash = path.rfind('/');
  n.dir = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  auto dot = file.rfind('.');
  n.base = file.substr(0, dot);
  n.ext = dot == std::string::npos ? ".log" : file.substr(dot);
  return n;
}

}  // namespace

LogFile::~LogFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status LogFile::open(Time now) {
  int fd = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return errno_error("open " + options_.path, errno);
  struct stat st{};
  fd_ = fd;
  size_ = 0;
  created_ = now;
  if (::fstat(fd, &st) == 0 && st.st_size > 0) {
    size_ = static_cast<uint64_t>(st.st_size);
    created_ = Time{int64_t{st.st_ctim.tv_sec} * 1'000'000'000 + st.st_ctim.tv_nsec};
  }
  return {};
}

void LogFile::write(Time now, std::string_view line) {
  bool large = options_.max_bytes > 0 && size_ >= options_.max_bytes;
  bool old = options_.max_age > Duration::zero() && now - created_ >= options_.max_age;
  if (large || old) rotate(now);
  while (fd_ >= 0 && !line.empty()) {
    ssize_t n = ::write(fd_, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    size_ += static_cast<uint64_t>(n);
    line.remove_prefix(static_cast<size_t>(n));
  }
}

void LogFile::rotate(Time now) {
  auto name = split_name(options_.path);
  std::string target = fmt::format("{}/{}-{}{}", name.dir, name.base, now.unix_nanos, name.ext);
  if (::rename(options_.path.c_str(), target.c_str()) != 0) return;
  ::close(fd_);
  fd_ = -1;
  remove_old();
  (void)open(now);
}

void LogFile::remove_old() {
  if (options_.keep == 0) return;
  auto name = split_name(options_.path);
  std::vector<std::string> rotated;
  DIR* dir = ::opendir(name.dir.c_str());
  if (!dir) return;
  while (auto* e = ::readdir(dir)) {
    std::string f = e->d_name;
    if (f.size() > name.base.size() + 1 + name.ext.size() && f.starts_with(name.base + "-") && f.ends_with(name.ext))
      rotated.push_back(f);
  }
  ::closedir(dir);
  std::sort(rotated.begin(), rotated.end());
  size_t keep = static_cast<size_t>(std::max(options_.keep, 0));
  for (size_t i = 0; i + keep < rotated.size(); ++i) ::unlink((name.dir + "/" + rotated[i]).c_str());
}

}  // namespace drover
