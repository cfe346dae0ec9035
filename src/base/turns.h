// How long a loop's turns take: what runs on the loop holds up all else that waits for it, heartbeats and the log included.
//
// The real loop begins and ends every turn; whoever does something that may take long names it with note_turn(). All of it is
// the calling thread's own: a loop has one thread, and what other threads note goes nowhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace drover {

struct TurnStats {
  uint64_t turns = 0;
  Duration longest{0};          // of a turn
  std::string_view busy_with;   // what the longest turn was longest at; empty: nothing that has a name
  Duration latest_timer{0};     // by how much a timer was late at worst: turns that follow each other add up
};

// Takes the times from outside, so that it can be tested. One thread.
class TurnMeter {
 public:
  void begin(Monotonic now) {
    active_ = true;
    excused_ = false;
    begun_ = noted_at_ = now;
    noted_ = busy_with_ = {};
    longest_part_ = Duration(0);
  }
  // What follows is `what` (it must live on: a literal, or the name in a table).
  void note(Monotonic now, std::string_view what) {
    if (!active_) return;
    end_part(now);
    noted_ = what;
  }
  // Nobody waits for this turn to end: it counts for nothing.
  void excuse() { excused_ = true; }
  // Returns how long the turn took; nothing of one that was excused.
  Duration end(Monotonic now) {
    active_ = false;
    end_part(now);
    auto took = excused_ ? Duration(0) : now - begun_;
    ++stats_.turns;
    if (took > stats_.longest) {
      stats_.longest = took;
      stats_.busy_with = busy_with_;
    }
    return took;
  }
  void timer_ran(Duration late) { stats_.latest_timer = std::max(stats_.latest_timer, late); }
  bool active() const { return active_; }
  std::string_view busy_with() const { return busy_with_; }  // of the last turn
  // Since the last call.
  TurnStats take() { return std::exchange(stats_, {}); }

 private:
  void end_part(Monotonic now) {
    if (now - noted_at_ >= longest_part_) {
      longest_part_ = now - noted_at_;
      busy_with_ = noted_;
    }
    noted_at_ = now;
  }

  bool active_ = false, excused_ = false;
  Monotonic begun_{}, noted_at_{};
  std::string_view noted_, busy_with_;
  Duration longest_part_{0};
  TurnStats stats_;
};

// The calling thread's.
TurnMeter& turn_meter();

// Names what this turn of the loop does from here on.
void note_turn(std::string_view what);

// One turn, from its making to its end. A long one is told of in the log.
class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
};

}  // namespace drover
