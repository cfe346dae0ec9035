#include "base/async.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/flows.h"
#include "base/sim_loop.h"

namespace drover {
namespace {

Async<int> answer() { co_return 42; }
Async<int> twice() {
  int a = co_await answer();
  int b = co_await answer();
  co_return a + b;
}

TEST(Async, ValuesPassThroughAwaits) {
  int got = 0;
  spawn([](int& got) -> Async<void> { got = co_await twice(); }(got));
  EXPECT_EQ(got, 84);
}

TEST(Async, DoesNotStartUntilAwaited) {
  bool ran = false;
  {
    auto t = [](bool& ran) -> Async<void> {
      ran = true;
      co_return;
    }(ran);
  }
  EXPECT_FALSE(ran);
}

TEST(Async, ADeepChainOfAwaitsUsesNoStack) {
  struct Deep {
    static Async<int> go(int n) {
      if (n == 0) co_return 0;
      co_return 1 + co_await go(n - 1);
    }
  };
  int got = 0;
  spawn([](int& got) -> Async<void> { got = co_await Deep::go(2'000); }(got));
  EXPECT_EQ(got, 2'000);
}

TEST(Sleep, ResumesWhenTimeHasPassed) {
  SimWorld sim;
  auto& loop = sim.loop;
  bool done = false;
  spawn([](SimLoop& loop, bool& done) -> Async<void> {
    co_await sleep_for(loop, 5s);
    co_await sleep_for(loop, 5s);
    done = true;
  }(loop, done));
  loop.advance(9s);
  EXPECT_FALSE(done);
  loop.advance(1s);
  EXPECT_TRUE(done);
}

struct Guard {
  int& n;
  explicit Guard(int& count) : n(count) { ++n; }
  ~Guard() { --n; }
};

TEST(Running, DroppingItCancelsTheFlowAndItsSleep) {
  SimWorld sim;
  auto& loop = sim.loop;
  int alive = 0;
  bool resumed = false;
  {
    Running flow([](SimLoop& loop, int& alive, bool& resumed) -> Async<void> {
      Guard guard(alive);
      co_await [](SimLoop& loop, int& alive) -> Async<void> {
        Guard inner(alive);
        co_await sleep_for(loop, 1s);
      }(loop, alive);
      resumed = true;
    }(loop, alive, resumed));
    EXPECT_EQ(alive, 2);
    EXPECT_EQ(loop.timers(), 1u);
    EXPECT_FALSE(flow.done());
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(loop.timers(), 0u);
  loop.advance(2s);
  EXPECT_FALSE(resumed);
}

TEST(Running, KnowsWhenItIsDone) {
  SimWorld sim;
  auto& loop = sim.loop;
  Running flow([](SimLoop& loop) -> Async<void> { co_await sleep_for(loop, 1s); }(loop));
  EXPECT_FALSE(flow.done());
  loop.advance(1s);
  EXPECT_TRUE(flow.done());
  flow.reset();
  EXPECT_TRUE(flow.done());
}

TEST(Running, WhatAFlowOwnsGoesWhenItIsDone) {
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> watch = owned;
  Running flow([](std::shared_ptr<int>) -> Async<void> { co_return; }(std::move(owned)));
  EXPECT_TRUE(flow.done());
  EXPECT_TRUE(watch.expired());
}

TEST(Flows, HoldsThoseThatRunAndForgetsThoseThatHaveEnded) {
  Flows flows;
  EXPECT_TRUE(flows.idle());
  int ended = 0;
  auto flow = [](Promise<int> until, std::shared_ptr<int> held, int& ended) -> Async<void> {
    co_await until;
    ++ended;
  };
  auto held = std::make_shared<int>();
  std::vector<Promise<int>> until(1000);
  for (auto& p : until) flows.start(flow(p, held, ended));
  EXPECT_FALSE(flows.idle());
  EXPECT_EQ(held.use_count(), 1001);
  for (size_t i = 1; i < until.size(); ++i) until[i].set(1);
  EXPECT_EQ(ended, 999);
  EXPECT_EQ(held.use_count(), 2);
  EXPECT_FALSE(flows.idle());
  flows.cancel();
  until[0].set(1);
  EXPECT_EQ(ended, 999);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(flows.idle());
}

Async<void> grow(Flows& flows, int& started, int depth) {
  ++started;
  for (int i = 0; depth > 0 && i < 2; ++i) flows.start(grow(flows, started, depth - 1));
  co_await Promise<int>();
}

TEST(Flows, AFlowMayStartOthers) {
  Flows flows;
  int started = 0;
  flows.start(grow(flows, started, 6));
  EXPECT_EQ(started, 127);
  EXPECT_FALSE(flows.idle());
}

TEST(Promise, FirstSetWinsAndMayComeBeforeTheWaiter) {
  Promise<std::string> p;
  EXPECT_TRUE(p.set("a"));
  EXPECT_FALSE(p.set("b"));
  std::string got;
  spawn([](Promise<std::string> p, std::string& got) -> Async<void> { got = co_await p; }(p, got));
  EXPECT_EQ(got, "a");
}

TEST(Promise, DroppedWaiterIsNotResumed) {
  Promise<int> p;
  bool resumed = false;
  {
    Running flow([](Promise<int> p, bool& resumed) -> Async<void> {
      co_await p;
      resumed = true;
    }(p, resumed));
  }
  EXPECT_TRUE(p.set(1));
  EXPECT_FALSE(resumed);
}

TEST(Promise, OutlivesItsMaker) {
  std::vector<int> got;
  auto p = std::make_unique<Promise<int>>();
  Promise<int> copy = *p;
  spawn([](Promise<int> p, std::vector<int>& got) -> Async<void> { got.push_back(co_await p); }(*p, got));
  p.reset();
  copy.set(7);
  EXPECT_EQ(got, std::vector<int>{7});
}

TEST(OnPool, ResumesOnTheLoop) {
  SimWorld sim;
  auto& loop = sim.loop;
  auto& world = sim.world;
  int got = 0;
  spawn([](World& w, int& got) -> Async<void> { got = co_await on_pool(w, [] { return 6 * 7; }); }(world, got));
  EXPECT_EQ(got, 0);
  loop.advance(Duration{0});
  EXPECT_EQ(got, 42);
}

TEST(Timer, MayBeDroppedFromItsOwnCallback) {
  SimWorld sim;
  auto& loop = sim.loop;
  int fired = 0;
  Timer t;
  t = loop.after(1s, [&] {
    t.cancel();
    ++fired;
  });
  loop.advance(3s);
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace drover
