#include "drivers/shim_launch.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "drivers/files.h"
#include "drivers/shim_connection.h"
#include "isolate/process_table.h"

namespace drover::drivers {
namespace {

using shim::Message;

constexpr uint64_t kOrphanMs = 2000;

std::string_view value_of(std::string_view line, std::string_view key) {
  return line.starts_with(key) ? line.substr(key.size()) : std::string_view();
}

// The spec in memory; above 2, so that it is in nobody's way while descriptors 0 to 2 are set up.
Result<UniqueFd> spec_file(const ShimSpec& spec) {
  std::string bytes = encode_spec(spec);
  if (bytes.size() > shim::kMaxSpec) return Error(ErrorCode::kTooLarge, "argument list too long");
  UniqueFd low(memfd_create("drover-shim-spec", MFD_CLOEXEC));
  if (!low) return errno_error("create memory file", errno);
  DROVER_CHECK(write_all(low.get(), bytes));
  UniqueFd high(fcntl(low.get(), F_DUPFD_CLOEXEC, 10));
  if (!high) return errno_error("duplicate descriptor", errno);
  return high;
}

Status spawn_program(const std::string& path, const std::string& task_id, int spec, int answer) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, spec, 0);
  posix_spawn_file_actions_adddup2(&actions, answer, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string name = "drover-shim", id = task_id;
  char* argv[] = {name.data(), id.data(), nullptr};
  char* env[] = {nullptr};
  pid_t pid = -1;
  int err = posix_spawn(&pid, path.c_str(), &actions, &attributes, argv, env);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (err != 0) return errno_error("start supervisor " + path, err);
  // What was started forks the supervisor and is gone at once.
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {};
}

// Returns the pipe on which the shim answers.
Result<UniqueFd> spawn_in_dir(const std::string& shim_path, const ShimSpec& spec) {
  auto spec_fd = spec_file(spec);
  if (!spec_fd) return std::move(spec_fd).error();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno_error("create pipe", errno);
  UniqueFd read_end(ends[0]), low(ends[1]);
  UniqueFd write_end(fcntl(low.get(), F_DUPFD_CLOEXEC, 10));
  if (!write_end) return errno_error("duplicate descriptor", errno);
  if (fcntl(read_end.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("set up pipe", errno);
  DROVER_CHECK(spawn_program(shim_path, spec.task_id, spec_fd->get(), write_end.get()));
  return read_end;
}

Result<UniqueFd> spawn_shim(const std::string& shim_path, const ShimSpec& spec) {
  auto slash = spec.dir.rfind('/');
  if (slash != std::string::npos && slash > 0) DROVER_CHECK(make_dirs(spec.dir.substr(0, slash), 0700));
  if (::mkdir(spec.dir.c_str(), 0700) != 0) return errno_error("mkdir " + spec.dir, errno);
  auto answer = spawn_in_dir(shim_path, spec);
  if (!answer) (void)remove_flat_dir(spec.dir).has_value();
  return answer;
}

// The program's own failure is told as the reference tells it.
Error launch_error(const ShimSpec& spec, const ShimFrame& frame) {
  Error e = shim_error(frame);
  if (!e.message.starts_with("fork/exec: ")) return e;
  std::string args;
  for (auto& a : spec.argv) args += (args.empty() ? "" : " ") + go_quote(a);
  return {e.code, "failed to start command path=" + go_quote(spec.command) + " --- args=[" + args + "]: fork/exec " +
                      spec.command + e.message.substr(9)};
}

// Kills what a shim that was killed left running. The state file names the cgroup, or one process by pid and start.
void kill_orphans(const std::string& dir) {
  auto text = read_whole(dir + "/state");
  if (!text) return;
  pid_t pid = 0;
  uint64_t start = 0;
  auto kind = isolate::CgroupKind::kNone;
  std::string cgroup;
  for (auto& line : split(*text, '\n')) {
    if (auto v = value_of(line, "pid="); !v.empty()) pid = static_cast<pid_t>(parse_int(v).value_or(0));
    if (auto v = value_of(line, "start="); !v.empty()) start = parse_uint(v).value_or(0);
    if (auto v = value_of(line, "cgroup_kind="); !v.empty()) kind = static_cast<isolate::CgroupKind>(parse_uint(v).value_or(0));
    if (auto v = value_of(line, "cgroup="); !v.empty()) cgroup = v;
  }
  isolate::ProcessUsage now;
  if (pid > 1 && isolate::read_process(pid, now) && now.start_ticks == start) (void)::kill(-pid, SIGKILL);
  if (kind == isolate::CgroupKind::kNone || cgroup.empty()) return;
  // Killed processes take a moment to be gone; a group is removed only when empty.
  pid_t some;
  for (auto until = isolate::monotonic_ms() + kOrphanMs; isolate::cgroup_pids(cgroup.c_str(), &some, 1) > 0;) {
    (void)isolate::kill_cgroup(kind, cgroup.c_str());
    if (isolate::monotonic_ms() > until) break;
    ::usleep(2000);
  }
  if (kind == isolate::CgroupKind::kV1Freezer) (void)isolate::remove_cgroup(cgroup.c_str());
}

}  // namespace

Async<Result<shim::StatusReply>> launch_shim(ShimHost& host, ShimSpec spec) {
  auto spawned = co_await on_pool(host.world, [path = host.shim_path, spec] { return spawn_shim(path, spec); });
  if (!spawned) co_return std::move(spawned).error();
  ShimConnection pipe(host.fds, std::move(*spawned));
  auto answer = co_await pipe.read();
  shim::StatusReply status;
  if (answer && answer->type == Message::kStarted && answer->as(status)) co_return status;
  co_await on_pool(host.world, [dir = spec.dir] { return remove_flat_dir(dir).has_value(); });
  if (answer && answer->type == Message::kError) co_return launch_error(spec, *answer);
  co_return internal("the supervisor ended before the task was started");
}

Result<ShimExit> parse_exit_record(std::string_view text) {
  if (!text.starts_with(shim::kExitMagic) || !text.ends_with("\nend\n")) return Error(ErrorCode::kCorrupt, "exit record is damaged");
  ShimExit out;
  for (auto& line : split(text, '\n')) {
    if (auto v = value_of(line, "code="); !v.empty()) out.result.exit_code = static_cast<int>(parse_int(v).value_or(1));
    if (auto v = value_of(line, "signal="); !v.empty()) out.result.signal = static_cast<int>(parse_int(v).value_or(0));
    if (auto v = value_of(line, "oom="); !v.empty()) out.result.oom_killed = v == "1";
    if (auto v = value_of(line, "started="); !v.empty()) out.started_at = Time::from_unix_nanos(parse_int(v).value_or(0));
    if (auto v = value_of(line, "finished="); !v.empty()) out.finished_at = Time::from_unix_nanos(parse_int(v).value_or(0));
    if (auto v = value_of(line, "lost="); !v.empty()) out.output_lost = parse_uint(v).value_or(0);
    if (auto v = value_of(line, "error="); !v.empty()) out.result.err = v;
  }
  return out;
}

ShimProbe probe_shim(const std::string& dir) {
  ShimProbe probe;
  UniqueFd lock(::open((dir + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return probe;  // no directory: nothing was started
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    probe.state = ShimState::kAlive;
    return probe;
  }
  if (auto text = read_whole(dir + "/exit")) {
    if (auto exit = parse_exit_record(*text)) {
      probe.state = ShimState::kFinished;
      probe.exit = std::move(*exit);
      return probe;
    }
    log_error("client.driver_mgr", "exit record of a task is damaged", {{"dir", dir}});
  }
  UniqueFd mark(::open((dir + "/abandoned").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  kill_orphans(dir);
  return probe;
}

}  // namespace drover::drivers
