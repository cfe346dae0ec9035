// Fault: the error of a system call, small enough to cross a pipe from a forked child.
#pragma once

#include <cerrno>

namespace drover::isolate {

struct Fault {
  int err = 0;          // errno; 0 is success
  const char* op = "";  // what was tried: a literal such as "setns network"
  explicit operator bool() const { return err != 0; }
};

inline Fault ok() { return {}; }
inline Fault fault(const char* op) { return {errno, op}; }

}  // namespace drover::isolate
