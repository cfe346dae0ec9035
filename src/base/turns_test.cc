#include "base/turns.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

using namespace std::chrono_literals;

Monotonic at(Duration d) { return Monotonic(d); }

TEST(Turns, TheLongestIsToldWithWhatItWasLongestAt) {
  TurnMeter meter;
  meter.begin(at(0ms));
  meter.note(at(1ms), "a list");
  meter.note(at(9ms), "an entry");
  EXPECT_EQ(meter.end(at(12ms)), 12ms);
  EXPECT_EQ(meter.busy_with(), "a list");
  meter.begin(at(20ms));
  meter.note(at(20ms), "another");
  EXPECT_EQ(meter.end(at(25ms)), 5ms);
  auto stats = meter.take();
  EXPECT_EQ(stats.turns, 2u);
  EXPECT_EQ(stats.longest, 12ms);
  EXPECT_EQ(stats.busy_with, "a list");
  EXPECT_EQ(meter.take().longest, 0ms) << "each look begins anew";
}

TEST(Turns, WhatHasNoNameOrComesOutsideOfATurnIsNotLaidToAnother) {
  TurnMeter meter;
  meter.note(at(0ms), "before");
  meter.begin(at(1ms));
  meter.note(at(10ms), "short");
  meter.end(at(11ms));
  EXPECT_EQ(meter.take().busy_with, "");
  EXPECT_FALSE(meter.active());
}

TEST(Turns, ATurnThatIsExcusedCountsForNothing) {
  TurnMeter meter;
  meter.begin(at(0ms));
  meter.excuse();
  EXPECT_EQ(meter.end(at(900ms)), 0ms);
  meter.begin(at(900ms));
  EXPECT_EQ(meter.end(at(901ms)), 1ms);
  EXPECT_EQ(meter.take().longest, 1ms);
}

TEST(Turns, TheLatestTimerCounts) {
  TurnMeter meter;
  for (auto late : {2ms, 7ms, 3ms}) meter.timer_ran(late);
  EXPECT_EQ(meter.take().latest_timer, 7ms);
  EXPECT_EQ(meter.take().latest_timer, 0ms);
}

TEST(Turns, ATurnOfThisThread) {
  turn_meter().take();
  {
    Turn turn;
    EXPECT_TRUE(turn_meter().active());
    note_turn("something");
  }
  EXPECT_FALSE(turn_meter().active());
  EXPECT_EQ(turn_meter().take().turns, 1u);
}

}  // namespace
}  // namespace drover
