#include "base/sim_loop.h"

namespace drover {

uint64_t SimRandom::next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

struct SimLoop::Armed final : Timer::State {
  std::weak_ptr<Shared> shared;
  Key key;
  void cancel() override {
    auto s = shared.lock();
    if (!s) return;
    // The callback goes out of the map first: its destructor may cancel other timers.
    auto node = s->timers.extract(key);
  }
};

SimLoop::SimLoop(SimClock& clock) : clock_(clock) {}

SimLoop::~SimLoop() {
  // Callbacks may own what posts or cancels when destroyed; let that settle on a loop that still stands.
  for (int round = 0; round < 100; round++) {
    std::map<Key, std::move_only_function<void()>> timers;
    std::vector<std::move_only_function<void()>> posted, batch;
    timers.swap(shared_->timers);
    batch.swap(batch_);
    batch_at_ = 0;
    {
      std::lock_guard lock(mutex_);
      posted.swap(posted_);
    }
    if (timers.empty() && posted.empty() && batch.empty()) return;
  }
}

void SimLoop::post(std::move_only_function<void()> fn) {
  std::lock_guard lock(mutex_);
  posted_.push_back(std::move(fn));
}

Timer SimLoop::after(Duration d, std::move_only_function<void()> fn) {
  DROVER_ASSERT(in_loop(), "timers are armed on the loop's thread");
  auto armed = std::make_shared<Armed>();
  armed->shared = shared_;
  armed->key = {clock_.monotonic() + std::max(d, Duration::zero()), ++seq_};
  shared_->timers.emplace(armed->key, std::move(fn));
  return Timer(std::move(armed));
}

bool SimLoop::step(Monotonic limit) {
  if (batch_at_ == batch_.size()) {
    batch_.clear();
    batch_at_ = 0;
    std::lock_guard lock(mutex_);
    batch_.swap(posted_);
  }
  if (batch_at_ < batch_.size()) {
    auto fn = std::move(batch_[batch_at_++]);
    fn();
    return true;
  }
  auto it = shared_->timers.begin();
  if (it == shared_->timers.end() || it->first.first > limit) return false;
  clock_.advance_to(it->first.first);
  auto node = shared_->timers.extract(it);
  node.mapped()();
  return true;
}

void SimLoop::run_ready() {
  while (step(clock_.monotonic())) {
  }
}

void SimLoop::advance(Duration d) {
  Monotonic end = clock_.monotonic() + d;
  while (step(end)) {
  }
  clock_.advance_to(end);
}

bool SimLoop::run_until(const std::function<bool()>& done, Duration limit) {
  Monotonic end = clock_.monotonic() + limit;
  while (!done()) {
    if (!step(end)) return false;
  }
  return true;
}

}  // namespace drover
