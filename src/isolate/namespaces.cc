#include "isolate/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace drover::isolate {

Fault enter_network_namespace(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fault("open network namespace");
  Fault f = setns(fd, CLONE_NEWNET) == 0 ? ok() : fault("enter network namespace");
  close(fd);
  return f;
}

}  // namespace drover::isolate
