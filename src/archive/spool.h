// A file without a name: bytes wait in it, and whatever happens to the process nothing is left behind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace drover::archive {

// One thread at a time. Errors are kIo. Calls block as long as the disk does.
class Spool {
 public:
  // In folder `dir`, or in $TMPDIR or /tmp when it is empty.
  static Result<Spool> create(std::string dir);

  Status append(std::string_view bytes);
  // As many bytes as there are from `offset` on, up to `size`.
  Result<size_t> read_at(uint64_t offset, char* out, size_t size) const;
  uint64_t size() const { return size_; }

 private:
  explicit Spool(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  uint64_t size_ = 0;
};

}  // namespace drover::archive
