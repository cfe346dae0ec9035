// Awaits that end early: by a call from outside, or by a time limit. Ending early destroys the awaited task.
#pragma once

#include <optional>
#include <type_traits>

#include "base/result.h"
#include "base/async.h"

namespace drover {

// `auto r = co_await c` gives optional<T> (bool for void), empty when `cancel` came first. `cancel` may be called
// while the task is suspended, from a loop callback; never from within the task.
template <class T>
class CancellableAwait {
 public:
  explicit CancellableAwait(Async<T> task) : task_(std::move(task)) {}
  CancellableAwait(const CancellableAwait&) = delete;
  CancellableAwait& operator=(const CancellableAwait&) = delete;

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) {
    waiter_ = h;
    return task_->await_suspend(h);
  }
  auto await_resume() {
    waiter_ = nullptr;
    if constexpr (std::is_void_v<T>) {
      return task_.has_value();
    } else {
      std::optional<T> out;
      if (task_) out.emplace(task_->await_resume());
      return out;
    }
  }
  void cancel() {
    if (!waiter_) return;
    task_.reset();
    std::exchange(waiter_, nullptr).resume();
  }

 private:
  std::optional<Async<T>> task_;
  std::coroutine_handle<> waiter_;
};

// The task's result, or `late` when `limit` passes first. A limit of zero or less is none.
template <class T>
Async<Result<T>> with_timeout(Loop& loop, Duration limit, Async<Result<T>> task, Error late) {
  if (limit <= Duration::zero()) co_return co_await task;
  CancellableAwait<Result<T>> await(std::move(task));
  Timer timer = loop.after(limit, [&await] { await.cancel(); });
  auto result = co_await await;
  if (!result) co_return std::move(late);
  co_return std::move(*result);
}

}  // namespace drover
