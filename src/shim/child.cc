#include "shim/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate/cgroup.h"
#include "isolate/credentials.h"
#include "isolate/namespaces.h"
#include "isolate/process_table.h"
#include "isolate/text.h"

namespace drover::shim {
namespace {

using isolate::Fault;
using isolate::fault;
using isolate::ok;

// What the child says through the pipe before its program runs. `op` points to a literal, at the same address in both.
struct Report {
  Fault fault;
  bool fatal = true;
};

struct Setup {
  const Launch& launch;
  int report_fd;
  const Spec& place() const { return *launch.place; }
  void warn(Fault f) const {
    Report r{f, false};
    (void)!write(report_fd, &r, sizeof r);
  }
};

Fault new_session(const Setup&) { return setsid() < 0 ? fault("new session") : ok(); }

Fault take_terminal(const Setup& s) {
  if (!s.launch.terminal) return ok();
  return ioctl(s.launch.in, TIOCSCTTY, 0) == 0 ? ok() : fault("controlling terminal");
}

// Containment is lost with a warning, as the reference has it; the other groups carry limits and must hold.
Fault join_cgroups(const Setup& s) {
  if (s.launch.contained)
    if (Fault f = isolate::join_cgroup(s.place().cgroup_path, 0)) s.warn(f);
  for (size_t i = 0; i < s.place().cgroup_join_count; i++)
    if (Fault f = isolate::join_cgroup(s.place().cgroup_joins[i], 0)) return f;
  return ok();
}

Fault adjust_oom_score(const Setup& s) {
  if (!s.place().has_oom_score_adj) return ok();
  isolate::Text<16> text;
  text.add(s.place().oom_score_adj);
  return isolate::write_file("/proc/self/oom_score_adj", text.c_str(), "set oom_score_adj");
}

Fault enter_network(const Setup& s) {
  return s.place().network_path ? isolate::enter_network_namespace(s.place().network_path) : ok();
}

// Before the user changes: the directory is the shim's. Relative to it, because the shim stands there.
Fault record_state(const Setup& s) {
  if (!s.launch.record) return ok();
  isolate::ProcessUsage self;
  pid_t pid = getpid();
  if (!isolate::read_process(pid, self)) return fault("read own process");
  isolate::Text<1400> text;
  text.add("pid=").add(static_cast<int>(pid)).add("\nstart=").add(self.start_ticks);
  text.add("\ncgroup_kind=").add(static_cast<uint64_t>(s.launch.contained ? s.place().cgroup_kind : isolate::CgroupKind::kNone));
  if (s.launch.contained) text.add("\ncgroup=").add(s.place().cgroup_path);
  text.add("\n");
  if (text.overflow()) return {ENAMETOOLONG, "write state file"};
  int fd = open("state", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fault("write state file");
  ssize_t n = write(fd, text.data(), text.size());
  Fault f = n == static_cast<ssize_t>(text.size()) ? ok() : n < 0 ? fault("write state file") : Fault{ENOSPC, "write state file"};
  close(fd);
  return f;
}

Fault set_limits(const Setup& s) {
  for (size_t i = 0; i < s.place().limit_count; i++) {
    const LimitEntry& l = s.place().limits[i];
    if (Fault f = isolate::set_limit(static_cast<int>(l.resource), l.soft, l.hard)) return f;
  }
  return ok();
}

Fault become_user(const Setup& s) {
  if (!s.place().has_user) return ok();
  return isolate::switch_user(s.place().uid, s.place().gid, s.place().groups, s.place().group_count);
}

Fault change_directory(const Setup& s) {
  if (!s.launch.cwd) return ok();
  return chdir(s.launch.cwd) == 0 ? ok() : fault("change directory");
}

// The three may be any descriptors, also 0 to 2 or one of each other: they are lifted above 2 first.
Fault connect_stdio(const Setup& s) {
  int from[3] = {s.launch.in, s.launch.out, s.launch.err};
  for (int& fd : from) {
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return fault("duplicate descriptor");
  }
  for (int i = 0; i < 3; i++)
    if (dup2(from[i], i) < 0) return fault("duplicate descriptor");
  return ok();
}

// By the system call: the C library keeps two signals to itself, and its posix_spawn leaves them ignored.
Fault default_signals(const Setup&) {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
  } action{};
  for (int i = 1; i <= 64; i++) (void)syscall(SYS_rt_sigaction, i, &action, nullptr, sizeof action.mask);
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0 ? ok() : fault("reset signals");
}

// In this order: what needs privileges before the user changes. Isolation of the exec kind (mounts, a new root,
// capabilities) takes its place between the limits and the user.
constexpr Fault (*kSteps[])(const Setup&) = {
    new_session, take_terminal, join_cgroups, adjust_oom_score, enter_network, record_state,
    set_limits,  become_user,   change_directory, connect_stdio, default_signals,
};

Fault run_program(const Launch& l) {
  if (strchr(l.command, '/')) {
    execve(l.command, l.argv, l.env);
    return fault("fork/exec");
  }
  const char* path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (char** e = l.env; *e; e++)
    if (!strncmp(*e, "PATH=", 5)) path = *e + 5;
  Fault best{ENOENT, "fork/exec"};
  while (*path) {
    size_t n = strcspn(path, ":");
    isolate::Text<4096> file;
    if (n > 0) file.add(path, n).add("/");
    file.add(l.command);
    if (!file.overflow()) {
      execve(file.c_str(), l.argv, l.env);
      if (errno != ENOENT && errno != ENOTDIR) best = fault("fork/exec");
    }
    path += n;
    if (*path == ':') path++;
  }
  return best;
}

[[noreturn]] void be_child(const Launch& launch, int report_fd) {
  Setup setup{launch, report_fd};
  Report report;
  for (auto step : kSteps) {
    report.fault = step(setup);
    if (report.fault) break;
  }
  if (!report.fault) report.fault = run_program(launch);
  (void)!write(report_fd, &report, sizeof report);
  _exit(127);
}

}  // namespace

Fault start_child(const Launch& launch, Child& out) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return fault("create pipe");
  pid_t pid = fork();
  if (pid < 0) {
    Fault f = fault("fork");
    close(report[0]);
    close(report[1]);
    return f;
  }
  if (pid == 0) {
    // Above 2, where stdio goes.
    int high = fcntl(report[1], F_DUPFD_CLOEXEC, 10);
    be_child(launch, high < 0 ? report[1] : high);
  }
  close(report[1]);
  out.pid = pid;
  out.contained = launch.contained;
  Fault fatal;
  for (;;) {
    Report r;
    ssize_t n = read(report[0], &r, sizeof r);
    if (n < 0 && errno == EINTR) continue;
    if (n != static_cast<ssize_t>(sizeof r)) break;
    if (r.fatal)
      fatal = r.fault;
    else
      out.contained = false;
  }
  close(report[0]);
  if (fatal) {
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    out.pid = -1;
  }
  return fatal;
}

}  // namespace drover::shim
