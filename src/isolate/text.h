// Text in fixed buffers, and small files, without allocation.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "isolate/fault.h"

namespace drover::isolate {

// Builds a NUL-terminated text in a buffer of its own; what does not fit sets `overflow` and is left out.
template <size_t Size>
class Text {
 public:
  Text() { data_[0] = 0; }
  Text& add(const char* s) {
    while (*s) put(*s++);
    return *this;
  }
  Text& add(const char* s, size_t n) {
    for (size_t i = 0; i < n; i++) put(s[i]);
    return *this;
  }
  Text& add(uint64_t n) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = static_cast<char>('0' + n % 10);
    while (n /= 10);
    return add(digits + at, sizeof digits - at);
  }
  Text& add(int64_t n) {
    if (n >= 0) return add(static_cast<uint64_t>(n));
    put('-');
    return add(~static_cast<uint64_t>(n) + 1);
  }
  Text& add(int n) { return add(static_cast<int64_t>(n)); }
  const char* c_str() const { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  bool overflow() const { return overflow_; }
  void truncate(size_t n) { data_[size_ = n] = 0; }

 private:
  void put(char c) {
    if (size_ + 1 >= Size) {
      overflow_ = true;
      return;
    }
    data_[size_++] = c;
    data_[size_] = 0;
  }
  char data_[Size];
  size_t size_ = 0;
  bool overflow_ = false;
};

// Large enough for every path under /proc and for cgroup paths (255 per name, a few names).
using Path = Text<1024>;

// Reads at most size - 1 bytes of `path` and terminates them; -1 with errno on failure.
ssize_t read_file(const char* path, char* out, size_t size);
// Writes `text` with one write, as control files need.
Fault write_file(const char* path, const char* text, const char* op);
// The decimal number at `*at` after blanks, moving `*at` past it; 0 when there is none.
uint64_t take_number(const char** at);
// Points behind the first `needle` in `text`, or null.
const char* after(const char* text, const char* needle);

uint64_t monotonic_ms();
uint64_t wall_ns();  // nanoseconds since the Unix epoch

// Names of a directory, one call of `each(context, name)` per entry, "." and ".." left out; false from it stops.
Fault list_dir(int dirfd, bool (*each)(void* context, const char* name), void* context);
Fault list_dir(const char* path, bool (*each)(void* context, const char* name), void* context);

}  // namespace drover::isolate
