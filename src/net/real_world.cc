#include "net/real_world.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace drover::net {

namespace {
int64_t read_clock(clockid_t id) {
  struct timespec ts{};
  ::clock_gettime(id, &ts);
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}
}  // namespace

Time RealClock::now() { return Time{read_clock(CLOCK_REALTIME)}; }
Monotonic RealClock::monotonic() { return Monotonic(Duration(read_clock(CLOCK_MONOTONIC))); }

uint64_t RealRandom::next() {
  // getrandom gives up to 256 bytes without being cut by signals.
  struct Block {
    uint64_t words[32];
    size_t used = 32;
  };
  thread_local Block block;
  if (block.used == 32) {
    ssize_t n;
    do n = ::getrandom(block.words, sizeof block.words, 0);
    while (n < 0 && errno == EINTR);
    DROVER_ASSERT(n == sizeof block.words, "the kernel gives random bytes");
    block.used = 0;
  }
  // A word is forgotten once drawn: it may become a secret.
  return std::exchange(block.words[block.used++], 0);
}

struct ThreadPool::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::move_only_function<void()>> queue;
  bool ending = false;
  std::vector<std::thread> threads;

  void work() {
    for (;;) {
      std::move_only_function<void()> fn;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return ending || !queue.empty(); });
        if (queue.empty()) return;
        fn = std::move(queue.front());
        queue.pop_front();
      }
      fn();
    }
  }
};

ThreadPool::ThreadPool(int threads, const std::string& name) : impl_(std::make_unique<Impl>()) {
  DROVER_ASSERT(threads > 0, "a pool has threads");
  for (int i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
    ::pthread_setname_np(impl_->threads.back().native_handle(), (name + "_" + std::to_string(i)).substr(0, 15).c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->wake.notify_all();
  for (auto& t : impl_->threads) t.join();
}

void ThreadPool::run(std::move_only_function<void()> fn) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->queue.push_back(std::move(fn));
  }
  impl_->wake.notify_one();
}

}  // namespace drover::net
