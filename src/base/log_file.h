// The log file with rotation by size and age: `<base>-<unix nanoseconds><ext>`, the oldest removed beyond `keep`.
// Not thread-safe: the log's lock guards it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace drover {

class LogFile {
 public:
  struct Options {
    std::string path;
    uint64_t max_bytes = 0;
    Duration max_age{0};
    int keep = 0;
  };
  explicit LogFile(Options options) : options_(std::move(options)) {}
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // Size and age of a file that is there already count on.
  Status open(Time now);
  // Rotates first when due. A line that cannot be written is lost; the process goes on.
  void write(Time now, std::string_view line);

 private:
  void rotate(Time now);
  void remove_old();

  Options options_;
  int fd_ = -1;
  uint64_t size_ = 0;
  Time created_;
};

}  // namespace drover
