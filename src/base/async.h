// Async<T>: a lazy coroutine for I/O flows on a Loop. Decisions are never coroutines; shells are.
//
// Life: an Async starts when awaited (or spawned), resumes its awaiter when done, and owns its frame. Everything
// runs on the loop's thread. Destroying an unfinished Async destroys the frame: awaiters registered in Promise,
// sleeps and sockets are unhooked by their destructors, which is how cancellation works: drop the Async. (`Task` is a jobspec task.)
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/world.h"

namespace drover {

template <class T>
class Async;

namespace detail {
struct AsyncPromiseBase {
  std::coroutine_handle<> continuation;

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
      auto next = h.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  // Code of ours does not throw; an exception here is a broken invariant.
  void unhandled_exception() noexcept { std::terminate(); }
};
}  // namespace detail

template <class T>
class [[nodiscard]] Async {
 public:
  struct promise_type : detail::AsyncPromiseBase {
    std::optional<T> value;
    Async get_return_object() { return Async(std::coroutine_handle<promise_type>::from_promise(*this)); }
    template <class U>
    void return_value(U&& v) {
      value.emplace(std::forward<U>(v));
    }
  };
  Async(Async&& o) noexcept : h_(std::exchange(o.h_, nullptr)) {}
  Async& operator=(Async&& o) noexcept {
    if (h_) h_.destroy();
    h_ = std::exchange(o.h_, nullptr);
    return *this;
  }
  ~Async() {
    if (h_) h_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> c) {
    h_.promise().continuation = c;
    return h_;
  }
  T await_resume() { return std::move(*h_.promise().value); }

 private:
  explicit Async(std::coroutine_handle<promise_type> h) : h_(h) {}
  std::coroutine_handle<promise_type> h_;
};

template <>
class [[nodiscard]] Async<void> {
 public:
  struct promise_type : detail::AsyncPromiseBase {
    Async get_return_object() { return Async(std::coroutine_handle<promise_type>::from_promise(*this)); }
    void return_void() {}
  };
  Async(Async&& o) noexcept : h_(std::exchange(o.h_, nullptr)) {}
  Async& operator=(Async&& o) noexcept {
    if (h_) h_.destroy();
    h_ = std::exchange(o.h_, nullptr);
    return *this;
  }
  ~Async() {
    if (h_) h_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> c) {
    h_.promise().continuation = c;
    return h_;
  }
  void await_resume() {}

 private:
  explicit Async(std::coroutine_handle<promise_type> h) : h_(h) {}
  std::coroutine_handle<promise_type> h_;
};

namespace detail {
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};
}  // namespace detail

// Starts `task` at once and lets it run to its end; nobody can cancel it. For flows that end by themselves.
inline void spawn(Async<void> task) {
  [](Async<void> t) -> detail::Detached { co_await std::move(t); }(std::move(task));
}

// Owner of a running Async<void>: destroying the Running cancels the flow at its suspension point. Must not be
// destroyed from inside the flow itself.
class Running {
  struct Driver {
    struct promise_type {
      bool* done = nullptr;
      Driver get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() noexcept { return {}; }
      std::suspend_always final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() noexcept { std::terminate(); }
    };
    std::coroutine_handle<promise_type> h;
  };

 public:
  Running() = default;
  explicit Running(Async<void> task)
      : h_([](Async<void> t) -> Driver {
          // The flow's frame, and what its parameters own, go when it is done, not when the Running goes.
          auto own = std::move(t);
          co_await own;
        }(std::move(task)).h) {
    h_.resume();
  }
  Running(Running&& o) noexcept : h_(std::exchange(o.h_, nullptr)) {}
  Running& operator=(Running&& o) noexcept {
    reset();
    h_ = std::exchange(o.h_, nullptr);
    return *this;
  }
  ~Running() { reset(); }
  void reset() {
    if (h_) std::exchange(h_, nullptr).destroy();
  }
  bool done() const { return !h_ || h_.done(); }

 private:
  std::coroutine_handle<Driver::promise_type> h_;
};

// Await to let d pass on the loop.
class SleepAwaiter {
 public:
  SleepAwaiter(Loop& loop, Duration d) : loop_(loop), d_(d) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    timer_ = loop_.after(d_, [h] { h.resume(); });
  }
  void await_resume() {}

 private:
  Loop& loop_;
  Duration d_;
  Timer timer_;
};
inline SleepAwaiter sleep_for(Loop& loop, Duration d) { return {loop, d}; }

// One-shot hand-over of a T to one waiting coroutine. Copyable handle; first `set` wins. The waiter is resumed
// inside `set`, on the caller's thread, which must be the loop's: use `set_from_any_thread` elsewhere.
template <class T>
class Promise {
  struct State {
    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };

 public:
  Promise() : s_(std::make_shared<State>()) {}
  bool ready() const { return s_->value.has_value(); }
  bool set(T v) {
    if (s_->value) return false;
    s_->value.emplace(std::move(v));
    auto keep = s_;
    if (auto w = std::exchange(s_->waiter, nullptr)) w.resume();
    return true;
  }
  void set_from_any_thread(Loop& loop, T v) {
    loop.post([p = *this, v = std::move(v)]() mutable { p.set(std::move(v)); });
  }
  struct Awaiter {
    std::shared_ptr<State> s;
    bool await_ready() const noexcept { return s->value.has_value(); }
    void await_suspend(std::coroutine_handle<> h) {
      DROVER_ASSERT(!s->waiter, "one waiter per promise");
      s->waiter = h;
    }
    T await_resume() { return std::move(*s->value); }
    ~Awaiter() {
      if (s) s->waiter = nullptr;
    }
    explicit Awaiter(std::shared_ptr<State> st) : s(std::move(st)) {}
    Awaiter(Awaiter&&) = default;
  };
  Awaiter operator co_await() const { return Awaiter(s_); }

 private:
  std::shared_ptr<State> s_;
};

// Runs `fn` on the pool and resumes on the loop with its result.
template <class F>
auto on_pool(World& world, F fn) -> Async<decltype(fn())> {
  using R = decltype(fn());
  Promise<R> done;
  world.pool.run([&loop = world.loop, done, fn = std::move(fn)]() mutable {
    done.set_from_any_thread(loop, fn());
  });
  co_return co_await done;
}

}  // namespace drover
