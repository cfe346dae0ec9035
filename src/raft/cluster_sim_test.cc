// A few seeds of the cluster simulator; raft_sim runs more.
#include "raft/sim/cluster_sim.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace drover::raft {
namespace {

class ClusterSim : public ::testing::Test {
 protected:
  ClusterSim() { static_cast<void>(configure_log({.level = LogLevel::kOff})); }
};

TEST_F(ClusterSim, IsSafeAndLive) {
  ClusterSimResult sum;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    auto r = run_cluster_sim({.seed = seed, .membership = seed % 3 != 0});
    for (auto& v : r.violations) ADD_FAILURE() << v;
    sum.commits += r.commits;
    sum.elections += r.elections;
    sum.crashes += r.crashes;
    sum.installs += r.installs;
    sum.reads += r.reads;
  }
  // The faults did happen and the cluster did work in between.
  EXPECT_GT(sum.commits, 15000u);
  EXPECT_GT(sum.elections, 60u);
  EXPECT_GT(sum.crashes, 50u);
  EXPECT_GT(sum.installs, 50u);
  EXPECT_GT(sum.reads, 500u);
}

TEST_F(ClusterSim, TheSameSeedGivesTheSameRun) {
  ClusterSimOptions o{.seed = 5, .chaos = std::chrono::seconds(5), .healed = std::chrono::seconds(1)};
  auto a = run_cluster_sim(o), b = run_cluster_sim(o);
  EXPECT_EQ(a.messages, b.messages);
  EXPECT_EQ(a.commits, b.commits);
}

// The simulator must see what it is there for.
TEST_F(ClusterSim, NoticesDisksThatLie) {
  int noticed = 0;
  for (uint64_t seed = 1; seed <= 3; seed++) noticed += !run_cluster_sim({.seed = seed, .membership = false, .lying_disk = true}).violations.empty();
  EXPECT_EQ(noticed, 3);
}

}  // namespace
}  // namespace drover::raft
