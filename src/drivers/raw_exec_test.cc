// raw_exec through the real shim: starting, output, ending, errors.
#include "drivers/raw_exec.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "drivers/shim_testing.h"

namespace drover::drivers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RawExec : public ShimFixture {};

TEST_F(RawExec, RunsInTheTaskDirectoryAndKeepsItsOutput) {
  ExitResult r = run(script("echo out; echo err >&2; pwd; exit 3"));
  EXPECT_EQ(r, (ExitResult{.exit_code = 3}));
  EXPECT_EQ(slurp(out()), "out\n" + root_ + "/alloc/web\n");
  EXPECT_EQ(slurp(err()), "err\n");
}

TEST_F(RawExec, PassesArgumentsAndEnvironmentUnchanged) {
  TaskSpec s = spec("/usr/bin/env", {"sh", "-c", "printf '[%s]' \"$@\"; env | sort | grep -v -e ^_ -e PWD", "x", "", "a b", "l1\nl2", "$HOME"});
  s.env["ODD"] = "a=b c";
  EXPECT_EQ(run(s).exit_code, 0);
  EXPECT_EQ(slurp(out()), "[][a b][l1\nl2][$HOME]NOMAD_TASK_NAME=web\nODD=a=b c\nPATH=/usr/bin:/bin\n");
}

TEST_F(RawExec, ReportsDeathBySignal) {
  EXPECT_EQ(run(script("kill -SEGV $$")), (ExitResult{.exit_code = 139, .signal = 11}));
}

TEST_F(RawExec, TellsStateAndTimes) {
  auto id = start(script("read x < /dev/zero; sleep 100"));
  auto s = w_.await(driver_->inspect(id));
  ASSERT_TRUE(s && *s);
  EXPECT_EQ((*s)->state, TaskRunState::kRunning);
  EXPECT_EQ((*s)->name, "web");
  EXPECT_GT(pid_of(id), 1);
  EXPECT_LT(w_.clock.now() - (*s)->started_at, seconds(10));
  ASSERT_TRUE(*w_.await(driver_->stop(id, Duration::zero(), "")));
  s = w_.await(driver_->inspect(id));
  EXPECT_EQ((*s)->state, TaskRunState::kExited);
  EXPECT_EQ((*s)->result->signal, 9);
  EXPECT_GE((*s)->completed_at, (*s)->started_at);
}

TEST_F(RawExec, SignalsAreDefaultAndStandardInputIsEmpty) {
  EXPECT_EQ(run(script("cat; grep -E 'Sig(Blk|Ign)' /proc/self/status")).exit_code, 0);
  EXPECT_EQ(slurp(out()), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(RawExec, OnlyStandardStreamsAreOpen) {
  // No pipe: the shell holds its end while it forks. Not the last command: the shell would become ls itself.
  EXPECT_EQ(run(script("ls /proc/$$/fd; exit 0")).exit_code, 0);
  EXPECT_EQ(slurp(out()), "0\n1\n2\n");
}

// --- ending ------------------------------------------------------------------------------------------------------------

TEST_F(RawExec, StopSendsInterruptAndWaitsForTheEnd) {
  auto id = start(script("trap 'echo bye; exit 7' INT; echo up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(seen(out(), "up"));
  ASSERT_TRUE(*w_.await(driver_->stop(id, seconds(10), "")));
  EXPECT_EQ(wait(id).exit_code, 7);
  EXPECT_EQ(slurp(out()), "up\nbye\n");
}

TEST_F(RawExec, StopKillsWhenTheGraceIsOver) {
  auto id = start(script("trap '' TERM; echo up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(seen(out(), "up"));
  auto before = w_.clock.monotonic();
  ASSERT_TRUE(*w_.await(driver_->stop(id, milliseconds(150), "SIGTERM")));
  EXPECT_GE(w_.clock.monotonic() - before, milliseconds(150));
  EXPECT_EQ(wait(id), (ExitResult{.exit_code = 137, .signal = 9}));
}

TEST_F(RawExec, AShorterSecondStopHolds) {
  auto id = start(script("trap '' INT; echo up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(seen(out(), "up"));
  Running patient([](Driver& d, std::string id) -> Async<void> { (void)co_await d.stop(id, seconds(1000), ""); }(*driver_, id));
  ASSERT_TRUE(*w_.await(driver_->stop(id, milliseconds(1), "")));
  EXPECT_EQ(wait(id).signal, 9);
}

TEST_F(RawExec, NamesAnUnknownSignal) {
  auto id = start(script("sleep 100"));
  auto s = w_.await(driver_->stop(id, seconds(1), "SIGNOPE"));
  ASSERT_TRUE(s && !*s);
  EXPECT_EQ(s->error().message, "executor Shutdown failed: error unknown signal given for shutdown: SIGNOPE");
  EXPECT_TRUE(alive(pid_of(id)));
}

TEST_F(RawExec, DeliversSignals) {
  auto id = start(script("trap 'echo usr1' USR1; trap 'echo int; exit 0' INT; echo up; while :; do sleep 0.01; done"));
  ASSERT_TRUE(seen(out(), "up"));
  ASSERT_TRUE(*w_.await(driver_->signal(id, "SIGUSR1")));
  ASSERT_TRUE(seen(out(), "usr1"));
  ASSERT_TRUE(*w_.await(driver_->signal(id, "SIGNOPE")));  // becomes SIGINT, as in the reference
  EXPECT_EQ(wait(id).exit_code, 0);
}

TEST_F(RawExec, KillsWhatLeftItsSessionWhenContained) {
  if (::geteuid() != 0) GTEST_SKIP() << "cgroups need root";
  EXPECT_EQ(run(script("setsid sh -c 'setsid sleep 1000 & echo $!; wait' & sleep 0.2; exit 0")).exit_code, 0);
  int pid = std::stoi(slurp(out()));
  EXPECT_FALSE(alive(pid));
}

TEST_F(RawExec, KillsItsProcessGroupWithoutCgroups) {
  driver_ = make_driver(w_, true);
  EXPECT_EQ(run(script("sleep 1000 & echo $!; exit 4")).exit_code, 4);
  EXPECT_TRUE(eventually([&] { return !alive(std::stoi(slurp(out()))); }));
}

TEST_F(RawExec, DestroyRefusesARunningTaskUnlessForced) {
  auto id = start(script("sleep 1000"));
  int pid = pid_of(id);
  auto s = w_.await(driver_->destroy(id, false));
  ASSERT_TRUE(s && !*s);
  EXPECT_EQ(s->error().message, "cannot destroy running task");
  ASSERT_TRUE(*w_.await(driver_->destroy(id, true)));
  EXPECT_FALSE(alive(pid));
  EXPECT_EQ((*w_.await(driver_->wait(id))).error().message, "task not found for given id");
  EXPECT_TRUE(fs::is_empty(root_ + "/state"));
}

// --- errors of a start -------------------------------------------------------------------------------------------------

TEST_F(RawExec, RefusesWhenDisabled) {
  ASSERT_TRUE(driver_->configure(Value()));
  EXPECT_EQ(start_error(script("exit 0")), "raw_exec is disabled");
  auto f = w_.await(driver_->fingerprint());
  EXPECT_EQ(f->health, Health::kUndetected);
  EXPECT_EQ(f->description, "disabled");
  EXPECT_TRUE(node_attributes("raw_exec", *f).empty());
}

TEST_F(RawExec, IsHealthyWhenEnabled) {
  auto f = w_.await(driver_->fingerprint());
  EXPECT_EQ(f->health, Health::kHealthy);
  EXPECT_EQ(node_attributes("raw_exec", *f)["driver.raw_exec"], "1");
}

TEST_F(RawExec, RefusesASecondTaskOfAnId) {
  TaskSpec s = script("sleep 100");
  start(s);
  EXPECT_EQ(start_error(s), "task with ID \"" + s.id + "\" already started");
}

TEST_F(RawExec, NamesAMissingProgram) {
  EXPECT_EQ(start_error(spec("no-such-program", {})), "failed to launch command with executor: binary \"no-such-program\" could not be found");
  EXPECT_EQ(start_error(spec("/no/such", {})), "failed to launch command with executor: binary \"/no/such\" could not be found");
  EXPECT_FALSE(fs::exists(root_ + "/state"));
}

TEST_F(RawExec, NamesAProgramThatCannotRun) {
  std::ofstream(root_ + "/alloc/web/local/junk") << "\x01\x02";
  std::string path = root_ + "/alloc/web/local/junk";
  EXPECT_EQ(start_error(spec("junk", {"a b"})), "failed to launch command with executor: failed to start command path=\"" + path + "\" --- args=[\"" +
                                                     path + "\" \"a b\"]: fork/exec " + path + ": exec format error");
  EXPECT_TRUE(fs::is_empty(root_ + "/state"));
}

TEST_F(RawExec, FindsAndFixesProgramsOfTheTask) {
  std::ofstream(root_ + "/alloc/web/local/hello") << "#!/bin/sh\necho hello from $0\n";
  EXPECT_EQ(run(spec("hello", {})).exit_code, 0);
  EXPECT_EQ(slurp(out()), "hello from " + root_ + "/alloc/web/local/hello\n");
  EXPECT_EQ(fs::status(root_ + "/alloc/web/local/hello").permissions() & fs::perms(0555), fs::perms(0555));
}

TEST_F(RawExec, RunsAsTheTasksUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "changing users needs root";
  TaskSpec s = script("id -un; id -Gn");
  s.user = "nobody";
  EXPECT_EQ(run(s).exit_code, 0);
  EXPECT_EQ(slurp(out()), "nobody\nnogroup\n");
}

TEST_F(RawExec, NamesAnUnknownUser) {
  TaskSpec s = script("id");
  s.user = "no-such-user";
  EXPECT_EQ(start_error(s), "failed to launch command with executor: failed to identify user no-such-user: user: unknown user no-such-user");
}

TEST_F(RawExec, NamesALogDirectoryThatCannotBeUsed) {
  TaskSpec s = script("exit 0");
  s.logs.dir = root_ + "/none";
  EXPECT_EQ(start_error(s), "failed to launch command with executor: open log directory: no such file or directory");
  std::ofstream(root_ + "/file") << "";
  s.logs.dir = root_ + "/file";
  EXPECT_EQ(start_error(s), "failed to launch command with executor: open log directory: not a directory");
  s.logs.dir = "/proc";  // a directory where nothing can be made
  EXPECT_EQ(start_error(s), "failed to launch command with executor: open log file: no such file or directory");
}

TEST_F(RawExec, ATaskWithoutADirectoryIsRefused) {
  TaskSpec s = script("exit 0");
  s.name = "gone";
  EXPECT_EQ(start_error(s), "failed to launch command with executor: change directory: no such file or directory");
}

// --- output ------------------------------------------------------------------------------------------------------------

TEST_F(RawExec, RotatesItsLogs) {
  TaskSpec s = script("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done");
  s.logs.max_files = 3;
  s.logs.max_file_bytes = 4096;
  EXPECT_EQ(run(s).exit_code, 0);
  std::map<int, std::string> files;
  for (auto& e : fs::directory_iterator(s.logs.dir))
    if (auto name = e.path().filename().string(); name.starts_with("web.stdout.")) files[std::stoi(name.substr(11))] = slurp(e.path());
  ASSERT_EQ(files.size(), 3u);
  std::string all;
  for (auto& [i, text] : files) {
    EXPECT_LE(text.size(), 4096u);
    EXPECT_TRUE(text.ends_with('\n')) << i;
    all += text;
  }
  EXPECT_TRUE(all.ends_with("line 1998\nline 1999\n"));
}

TEST_F(RawExec, MovesMuchOutput) {
  EXPECT_EQ(run(script("head -c 30000000 /dev/zero | tr '\\0' 'x'")).exit_code, 0);
  uintmax_t total = 0;
  for (auto& e : fs::directory_iterator(root_ + "/alloc/alloc/logs"))
    if (e.path().filename().string().starts_with("web.stdout.")) total += e.file_size();
  EXPECT_EQ(total, 30000000u);
}

TEST_F(RawExec, DiscardsOutputWhenLogsAreOff) {
  TaskSpec s = script("echo a; echo b >&2; readlink /proc/$$/fd/2 > result; true");
  s.logs.enabled = false;
  EXPECT_EQ(run(s).exit_code, 0);
  EXPECT_EQ(slurp(root_ + "/alloc/web/result"), "/dev/null\n");
  EXPECT_FALSE(fs::exists(out()));
}

// A full disk costs output, not the task and not its exit.
TEST_F(RawExec, OutlivesAFullDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  std::string small = root_ + "/small";
  fs::create_directory(small);
  ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k"), 0);
  DriverContext context{w_.world};
  context.fds = &w_.loop;
  context.state_dir = small + "/state";
  context.shim_path = shim_;
  std::vector<TaskEvent> events;
  context.emit = [&](TaskEvent e) { events.push_back(std::move(e)); };
  RawExecDriver driver(std::move(context));
  ASSERT_TRUE(driver.configure(Value(Value::Object{{"enabled", Value(true)}})));
  TaskSpec s = script("head -c 500000 /dev/zero; echo end; exit 5");
  s.logs.dir = small;
  auto handle = *driver.prepare(s);
  auto started = w_.await(driver.start(s, handle));
  ASSERT_TRUE(started && *started) << started->error().message;
  auto r = w_.await(driver.wait(s.id));
  EXPECT_EQ((**r).exit_code, 5);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].task_name, "web");
  EXPECT_TRUE(events[0].message.ends_with(" bytes of the task's output were lost: its logs could not be written"));
  EXPECT_GT(std::stoi(events[0].message), 400000);
  // Also for an agent that comes later.
  DriverContext again{w_.world};
  again.fds = &w_.loop;
  again.state_dir = small + "/state";
  again.shim_path = shim_;
  RawExecDriver later(std::move(again));
  EXPECT_TRUE(*w_.await(later.recover(handle)));
  EXPECT_EQ((**w_.await(later.wait(s.id))).exit_code, 5);
  EXPECT_TRUE(*w_.await(later.destroy(s.id, true)));
  EXPECT_EQ(::umount(small.c_str()), 0);
}

// --- surroundings ------------------------------------------------------------------------------------------------------

TEST_F(RawExec, EntersTheGroupsNetwork) {
  if (::geteuid() != 0) GTEST_SKIP() << "namespaces need root";
  std::string ns = root_ + "/netns";
  std::ofstream(ns) << "";
  pid_t child = ::fork();
  if (child == 0) {
    bool made = ::unshare(CLONE_NEWNET) == 0 && ::mount("/proc/self/ns/net", ns.c_str(), nullptr, MS_BIND, nullptr) == 0;
    ::_exit(made ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (status != 0) GTEST_SKIP() << "no network namespaces here";
  struct stat st;
  ASSERT_EQ(::stat(ns.c_str(), &st), 0);
  TaskSpec s = script("stat -Lc %i /proc/self/ns/net");
  s.network = NetworkIsolation{.mode = NetIsolation::kGroup, .path = ns};
  EXPECT_EQ(run(s).exit_code, 0);
  EXPECT_EQ(slurp(out()), std::to_string(st.st_ino) + "\n");
  s = script("exit 0");
  s.network = NetworkIsolation{.mode = NetIsolation::kGroup, .path = root_ + "/none"};
  EXPECT_EQ(start_error(s), "failed to launch command with executor: open network namespace: no such file or directory");
  ::umount(ns.c_str());
}

TEST_F(RawExec, LeavesNoCgroupBehind) {
  TaskSpec s = script("cat /proc/self/cgroup");
  ShimSpec built;
  contain_in_cgroup(s, "", built);
  if (::geteuid() != 0 || built.cgroup_kind == isolate::CgroupKind::kNone) GTEST_SKIP() << "no cgroups here";
  EXPECT_EQ(run(s).exit_code, 0);
  std::string leaf = fs::path(built.cgroup_path).filename();
  EXPECT_NE(slurp(out()).find(leaf), std::string::npos) << slurp(out());
  ASSERT_TRUE(*w_.await(driver_->destroy(s.id, false)));
  EXPECT_TRUE(eventually([&] { return !fs::exists(built.cgroup_path); }));
}

TEST_F(RawExec, LivesInADirectoryWhoseNameIsLongerThanASocketAddress) {
  DriverContext context{w_.world};
  context.fds = &w_.loop;
  context.state_dir = root_ + "/" + std::string(150, 'd');
  context.shim_path = shim_;
  driver_ = std::make_unique<RawExecDriver>(std::move(context));
  ASSERT_TRUE(driver_->configure(Value(Value::Object{{"enabled", Value(true)}})));
  auto id = start(script("sleep 100"));
  EXPECT_TRUE(*w_.await(driver_->signal(id, "SIGTERM")));
  EXPECT_EQ(wait(id).signal, 15);
}

}  // namespace
}  // namespace drover::drivers
