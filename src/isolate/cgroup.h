// Control groups as containment: every process that a task starts stays in the task's group, whatever sessions and
// process groups it makes, so that nothing is left when the task ends.
//
// v1 uses a freezer group (freeze, kill all, thaw: a fork bomb cannot outrun it). v2 uses cgroup.kill, or the same
// with cgroup.freeze on kernels before 5.14.
#pragma once

#include <sys/types.h>

#include "isolate/fault.h"
#include "isolate/text.h"

namespace drover::isolate {

enum class CgroupKind : uint32_t { kNone = 0, kV1Freezer = 1, kV2 = 2 };

// Mount point of the v1 hierarchy with `controller`, or of v2 when it is null; from /proc/self/mountinfo.
bool find_cgroup_mount(const char* controller, Path& out);
// True when the host runs on v2 alone (no v1 hierarchy holds a controller), which is when the reference uses v2.
bool cgroups_unified();

// Makes `path` (absolute, below a cgroup mount) with its parents. `created` tells whether the last directory is new.
Fault make_cgroup(const char* path, bool* created);
// Moves `pid` (0: the caller) into the group.
Fault join_cgroup(const char* path, pid_t pid);
// Pids in the group and the groups below it: writes up to `capacity`, returns how many there are.
size_t cgroup_pids(const char* path, pid_t* out, size_t capacity);
// Sends SIGKILL to every process in the group; does not wait for their end.
Fault kill_cgroup(CgroupKind kind, const char* path);
// Removes the group and those below it; busy ones stay.
Fault remove_cgroup(const char* path);
// Kills by the OOM killer so far in the memory group at `path` (v1 or v2); 0 when unknown.
uint64_t oom_kills(const char* path);

}  // namespace drover::isolate
