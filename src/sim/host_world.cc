#include "sim/host_world.h"

namespace drover::sim {

struct HostLoop::Armed final : Timer::State {
  std::shared_ptr<Slot> slot;
  Timer inner;
  void cancel() override {
    inner.cancel();
    // Out of the slot first: its destructor may cancel other timers.
    auto gone = std::exchange(slot->fn, nullptr);
  }
};

void HostLoop::fire(State& state, uint64_t life, const std::shared_ptr<Slot>& slot) {
  if (state.life != life) {
    auto gone = std::exchange(slot->fn, nullptr);
    return;
  }
  if (state.paused) {
    state.due.push_back(slot);
    return;
  }
  if (auto fn = std::exchange(slot->fn, nullptr)) fn();
}

void HostLoop::post(std::move_only_function<void()> fn) {
  auto slot = std::make_shared<Slot>(std::move(fn));
  shared_.post([state = state_, life = state_->life, slot] { fire(*state, life, slot); });
}

Timer HostLoop::after(Duration d, std::move_only_function<void()> fn) {
  auto armed = std::make_shared<Armed>();
  armed->slot = std::make_shared<Slot>(std::move(fn));
  armed->inner = shared_.after(clock_.true_time(d), [state = state_, life = state_->life, slot = armed->slot] { fire(*state, life, slot); });
  return Timer(std::move(armed));
}

void HostLoop::resume() {
  state_->paused = false;
  for (auto& slot : std::exchange(state_->due, {}))
    shared_.post([state = state_, life = state_->life, slot] { fire(*state, life, slot); });
}

void HostLoop::forget() {
  state_->life++;
  state_->paused = false;
  auto due = std::exchange(state_->due, {});
}

}  // namespace drover::sim
