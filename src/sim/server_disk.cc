#include "sim/server_disk.h"

namespace drover::sim {

void DiskThread::run(std::move_only_function<void()> fn) {
  jobs_.push_back(std::move(fn));
  arm();
}

void DiskThread::arm() {
  if (armed_ || hung_ || jobs_.empty()) return;
  armed_ = true;
  timer_ = loop_.after(dice_.between(delay_min, delay_max), [this] {
    armed_ = false;
    take();
    arm();
  });
}

void DiskThread::take() {
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  job();
}

void DiskThread::hang(bool on) {
  hung_ = on;
  if (on) {
    timer_.cancel();
    armed_ = false;
  } else {
    arm();
  }
}

void DiskThread::finish() {
  timer_.cancel();
  armed_ = false;
  while (!jobs_.empty()) take();
}

void DiskThread::drop() {
  timer_.cancel();
  armed_ = false;
  auto gone = std::exchange(jobs_, {});
}

void ServerDisk::lose_power() {
  disk.cut_power_after(dice.between(0, 4));
  if (!thread.hung() && dice.chance(0.7)) thread.finish();
}

}  // namespace drover::sim
