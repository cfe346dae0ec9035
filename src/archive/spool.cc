#include "archive/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace drover::archive {

Result<Spool> Spool::create(std::string dir) {
  if (dir.empty()) {
    const char* tmp = ::getenv("TMPDIR");
    dir = tmp && *tmp ? tmp : "/tmp";
  }
  UniqueFd fd(::open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) {
    // A file system without files that have no name.
    std::string path = dir + "/snapshot-XXXXXX";
    fd.reset(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd) return errno_error("open " + path, errno);
    ::unlink(path.c_str());
  }
  return Spool(std::move(fd));
}

Status Spool::append(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write snapshot file", errno);
    size_ += static_cast<uint64_t>(n);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<size_t> Spool::read_at(uint64_t offset, char* out, size_t size) const {
  size_t have = 0;
  while (have < size) {
    auto n = ::pread(fd_.get(), out + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read snapshot file", errno);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  return have;
}

}  // namespace drover::archive
