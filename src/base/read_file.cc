#include "base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/strings.h"
#include "base/unique_fd.h"

namespace drover {

std::string errno_text(int error) {
  char buffer[256];
  std::string text = strerror_r(error, buffer, sizeof buffer);
  if (!text.empty()) text[0] = static_cast<char>(tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Result<std::string> read_file(const std::string& path, size_t max) {
  auto failed = [&](const char* what) {
    int error = errno;
    return Error(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, std::string(what) + " " + path + ": " + errno_text(error));
  };
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failed("open");
  std::string out;
  char piece[1 << 14];
  for (;;) {
    ssize_t n = ::read(fd.get(), piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read");
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > max) return Error(ErrorCode::kTooLarge, "read " + path + ": more than " + format_ibytes(max));
    out.append(piece, static_cast<size_t>(n));
  }
}

}  // namespace drover
