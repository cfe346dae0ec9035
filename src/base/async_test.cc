#include "base/async.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace drover {
namespace {

struct ManualClock : Clock {
  Monotonic at{};
  Time now() override { return Time{at.time_since_epoch().count()}; }
  Monotonic monotonic() override { return at; }
};

// A loop on virtual time, run by the test.
class ManualLoop : public Loop {
 public:
  void post(std::move_only_function<void()> fn) override { ready_.push_back(std::move(fn)); }
  Timer after(Duration d, std::move_only_function<void()> fn) override {
    auto s = std::make_shared<State>();
    s->fn = std::move(fn);
    timers_.emplace(clock_.at + d, s);
    return Timer(s);
  }
  bool in_loop() const override { return true; }
  Clock& clock() override { return clock_; }

  void advance(Duration d) {
    auto until = clock_.at + d;
    drain();
    while (!timers_.empty() && timers_.begin()->first <= until) {
      auto [at, s] = *timers_.begin();
      timers_.erase(timers_.begin());
      clock_.at = at;
      if (s->fn) std::exchange(s->fn, nullptr)();
      drain();
    }
    clock_.at = until;
  }
  size_t armed() const {
    size_t n = 0;
    for (auto& [at, s] : timers_) n += s->fn != nullptr;
    return n;
  }

 private:
  struct State : Timer::State {
    std::move_only_function<void()> fn;
    void cancel() override { fn = nullptr; }
  };
  void drain() {
    while (!ready_.empty()) {
      auto fn = std::move(ready_.front());
      ready_.pop_front();
      fn();
    }
  }
  ManualClock clock_;
  std::deque<std::move_only_function<void()>> ready_;
  std::multimap<Monotonic, std::shared_ptr<State>> timers_;
};

struct Inline : Pool {
  void run(std::move_only_function<void()> fn) override { fn(); }
};
struct Zero : Random {
  uint64_t next() override { return 0; }
};

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
  ManualLoop loop;
  bool done = false;
  spawn([](ManualLoop& loop, bool& done) -> Async<void> {
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
  ManualLoop loop;
  int alive = 0;
  bool resumed = false;
  {
    Running flow([](ManualLoop& loop, int& alive, bool& resumed) -> Async<void> {
      Guard guard(alive);
      co_await [](ManualLoop& loop, int& alive) -> Async<void> {
        Guard inner(alive);
        co_await sleep_for(loop, 1s);
      }(loop, alive);
      resumed = true;
    }(loop, alive, resumed));
    EXPECT_EQ(alive, 2);
    EXPECT_EQ(loop.armed(), 1u);
    EXPECT_FALSE(flow.done());
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(loop.armed(), 0u);
  loop.advance(2s);
  EXPECT_FALSE(resumed);
}

TEST(Running, KnowsWhenItIsDone) {
  ManualLoop loop;
  Running flow([](ManualLoop& loop) -> Async<void> { co_await sleep_for(loop, 1s); }(loop));
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
  ManualLoop loop;
  Inline pool;
  Zero zero;
  World world{loop.clock(), zero, loop, pool};
  int got = 0;
  spawn([](World& w, int& got) -> Async<void> { got = co_await on_pool(w, [] { return 6 * 7; }); }(world, got));
  EXPECT_EQ(got, 0);
  loop.advance(Duration{0});
  EXPECT_EQ(got, 42);
}

TEST(Timer, MayBeDroppedFromItsOwnCallback) {
  ManualLoop loop;
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
