// DirLock: one agent at a time writes to a data directory. Held until it is destroyed; the kernel lets go of it when the
// process ends, however it ends.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace drover::server {

class DirLock {
 public:
  // Makes the directory where there is none. kConflict names the directory, and the other process where it is known.
  static Result<std::unique_ptr<DirLock>> take(const std::string& dir);
  ~DirLock();
  DirLock(const DirLock&) = delete;

 private:
  explicit DirLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace drover::server
