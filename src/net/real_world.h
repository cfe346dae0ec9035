// The real World: system clock, kernel randomness, the Asio loop and a pool of threads. Only main() and tests over
// real sockets build these.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/fd_watcher.h"
#include "base/async.h"
#include "base/world.h"
#include "net/watched_fd.h"

namespace drover::net {

class RealClock : public Clock {
 public:
  Time now() override;
  Monotonic monotonic() override;
};

// Kernel randomness (getrandom), drawn in blocks per thread: fit for secrets and fast. Any thread.
class RealRandom : public Random {
 public:
  uint64_t next() override;
};

// The main loop. Made on the thread that will run it, or run() takes it over.
class AsioLoop : public Loop, public FdWatcher {
 public:
  AsioLoop();
  ~AsioLoop() override;

  void post(std::move_only_function<void()> fn) override;
  [[nodiscard]] Timer after(Duration d, std::move_only_function<void()> fn) override;
  bool in_loop() const override;
  Clock& clock() override;
  [[nodiscard]] std::unique_ptr<Request> when(int fd, FdEvent event, std::move_only_function<void()> ready) override;

  // Registers `fd` until the result is destroyed. Fails for what cannot be polled (regular files).
  Result<std::unique_ptr<WatchedFd>> watch(int fd);

  // Runs until stop(). May be called again afterwards.
  void run();
  // Any thread.
  void stop();

  // Calls `fn` on the loop whenever the process gets `signo`. One loop of the process may ask for signals. The
  // handler is a real one, so exec'd children start with the default action, and a forked child that has not yet
  // exec'd never disturbs the parent.
  void on_signal(int signo, std::function<void()> fn);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Runs the loop until `task` is done. For command-line tools and tests; not from within the loop.
template <class T>
T block_on(AsioLoop& loop, Async<T> task) {
  std::optional<T> out;
  Running flow([](AsioLoop& loop, Async<T> task, std::optional<T>& out) -> Async<void> {
    out.emplace(co_await task);
    loop.stop();
  }(loop, std::move(task), out));
  loop.run();
  DROVER_ASSERT(out, "the loop runs until the task is done");
  return std::move(*out);
}
inline void block_on(AsioLoop& loop, Async<void> task) {
  (void)block_on<bool>(loop, [](Async<void> t) -> Async<bool> {
    co_await t;
    co_return true;
  }(std::move(task)));
}

// A fixed number of threads and one queue. Destruction runs what is queued and joins.
class ThreadPool : public Pool {
 public:
  explicit ThreadPool(int threads, const std::string& name = "pool");
  ~ThreadPool() override;
  void run(std::move_only_function<void()> fn) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All of it together, for main() and for tests.
struct RealWorld {
  RealClock clock;
  RealRandom random;
  AsioLoop loop;
  ThreadPool pool;
  World world{clock, random, loop, pool};
  explicit RealWorld(int pool_threads = 2) : pool(pool_threads) {}
};

}  // namespace drover::net
