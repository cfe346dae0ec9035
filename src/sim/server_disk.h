// ServerDisk: what one server writes to. It is slow by chance, can hang, fill up, and lose what was not synced.
#pragma once

#include <deque>
#include <functional>

#include "raft/mem_disk.h"
#include "sim/dice.h"

namespace drover::sim {

// The log thread: runs jobs one at a time, in order, each after the disk's delay.
class DiskThread final : public Pool {
 public:
  DiskThread(SimLoop& loop, Dice& dice) : loop_(loop), dice_(dice) {}
  void run(std::move_only_function<void()> fn) override;

  Duration delay_min{}, delay_max = std::chrono::microseconds(500);
  // No job ends until this is false again.
  void hang(bool on);
  bool hung() const { return hung_; }
  // What the disk had been told before the power went.
  void finish();
  void drop();

 private:
  void arm();
  void take();
  SimLoop& loop_;
  Dice& dice_;
  std::deque<std::move_only_function<void()>> jobs_;
  Timer timer_;
  bool armed_ = false, hung_ = false;
};

struct ServerDisk {
  ServerDisk(SimLoop& loop, Dice& d) : dice(d), thread(loop, d) {}
  // The process ends: its threads stop, the files stay as they are.
  void kill() { thread.drop(); }
  // The machine ends, in the middle of what it was writing.
  void lose_power();

  Dice& dice;
  raft::MemDisk disk;
  DiskThread thread;
};

}  // namespace drover::sim
