// FdWatcher: readiness of file descriptors for coroutines, without seeing the event loop behind it. The main loop's
// implementation is net's (AsioLoop).
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <utility>

namespace drover {

enum class FdEvent : unsigned char { kReadable, kWritable };

class FdWatcher {
 public:
  // Dropping it withdraws the request: the callback will not run any more.
  class Request {
   public:
    virtual ~Request() = default;
  };

  virtual ~FdWatcher() = default;

  // Calls `ready` once, on the loop, when `fd` is ready or has failed or hung up (the next read or write tells). Called
  // on the loop. The fd stays open until the request is dropped or has run; at most one request per fd and event.
  [[nodiscard]] virtual std::unique_ptr<Request> when(int fd, FdEvent event, std::move_only_function<void()> ready) = 0;
};

// co_await fd_ready(watcher, fd, FdEvent::kReadable)
class FdReady {
 public:
  FdReady(FdWatcher& watcher, int fd, FdEvent event) : watcher_(watcher), fd_(fd), event_(event) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    request_ = watcher_.when(fd_, event_, [h] { h.resume(); });
  }
  void await_resume() { request_.reset(); }

 private:
  FdWatcher& watcher_;
  int fd_;
  FdEvent event_;
  std::unique_ptr<FdWatcher::Request> request_;
};
inline FdReady fd_ready(FdWatcher& watcher, int fd, FdEvent event) { return {watcher, fd, event}; }

}  // namespace drover
