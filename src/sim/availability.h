// Availability: where at most one server suffers at a time, writes go on: none is acknowledged for longer than a limit only
// when more is wrong than a minority.
#pragma once

#include <algorithm>
#include <optional>

#include "sim/oracle.h"
#include "sim/scenario.h"

namespace drover::sim {

class Availability {
 public:
  Availability(const Scenario& scenario, SimClock& clock, Report report)
      : clock_(clock), report_(std::move(report)), gentle_(scenario.gentle) {}

  void begin() { last_ = clock_.monotonic(); }
  void end() { last_.reset(); }
  void acknowledged() {
    if (!last_) return;
    longest_ = std::max(longest_, clock_.monotonic() - *last_);
    last_ = clock_.monotonic();
  }
  void look() {
    if (!gentle_ || !last_ || clock_.monotonic() - *last_ < kLimit) return;
    report_(fmt::format("no write was acknowledged for {}, and at most one server ails", format_duration(kLimit)));
    last_.reset();
  }
  Duration longest() const { return longest_; }  // between two acknowledged writes
  bool gentle() const { return gentle_; }

 private:
  // An election takes under 1 s, a caller's look for the new leader as long, and users write about every second.
  static constexpr Duration kLimit = std::chrono::seconds(8);
  SimClock& clock_;
  Report report_;
  bool gentle_;
  std::optional<Monotonic> last_;
  Duration longest_{};
};

}  // namespace drover::sim
