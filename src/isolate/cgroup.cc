#include "isolate/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace drover::isolate {
namespace {

constexpr int kMaxDepth = 8;  // of groups that a task may have made below its own

// Calls `each` for every line of /proc/self/mountinfo until it returns true.
template <class F>
bool find_mount(F each) {
  int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char buffer[4096];
  size_t have = 0;
  bool found = false;
  for (;;) {
    ssize_t n = read(fd, buffer + have, sizeof buffer - 1 - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
    buffer[have] = 0;
    char* line = buffer;
    while (char* end = strchr(line, '\n')) {
      *end = 0;
      if ((found = each(line))) break;
      line = end + 1;
    }
    if (found) break;
    have = strlen(line);
    memmove(buffer, line, have + 1);
    if (have + 1 >= sizeof buffer) have = 0;  // no mount line of interest is that long
  }
  close(fd);
  return found;
}

// "36 35 98:0 /root /mount/point options [tags] - type source superoptions"
bool parse_mount(char* line, char** point, char** type, char** super) {
  char* tail = strstr(line, " - ");
  if (!tail) return false;
  *tail = 0;
  for (int i = 0; i < 4; i++) {
    line = strchr(line, ' ');
    if (!line) return false;
    line++;
  }
  *point = line;
  if (char* end = strchr(line, ' ')) *end = 0;
  *type = tail + 3;
  char* source = strchr(*type, ' ');
  if (!source) return false;
  *source++ = 0;
  char* options = strchr(source, ' ');
  if (!options) return false;
  *super = options + 1;
  return true;
}

bool has_option(const char* options, const char* name) {
  size_t n = strlen(name);
  for (const char* p = options; p; p = strchr(p, ',')) {
    if (*p == ',') p++;
    if (!strncmp(p, name, n) && (p[n] == ',' || p[n] == 0)) return true;
  }
  return false;
}

template <class F>
void each_pid_in(const char* path, F&& each) {
  Path procs;
  procs.add(path).add("/cgroup.procs");
  int fd = open(procs.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char buffer[1024];
  uint64_t pid = 0;
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    for (ssize_t i = 0; i < n; i++) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        pid = pid * 10 + static_cast<uint64_t>(buffer[i] - '0');
      } else if (pid) {
        each(static_cast<pid_t>(pid));
        pid = 0;
      }
    }
  }
  close(fd);
}

// Calls `each(path)` for the groups below `path` and then for itself: children first.
template <class F>
void each_group(const char* path, int depth, F& each) {
  struct Walk {
    const char* path;
    int depth;
    F* each;
  } walk{path, depth, &each};
  if (depth < kMaxDepth) {
    (void)list_dir(
        path,
        [](void* context, const char* name) {
          auto* w = static_cast<Walk*>(context);
          Path child;
          child.add(w->path).add("/").add(name);
          struct stat st;
          if (!child.overflow() && lstat(child.c_str(), &st) == 0 && S_ISDIR(st.st_mode))
            each_group(child.c_str(), w->depth + 1, *w->each);
          return true;
        },
        &walk);
  }
  each(path);
}

void signal_all(const char* path) {
  auto each = [](const char* group) {
    each_pid_in(group, [](pid_t pid) { (void)kill(pid, SIGKILL); });
  };
  each_group(path, 0, each);
}

Fault set_state(const char* path, const char* file, const char* text) {
  Path p;
  p.add(path).add(file);
  return write_file(p.c_str(), text, "freeze cgroup");
}

// Freezing takes the kernel a moment when a process is in a system call.
void wait_frozen(const char* path) {
  Path p;
  p.add(path).add("/freezer.state");
  for (int i = 0; i < 100; i++) {
    char state[32];
    if (read_file(p.c_str(), state, sizeof state) <= 0 || !strncmp(state, "FROZEN", 6)) return;
    timespec ms{0, 1000000};
    nanosleep(&ms, nullptr);
  }
}

}  // namespace

bool find_cgroup_mount(const char* controller, Path& out) {
  return find_mount([&](char* line) {
    char *point, *type, *super;
    if (!parse_mount(line, &point, &type, &super)) return false;
    if (controller ? strcmp(type, "cgroup") || !has_option(super, controller) : strcmp(type, "cgroup2") != 0) return false;
    out.truncate(0);
    out.add(point);
    return true;
  });
}

bool cgroups_unified() {
  Path ignored;
  return find_cgroup_mount(nullptr, ignored) && !find_cgroup_mount("freezer", ignored) &&
         !find_cgroup_mount("memory", ignored) && !find_cgroup_mount("cpu", ignored);
}

Fault make_cgroup(const char* path, bool* created) {
  Path p;
  *created = false;
  for (const char* at = path; *at;) {
    const char* next = strchr(at + 1, '/');
    if (!next) next = at + strlen(at);
    p.add(at, static_cast<size_t>(next - at));
    if (p.overflow()) return {ENAMETOOLONG, "create cgroup"};
    if (mkdir(p.c_str(), 0755) == 0)
      *created = *next == 0;
    else if (errno != EEXIST && (errno != EROFS || *next == 0))
      return fault("create cgroup");
    at = next;
  }
  return ok();
}

Fault join_cgroup(const char* path, pid_t pid) {
  Path procs;
  procs.add(path).add("/cgroup.procs");
  Text<24> text;
  text.add(static_cast<int64_t>(pid));
  return write_file(procs.c_str(), text.c_str(), "join cgroup");
}

size_t cgroup_pids(const char* path, pid_t* out, size_t capacity) {
  size_t n = 0;
  auto each = [&](const char* group) {
    each_pid_in(group, [&](pid_t pid) {
      if (n < capacity) out[n] = pid;
      n++;
    });
  };
  each_group(path, 0, each);
  return n;
}

Fault kill_cgroup(CgroupKind kind, const char* path) {
  if (kind == CgroupKind::kNone) return ok();
  if (kind == CgroupKind::kV2) {
    Fault f = set_state(path, "/cgroup.kill", "1");
    if (!f) return f;
    if (f.err != ENOENT) return f;
    (void)set_state(path, "/cgroup.freeze", "1");
    signal_all(path);
    return set_state(path, "/cgroup.freeze", "0");
  }
  (void)set_state(path, "/freezer.state", "FROZEN");
  wait_frozen(path);
  signal_all(path);
  return set_state(path, "/freezer.state", "THAWED");
}

Fault remove_cgroup(const char* path) {
  Fault last;
  auto each = [&](const char* group) { last = rmdir(group) == 0 || errno == ENOENT ? ok() : fault("remove cgroup"); };
  each_group(path, 0, each);
  return last;
}

uint64_t oom_kills(const char* path) {
  static constexpr const char* kFiles[] = {"/memory.events", "/memory.oom_control"};
  for (const char* file : kFiles) {
    Path p;
    p.add(path).add(file);
    char text[512];
    if (read_file(p.c_str(), text, sizeof text) <= 0) continue;
    if (const char* at = after(text, "oom_kill ")) return take_number(&at);
  }
  return 0;
}

}  // namespace drover::isolate
