// Some seeds of the simulator, that it repeats itself, and that each of its checks bites. `./dev sim` runs more.
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/log.h"

namespace drover::sim {
namespace {

using namespace std::chrono_literals;

class Sim : public ::testing::Test {
 protected:
  Sim() { static_cast<void>(configure_log({.level = LogLevel::kOff})); }
};

TEST_F(Sim, SeedsAreClean) {
  Outcome sum;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    auto r = run({.seed = seed});
    for (auto& v : r.violations) ADD_FAILURE() << v << "\n./dev sim -seed " << seed << " -trace shows it";
    sum.add(r);
  }
  // It did work, and the faults came.
  EXPECT_GT(sum.writes, 500u);
  EXPECT_GT(sum.reads, 500u);
  EXPECT_GT(sum.terms, 10u);
  EXPECT_GT(sum.tasks_started, 50u);
  EXPECT_GT(sum.faults, 40u);
}

TEST_F(Sim, TheSameSeedIsTheSameRun) {
  Options o{.seed = 3, .chaos = 60s};
  auto a = run(o), b = run(o);
  EXPECT_EQ(a.trace_hash, b.trace_hash);
  EXPECT_EQ(a.pieces, b.pieces);
  o.seed = 4;
  EXPECT_NE(run(o).trace_hash, a.trace_hash);
}

// ---- each check bites

struct Planted {
  const char* name;
  Plant plant;
  const char* notice;  // in a violation
};

class SimNotices : public ::testing::TestWithParam<Planted> {
 protected:
  SimNotices() { static_cast<void>(configure_log({.level = LogLevel::kOff})); }
};

TEST_P(SimNotices, ThePlantedFault) {
  std::string said;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    auto r = run({.seed = seed, .plant = GetParam().plant});
    for (auto& v : r.violations) said += v + "\n";
    if (said.find(GetParam().notice) != std::string::npos) return;
  }
  FAIL() << "no check said \"" << GetParam().notice << "\":\n" << said;
}

INSTANTIATE_TEST_SUITE_P(Plants, SimNotices,
                         ::testing::Values(Planted{"AckBeforeCommit", Plant::kAckEarly, "was acknowledged with index"},
                                           Planted{"StaleReads", Plant::kStaleRead, "stale read"},
                                           Planted{"LyingDisk", Plant::kLyingDisk, "server"},
                                           Planted{"RunsWhatIsStopped", Plant::kRunStopped, "told to stop"},
                                           Planted{"StopsHealthyTask", Plant::kStopHealthy, "which is to run"},
                                           Planted{"RunsATaskTwice", Plant::kRunTwice, "while it runs on"},
                                           Planted{"StopsForNothing", Plant::kStopForNothing, "which is not so"},
                                           Planted{"GivesUpANode", Plant::kDeafNode, "is given up"},
                                           Planted{"LaunchesTwice", Plant::kLaunchTwice, "is launched twice"},
                                           Planted{"Overbooks", Plant::kOverbook, "more than it can hold"},
                                           Planted{"NoMajority", Plant::kNoMajority, "no write was acknowledged"},
                                           Planted{"StatesDiffer", Plant::kOtherState, "server 2"}),
                         [](auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace drover::sim
