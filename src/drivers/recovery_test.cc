// Tasks and the deaths of those who watch them.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <sstream>

#include "base/unique_fd.h"
#include "drivers/shim_connection.h"
#include "drivers/shim_testing.h"

namespace drover::drivers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Recovery : public ShimFixture {
 protected:
  // Starts `s` from a process that then dies by SIGKILL. Returns the handle that the process had made.
  TaskHandle start_and_crash(const TaskSpec& s) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_t agent = ::fork();
    if (agent == 0) {
      TestingWorld w;
      auto driver = make_driver(w);
      auto handle = driver->prepare(s);
      auto started = w.await(driver->start(s, *handle));
      char ok = started && *started ? 1 : 0;
      (void)!::write(ends[1], &ok, 1);
      for (;;) ::pause();
    }
    char ok = 0;
    EXPECT_EQ(::read(ends[0], &ok, 1), 1);
    EXPECT_EQ(ok, 1);
    ::kill(agent, SIGKILL);
    ::waitpid(agent, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    return *driver_->prepare(s);
  }
  std::string recover(const TaskHandle& h) {
    auto s = w_.await(driver_->recover(h));
    if (!s) return "no answer";
    if (*s) started_.push_back(h.task_id);
    return *s ? "" : s->error().message;
  }
  std::string dir_of(const TaskSpec& s) {
    auto state = driver_->prepare(s)->driver_state;
    auto at = state.find(root_);
    return state.substr(at, state.find('"', at) - at);
  }
};

TEST_F(Recovery, TaskAndLogSurviveTheAgent) {
  TaskSpec s = script("echo $$; i=0; while [ ! -e stop ]; do i=$((i+1)); echo $i; sleep 0.002; done; echo end; exit 6");
  TaskHandle handle = start_and_crash(s);
  ASSERT_TRUE(seen(out(), "\n20\n"));
  ASSERT_EQ(recover(handle), "");
  EXPECT_EQ(recover(handle), "") << "a known task is recovered already";
  std::string pid = slurp(out()).substr(0, slurp(out()).find('\n'));
  EXPECT_EQ(std::to_string(pid_of(s.id)), pid);
  auto usage = w_.await(driver_->stats(s.id));
  EXPECT_TRUE(usage && *usage);
  std::ofstream(root_ + "/alloc/web/stop") << "";
  EXPECT_EQ(wait(s.id), (ExitResult{.exit_code = 6}));
  std::istringstream lines(slurp(out()));
  std::string line;
  std::getline(lines, line);
  int expected = 1;
  while (std::getline(lines, line) && line != "end") ASSERT_EQ(line, std::to_string(expected++));
  EXPECT_EQ(line, "end");
}

TEST_F(Recovery, ExitIsKnownThoughNobodyWatched) {
  TaskSpec s = script("echo hi; kill -TERM $$");
  TaskHandle handle = start_and_crash(s);
  ASSERT_TRUE(eventually([&] { return fs::exists(dir_of(s) + "/exit"); }));
  ASSERT_EQ(recover(handle), "");
  EXPECT_EQ(wait(s.id), (ExitResult{.exit_code = 143, .signal = 15}));
  auto status = w_.await(driver_->inspect(s.id));
  EXPECT_EQ((*status)->state, TaskRunState::kExited);
  EXPECT_EQ((*status)->name, "web");
  EXPECT_FALSE((*status)->started_at.unset());
  EXPECT_EQ(slurp(out()), "hi\n");
}

TEST_F(Recovery, StopsATaskOfAnEarlierAgent) {
  TaskSpec s = script("trap 'exit 9' INT; echo up; while :; do sleep 0.01; done");
  TaskHandle handle = start_and_crash(s);
  ASSERT_TRUE(seen(out(), "up"));
  ASSERT_EQ(recover(handle), "");
  ASSERT_TRUE(*w_.await(driver_->stop(s.id, seconds(10), "")));
  EXPECT_EQ(wait(s.id).exit_code, 9);
}

// The agent died between persisting the handle and starting the task.
TEST_F(Recovery, WhatWasNeverStartedIsNotFoundAndStartsNoMore) {
  TaskSpec s = script("touch ran; exit 0");
  EXPECT_EQ(recover(*driver_->prepare(s)), "failed to reattach to executor: the task and its supervisor are gone");
  // A shim that was on its way finds the directory given up.
  fs::create_directories(dir_of(s));
  EXPECT_EQ(probe_shim(dir_of(s)).state, ShimState::kGone);
  std::string bytes = encode_spec([&] {
    ShimSpec spec;
    spec.dir = dir_of(s);
    spec.command = "/bin/touch";
    spec.argv = {"touch", root_ + "/ran"};
    return spec;
  }());
  FILE* spec_file = ::tmpfile();
  ::fwrite(bytes.data(), 1, bytes.size(), spec_file);
  ::fflush(spec_file);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(::fileno(spec_file), 0);
    ::dup2(ends[1], 1);
    ::execl(shim_.c_str(), "drover-shim", nullptr);
    ::_exit(1);
  }
  ::close(ends[1]);
  ::fclose(spec_file);
  ::waitpid(pid, nullptr, 0);
  std::string answer(512, '\0');
  answer.resize(static_cast<size_t>(::read(ends[0], answer.data(), answer.size())));
  ::close(ends[0]);
  EXPECT_NE(answer.find("start abandoned task"), std::string::npos);
  EXPECT_FALSE(fs::exists(root_ + "/ran"));
}

TEST_F(Recovery, AKilledSupervisorIsReportedAndItsTaskEnded) {
  auto id = start(script("sleep 1000"));
  int pid = pid_of(id);
  ::kill(parent_of(pid), SIGKILL);
  ExitResult r = wait(id);
  EXPECT_EQ(r.err, "executor: error waiting on process: the supervisor ended without an exit status");
  EXPECT_EQ((*w_.await(driver_->inspect(id)))->state, TaskRunState::kUnknown);
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
}

// A socket file that nobody listens on any more.
TEST_F(Recovery, AStaleSocketIsNotATask) {
  TaskSpec s = script("sleep 1000");
  TaskHandle handle = start_and_crash(s);
  auto record = slurp(dir_of(s) + "/state");
  int pid = std::stoi(record.substr(4));
  ::kill(parent_of(pid), SIGKILL);
  ASSERT_TRUE(fs::exists(dir_of(s) + "/sock"));
  ASSERT_TRUE(eventually([&] { return !ShimConnection::connect(w_.loop, dir_of(s)); }));
  EXPECT_EQ(recover(handle), "failed to reattach to executor: the task and its supervisor are gone");
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
}

TEST_F(Recovery, RefusesAHandleThatItDidNotMake) {
  EXPECT_EQ(recover({"raw_exec", 1, "x", "not json"}).find("failed to decode task state from handle: "), 0u);
  EXPECT_EQ(recover({"raw_exec", 0, "x", "{}"}).find("failed to decode task state from handle: "), 0u);
}

// --- the control socket ------------------------------------------------------------------------------------------------

TEST_F(Recovery, GarbageOnTheSocketNeverHurtsTheTask) {
  TaskSpec s = script("echo up; while [ ! -e stop ]; do sleep 0.01; done; exit 3");
  auto id = start(s);
  int pid = pid_of(id);
  uint64_t seed = 7;
  auto random = [&seed] { return (seed = seed * 6364136223846793005ull + 1442695040888963407ull) >> 33; };
  for (int round = 0; round < 400; round++) {
    UniqueFd dir(::open(dir_of(s).c_str(), O_PATH | O_DIRECTORY));
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    ::snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/sock", dir.get());
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    std::string bytes;
    for (int frames = 0; frames < 4; frames++) {
      std::string body(random() % 200, '\0');
      for (auto& c : body) c = static_cast<char>(random());
      uint32_t types[] = {1, 4, 5, 6, 7, 8, 9, 10, 64, static_cast<uint32_t>(random())};
      shim::FrameHeader h{static_cast<uint32_t>(body.size()), types[random() % 10]};
      if (random() % 4 == 0) h.length = static_cast<uint32_t>(random());
      bytes += pod_bytes(h) + body;
    }
    (void)::send(fd.get(), bytes.data(), random() % (bytes.size() + 1), MSG_NOSIGNAL);
    if (random() % 2) {
      char sink[512];
      (void)::recv(fd.get(), sink, sizeof sink, MSG_DONTWAIT);
    }
  }
  EXPECT_TRUE(alive(pid));
  auto usage = w_.await(driver_->stats(id));
  EXPECT_TRUE(usage && *usage);
  std::ofstream(root_ + "/alloc/web/stop") << "";
  EXPECT_EQ(wait(id).exit_code, 3);
}

TEST_F(Recovery, ManySilentPeersDoNotKeepTheOwnerFromStopping) {
  TaskSpec s = script("sleep 1000");
  auto id = start(s);
  std::vector<std::unique_ptr<ShimConnection>> peers;
  for (int i = 0; i < 100; i++)
    if (auto c = ShimConnection::connect(w_.loop, dir_of(s))) peers.push_back(std::move(*c));
  auto full = w_.await(driver_->stats(id));
  EXPECT_FALSE(full && *full) << "the number of peers is limited";
  peers.clear();
  EXPECT_TRUE(eventually([&] { return w_.await(driver_->stats(id))->has_value(); }));
  EXPECT_TRUE(*w_.await(driver_->stop(id, Duration::zero(), "")));
}

// --- cost --------------------------------------------------------------------------------------------------------------

TEST_F(Recovery, ASupervisorStaysBelowOneMebibyte) {
  TaskSpec s = script("i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done; sleep 1000");
  auto id = start(s);
  ASSERT_TRUE(seen(out(), "line 999"));
  ASSERT_TRUE(*w_.await(driver_->stats(id)));
  ASSERT_TRUE(*w_.await(driver_->exec(id, {"true"}, seconds(10))));
  std::istringstream rollup(slurp("/proc/" + std::to_string(parent_of(pid_of(id))) + "/smaps_rollup"));
  std::map<std::string, long> kb;
  std::string line;
  while (std::getline(rollup, line))
    if (auto colon = line.find(':'); colon != std::string::npos) kb[line.substr(0, colon)] = std::atol(line.c_str() + colon + 1);
  long own = kb["Private_Clean"] + kb["Private_Dirty"];
  RecordProperty("pss_kb", static_cast<int>(kb["Pss"]));
  ASSERT_GT(kb["Pss"], 0);
  EXPECT_LT(kb["Pss"], 1024);
  EXPECT_LT(own, 1024);
  EXPECT_LT(kb["Private_Dirty"], 300) << "what each further task costs";
  std::printf("shim: pss %ld KiB, private %ld KiB, private dirty %ld KiB\n", kb["Pss"], own, kb["Private_Dirty"]);
}

TEST_F(Recovery, ATaskStartsInMilliseconds) {
  constexpr int kStarts = 20;
  auto before = w_.clock.monotonic();
  for (int i = 0; i < kStarts; i++) start(spec("/bin/sleep", {"1000"}));
  double ms = static_cast<double>((w_.clock.monotonic() - before).count()) / 1e6 / kStarts;
  std::printf("start: %.2f ms\n", ms);
  EXPECT_LT(ms, 100);
}

}  // namespace
}  // namespace drover::drivers
