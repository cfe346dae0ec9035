// later(): work after a while that nobody can cancel.
#pragma once

#include <functional>
#include <memory>

#include "base/world.h"

namespace drover {

// Runs `fn` on the loop after d; at once, as a callback of its own, when d is not positive.
inline void later(Loop& loop, Duration d, std::move_only_function<void()> fn) {
  if (d <= Duration::zero()) return loop.post(std::move(fn));
  // The timer lives in its own callback's holder until it has fired.
  auto timer = std::make_shared<Timer>();
  *timer = loop.after(d, [timer, fn = std::move(fn)]() mutable {
    auto keep = std::move(*timer);
    fn();
  });
}

}  // namespace drover
