// ExitGate: the end of a task, awaited by any number of flows.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/world.h"
#include "drivers/task_spec.h"

namespace drover::drivers {

class ExitGate {
 public:
  explicit ExitGate(Loop& loop) : loop_(loop) {}

  bool is_open() const { return result_.has_value(); }
  const std::optional<ExitResult>& result() const { return result_; }

  // The first result stays. Waiters resume from the loop, not from here: one of them may destroy the task, and with it
  // the flow that called.
  void open(ExitResult r) {
    if (result_) return;
    result_ = std::move(r);
    for (auto& w : std::exchange(waiters_, {})) w.set_from_any_thread(loop_, *result_);
  }

  Async<ExitResult> wait() {
    if (result_) co_return *result_;
    Promise<std::optional<ExitResult>> done;
    waiters_.push_back(done);
    auto r = co_await done;
    co_return std::move(*r);
  }

  // nullopt when `limit` passes first.
  Async<std::optional<ExitResult>> wait_until(Duration limit) {
    if (result_) co_return result_;
    Promise<std::optional<ExitResult>> done;
    waiters_.push_back(done);
    Timer timer = loop_.after(limit, [done]() mutable { done.set(std::nullopt); });
    co_return co_await done;
  }

 private:
  Loop& loop_;
  std::optional<ExitResult> result_;
  std::vector<Promise<std::optional<ExitResult>>> waiters_;
};

}  // namespace drover::drivers
