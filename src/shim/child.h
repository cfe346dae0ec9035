// Starting a program in the task's surroundings: the task itself, and commands beside it.
#pragma once

#include <sys/types.h>

#include "isolate/fault.h"
#include "shim/spec.h"

namespace drover::shim {

struct Launch {
  const Spec* place = nullptr;     // user, groups, cgroups, namespaces, limits
  const char* command = nullptr;   // a path, or a name to look up in the environment's PATH
  char** argv = nullptr;
  char** env = nullptr;
  const char* cwd = nullptr;
  int in = -1, out = -1, err = -1;
  bool terminal = false;           // `in` is a terminal and becomes the controlling one
  bool record = false;             // writes the `state` file before the program runs
  bool contained = true;           // the task's cgroup exists
};

struct Child {
  pid_t pid = -1;
  bool contained = false;          // it runs in the task's cgroup
};

// Forks; the child becomes the leader of a session and process group of its own, takes the steps in child.cc and runs
// the program. Answers when the program runs, or with what kept it from running (then the child is reaped).
isolate::Fault start_child(const Launch& launch, Child& out);

}  // namespace drover::shim
