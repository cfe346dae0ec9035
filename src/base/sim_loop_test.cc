#include "base/sim_loop.h"

#include <gtest/gtest.h>

#include <string>

namespace drover {
namespace {

TEST(SimLoop, RunsPostsBeforeTimersAndTimersByDueTimeThenArming) {
  SimWorld sim;
  std::string order;
  auto late = sim.loop.after(20ms, [&] { order += 'd'; });
  auto b = sim.loop.after(10ms, [&] { order += 'b'; });
  auto c = sim.loop.after(10ms, [&] { order += 'c'; });
  sim.loop.post([&] { order += 'a'; });
  sim.loop.advance(10ms);
  EXPECT_EQ(order, "abc");
  sim.loop.advance(10ms);
  EXPECT_EQ(order, "abcd");
}

TEST(SimLoop, TimeMovesToTheTimerAndThenToTheEnd) {
  SimWorld sim;
  auto start = sim.clock.monotonic();
  auto wall = sim.clock.now();
  Monotonic at{};
  auto t = sim.loop.after(3s, [&] { at = sim.clock.monotonic(); });
  sim.loop.advance(5s);
  EXPECT_EQ(at - start, 3s);
  EXPECT_EQ(sim.clock.monotonic() - start, 5s);
  EXPECT_EQ(sim.clock.now() - wall, 5s);
}

TEST(SimLoop, ACancelledTimerDoesNotRunAndMayCancelItselfFromWithin) {
  SimWorld sim;
  int runs = 0;
  Timer a = sim.loop.after(1s, [&] { runs += 10; });
  a.cancel();
  Timer b;
  b = sim.loop.after(1s, [&] {
    runs++;
    b.cancel();
  });
  sim.loop.advance(2s);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(sim.loop.timers(), 0u);
}

TEST(SimLoop, ATimerMayOutliveItsLoop) {
  Timer t;
  {
    SimWorld sim;
    t = sim.loop.after(1s, [] {});
  }
  t.cancel();
  EXPECT_FALSE(t.armed());
}

TEST(SimLoop, RunTaskSleepsOnVirtualTimeAndGivesUpAtTheLimit) {
  SimWorld sim;
  auto nap = [](Loop& loop, Duration d) -> Async<int> {
    co_await sleep_for(loop, d);
    co_return 7;
  };
  EXPECT_EQ(run_async(sim.loop, nap(sim.loop, 10s)), 7);
  EXPECT_EQ(run_async(sim.loop, nap(sim.loop, 10s), 9s), std::nullopt);
}

TEST(SimLoop, PoolWorkComesBackToTheLoop) {
  SimWorld sim;
  EXPECT_EQ(run_async(sim.loop, on_pool(sim.world, [] { return 5; })), 5);
}

TEST(SimRandom, TheSameSeedGivesTheSameNumbers) {
  SimRandom a(9), b(9), c(10);
  bool differs = false;
  for (int i = 0; i < 100; i++) {
    uint64_t x = a.next();
    EXPECT_EQ(x, b.next());
    differs |= x != c.next();
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace drover
