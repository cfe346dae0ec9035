#include "isolate/credentials.h"

#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

namespace drover::isolate {

Fault switch_user(uid_t uid, gid_t gid, const gid_t* groups, size_t group_count) {
  // Somebody unprivileged who stays who he is keeps his groups.
  if (geteuid() == uid && getegid() == gid && geteuid() != 0) return ok();
  if (setgroups(group_count, groups) != 0) return fault("set groups");
  if (setresgid(gid, gid, gid) != 0) return fault("set group id");
  if (setresuid(uid, uid, uid) != 0) return fault("set user id");
  return ok();
}

Fault set_limit(int resource, uint64_t soft, uint64_t hard) {
  rlimit limit{soft, hard};
  return setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0 ? ok() : fault("set resource limit");
}

}  // namespace drover::isolate
