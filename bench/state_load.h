// What the programs that measure the state share.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/sim_loop.h"
#include "state/fixtures.h"
#include "state/store.h"

namespace drover::state {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

template <class Fn>
void commit(Store& store, Fn fn) {
  auto txn = store.begin(store.snapshot().index() + 1, fixtures::at(0));
  fn(txn);
  store.publish(std::move(txn));
}

// Ids as real ones are: spread evenly.
inline Uuid random_id(uint64_t n) {
  SimRandom random(n + 1);
  return Uuid::generate(random);
}

}  // namespace drover::state
