#include "raft/work_thread.h"

#include <pthread.h>

namespace drover::raft {

WorkThread::WorkThread(const char* name) : thread_([this] { loop(); }) {
  pthread_setname_np(thread_.native_handle(), name);
}

WorkThread::~WorkThread() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void WorkThread::run(std::move_only_function<void()> fn) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(fn));
  }
  wake_.notify_one();
}

void WorkThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace drover::raft
