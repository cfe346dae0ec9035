// Flows: an owner of flows that run beside each other.
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <utility>

#include "base/async.h"

namespace drover {

// Owns flows until they end or it is destroyed, which cancels them. start() may be called from inside one of them. What is
// left of those that have ended goes when their number has doubled, so that starting one costs the same however many run.
class Flows {
 public:
  void start(Async<void> flow) {
    if (starting_ == 0 && flows_.size() >= sweep_at_) {
      sweep();
      sweep_at_ = std::max(kSweepMin, 2 * flows_.size());
    }
    // The slot exists before the flow runs: it may start others, which must not take the slot for one that has ended.
    auto* running = flows_.emplace_back(std::make_unique<Running>()).get();
    ++starting_;
    *running = Running(std::move(flow));
    --starting_;
  }
  // Not from within one of them.
  void cancel() { flows_.clear(); }
  // Whether none runs. Not from within one of them either.
  bool idle() {
    sweep();
    return flows_.empty();
  }

 private:
  static constexpr size_t kSweepMin = 16;
  void sweep() {
    std::erase_if(flows_, [](auto& f) { return f->done(); });
  }
  std::list<std::unique_ptr<Running>> flows_;
  size_t sweep_at_ = kSweepMin;
  int starting_ = 0;  // how deep within start()
};

}  // namespace drover
