// Small helpers for shells: a latch that several flows may wait for, and posted work that ends with its owner.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/flows.h"
#include "base/world.h"

namespace drover::client {

// Set once. Waiters resume as callbacks of their own, never inside set(): they may destroy whoever set it.
class Latch {
 public:
  explicit Latch(Loop& loop) : loop_(loop) {}
  bool is_set() const { return set_; }
  void set() {
    if (std::exchange(set_, true)) return;
    for (auto& w : waiters_) w.set_from_any_thread(loop_, true);
    waiters_.clear();
  }
  Async<void> wait() {
    if (set_) co_return;
    Promise<bool> p;
    waiters_.push_back(p);
    co_await p;
  }

 private:
  Loop& loop_;
  bool set_ = false;
  std::vector<Promise<bool>> waiters_;
};

// Posts work that is dropped when the owner is gone by then.
class Poster {
 public:
  explicit Poster(Loop& loop) : loop_(loop) {}
  template <class F>
  void post(F fn) {
    loop_.post([alive = std::weak_ptr<int>(alive_), fn = std::move(fn)]() mutable {
      if (!alive.expired()) fn();
    });
  }
  // A callback for others to keep that does nothing once the owner is gone.
  template <class F>
  auto guard(F fn) {
    return [alive = std::weak_ptr<int>(alive_), fn = std::move(fn)](auto&&... args) mutable {
      if (!alive.expired()) fn(std::forward<decltype(args)>(args)...);
    };
  }

 private:
  Loop& loop_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::client
