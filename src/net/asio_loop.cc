#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <thread>
#include <unordered_map>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/turns.h"
#include "net/real_world.h"
#include "net/wait_list.h"

namespace drover::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

auto wait_type(FdEvent e) {
  return e == FdEvent::kReadable ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
}

struct AsioTimer : Timer::State, std::enable_shared_from_this<AsioTimer> {
  asio::steady_timer timer;
  std::move_only_function<void()> fn;
  explicit AsioTimer(asio::io_context& ctx) : timer(ctx) {}
  void cancel() override {
    // The callback is dropped even when the timer has expired and waits in the queue.
    auto dropped = std::move(fn);
    fn = nullptr;
    timer.cancel();
  }
};

// Shared with the operations in flight, so that a late completion finds it whatever was destroyed.
struct FdState : std::enable_shared_from_this<FdState> {
  asio::posix::stream_descriptor descriptor;
  struct Side {
    bool armed = false;
    WaitList waiters;
  } sides[2];

  explicit FdState(asio::io_context& ctx) : descriptor(ctx) {}

  // An operation that is armed stays so when its waiter goes: the next waiter uses it.
  void arm(FdEvent event) {
    auto& side = sides[static_cast<size_t>(event)];
    if (side.armed) return;
    side.armed = true;
    descriptor.async_wait(wait_type(event), [self = shared_from_this(), event](error_code) {
      Turn turn;
      auto& side = self->sides[static_cast<size_t>(event)];
      side.armed = false;
      side.waiters.resume_all();
    });
  }
};

class AsioWatchedFd : public WatchedFd {
 public:
  AsioWatchedFd(asio::io_context& ctx, std::shared_ptr<FdState> state) : ctx_(ctx), state_(std::move(state)) {}
  ~AsioWatchedFd() override {
    // Cancels what is armed; completions then find no waiters.
    for (auto& side : state_->sides)
      while (!side.waiters.empty()) side.waiters.forget_one();
    state_->descriptor.release();
  }
  Async<void> wait(FdEvent event) override { return wait_on(state_, event); }
  void wake() override {
    asio::post(ctx_, [state = state_] {
      Turn turn;
      for (auto& side : state->sides) side.waiters.resume_all();
    });
  }

 private:
  static Async<void> wait_on(std::shared_ptr<FdState> state, FdEvent event) {
    state->arm(event);
    co_await state->sides[static_cast<size_t>(event)].waiters.wait();
  }
  asio::io_context& ctx_;
  std::shared_ptr<FdState> state_;
};

// ---- Signals: a handler that marks the signal and writes to an eventfd which the loop watches.

constexpr int kSignals = 65;
std::atomic<int> g_signal_fd{-1};
std::atomic<pid_t> g_signal_owner{0};
std::atomic<bool> g_signal_pending[kSignals];

void handle_signal(int signo) {
  // A forked child shares the eventfd until it execs: it must not wake the parent.
  if (::getpid() != g_signal_owner.load()) return;
  int saved = errno;
  g_signal_pending[signo] = true;
  uint64_t one = 1;
  (void)!::write(g_signal_fd.load(), &one, sizeof one);
  errno = saved;
}

}  // namespace

// One-off requests on one descriptor, registered while there is one.
struct OneOff : std::enable_shared_from_this<OneOff> {
  AsioLoop::Impl& loop;
  int fd;
  std::shared_ptr<FdState> state;
  struct Slot : FdWatcher::Request {
    std::shared_ptr<OneOff> owner;
    size_t side;
    uint64_t number;
    ~Slot() override { owner->drop(*this); }
  };
  Slot* slots[2] = {};
  std::move_only_function<void()> ready[2];
  Running flows[2];

  OneOff(AsioLoop::Impl& l, int f) : loop(l), fd(f) {}
  void drop(Slot& slot);
};

struct AsioLoop::Impl {
  asio::io_context ctx{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{ctx.get_executor()};
  std::atomic<std::thread::id> thread{std::this_thread::get_id()};
  std::atomic<bool> stop_asked{false};
  RealClock clock;
  std::unordered_map<int, std::weak_ptr<OneOff>> one_offs;
  uint64_t requests = 0;

  std::map<int, std::function<void()>> signals;
  std::map<int, struct sigaction> old_actions;
  int signal_fd = -1;
  std::unique_ptr<WatchedFd> signal_watch;
  Running signal_flow;

  Result<std::shared_ptr<FdState>> open(int fd) {
    auto state = std::make_shared<FdState>(ctx);
    error_code ec;
    state->descriptor.assign(fd, ec);
    if (ec) return errno_error("watching a descriptor", ec.value());
    return state;
  }
  Async<void> pass_signals();
};

void OneOff::drop(Slot& slot) {
  slots[slot.side] = nullptr;
  ready[slot.side] = nullptr;
  flows[slot.side].reset();
  if (slots[0] || slots[1]) return;
  if (state) state->descriptor.release();
  state.reset();
  loop.one_offs.erase(fd);
}

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}

AsioLoop::~AsioLoop() {
  if (impl_->signal_fd < 0) return;
  for (auto& [signo, action] : impl_->old_actions) ::sigaction(signo, &action, nullptr);
  g_signal_owner = 0;
  g_signal_fd = -1;
  impl_->signal_flow.reset();
  impl_->signal_watch.reset();
  ::close(impl_->signal_fd);
}

void AsioLoop::post(std::move_only_function<void()> fn) {
  asio::post(impl_->ctx, [fn = std::move(fn)]() mutable {
    Turn turn;
    // What it holds goes within the turn, too.
    auto run = std::move(fn);
    run();
  });
}

Timer AsioLoop::after(Duration d, std::move_only_function<void()> fn) {
  auto state = std::make_shared<AsioTimer>(impl_->ctx);
  state->fn = std::move(fn);
  state->timer.expires_after(d);
  state->timer.async_wait([state](error_code) {
    auto run = std::exchange(state->fn, nullptr);
    if (!run) return;
    Turn turn;
    turn_meter().timer_ran(std::chrono::steady_clock::now() - state->timer.expiry());
    run();
    run = nullptr;
  });
  return Timer(state);
}

bool AsioLoop::in_loop() const { return impl_->thread.load() == std::this_thread::get_id(); }
Clock& AsioLoop::clock() { return impl_->clock; }

Result<std::unique_ptr<WatchedFd>> AsioLoop::watch(int fd) {
  DROVER_TRY(auto state, impl_->open(fd));
  return std::make_unique<AsioWatchedFd>(impl_->ctx, std::move(state));
}

std::unique_ptr<FdWatcher::Request> AsioLoop::when(int fd, FdEvent event, std::move_only_function<void()> ready) {
  auto& entry = impl_->one_offs[fd];
  auto one = entry.lock();
  if (!one) entry = one = std::make_shared<OneOff>(*impl_, fd);
  size_t side = static_cast<size_t>(event);
  DROVER_ASSERT(!one->slots[side], "one request per descriptor and event");
  auto slot = std::make_unique<OneOff::Slot>();
  slot->owner = one;
  slot->side = side;
  slot->number = ++impl_->requests;
  one->slots[side] = slot.get();
  one->ready[side] = std::move(ready);
  if (!one->state) {
    if (auto state = impl_->open(fd)) one->state = *state;
  }
  // Takes the callback out first: it may drop the request, and this flow with it, so it runs as a posted call.
  auto fire = [weak = std::weak_ptr(one), number = slot->number, side] {
    auto one = weak.lock();
    if (!one || !one->slots[side] || one->slots[side]->number != number) return;
    if (auto fn = std::exchange(one->ready[side], nullptr)) fn();
  };
  if (!one->state) {
    post(fire);  // what cannot be polled is always ready
  } else {
    one->flows[side] = Running([](std::shared_ptr<FdState> state, FdEvent event, AsioLoop& loop, auto fire) -> Async<void> {
      state->arm(event);
      co_await state->sides[static_cast<size_t>(event)].waiters.wait();
      loop.post(fire);
    }(one->state, event, *this, fire));
  }
  return slot;
}

void AsioLoop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->ctx.restart();
  if (!impl_->stop_asked) impl_->ctx.run();
  impl_->stop_asked = false;
}

void AsioLoop::stop() {
  impl_->stop_asked = true;
  impl_->ctx.stop();
}

Async<void> AsioLoop::Impl::pass_signals() {
  for (;;) {
    co_await signal_watch->wait(FdEvent::kReadable);
    uint64_t count;
    (void)!::read(signal_fd, &count, sizeof count);
    for (int signo = 1; signo < kSignals; ++signo) {
      if (!g_signal_pending[signo].exchange(false)) continue;
      auto it = signals.find(signo);
      if (it == signals.end()) continue;
      auto fn = it->second;
      fn();
    }
  }
}

void AsioLoop::on_signal(int signo, std::function<void()> fn) {
  DROVER_ASSERT(signo > 0 && signo < kSignals, "a signal number");
  if (impl_->signal_fd < 0) {
    DROVER_ASSERT(g_signal_fd.load() < 0, "one loop of the process takes signals");
    impl_->signal_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    DROVER_ASSERT(impl_->signal_fd >= 0, "an eventfd for signals");
    g_signal_fd = impl_->signal_fd;
    g_signal_owner = ::getpid();
    auto watch = this->watch(impl_->signal_fd);
    DROVER_ASSERT(watch, "an eventfd can be watched");
    impl_->signal_watch = std::move(*watch);
    impl_->signal_flow = Running(impl_->pass_signals());
  }
  impl_->signals[signo] = std::move(fn);
  if (impl_->old_actions.contains(signo)) return;
  struct sigaction action{};
  action.sa_handler = handle_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(signo, &action, &impl_->old_actions[signo]);
}

}  // namespace drover::net
