#include "base/result.h"

#include <cstring>

namespace drover {

Error errno_error(std::string_view what, int err) {
  ErrorCode code = err == ENOENT ? ErrorCode::kNotFound : err == EACCES || err == EPERM ? ErrorCode::kPermissionDenied : ErrorCode::kIo;
  std::string text = std::strerror(err);
  // The reference's texts come from Go, whose errno strings start in lower case.
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') text[0] += 'a' - 'A';
  return {code, std::string(what) + ": " + text};
}

}  // namespace drover
