// What draining nodes call for.
#include "server/drain_rules.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/status.h"
#include "state/alloc_ops.h"
#include "state/fixtures.h"
#include "state/job_ops.h"
#include "state/node_ops.h"

namespace drover::server {
namespace {

using state::fixtures::at;
using state::fixtures::uid;

class DrainRules : public ::testing::Test {
 protected:
  // A node that drains; `deadline` as in the strategy.
  void draining(uint64_t n, Duration deadline, bool ignore_system = false) {
    auto node = state::fixtures::node(n);
    DrainStrategy s;
    s.Deadline = deadline;
    s.IgnoreSystemJobs = ignore_system;
    if (deadline > Duration::zero()) s.ForceDeadline = at(0) + deadline;
    node.DrainStrategy = s;
    rows_.nodes().upsert(std::move(node));
    nodes_.insert(uid(n));
  }
  Ref<Job> job(std::string id, int64_t count, int64_t max_parallel, std::string type = "service") {
    auto j = state::fixtures::job(std::move(id), std::move(type));
    j.TaskGroups[0].Count = count;
    if (max_parallel > 0) j.TaskGroups[0].Migrate.ensure().MaxParallel = max_parallel;
    auto ref = std::make_shared<const Job>(std::move(j));
    rows_.jobs().upsert(ref);
    return ref;
  }
  // "healthy", "young" (no health yet), "told", "gone" (client-terminal)
  void alloc(uint64_t n, const Ref<Job>& job, uint64_t on, std::string_view how) {
    auto a = state::fixtures::alloc(n, job, uid(on), uid(99));
    a.ClientStatus = how == "gone" ? alloc_client::kComplete : alloc_client::kRunning;
    if (how == "healthy" || how == "told") a.DeploymentStatus.ensure().Healthy = true;
    if (how == "told") a.DesiredTransition.Migrate = true;
    rows_.allocs().upsert(std::move(a));
  }
  DrainPass pass(Time now = at(1)) { return plan_drain(rows_.snapshot(), nodes_, now); }
  size_t told(Time now = at(1)) { return pass(now).migrate.size(); }
  std::string done(Time now = at(1)) {
    std::string out;
    for (auto& d : pass(now).done) out += d.node.str().substr(34) + (d.deadline_reached ? "! " : " ");
    return out;
  }

  state::Store store_;
  state::Txn rows_ = store_.begin(10, at(0));
  std::set<Uuid> nodes_;
};

TEST_F(DrainRules, AServiceGivesUpWhatItsMigrateBlockAllows) {
  draining(1, 1h);
  auto j = job("web", 4, 2);
  for (uint64_t n = 1; n <= 4; ++n) alloc(n, j, n <= 3 ? 1 : 2, "healthy");
  EXPECT_EQ(told(), 2u);
  EXPECT_EQ(done(), "");
}

TEST_F(DrainRules, WhatIsToldCountsUntilItsSuccessorIsHealthy) {
  draining(1, 1h);
  auto j = job("web", 3, 1);
  alloc(1, j, 1, "told");
  alloc(2, j, 1, "healthy");
  alloc(3, j, 1, "healthy");
  EXPECT_EQ(told(), 0u);
  alloc(4, j, 2, "young");
  EXPECT_EQ(told(), 0u);
  alloc(4, j, 2, "healthy");
  EXPECT_EQ(told(), 1u);
}

TEST_F(DrainRules, AllocationsWithoutHealthDoNotMakeRoom) {
  draining(1, 1h);
  auto j = job("web", 2, 1);
  alloc(1, j, 1, "young");
  alloc(2, j, 1, "young");
  EXPECT_EQ(told(), 0u);
}

TEST_F(DrainRules, BatchWorkIsWaitedForUntilTheDeadline) {
  draining(1, 60s);
  alloc(1, job("count", 1, 0, "batch"), 1, "healthy");
  EXPECT_EQ(told(), 0u);
  EXPECT_EQ(pass().wake_at, at(60));
  EXPECT_EQ(told(at(60)), 1u);
  EXPECT_EQ(done(at(60)), "01! ");
}

TEST_F(DrainRules, SystemWorkGoesLastAndMayStay) {
  auto sys = job("sys", 1, 0, "system");
  auto web = job("web", 1, 1);
  draining(1, 1h);
  alloc(1, sys, 1, "healthy");
  alloc(2, web, 1, "told");
  EXPECT_EQ(told(), 0u);
  alloc(2, web, 1, "gone");
  EXPECT_EQ(told(), 1u);
  EXPECT_EQ(done(), "01 ");
  draining(1, 1h, true);
  EXPECT_EQ(told(), 0u);
  EXPECT_EQ(done(), "01 ");
}

TEST_F(DrainRules, PluginsGoLastLikeSystemWork) {
  auto j = state::fixtures::job("storage");
  j.TaskGroups[0].Tasks[0].CSIPluginConfig.ensure().ID = "p";
  j.TaskGroups[0].Migrate.ensure().MaxParallel = 1;
  auto plugin = std::make_shared<const Job>(j);
  rows_.jobs().upsert(plugin);
  draining(1, 1h);
  auto web = job("web", 1, 1);
  alloc(1, plugin, 1, "healthy");
  alloc(2, web, 1, "young");
  EXPECT_EQ(told(), 0u);
  alloc(2, web, 1, "gone");
  EXPECT_EQ(told(), 1u);
}

TEST_F(DrainRules, ForceEndsAllPatience) {
  draining(1, -1s);
  auto j = job("web", 4, 1);
  for (uint64_t n = 1; n <= 4; ++n) alloc(n, j, 1, "young");
  EXPECT_EQ(told(), 4u);
  EXPECT_EQ(done(), "01! ");
}

TEST_F(DrainRules, WithoutADeadlineItWaitsForever) {
  draining(1, 0s);
  alloc(1, job("web", 1, 1), 1, "young");
  EXPECT_EQ(told(at(1'000'000)), 0u);
  EXPECT_FALSE(pass().wake_at);
}

TEST_F(DrainRules, DeadlinesThatAreCloseFireTogether) {
  auto j = job("web", 9, 1);
  uint64_t n = 0;
  for (auto deadline : {100s, 103s, 105s, 106s}) {
    draining(++n, deadline);
    alloc(n, j, n, "young");
  }
  EXPECT_EQ(pass().wake_at, at(105));
  EXPECT_EQ(pass(at(105)).done.size(), 3u);
}

TEST_F(DrainRules, AnEmptyNodeIsDoneAtOnce) {
  draining(1, 1h);
  draining(2, -1s);
  EXPECT_EQ(done(), "01 02 ");
}

}  // namespace
}  // namespace drover::server
