// A false world for tests and simulation: one thread, virtual time, seeded chance. The same seed and the same calls
// give the same run, to the last callback.
//
//   SimWorld sim(7);
//   Server s(sim.world);
//   sim.loop.advance(3s);                                   // runs every timer of the next three virtual seconds
//   ASSERT_TRUE(sim.loop.run_until([&] { return s.is_leader(); }, 10s));
//   auto r = run_async(sim.loop, s.propose("x"));            // nullopt when it does not end in time
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/world.h"

namespace drover {

// Wall clock and steady clock that move only when the loop moves them. The wall starts at 2026-01-01T00:00:00Z.
class SimClock final : public Clock {
 public:
  Time now() override { return wall_base_ + (mono_ - Monotonic{}); }
  Monotonic monotonic() override { return mono_; }
  void advance_to(Monotonic t) {
    if (t > mono_) mono_ = t;
  }
  // Lets the wall clock jump; the steady clock does not notice.
  void jump_wall(Duration d) { wall_base_ = wall_base_ + d; }

 private:
  Monotonic mono_{Duration(1'000'000'000)};
  Time wall_base_ = Time::from_unix_seconds(1'767'225'599);
};

// splitmix64: good enough for schedules and ids in tests; the whole state is one word.
class SimRandom final : public Random {
 public:
  explicit SimRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() override;

 private:
  uint64_t state_;
};

// Runs posted work in the order of posting, and timers in the order of (due time, arming). Work takes no virtual
// time. `post` is safe from any thread; all else on the thread that made the loop.
class SimLoop final : public Loop {
 public:
  explicit SimLoop(SimClock& clock);
  ~SimLoop() override;
  SimLoop(const SimLoop&) = delete;

  void post(std::move_only_function<void()> fn) override;
  [[nodiscard]] Timer after(Duration d, std::move_only_function<void()> fn) override;
  bool in_loop() const override { return std::this_thread::get_id() == thread_; }
  Clock& clock() override { return clock_; }

  // Runs what is posted and due at this instant, and what that posts; time stands still.
  void run_ready();
  // Runs everything that is due within d, in order; then time stands at now + d.
  void advance(Duration d);
  // Runs until `done()`; looks before and after every callback. False: `limit` of virtual time passed first, or nothing is left to run.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Runs the next callback, moving time to it where needed but not beyond `limit`; false: there is none.
  bool step(Monotonic limit);
  size_t timers() const { return shared_->timers.size(); }

 private:
  using Key = std::pair<Monotonic, uint64_t>;
  // Outlives the loop while a Timer does, so that a Timer destroyed late cancels nothing.
  struct Shared {
    std::map<Key, std::move_only_function<void()>> timers;
  };
  struct Armed;

  SimClock& clock_;
  std::thread::id thread_ = std::this_thread::get_id();
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  uint64_t seq_ = 0;
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> posted_;  // under mutex_
  std::vector<std::move_only_function<void()>> batch_;   // taken from posted_, being run
  size_t batch_at_ = 0;
};

// Runs work on the loop, as a callback of its own: later than `run` returns, at the same instant.
class SimPool final : public Pool {
 public:
  explicit SimPool(Loop& loop) : loop_(loop) {}
  void run(std::move_only_function<void()> fn) override { loop_.post(std::move(fn)); }

 private:
  Loop& loop_;
};

struct SimWorld {
  explicit SimWorld(uint64_t seed = 1) : random(seed) {}
  SimClock clock;
  SimRandom random;
  SimLoop loop{clock};
  SimPool pool{loop};
  World world{clock, random, loop, pool};
};

// Starts `task` and runs the loop until it ends; nullopt when it does not within `limit` of virtual time (it is then
// cancelled).
template <class T>
std::optional<T> run_async(SimLoop& loop, Async<T> task, Duration limit = std::chrono::hours(1)) {
  std::optional<T> out;
  auto flow = [](Async<T> t, std::optional<T>& to) -> Async<void> { to.emplace(co_await std::move(t)); };
  Running running(flow(std::move(task), out));
  loop.run_until([&] { return out.has_value(); }, limit);
  return out;
}
inline bool run_async(SimLoop& loop, Async<void> task, Duration limit = std::chrono::hours(1)) {
  Running running(std::move(task));
  return loop.run_until([&] { return running.done(); }, limit);
}

}  // namespace drover
