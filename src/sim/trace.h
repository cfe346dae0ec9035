// Trace: everything that happens, as one hash; equal for equal seeds. With a log, what faults, workload and checks do is
// printed as well.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

#include "base/sim_loop.h"

namespace drover::sim {

class Trace {
 public:
  Trace(SimClock& clock, bool log) : clock_(clock), log_(log) {}

  void mix(std::string_view bytes) {
    for (unsigned char c : bytes) hash_ = (hash_ ^ c) * 0x100000001b3ull;
    hash_ ^= hash_ >> 29;
  }
  void mix(uint64_t n) {
    hash_ = (hash_ ^ n) * 0xbf58476d1ce4e5b9ull;
    hash_ ^= hash_ >> 31;
  }
  void mix_time() { mix(static_cast<uint64_t>((clock_.monotonic() - Monotonic{}).count())); }
  template <class... A>
  void event(fmt::format_string<A...> format, A&&... args) {
    auto text = fmt::format(format, std::forward<A>(args)...);
    mix_time();
    mix(text);
    if (log_) fmt::print("{:9.3f} {}\n", seconds(), text);
  }
  double seconds() const { return static_cast<double>((clock_.monotonic() - Monotonic{}).count()) / 1e9 - 1; }
  bool logs() const { return log_; }
  uint64_t hash() const { return hash_; }

 private:
  SimClock& clock_;
  bool log_;
  uint64_t hash_ = 0xcbf29ce484222325ull;
};

}  // namespace drover::sim
