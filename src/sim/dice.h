// Dice: seeded chance with the few draws that scenarios and faults need.
#pragma once

#include <vector>

#include "base/later.h"
#include "base/sim_loop.h"

namespace drover::sim {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(scattered(seed)) {}

  uint64_t next() { return random_.next(); }
  bool chance(double p) { return static_cast<double>(random_.next() >> 11) * 0x1p-53 < p; }
  uint64_t between(uint64_t lo, uint64_t hi) { return lo + random_.below(hi - lo + 1); }
  Duration between(Duration lo, Duration hi) { return lo + random_.jitter(hi - lo); }
  template <class T>
  T& pick(std::vector<T>& from) {
    return from[random_.below(from.size())];
  }
  Random& random() { return random_; }

 private:
  // Seeds side by side must not give the same numbers a few draws apart.
  static uint64_t scattered(uint64_t seed) {
    SimRandom one(seed);
    SimRandom two(one.next() ^ 0x6a09e667f3bcc908ull);
    return two.next();
  }
  SimRandom random_;
};

}  // namespace drover::sim
