#include "isolate/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace drover::isolate {

ssize_t read_file(const char* path, char* out, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t have = 0;
  while (have + 1 < size) {
    ssize_t n = read(fd, out + have, size - 1 - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int err = errno;
      close(fd);
      errno = err;
      return -1;
    }
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  close(fd);
  out[have] = 0;
  return static_cast<ssize_t>(have);
}

Fault write_file(const char* path, const char* text, const char* op) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fault(op);
  ssize_t n;
  do n = write(fd, text, strlen(text));
  while (n < 0 && errno == EINTR);
  Fault f = n < 0 ? fault(op) : ok();
  close(fd);
  return f;
}

uint64_t take_number(const char** at) {
  const char* p = *at;
  while (*p == ' ' || *p == '\t') p++;
  uint64_t n = 0;
  while (*p >= '0' && *p <= '9') n = n * 10 + static_cast<uint64_t>(*p++ - '0');
  *at = p;
  return n;
}

const char* after(const char* text, const char* needle) {
  const char* p = strstr(text, needle);
  return p ? p + strlen(needle) : nullptr;
}

uint64_t monotonic_ms() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1000000;
}

uint64_t wall_ns() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000 + static_cast<uint64_t>(t.tv_nsec);
}

namespace {
// The kernel's linux_dirent64; opendir() would allocate 32 KiB.
struct DirEntry {
  uint64_t ino;
  int64_t off;
  unsigned short reclen;
  unsigned char type;
  char name[];
};
}  // namespace

Fault list_dir(int dirfd, bool (*each)(void*, const char*), void* context) {
  alignas(8) char buffer[2048];
  if (lseek(dirfd, 0, SEEK_SET) < 0) return fault("rewind directory");
  for (;;) {
    long n = syscall(SYS_getdents64, dirfd, buffer, sizeof buffer);
    if (n < 0) return fault("list directory");
    if (n == 0) return ok();
    for (long at = 0; at < n;) {
      auto* e = reinterpret_cast<DirEntry*>(buffer + at);
      at += e->reclen;
      if (!strcmp(e->name, ".") || !strcmp(e->name, "..")) continue;
      if (!each(context, e->name)) return ok();
    }
  }
}

Fault list_dir(const char* path, bool (*each)(void*, const char*), void* context) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fault("open directory");
  Fault f = list_dir(fd, each, context);
  close(fd);
  return f;
}

}  // namespace drover::isolate
