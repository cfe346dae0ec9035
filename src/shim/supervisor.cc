#include "shim/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "isolate/cgroup.h"
#include "isolate/process_table.h"
#include "isolate/text.h"
#include "shim/exit_record.h"

namespace drover::shim {

using isolate::Fault;
using isolate::fault;
using isolate::monotonic_ms;
using isolate::ok;

namespace {

constexpr uint64_t kCleanMs = 5000;    // for killed processes to be gone
constexpr uint64_t kRekillMs = 50;     // a process that was being forked escapes the first kill on old kernels
constexpr uint64_t kDrainMs = 200;     // for output pipes that somebody outside our reach keeps open
constexpr uint64_t kFarewellMs = 1000; // for peers to take the exit record
constexpr size_t kPumpBudget = 256 << 10;
constexpr size_t kFinalBudget = 1 << 20;

char scratch[32 << 10];

void close_fd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

// --- start -----------------------------------------------------------------------------------------------------------

Fault Supervisor::open_output(int child_stdio[3]) {
  child_stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (child_stdio[0] < 0) return fault("open /dev/null");
  const char* names[2] = {spec_.stdout_name, spec_.stderr_name};
  for (int i = 0; i < 2; i++) {
    if (!spec_.log_dir || !names[i]) {
      child_stdio[i + 1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
      if (child_stdio[i + 1] < 0) return fault("open /dev/null");
      continue;
    }
    if (Fault f = output_[i].log.open(spec_.log_dir, names[i], spec_.log_max_files, spec_.log_max_bytes)) return f;
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) return fault("create pipe");
    output_[i].fd = pipe[0];
    child_stdio[i + 1] = pipe[1];
    (void)fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  }
  return ok();
}

Fault Supervisor::open_socket() {
  listen_fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listen_fd_ < 0) return fault("create socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, "sock", 5);  // relative: the directory's own path may be longer than an address can be
  (void)unlink("sock");
  if (bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return fault("bind socket");
  (void)chmod("sock", 0600);
  return listen(listen_fd_, 16) == 0 ? ok() : fault("listen");
}

Fault Supervisor::open_signals() {
  // Whatever is sent to the agent's group or to everybody at shutdown does not end the shim before its task.
  static constexpr int kIgnored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1,
                                     SIGUSR2, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU};
  for (int s : kIgnored) (void)signal(s, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fault("block signals");
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return signal_fd_ >= 0 ? ok() : fault("create signalfd");
}

Fault Supervisor::start_task(int child_stdio[3]) {
  // A group that cannot be made costs the containment, not the task.
  bool contained = spec_.cgroup_path && spec_.cgroup_kind != isolate::CgroupKind::kNone &&
                   !isolate::make_cgroup(spec_.cgroup_path, &cgroup_made_);
  if (spec_.memory_cgroup) oom_before_ = isolate::oom_kills(spec_.memory_cgroup);
  static const char* const kNoEnv[] = {nullptr};
  Launch launch;
  launch.place = &spec_;
  launch.command = spec_.command;
  launch.argv = const_cast<char**>(spec_.args.items);
  launch.env = const_cast<char**>(spec_.env.items ? spec_.env.items : kNoEnv);
  launch.cwd = spec_.cwd;
  launch.in = child_stdio[0], launch.out = child_stdio[1], launch.err = child_stdio[2];
  launch.record = true;
  launch.contained = contained;
  Fault f = start_child(launch, task_);
  started_ns_ = isolate::wall_ns();
  return f;
}

Fault Supervisor::start() {
  // Orphans of the task become children of the shim: they are reaped, and found for statistics.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return fault("become subreaper");
  int child_stdio[3] = {-1, -1, -1};
  Fault f = open_signals();
  if (!f) f = open_output(child_stdio);
  if (!f) f = reserve_exit_file(exit_fd_);
  if (!f) f = open_socket();
  if (!f) f = start_task(child_stdio);
  for (int i = 0; i < 3; i++) close_fd(child_stdio[i]);
  if (f) undo_start();
  return f;
}

void Supervisor::undo_start() {
  if (cgroup_made_) (void)isolate::remove_cgroup(spec_.cgroup_path);
  static constexpr const char* kFiles[] = {"sock", "exit.tmp", "state"};
  for (const char* name : kFiles) (void)unlink(name);
}

StatusReply Supervisor::status() const {
  StatusReply s;
  s.pid = task_.pid;
  s.started_ns = started_ns_;
  s.phase = phase_;
  s.contained = task_.contained;
  s.output_lost = output_[0].log.lost() + output_[1].log.lost();
  return s;
}

// --- the loop --------------------------------------------------------------------------------------------------------

size_t Supervisor::collect(pollfd* fds, Watched* watched) const {
  size_t n = 0;
  auto add = [&](int fd, int events, Watch what, size_t index) {
    if (fd < 0) return;
    fds[n] = {fd, static_cast<short>(events), 0};
    watched[n++] = {what, static_cast<uint8_t>(index)};
  };
  add(signal_fd_, POLLIN, Watch::kSignals, 0);
  add(listen_fd_, POLLIN, Watch::kListen, 0);
  for (size_t i = 0; i < 2; i++) add(output_[i].fd, POLLIN, Watch::kOutput, i);
  for (size_t i = 0; i < kMaxPeers; i++) {
    const Peer& p = peers_[i];
    if (!p.connection.is_open()) continue;
    bool pending = p.connection.pending();
    add(p.connection.fd(), (pending ? POLLOUT : 0) | (p.reads() ? POLLIN : 0) | POLLRDHUP, Watch::kPeer, i);
    if (!p.exec.active()) continue;
    if (!pending) {
      add(p.exec.output_fd(), POLLIN, Watch::kExecOut, i);
      add(p.exec.error_fd(), POLLIN, Watch::kExecOut, i);
    }
    add(p.exec.input_fd(), POLLOUT, Watch::kExecIn, i);
  }
  return n;
}

int Supervisor::timeout_ms() const {
  uint64_t now = monotonic_ms();
  uint64_t next = 0;
  auto by = [&](uint64_t at) {
    if (at && (!next || at < next)) next = at;
  };
  by(exited_ ? 0 : kill_at_ms_);
  for (const Peer& p : peers_) by(p.exec.deadline_ms());
  if (phase_ == Phase::kCleaning) by(now + 2);  // processes that die are not announced
  if (!next) return -1;
  return next <= now ? 0 : next - now > 60000 ? 60000 : static_cast<int>(next - now);
}

void Supervisor::dispatch(const pollfd& p, const Watched& w) {
  Peer& peer = peers_[w.index];
  switch (w.what) {
    case Watch::kSignals: return reap();
    case Watch::kListen: return accept_peers();
    case Watch::kOutput: return pump(output_[w.index], kPumpBudget);
    case Watch::kPeer:
      // An event before in this round may have dropped this peer and taken another in its place; every call below
      // finds out by itself, as none of them blocks.
      if (!peer.connection.is_open()) return;
      if (!peer.connection.flush()) return drop(peer);
      // What a peer sent before it left is still done.
      if (peer.reads()) return serve(peer);
      if (p.revents & (POLLHUP | POLLERR | POLLNVAL | POLLRDHUP)) drop(peer);
      return;
    case Watch::kExecOut: return;  // advance() pumps every session
    case Watch::kExecIn: return peer.exec.active() ? peer.exec.write_stdin() : void();
  }
}

void Supervisor::run() {
  pollfd fds[kMaxWatched];
  Watched watched[kMaxWatched];
  for (;;) {
    size_t n = collect(fds, watched);
    int ready = poll(fds, n, timeout_ms());
    if (ready > 0)
      for (size_t i = 0; i < n; i++)
        if (fds[i].revents) dispatch(fds[i], watched[i]);
    advance();
    if (phase_ == Phase::kCleaning && cleaned_up()) break;
  }
  finish();
}

void Supervisor::advance() {
  uint64_t now = monotonic_ms();
  if (!exited_ && kill_at_ms_ && now >= kill_at_ms_) {
    (void)kill(task_.pid, SIGKILL);
    kill_at_ms_ = now + 1000;  // again, should the process have been stuck
  }
  if (exited_ && phase_ == Phase::kRunning) {
    phase_ = Phase::kCleaning;
    kill_leftovers();
    clean_until_ms_ = now + kCleanMs;
    rekill_at_ms_ = now + kRekillMs;
  }
  for (Peer& p : peers_) {
    if (!p.connection.is_open() || !p.exec.active()) continue;
    if (!p.exec.pump(p.connection, now))
      drop(p);
    else if (!p.exec.active() && p.reads())
      serve(p);
  }
}

// Everything that the task left is dead and its output is written, or the time for that is up.
bool Supervisor::cleaned_up() {
  uint64_t now = monotonic_ms();
  if (!drain_until_ms_) {
    pid_t some;
    bool gone = !task_.contained || isolate::cgroup_pids(spec_.cgroup_path, &some, 1) == 0;
    if (!gone && now < clean_until_ms_) {
      if (now >= rekill_at_ms_) {
        kill_leftovers();
        rekill_at_ms_ = now + kRekillMs;
      }
      return false;
    }
    drain_until_ms_ = now + kDrainMs;
  }
  return (output_[0].fd < 0 && output_[1].fd < 0) || now >= drain_until_ms_;
}

void Supervisor::finish() {
  for (Output& o : output_) {
    pump(o, kFinalBudget);
    close_fd(o.fd);
    o.log.close();
  }
  ExitRecord record;
  record.exit = decode_status(exit_status_);
  record.oom = spec_.memory_cgroup && isolate::oom_kills(spec_.memory_cgroup) > oom_before_;
  record.started_ns = started_ns_;
  record.finished_ns = finished_ns_;
  record.output_lost = status().output_lost;
  ExitText text = format_exit(record);
  // Should this fail, those who wait are still told.
  (void)commit_exit_file(exit_fd_, text);
  for (Peer& p : peers_) {
    if (!p.connection.is_open()) continue;
    p.exec.end();
    if (p.connection.waits_for_exit) (void)p.connection.send(Message::kExit, text.data(), text.size());
  }
  uint64_t until = monotonic_ms() + kFarewellMs;
  for (bool pending = true; pending && monotonic_ms() < until;) {
    pending = false;
    for (Peer& p : peers_)
      if (p.connection.is_open() && p.connection.flush() && p.connection.pending()) pending = true;
    if (pending) (void)poll(nullptr, 0, 2);
  }
  if (cgroup_made_) (void)isolate::remove_cgroup(spec_.cgroup_path);
  (void)unlink("sock");
}

// --- processes -------------------------------------------------------------------------------------------------------

void Supervisor::reap() {
  signalfd_siginfo drained;
  while (read(signal_fd_, &drained, sizeof drained) > 0) {
  }
  siginfo_t dead{};
  while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid > 0) {
    pid_t pid = dead.si_pid;
    // The task's own process group is killed while its dead leader still keeps the number from being used again.
    if (pid == task_.pid) (void)kill(-pid, SIGKILL);
    int status;
    if (waitpid(pid, &status, 0) != pid) break;
    dead = {};
    if (pid == task_.pid) {
      exited_ = true;
      exit_status_ = status;
      finished_ns_ = isolate::wall_ns();
      continue;
    }
    for (Peer& p : peers_)
      if (p.exec.active() && p.exec.pid() == pid) p.exec.exited(status, monotonic_ms());
  }
}

void Supervisor::kill_leftovers() {
  for (Peer& p : peers_) p.exec.kill_group();
  if (task_.contained) (void)isolate::kill_cgroup(spec_.cgroup_kind, spec_.cgroup_path);
}

void Supervisor::pump(Output& output, size_t budget) {
  while (output.fd >= 0 && budget > 0) {
    ssize_t n = read(output.fd, scratch, sizeof scratch);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close_fd(output.fd);
    output.log.write(scratch, static_cast<size_t>(n));
    budget -= static_cast<size_t>(n) < budget ? static_cast<size_t>(n) : budget;
  }
}

// --- peers -----------------------------------------------------------------------------------------------------------

void Supervisor::accept_peers() {
  for (;;) {
    int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    ucred who{};
    socklen_t size = sizeof who;
    bool trusted = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && (who.uid == 0 || who.uid == geteuid());
    Peer* free_peer = nullptr;
    for (Peer& p : peers_)
      if (!p.connection.is_open()) free_peer = &p;
    if (trusted && free_peer)
      free_peer->connection.adopt(fd);
    else
      close(fd);
  }
}

void Supervisor::drop(Peer& peer) {
  peer.exec.end();
  peer.connection.close();
}

void Supervisor::serve(Peer& peer) {
  while (peer.reads()) {
    Frame frame;
    switch (peer.connection.read_frame(frame)) {
      case Connection::Read::kAgain: return;
      case Connection::Read::kClosed: return drop(peer);
      case Connection::Read::kTooLong: (void)peer.connection.send_error(EMSGSIZE, "frame"); return drop(peer);
      case Connection::Read::kFrame: break;
    }
    bool alive = peer.exec.active() ? peer.exec.handle(peer.connection, frame) : answer(peer, frame);
    if (!alive) return drop(peer);
  }
}

bool Supervisor::answer(Peer& peer, const Frame& frame) {
  Connection& c = peer.connection;
  switch (frame.type) {
    case Message::kInspect: {
      StatusReply s = status();
      return c.send(Message::kStatus, &s, sizeof s);
    }
    case Message::kSignal: {
      int32_t number;
      if (!frame.as(number)) return c.send_error(EINVAL, "signal request");
      if (exited_) return c.send_error(ESRCH, "signal");
      if (kill(task_.pid, number) != 0) return c.send_error(errno, "signal");
      return c.send(Message::kOk);
    }
    case Message::kShutdown: return shut_down(c, frame);
    case Message::kStats: return send_usage(c);
    case Message::kWait: c.waits_for_exit = true; return true;
    case Message::kExec: {
      if (exited_) return c.send_error(ESRCH, "exec");
      if (Fault f = peer.exec.start(spec_, task_.contained, frame)) return c.send_error(f.err, f.op);
      return c.send(Message::kOk);
    }
    case Message::kStdin:
    case Message::kStdinClose:
    case Message::kResize: return true;  // for a session that has just ended
    default: return c.send_error(EINVAL, "unknown request");
  }
}

bool Supervisor::shut_down(Connection& c, const Frame& frame) {
  ShutdownRequest request;
  if (!frame.as(request)) return c.send_error(EINVAL, "shutdown request");
  if (exited_) return c.send(Message::kOk);
  uint64_t now = monotonic_ms();
  uint64_t grace_ms = request.grace_ns / 1000000 + (request.grace_ns % 1000000 != 0);
  if (grace_ms > 0 && request.signal > 0 && kill(task_.pid, request.signal) != 0 && errno != ESRCH)
    return c.send_error(errno, "signal");
  uint64_t at = now + grace_ms;
  // The earliest of several requests holds.
  if (!kill_at_ms_ || at < kill_at_ms_) kill_at_ms_ = at ? at : 1;
  return c.send(Message::kOk);
}

bool Supervisor::send_usage(Connection& c) {
  constexpr size_t kMaxPids = 16384;
  auto* pids = static_cast<pid_t*>(malloc(kMaxPids * sizeof(pid_t)));
  auto* entries = static_cast<ProcessEntry*>(malloc(kMaxListed * sizeof(ProcessEntry)));
  UsageReply reply;
  size_t n = 0;
  if (pids && entries) {
    n = task_.contained ? isolate::cgroup_pids(spec_.cgroup_path, pids, kMaxPids)
                        : isolate::descendants(getpid(), pids, kMaxPids);
    if (n > kMaxPids) n = kMaxPids;
  }
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  reply.time_ns = static_cast<uint64_t>(t.tv_sec) * 1000000000 + static_cast<uint64_t>(t.tv_nsec);
  for (size_t i = 0; i < n; i++) {
    isolate::ProcessUsage u;
    if (!isolate::read_usage(pids[i], u)) continue;
    reply.processes++;
    reply.rss_bytes += u.rss_bytes;
    reply.swap_bytes += u.swap_bytes;
    reply.user_ns += u.user_ns;
    reply.system_ns += u.system_ns;
    if (reply.listed < kMaxListed)
      entries[reply.listed++] = {u.pid, 0, u.rss_bytes, u.swap_bytes, u.user_ns, u.system_ns};
  }
  bool sent = c.send(Message::kUsage, &reply, sizeof reply, entries, reply.listed * sizeof(ProcessEntry));
  free(pids);
  free(entries);
  return sent;
}

}  // namespace drover::shim
