// HostWorld: the World of one process on one false machine. All machines share the simulation's loop; each sees it through
// a clock that may be wrong and run fast or slow, can be paused as by SIGSTOP, and forgets its work when its process dies.
#pragma once

#include <deque>
#include <memory>

#include "base/sim_loop.h"
#include "sim/dice.h"

namespace drover::sim {

class HostClock final : public Clock {
 public:
  // `rate` is how many of its seconds pass in one true second.
  HostClock(SimClock& truth, double rate) : truth_(truth), begun_(truth.monotonic()), rate_(rate) {}
  Time now() override { return truth_.now() + skew_ + (monotonic() - truth_.monotonic()); }
  Monotonic monotonic() override { return begun_ + scaled(truth_.monotonic() - begun_, rate_); }
  void jump_wall(Duration d) { skew_ += d; }
  Duration skew() const { return skew_; }
  // How long true time must pass so that at least d passes here.
  Duration true_time(Duration d) const { return rate_ == 1 ? d : scaled(d, 1 / rate_) + Duration(1); }

 private:
  static Duration scaled(Duration d, double by) {
    return by == 1 ? d : Duration(static_cast<int64_t>(static_cast<double>(d.count()) * by));
  }
  SimClock& truth_;
  Monotonic begun_;
  double rate_;
  Duration skew_{};
};

class HostLoop final : public Loop {
 public:
  HostLoop(SimLoop& shared, HostClock& clock) : shared_(shared), clock_(clock), state_(std::make_shared<State>()) {}

  void post(std::move_only_function<void()> fn) override;
  [[nodiscard]] Timer after(Duration d, std::move_only_function<void()> fn) override;
  bool in_loop() const override { return shared_.in_loop(); }
  Clock& clock() override { return clock_; }

  // Nothing runs until resume(); then everything that came due meanwhile, in its order.
  void pause() { state_->paused = true; }
  void resume();
  bool paused() const { return state_->paused; }
  // The process is gone: nothing that it posted or armed runs any more.
  void forget();

 private:
  // One callback; empty when it has run, was cancelled, or its process died.
  struct Slot {
    std::move_only_function<void()> fn;
  };
  struct State {
    bool paused = false;
    uint64_t life = 0;
    std::deque<std::shared_ptr<Slot>> due;  // came due while paused
  };
  struct Armed;
  static void fire(State& state, uint64_t life, const std::shared_ptr<Slot>& slot);

  SimLoop& shared_;
  HostClock& clock_;
  std::shared_ptr<State> state_;
};

// Work takes a little time, so that the world changes meanwhile.
class HostPool final : public Pool {
 public:
  HostPool(Loop& loop, Dice& dice) : loop_(loop), dice_(dice) {}
  void run(std::move_only_function<void()> fn) override { later(loop_, dice_.between(Duration(0), longest), std::move(fn)); }
  Duration longest = std::chrono::milliseconds(2);

 private:
  Loop& loop_;
  Dice& dice_;
};

class HostWorld {
 public:
  HostWorld(SimWorld& sim, uint64_t seed, double rate)
      : clock(sim.clock, rate), loop(sim.loop, clock), dice(seed), pool(loop, dice), world{clock, dice.random(), loop, pool} {}
  HostClock clock;
  HostLoop loop;
  Dice dice;
  HostPool pool;
  World world;
};

}  // namespace drover::sim
