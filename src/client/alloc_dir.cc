#include "client/alloc_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "base/log.h"
#include "base/strings.h"

namespace drover::client {

const char* const kDefaultChroot[9] = {"/bin",  "/etc", "/lib", "/lib32", "/lib64", "/run/resolvconf",
                                       "/run/systemd/resolve", "/sbin", "/usr"};

namespace {

constexpr std::string_view kSecretsOptions = "mode=0777,size=10m";
constexpr std::string_view kMountMarker = ".nomad-mount";

struct CloseDir {
  void operator()(DIR* d) const { ::closedir(d); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

struct Fd {
  int fd;
  explicit Fd(int f) : fd(f) {}
  ~Fd() {
    if (fd >= 0) ::close(fd);
  }
  Fd(const Fd&) = delete;
};

// Owner of the shared directories when the agent is root.
void give_to_nobody(const std::string& path) {
  if (::geteuid() != 0) return;
  if (auto* user = ::getpwnam("nobody")) (void)!::chown(path.c_str(), user->pw_uid, user->pw_gid);
}

Status set_mode(const std::string& path, unsigned mode) {
  if (::chmod(path.c_str(), mode) != 0) return errno_error("chmod " + path, errno);
  return {};
}

}  // namespace

bool exists(const std::string& path) {
  struct stat st;
  return ::lstat(path.c_str(), &st) == 0;
}

bool is_dir(const std::string& path) {
  struct stat st;
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

Status make_dir(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0) return set_mode(path, mode);
  if (errno == EEXIST) return is_dir(path) ? set_mode(path, mode) : errno_error("mkdir " + path, EEXIST);
  if (errno != ENOENT) return errno_error("mkdir " + path, errno);
  auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return errno_error("mkdir " + path, ENOENT);
  auto parent = path.substr(0, slash);
  if (!is_dir(parent)) DROVER_CHECK(make_dir(parent, mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return errno_error("mkdir " + path, errno);
  return set_mode(path, mode);
}

Status write_file(const std::string& path, std::string_view data, unsigned mode) {
  auto tmp = path + ".tmp";
  Fd f(::open(tmp.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (f.fd < 0) return errno_error("open " + tmp, errno);
  while (!data.empty()) {
    ssize_t n = ::write(f.fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write " + tmp, errno);
    data.remove_prefix(static_cast<size_t>(n));
  }
  if (::fchmod(f.fd, mode) != 0) return errno_error("chmod " + tmp, errno);
  if (::rename(tmp.c_str(), path.c_str()) != 0) return errno_error("rename " + tmp, errno);
  return {};
}

namespace {

Status remove_at(int parent, const char* name, dev_t device, const std::string& shown) {
  struct stat st;
  if (::fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? Status() : errno_error("stat " + shown, errno);
  if (!S_ISDIR(st.st_mode)) {
    if (::unlinkat(parent, name, 0) != 0 && errno != ENOENT) return errno_error("remove " + shown, errno);
    return {};
  }
  if (st.st_dev != device) return Error(ErrorCode::kIo, "remove " + shown + ": something is mounted there");
  int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno_error("open " + shown, errno);
  Dir dir(::fdopendir(fd));
  if (!dir) {
    ::close(fd);
    return errno_error("open " + shown, errno);
  }
  while (auto* entry = ::readdir(dir.get())) {
    std::string_view n = entry->d_name;
    if (n == "." || n == "..") continue;
    DROVER_CHECK(remove_at(::dirfd(dir.get()), entry->d_name, device, shown + "/" + std::string(n)));
  }
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) return errno_error("remove " + shown, errno);
  return {};
}

}  // namespace

Status remove_tree(const std::string& path) {
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0) return errno == ENOENT ? Status() : errno_error("stat " + path, errno);
  return remove_at(AT_FDCWD, path.c_str(), st.st_dev, path);
}

std::string clean_join(std::string_view base, std::string_view path) {
  std::vector<std::string> parts;
  auto add = [&](std::string_view text) {
    for (auto& part : split(text, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") parts.push_back(part);
      else if (!parts.empty()) parts.pop_back();
    }
  };
  add(base);
  add(path);
  return (base.starts_with('/') ? "/" : "") + join(parts, "/");
}

bool stays_within(const std::string& base, const std::string& path) {
  auto real = [](const std::string& p) {
    char buffer[PATH_MAX];
    // The part that does not exist yet cannot hold links.
    std::string head = p, tail;
    while (!::realpath(head.c_str(), buffer)) {
      auto slash = head.rfind('/');
      if (slash == std::string::npos || slash == 0) return p;
      tail = head.substr(slash) + tail;
      head.resize(slash);
    }
    return clean_join(buffer, tail);
  };
  auto root = real(base), target = real(path);
  return target == root || (target.starts_with(root) && target[root.size()] == '/');
}

// ---- Building

Status build_alloc_dir(const AllocPaths& paths) {
  DROVER_CHECK(make_dir(paths.root, 0755));
  for (auto& dir : {paths.shared(), paths.logs(), paths.shared() + "/tmp", paths.data()}) {
    DROVER_CHECK(make_dir(dir, 0777));
    give_to_nobody(dir);
  }
  return {};
}

namespace {

Status build_secrets(const std::string& dir, bool mount_it) {
  DROVER_CHECK(make_dir(dir, 0777));
  if (!mount_it || ::geteuid() != 0 || exists(dir + "/" + std::string(kMountMarker))) return {};
  if (::mount("tmpfs", dir.c_str(), "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, kSecretsOptions.data()) == 0)
    return write_file(dir + "/" + std::string(kMountMarker), "", 0644);
  // An agent in a container is root without the right to mount.
  if (errno != EPERM && errno != EACCES) return errno_error("mount tmpfs " + dir, errno);
  log_warn("client.alloc_dir", "secrets are kept on disk: mounting is not permitted", {{"dir", dir}});
  return {};
}

Status bind_shared(const AllocPaths& paths, std::string_view task) {
  auto at = paths.task(task) + "/alloc";
  DROVER_CHECK(make_dir(at, 0777));
  struct stat here, there;
  if (::stat(at.c_str(), &here) == 0 && ::stat(paths.shared().c_str(), &there) == 0 && here.st_dev == there.st_dev &&
      here.st_ino == there.st_ino)
    return {};
  if (::mount(paths.shared().c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return errno_error("bind mount " + at, errno);
  return {};
}

}  // namespace

Status build_task_dir(const AllocPaths& paths, std::string_view task, const TaskDirOptions& options) {
  DROVER_CHECK(make_dir(paths.task(task), 0777));
  give_to_nobody(paths.task(task));
  DROVER_CHECK(make_dir(paths.local(task), 0777));
  give_to_nobody(paths.local(task));
  DROVER_CHECK(make_dir(paths.tmp(task), 01777));
  DROVER_CHECK(build_secrets(paths.secrets(task), options.mount_secrets));
  if (options.isolation != drivers::FsIsolation::kChroot) return {};
  for (auto* dir : {"/dev", "/proc"}) DROVER_CHECK(make_dir(paths.task(task) + dir, 0755));
  DROVER_CHECK(bind_shared(paths, task));
  return build_chroot(paths.task(task), options.chroot, options.skip);
}

namespace {

Status copy_contents(const std::string& from, const std::string& to, const struct stat& st) {
  Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.fd < 0) return errno_error("open " + from, errno);
  Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.fd < 0) return errno == EEXIST ? Status() : errno_error("create " + to, errno);
  std::string buffer(128 << 10, '\0');
  for (;;) {
    ssize_t n = ::read(in.fd, buffer.data(), buffer.size());
    if (n < 0) return errno_error("read " + from, errno);
    if (n == 0) break;
    for (ssize_t at = 0; at < n;) {
      ssize_t m = ::write(out.fd, buffer.data() + at, static_cast<size_t>(n - at));
      if (m < 0) return errno_error("write " + to, errno);
      at += m;
    }
  }
  (void)!::fchown(out.fd, st.st_uid, st.st_gid);
  if (::fchmod(out.fd, st.st_mode & 07777) != 0) return errno_error("chmod " + to, errno);
  return {};
}

Status copy_link(const std::string& from, const std::string& to) {
  char target[PATH_MAX];
  ssize_t n = ::readlink(from.c_str(), target, sizeof target - 1);
  if (n < 0) return errno_error("readlink " + from, errno);
  target[n] = 0;
  if (::symlink(target, to.c_str()) != 0 && errno != EEXIST) return errno_error("symlink " + to, errno);
  return {};
}

Status copy_tree(const std::string& from, const std::string& to, const std::string& skip);

Status copy_dir(const std::string& from, const std::string& to, const struct stat& st, const std::string& skip) {
  if (::mkdir(to.c_str(), 0700) == 0) {
    (void)!::chown(to.c_str(), st.st_uid, st.st_gid);
    DROVER_CHECK(set_mode(to, st.st_mode & 07777));
  } else if (errno != EEXIST) {
    return errno_error("mkdir " + to, errno);
  }
  Dir dir(::opendir(from.c_str()));
  if (!dir) return errno_error("open " + from, errno);
  while (auto* entry = ::readdir(dir.get())) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    DROVER_CHECK(copy_tree(from + "/" + name, to + "/" + name, skip));
  }
  return {};
}

Status copy_tree(const std::string& from, const std::string& to, const std::string& skip) {
  if (!skip.empty() && from == skip) return {};
  struct stat st;
  if (::lstat(from.c_str(), &st) != 0) return errno == ENOENT ? Status() : errno_error("stat " + from, errno);
  if (S_ISDIR(st.st_mode)) return copy_dir(from, to, st, skip);
  if (exists(to)) return {};
  if (S_ISLNK(st.st_mode)) return copy_link(from, to);
  if (!S_ISREG(st.st_mode)) return {};
  if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return {};
  return copy_contents(from, to, st);
}

}  // namespace

Status build_chroot(const std::string& root, const std::map<std::string, std::string>& entries, const std::string& skip) {
  for (auto& [source, target] : entries) {
    if (!exists(source)) continue;
    auto to = clean_join(root, clean_join("/", target));
    auto slash = to.rfind('/');
    if (auto parent = to.substr(0, slash); !is_dir(parent)) DROVER_CHECK(make_dir(parent, 0755));
    struct stat st;
    // A top-level entry may be a link itself (/bin -> usr/bin): its target's tree is what is meant.
    std::string from = source;
    if (::lstat(source.c_str(), &st) == 0 && S_ISLNK(st.st_mode) && !exists(to)) {
      DROVER_CHECK(copy_link(source, to));
      continue;
    }
    DROVER_CHECK(copy_tree(from, to, skip));
  }
  return {};
}

// ---- Taking apart

namespace {

// Not mounted, or nothing there, is fine; busy mounts are detached lazily.
Status unmount(const std::string& path) {
  for (int i = 0; i < 8; ++i) {
    if (::umount2(path.c_str(), UMOUNT_NOFOLLOW) == 0) continue;
    if (errno == EBUSY && ::umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) continue;
    return errno == EINVAL || errno == ENOENT || errno == EPERM ? Status() : errno_error("unmount " + path, errno);
  }
  return {};
}

}  // namespace

Status destroy_alloc_dir(const AllocPaths& paths, const std::vector<std::string>& tasks) {
  Status first;
  for (auto& task : tasks)
    for (auto* sub : {"/alloc", "/secrets", "/dev", "/proc"})
      if (auto s = unmount(paths.task(task) + sub); !s && first) first = s;
  if (!first) return first;
  return remove_tree(paths.root);
}

Status move_alloc_data(const AllocPaths& from, const AllocPaths& to, const std::vector<std::string>& tasks) {
  auto move = [](const std::string& a, const std::string& b) -> Status {
    if (!is_dir(a)) return {};
    DROVER_CHECK(remove_tree(b));
    if (::rename(a.c_str(), b.c_str()) != 0) return errno_error("rename " + a, errno);
    return {};
  };
  DROVER_CHECK(move(from.data(), to.data()));
  for (auto& task : tasks) {
    if (!is_dir(to.task(task))) DROVER_CHECK(make_dir(to.task(task), 0777));
    DROVER_CHECK(move(from.local(task), to.local(task)));
  }
  return {};
}

}  // namespace drover::client
