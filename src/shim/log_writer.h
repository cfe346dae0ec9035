// The task's log files of one stream: `<dir>/<name>.<N>`, rotated by size, the oldest removed by count. A restarted
// task goes on in the newest file.
//
// A disk that is full or fails never holds up the task: what cannot be written is dropped and counted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isolate/fault.h"
#include "shim/rotation.h"

namespace drover::shim {

class LogWriter {
 public:
  // `name` must outlive the writer.
  isolate::Fault open(const char* dir, const char* name, uint32_t max_files, uint64_t max_bytes);
  void write(const char* data, size_t size);
  void close();
  uint64_t lost() const { return lost_; }  // bytes

 private:
  isolate::Fault open_file();
  void rotate();
  void purge();
  size_t append(const char* data, size_t size);

  const char* name_ = nullptr;
  int dirfd_ = -1;
  int fd_ = -1;
  uint32_t max_files_ = 1;
  uint64_t index_ = 0;   // of the current file
  LogPosition at_;
  uint64_t lost_ = 0;
};

}  // namespace drover::shim
