// A World over real time and real descriptors for tests: one thread, no threads beside it, so that a test may fork.
#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/async.h"
#include "base/fd_watcher.h"
#include "base/sim_loop.h"
#include "base/world.h"

namespace drover::drivers {

class SystemClock final : public Clock {
 public:
  Time now() override {
    return Time::from_unix_nanos(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count());
  }
  Monotonic monotonic() override { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
};

class PollLoop final : public Loop, public FdWatcher {
 public:
  explicit PollLoop(Clock& clock) : clock_(clock) {}

  void post(std::move_only_function<void()> fn) override { posted_.push_back(std::move(fn)); }
  Timer after(Duration d, std::move_only_function<void()> fn) override {
    auto armed = std::make_shared<Armed>();
    armed->loop = this;
    armed->key = {clock_.monotonic() + d, ++seq_};
    timers_.emplace(armed->key, std::move(fn));
    return Timer(armed);
  }
  bool in_loop() const override { return true; }
  Clock& clock() override { return clock_; }
  std::unique_ptr<Request> when(int fd, FdEvent event, std::move_only_function<void()> ready) override {
    auto r = std::make_unique<Wish>();
    r->loop = this;
    r->id = ++seq_;
    wishes_.emplace(r->id, Waiting{fd, event, std::move(ready)});
    return r;
  }

  // False when `limit` of real time passes first.
  bool run_until(const std::function<bool()>& done, Duration limit) {
    Monotonic end = clock_.monotonic() + limit;
    while (!done()) {
      if (clock_.monotonic() > end) return false;
      turn(end);
    }
    return true;
  }

 private:
  using Key = std::pair<Monotonic, uint64_t>;
  struct Armed final : Timer::State {
    PollLoop* loop;
    Key key;
    void cancel() override { auto gone = loop->timers_.extract(key); }
  };
  struct Wish final : Request {
    PollLoop* loop;
    uint64_t id;
    ~Wish() override { auto gone = loop->wishes_.extract(id); }
  };
  struct Waiting {
    int fd;
    FdEvent event;
    std::move_only_function<void()> ready;
  };

  void turn(Monotonic end) {
    // After anything has run, the caller looks whether it has what it waits for.
    bool ran = !posted_.empty();
    for (auto& fn : std::exchange(posted_, {})) fn();
    Monotonic now = clock_.monotonic();
    for (; !timers_.empty() && timers_.begin()->first.first <= now; ran = true) timers_.extract(timers_.begin()).mapped()();
    if (ran) return;
    Monotonic next = timers_.empty() ? end : std::min(end, timers_.begin()->first.first);
    std::vector<pollfd> fds;
    std::vector<uint64_t> ids;
    for (auto& [id, w] : wishes_) {
      fds.push_back({w.fd, static_cast<short>(w.event == FdEvent::kReadable ? POLLIN : POLLOUT), 0});
      ids.push_back(id);
    }
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(next - now).count() + 1;
    (void)poll(fds.data(), fds.size(), static_cast<int>(std::max<int64_t>(ms, 0)));
    for (size_t i = 0; i < fds.size(); i++) {
      if (!fds[i].revents) continue;
      auto node = wishes_.extract(ids[i]);
      if (node) node.mapped().ready();
    }
  }

  Clock& clock_;
  uint64_t seq_ = 0;
  std::vector<std::move_only_function<void()>> posted_;
  std::map<Key, std::move_only_function<void()>> timers_;
  std::map<uint64_t, Waiting> wishes_;
};

struct TestingWorld {
  SystemClock clock;
  SimRandom random{1};
  PollLoop loop{clock};
  SimPool pool{loop};
  World world{clock, random, loop, pool};

  // The result of `task`, or nullopt after `limit`.
  template <class T>
  std::optional<T> await(Async<T> task, Duration limit = std::chrono::seconds(20)) {
    std::optional<T> out;
    auto flow = [](Async<T> t, std::optional<T>& to) -> Async<void> { to.emplace(co_await std::move(t)); };
    Running running(flow(std::move(task), out));
    loop.run_until([&] { return out.has_value(); }, limit);
    return out;
  }
};

}  // namespace drover::drivers
