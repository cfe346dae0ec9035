#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "net/net_test_util.h"

namespace drover::net {
namespace {

using LoopTest = NetTest;

TEST_F(LoopTest, RunsPostedWorkFromAnyThreadOnTheLoop) {
  std::atomic<int> on_loop{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) real.loop.post([&] { on_loop += real.loop.in_loop(); });
    });
  }
  run(until([&] { return on_loop == 400; }));
  for (auto& t : threads) t.join();
  EXPECT_FALSE([&] {
    bool in = true;
    std::thread([&] { in = real.loop.in_loop(); }).join();
    return in;
  }());
}

TEST_F(LoopTest, TimersFireInOrderAndCancel) {
  std::string order;
  Timer a = real.loop.after(20ms, [&] { order += 'a'; });
  Timer b = real.loop.after(1ms, [&] { order += 'b'; });
  Timer c = real.loop.after(2ms, [&] { order += 'c'; });
  c.cancel();
  Timer self = real.loop.after(3ms, [&] {
    self.cancel();
    order += 's';
  });
  run(until([&] { return order.size() >= 3; }));
  EXPECT_EQ(order, "bsa");
}

TEST_F(LoopTest, StopBeforeRunIsNotLost) {
  real.loop.stop();
  real.loop.run();  // returns
  SUCCEED();
}

TEST_F(LoopTest, OneOffRequestsFireOnceAndCanBeDropped) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
  run([](LoopTest& t, int* fds) -> Async<bool> {
    int fired = 0, dropped = 0;
    auto request = t.real.loop.when(fds[0], FdEvent::kReadable, [&] { ++fired; });
    auto gone = t.real.loop.when(fds[1], FdEvent::kWritable, [&] { ++dropped; });
    gone.reset();
    EXPECT_EQ(::write(fds[1], "x", 1), 1);
    co_await t.until([&] { return fired == 1; });
    request.reset();
    // Again, on the same descriptor, through the awaitable; what is ready already counts.
    co_await fd_ready(t.real.loop, fds[0], FdEvent::kReadable);
    co_await fd_ready(t.real.loop, fds[1], FdEvent::kWritable);
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(dropped, 0);
    co_return true;
  }(*this, fds));
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST_F(LoopTest, DescriptorsThatCannotBePolledAreReady) {
  int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  run([](LoopTest& t, int fd) -> Async<bool> {
    co_await fd_ready(t.real.loop, fd, FdEvent::kReadable);
    co_return true;
  }(*this, fd));
  ::close(fd);
}

TEST_F(LoopTest, SignalsComeToTheLoopAndAForkedChildDoesNotDisturb) {
  int got = 0;
  real.loop.on_signal(SIGUSR1, [&] { ++got; });
  pid_t child = ::fork();
  if (child == 0) {
    ::raise(SIGUSR1);  // in the child, before any exec
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  run([](LoopTest& t, int& got) -> Async<bool> {
    co_await sleep_for(t.real.loop, 5ms);
    EXPECT_EQ(got, 0);
    ::raise(SIGUSR1);
    co_await t.until([&] { return got == 1; });
    co_return true;
  }(*this, got));
}

TEST_F(LoopTest, PoolWorkComesBackToTheLoop) {
  int v = run([](LoopTest& t) -> Async<int> {
    int a = co_await on_pool(t.real.world, [] { return 6; });
    EXPECT_TRUE(t.real.loop.in_loop());
    co_return a * 7;
  }(*this));
  EXPECT_EQ(v, 42);
}

TEST(RealRandom, DoesNotRepeatAcrossThreads) {
  RealRandom random;
  std::mutex mutex;
  std::set<uint64_t> seen;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {
        auto v = random.next();
        std::lock_guard lock(mutex);
        seen.insert(v);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(seen.size(), 3000u);
}

TEST(ThreadPool, FinishesItsQueueBeforeItEnds) {
  std::atomic<int> done{0};
  {
    ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) pool.run([&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace drover::net
