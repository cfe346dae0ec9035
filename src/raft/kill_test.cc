// A child process that proposes on the real disk is killed at random; what it acknowledged is there afterwards.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/log.h"
#include "base/sim_loop.h"
#include "raft/replica.h"
#include "raft/test_machine.h"

namespace drover::raft {
namespace {

Options options_for(const std::string& dir) {
  Options o;
  o.self = {"5f3b4d1e-0000-0000-0000-000000000001", "127.0.0.1:4647"};
  o.dir = dir;
  o.segment = 256u << 10;
  o.snapshot_threshold = 500;
  o.trailing_logs = 100;
  return o;
}

// Proposes numbers from `next` on, and writes each to `out` when it is acknowledged. Never returns.
[[noreturn]] void propose_for_ever(const std::string& dir, int next, int out) {
  SimWorld sim(static_cast<uint64_t>(next));
  TestMachine machine;
  auto replica = Replica::open(options_for(dir), Parts{sim.world, machine});
  if (!replica) _exit(1);
  if (!(*replica)->has_state() && !(*replica)->bootstrap({options_for(dir).self})) _exit(1);
  (*replica)->start({});
  while (!(*replica)->is_leader()) sim.loop.run_ready();
  auto one = [&](int number) -> Async<void> {
    auto r = co_await (*replica)->propose(std::to_string(number) + std::string(static_cast<size_t>(number) % 500, 'x'));
    if (!r || write(out, &number, sizeof number) != sizeof number) _exit(1);
  };
  for (int open = 0;; sim.loop.run_ready()) {
    for (; open < 16; open++) {
      spawn([](Async<void> task, int& running) -> Async<void> {
        co_await std::move(task);
        running--;
      }(one(next++), open));
    }
    if (next % 700 < 16) spawn([](Replica& r) -> Async<void> { static_cast<void>(co_await r.take_snapshot()); }(**replica));
  }
}

TEST(KillNine, LosesNothingThatWasAcknowledged) {
  static_cast<void>(configure_log({.level = LogLevel::kOff}));
  char base[] = "/tmp/drover-raft-kill-XXXXXX";
  ASSERT_NE(mkdtemp(base), nullptr);
  std::string dir = std::string(base) + "/raft";
  SimRandom random(42);
  std::vector<int> acknowledged;
  int next = 0;
  for (int round = 0; round < 10; round++) {
    int fds[2];
    ASSERT_EQ(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
      close(fds[0]);
      propose_for_ever(dir, next, fds[1]);
    }
    close(fds[1]);
    int number;
    for (uint64_t n = random.below(3000) + 1; n > 0 && read(fds[0], &number, sizeof number) == sizeof number; n--) acknowledged.push_back(number);
    kill(child, SIGKILL);
    while (read(fds[0], &number, sizeof number) == sizeof number) acknowledged.push_back(number);
    close(fds[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    SimWorld sim;
    TestMachine machine;
    auto replica = Replica::open(options_for(dir), Parts{sim.world, machine});
    ASSERT_TRUE(replica) << replica.error().message;
    (*replica)->start({});
    for (int i = 0; i < 1'000'000'000 && !(*replica)->is_leader(); i++) sim.loop.run_ready();
    std::vector<int> seen;
    for (auto& [index, entry] : machine.entries) seen.push_back(std::stoi(entry));
    ASSERT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    ASSERT_TRUE(std::adjacent_find(seen.begin(), seen.end()) == seen.end()) << "an entry is there twice";
    ASSERT_TRUE(std::includes(seen.begin(), seen.end(), acknowledged.begin(), acknowledged.end())) << "round " << round;
    next = seen.empty() ? 0 : seen.back() + 1;
  }
  EXPECT_GT(acknowledged.size(), 1000u);
  std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace drover::raft
