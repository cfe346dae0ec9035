#include "drivers/users.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>

#include "base/strings.h"

namespace drover::drivers {
namespace {
constexpr size_t kMaxEntryBytes = 1 << 20;
constexpr int kMaxGroups = 256;  // as the shim takes them
}  // namespace

Result<UserIds> lookup_user(const std::string& name) {
  std::vector<char> buffer(1024);
  passwd entry{};
  passwd* found = nullptr;
  int err;
  auto uid = parse_uint(name);
  for (;;) {
    err = uid && *uid <= UINT32_MAX
              ? getpwuid_r(static_cast<uid_t>(*uid), &entry, buffer.data(), buffer.size(), &found)
              : getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (err == EINTR) continue;
    if (err != ERANGE || buffer.size() >= kMaxEntryBytes) break;
    buffer.resize(buffer.size() * 2);
  }
  std::string prefix = "failed to identify user " + name + ": ";
  // Not found is success without an entry, or one of these codes, by name service.
  if (!found && (err == 0 || err == ENOENT || err == ESRCH || err == EBADF || err == EPERM))
    return invalid(prefix + (uid ? "user: unknown userid " : "user: unknown user ") + name);
  if (!found) return errno_error(prefix + "user: lookup user " + name, err);
  UserIds ids{entry.pw_uid, entry.pw_gid, {}};
  std::vector<gid_t> groups(kMaxGroups);
  int count = kMaxGroups;
  if (getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0)
    return invalid("unable to lookup user's group membership: " + name + " is in more than 256 groups");
  ids.groups.assign(groups.begin(), groups.begin() + count);
  return ids;
}

}  // namespace drover::drivers
