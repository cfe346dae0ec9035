// The world a core is given: clock, chance and a loop that runs work later. Real ones are built in main(); the
// simulator builds false ones on virtual time. Nothing else in server or client code may ask the system for time
// or randomness.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/time.h"

namespace drover {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() = 0;              // wall clock; may jump
  virtual Monotonic monotonic() = 0;   // never jumps; for timeouts and ages
};

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);
  // Uniform in [0, d].
  Duration jitter(Duration d);
  void fill(void* out, size_t size);
};

// Cancels its timer when destroyed; movable. Destroying or cancelling is safe from within the callback.
class Timer {
 public:
  class State {
   public:
    virtual ~State() = default;
    virtual void cancel() = 0;
  };
  Timer() = default;
  explicit Timer(std::shared_ptr<State> s) : state_(std::move(s)) {}
  Timer(Timer&&) = default;
  Timer& operator=(Timer&& o) noexcept {
    cancel();
    state_ = std::move(o.state_);
    return *this;
  }
  ~Timer() { cancel(); }
  void cancel() {
    if (state_) std::exchange(state_, nullptr)->cancel();
  }
  bool armed() const { return state_ != nullptr; }

 private:
  std::shared_ptr<State> state_;
};

// A run-to-completion loop on one thread. `post` may be called from any thread; the rest only on the loop.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual void post(std::move_only_function<void()> fn) = 0;
  [[nodiscard]] virtual Timer after(Duration d, std::move_only_function<void()> fn) = 0;
  virtual bool in_loop() const = 0;
  virtual Clock& clock() = 0;
};

// Runs blocking or CPU-heavy work off the loop (scheduler runs, file work). The simulator runs it inline.
class Pool {
 public:
  virtual ~Pool() = default;
  virtual void run(std::move_only_function<void()> fn) = 0;
};

// What every shell is constructed with. References outlive all users.
struct World {
  Clock& clock;
  Random& random;
  Loop& loop;   // the main loop
  Pool& pool;   // short CPU work and blocking file work
};

}  // namespace drover
