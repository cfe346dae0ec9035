#include "drivers/shim_binary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/strings.h"
#include "base/unique_fd.h"
#include "drivers/files.h"

namespace drover::drivers {
namespace {

// FNV-1a: tells releases apart; the content itself is compared as well.
std::string content_hash(std::string_view bytes) {
  uint64_t h = 14695981039346656037ull;
  for (char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  std::string raw(8, '\0');
  for (int i = 7; i >= 0; i--, h >>= 8) raw[static_cast<size_t>(i)] = static_cast<char>(h);
  return hex_encode(raw);
}

Status write_image(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0700));
  if (!fd) return errno_error("open " + path, errno);
  if (auto s = write_all(fd.get(), shim_image()); !s) return std::move(s).error().with_context(path);
  if (fchmod(fd.get(), 0755) != 0) return errno_error("chmod " + path, errno);
  if (fsync(fd.get()) != 0) return errno_error("sync " + path, errno);
  return {};
}

}  // namespace

Result<std::string> unpack_shim(std::string dir) {
  if (dir.empty()) {
    const char* tmp = std::getenv("TMPDIR");
    dir = std::string(tmp && *tmp ? tmp : "/tmp") + "/drover-shim-XXXXXX";
    if (!mkdtemp(dir.data())) return errno_error("create temporary directory " + dir, errno);
  } else {
    DROVER_CHECK(make_dirs(dir, 0755));
  }
  std::string path = dir + "/drover-shim-" + content_hash(shim_image());
  if (auto have = read_whole(path); have && *have == shim_image() && access(path.c_str(), X_OK) == 0) return path;
  std::string fresh = path + "." + std::to_string(getpid());
  if (auto s = write_image(fresh); !s) {
    ::unlink(fresh.c_str());
    return std::move(s).error().with_context("unpacking drover-shim");
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    Error e = errno_error("rename " + fresh, errno);
    ::unlink(fresh.c_str());
    return e;
  }
  return path;
}

}  // namespace drover::drivers
