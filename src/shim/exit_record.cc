#include "shim/exit_record.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace drover::shim {

using isolate::Fault;
using isolate::fault;
using isolate::ok;

ExitText format_exit(const ExitRecord& r) {
  ExitText t;
  t.add(kExitMagic);
  t.add("code=").add(r.exit.exit_code);
  t.add("\nsignal=").add(r.exit.signal);
  t.add("\noom=").add(r.oom ? 1 : 0);
  t.add("\nstarted=").add(r.started_ns);
  t.add("\nfinished=").add(r.finished_ns);
  t.add("\nlost=").add(r.output_lost);
  if (r.error) t.add("\nerror=").add(r.error);
  t.add("\nend\n");
  return t;
}

Fault reserve_exit_file(int& fd) {
  fd = open("exit.tmp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fault("create exit file");
  // Written, not fallocated: that works on every file system.
  static const char zeros[sizeof(ExitText)] = {};
  ssize_t n = write(fd, zeros, sizeof zeros);
  if (n == static_cast<ssize_t>(sizeof zeros)) return ok();
  return n < 0 ? fault("write exit file") : Fault{ENOSPC, "write exit file"};
}

Fault commit_exit_file(int fd, const ExitText& text) {
  ssize_t n = pwrite(fd, text.data(), text.size(), 0);
  if (n != static_cast<ssize_t>(text.size())) return n < 0 ? fault("write exit file") : Fault{ENOSPC, "write exit file"};
  if (ftruncate(fd, n) != 0 || fsync(fd) != 0) return fault("sync exit file");
  if (rename("exit.tmp", "exit") != 0) return fault("rename exit file");
  int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    (void)fsync(dir);
    close(dir);
  }
  return ok();
}

}  // namespace drover::shim
