// A Pool of one thread that runs jobs in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/world.h"

namespace drover::raft {

class WorkThread final : public Pool {
 public:
  explicit WorkThread(const char* name);
  // Finishes the jobs that were handed over, then joins.
  ~WorkThread() override;
  void run(std::move_only_function<void()> fn) override;

 private:
  void loop();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> jobs_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace drover::raft
