// The planner's pipeline: plans judged on each other while entries are on their way, one entry for several plans.
#include "server/planner.h"

#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "model/status.h"
#include "state/alloc_ops.h"
#include "state/fixtures.h"
#include "state/job_ops.h"
#include "state/node_ops.h"

namespace drover::server {
namespace {

using state::fixtures::uid;

// A log that commits when it is told to.
class PlannerTest : public ::testing::Test {
 protected:
  struct Flying {
    std::vector<PlanEntry> entries;
    Promise<Result<PlanCommit>> done;
  };

  PlannerTest() {
    write([](state::Txn& t) { return state::upsert_job(t, state::fixtures::job("web")); });
    for (uint64_t n : {1, 2}) {
      write([&](state::Txn& t) {
        auto node = state::fixtures::node(n);
        auto& r = node.NodeResources.ensure();
        r.Cpu.CpuShares = 1000;
        r.Memory.MemoryMB = 8192;
        r.Disk.DiskMB = 100'000;
        return state::upsert_node(t, std::move(node));
      });
    }
    planner.emplace(PlannerParts{.world = sim.world, .store = store, .commit = [this](std::vector<PlanEntry> entries) { return fly(std::move(entries)); }, .sign = {}});
  }
  void write(const std::function<Status(state::Txn&)>& change) {
    auto txn = store.begin(store.snapshot().index() + 1, sim.clock.now());
    auto done = change(txn);
    ASSERT_TRUE(done) << done.error().message;
    store.publish(std::move(txn));
  }
  Async<Result<PlanCommit>> fly(std::vector<PlanEntry> entries) {
    auto& f = flying.emplace_back(Flying{std::move(entries), {}});
    auto done = f.done;
    co_return co_await done;
  }
  // Lets the oldest entry in flight arrive.
  void land() {
    ASSERT_FALSE(flying.empty());
    auto f = std::move(flying.front());
    flying.erase(flying.begin());
    PlanCommit result;
    for (auto& e : f.entries)
      write([&](state::Txn& t) { return state::apply_plan_results(t, *e); });
    result.index = store.snapshot().index();
    if (f.entries.size() > 1) result.parts.resize(f.entries.size());
    f.done.set(result);
    sim.loop.run_ready();
  }

  // 500 MHz each: a node of 1000 takes two.
  Plan plan(uint64_t first, uint64_t node, int count = 1, int64_t priority = 50) {
    Plan p;
    p.Priority = priority;
    p.Job = store.snapshot().jobs().get("default", "web");
    p.SnapshotIndex = store.snapshot().index();
    for (int i = 0; i < count; ++i) {
      auto a = state::fixtures::alloc(first + static_cast<uint64_t>(i), p.Job, uid(node), Uuid{});
      a.EvalID = Uuid{};
      p.NodeAllocation[uid(node).str()].push_back(std::make_shared<const Allocation>(std::move(a)));
    }
    return p;
  }
  using Answer = std::optional<Result<PlanResult>>;
  std::shared_ptr<Answer> submit(Plan p) {
    auto out = std::make_shared<Answer>();
    flows.emplace_back([](Planner& planner, Ref<Plan> p, std::shared_ptr<Answer> out) -> Async<void> {
      *out = co_await planner.submit(std::move(p));
    }(*planner, std::make_shared<Plan>(std::move(p)), out));
    return out;
  }
  // Judges what waits; commits nothing.
  void settle() { sim.loop.run_ready(); }
  static size_t placed(const Answer& a) {
    size_t n = 0;
    for (auto& [node, allocs] : (*a)->NodeAllocation) n += allocs.size();
    return n;
  }

  SimWorld sim{3};
  state::Store store;
  std::vector<Flying> flying;
  std::optional<Planner> planner;
  std::vector<Running> flows;
};

TEST_F(PlannerTest, APlanIsAnsweredWhenItIsCommitted) {
  auto a = submit(plan(100, 1));
  settle();
  EXPECT_FALSE(*a);
  land();
  ASSERT_TRUE(*a && **a);
  EXPECT_EQ(placed(*a), 1u);
  EXPECT_EQ((**a)->AllocIndex, store.snapshot().index());
  EXPECT_EQ((**a)->RefreshIndex, 0u);
}

TEST_F(PlannerTest, WhatComesWhileAnEntryIsOnItsWaySharesTheNext) {
  auto a = submit(plan(100, 1));
  settle();
  auto b = submit(plan(110, 1)), c = submit(plan(120, 2));
  settle();
  ASSERT_EQ(flying.size(), 1u);  // one entry at a time
  EXPECT_EQ(flying[0].entries.size(), 1u);
  land();
  ASSERT_EQ(flying.size(), 1u);
  EXPECT_EQ(flying[0].entries.size(), 2u);
  EXPECT_FALSE(*b);
  land();
  for (auto& answer : {a, b, c}) {
    ASSERT_TRUE(*answer && **answer);
    EXPECT_EQ(placed(*answer), 1u);
  }
}

TEST_F(PlannerTest, APlanIsJudgedOnTheOnesBeforeIt) {
  auto a = submit(plan(100, 1, 2));  // fills the node
  settle();
  auto b = submit(plan(110, 1));
  settle();
  EXPECT_FALSE(*b);  // refused because of what is not in the state yet: the answer waits for it
  land();
  ASSERT_TRUE(*b && **b);
  EXPECT_EQ(placed(*b), 0u);
  EXPECT_EQ((**b)->RejectedNodes.size(), 1u);
  // Whoever tries again there sees what filled it.
  EXPECT_GE(store.snapshot().index(), (**b)->RefreshIndex);
  EXPECT_GE((**b)->RefreshIndex, (**a)->AllocIndex);
}

TEST_F(PlannerTest, AnEntryThatFailsTakesBackWhatWasJudgedOnIt) {
  auto a = submit(plan(100, 1, 2));
  settle();
  auto b = submit(plan(110, 1, 2)), c = submit(plan(120, 1));
  settle();
  auto f = std::move(flying.front());
  flying.clear();
  f.done.set(Error(ErrorCode::kNoLeader, "leadership lost while committing log"));
  settle();
  ASSERT_TRUE(*a);
  EXPECT_FALSE(**a);
  land();  // the second, judged again on a state without the first
  ASSERT_TRUE(*b && **b);
  EXPECT_EQ(placed(*b), 2u);
  settle();
  ASSERT_TRUE(*c && **c);
  EXPECT_EQ(placed(*c), 0u);
}

TEST_F(PlannerTest, ANodeThatGoesMeanwhileGetsNothing) {
  auto a = submit(plan(100, 1));
  settle();
  auto b = submit(plan(110, 2));
  settle();
  write([](state::Txn& t) { return state::update_node_status(t, uid(2), node_status::kDown, 1, nullptr); });
  land();
  settle();
  ASSERT_TRUE(*b && **b);
  EXPECT_EQ(placed(*b), 0u);
  EXPECT_EQ((**b)->RejectedNodes.size(), 1u);
}

TEST_F(PlannerTest, NodesThatKeepChangingDoNotHoldAPlanForever) {
  constexpr uint64_t kRounds = 6;
  auto add = [&](uint64_t n, int64_t disk) {
    write([&](state::Txn& t) {
      auto node = state::fixtures::node(n);
      auto& r = node.NodeResources.ensure();
      r.Cpu.CpuShares = 1000;
      r.Memory.MemoryMB = 8192;
      r.Disk.DiskMB = disk;
      return state::upsert_node(t, std::move(node));
    });
  };
  for (uint64_t i = 0; i < kRounds; ++i) add(10 + i, 100'000);
  auto first = submit(plan(100, 1));
  settle();
  auto b = submit(plan(200, 2));
  uint64_t round = 0;
  for (; round < kRounds && !*b; ++round) {
    settle();
    submit(plan(300 + round, 10 + round));  // there is always another entry to wait for
    settle();
    add(2, 90'000 + static_cast<int64_t>(round));
    land();
  }
  EXPECT_LE(round, 4u);
  ASSERT_TRUE(*b && **b);
  EXPECT_EQ(placed(*b), 1u);
}

TEST_F(PlannerTest, WhoNeedsTheRoomOfAnotherDoesNotShareItsEntry) {
  auto full = submit(plan(100, 1, 2));
  settle();
  land();
  auto first = submit(plan(200, 2));
  settle();
  Plan stops;
  stops.Priority = 50;
  stops.Job = store.snapshot().jobs().get("default", "web");
  auto stopped = *store.snapshot().allocs().get(uid(100));
  stopped.DesiredStatus = "stop";
  stops.NodeUpdate[uid(1).str()].push_back(std::make_shared<const Allocation>(stopped));
  auto b = submit(stops);
  settle();
  auto c = submit(plan(300, 1));
  settle();
  land();
  ASSERT_EQ(flying.size(), 1u);
  EXPECT_EQ(flying[0].entries.size(), 1u);
  land();
  ASSERT_EQ(flying.size(), 1u);
  land();
  ASSERT_TRUE(*c && **c);
  EXPECT_EQ(placed(*c), 1u);
}

TEST_F(PlannerTest, ANodeThatIsRejectedTooOftenIsMarkedIneligible) {
  planner.emplace(PlannerParts{.world = sim.world, .store = store, .commit = [this](std::vector<PlanEntry> entries) { return fly(std::move(entries)); },
                               .sign = {}, .rejections = {.enabled = true, .threshold = 2, .window = 5min}});
  auto full = submit(plan(100, 1, 2));
  settle();
  land();
  auto b = submit(plan(110, 1));
  settle();
  ASSERT_TRUE(*b && **b);
  EXPECT_TRUE((**b)->IneligibleNodes.empty());
  EXPECT_TRUE(flying.empty()) << "nothing to write";
  auto c = submit(plan(120, 1));
  settle();
  ASSERT_EQ(flying.size(), 1u) << "that the node is out is written, though nothing is placed";
  EXPECT_EQ(flying[0].entries[0]->IneligibleNodes.size(), 1u);
  land();
  ASSERT_TRUE(*c && **c);
  EXPECT_EQ((**c)->IneligibleNodes, List<std::string>{uid(1).str()});
  EXPECT_EQ(placed(*c), 0u);
  auto node = store.snapshot().nodes().get(uid(1));
  EXPECT_EQ(node->SchedulingEligibility, "ineligible");
  auto d = submit(plan(130, 2));
  settle();
  land();
  ASSERT_TRUE(*d && **d);
  EXPECT_EQ(placed(*d), 1u) << "others are as they were";
}

TEST_F(PlannerTest, HigherPriorityGoesFirst) {
  auto a = submit(plan(100, 1));
  auto low = submit(plan(110, 2, 2, 20)), high = submit(plan(120, 2, 2, 90));
  settle();
  land();
  land();
  settle();
  ASSERT_TRUE(*high && **high && *low && **low);
  EXPECT_EQ(placed(*high), 2u);
  EXPECT_EQ(placed(*low), 0u);
}

TEST_F(PlannerTest, WhoeverWaitsIsToldWhenThePlannerGoes) {
  auto a = submit(plan(100, 1));
  settle();
  auto b = submit(plan(110, 1)), c = submit(plan(120, 1));
  planner.reset();
  for (auto& answer : {a, b, c}) {
    ASSERT_TRUE(*answer);
    ASSERT_FALSE(**answer);
    EXPECT_EQ((**answer).error().message, "plan queue flushed");
  }
}

}  // namespace
}  // namespace drover::server
