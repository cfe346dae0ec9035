// Whole evaluations when nodes go away and come back: reference scheduler 18.1, "Nodes", and the rest of 18.1 that no
// other file names.
#include <gtest/gtest.h>

#include "scheduler/testing.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

using namespace testing;

void down(Node& n) { n.Status = node_status::kDown; }

TEST(Outage, G3G4MemoryMaxOfATaskThatHasNone) {
  for (bool on : {true, false}) {
    Harness h;
    h.add_nodes(1);
    SchedulerConfiguration c;
    c.MemoryOversubscriptionEnabled = on;
    h->config = std::make_shared<SchedulerConfiguration>(c);
    auto j = make_min_job();
    j.TaskGroups[0].Count = 1;
    j.TaskGroups[0].Tasks[0].Resources->MemoryMB = 200;
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    auto& r = *h.placed().at(0)->AllocatedResources;
    EXPECT_EQ(r.Tasks.at("t").Memory.MemoryMaxMB, 0);
    // The sum takes what is reserved instead.
    EXPECT_EQ(comparable(r).usage.MemoryMaxMB, 200);
  }
}

TEST(Outage, G18BlockedForPlanAttemptsWithNothingToDo) {
  Harness h;
  auto j = make_job();
  j.TaskGroups[0].Count = 0;
  auto job = h.add_job(j);
  auto eval = make_eval(*job, eval_trigger::kMaxPlans);
  eval.Status = eval_status::kBlocked;
  ASSERT_EQ(h.process(eval), "");
  EXPECT_TRUE(h.plans.empty());
  EXPECT_TRUE(h.reblocked.empty());
  ASSERT_EQ(h.updates.size(), 1u);
  EXPECT_EQ(h.updates[0].Status, "complete");
}

TEST(Outage, G50FailedOnADownNodeStaysFailed) {
  Harness h;
  auto gone = h.add_nodes(1, [](Node& n, size_t) { down(n); });
  auto free = h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, gone, 1, [](Allocation& a, size_t) {
    a.ClientStatus = alloc_client::kFailed;
    a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = kNow - 10s};
  });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.stopped().size(), 1u);
  EXPECT_EQ(h->alloc(ids[0])->DesiredStatus, "stop");
  EXPECT_EQ(h->alloc(ids[0])->ClientStatus, "failed");
  ASSERT_EQ(h.fresh().size(), 1u);
  EXPECT_EQ(h.fresh()[0]->NodeID, free[0]);
}

TEST(Outage, G51EvictedAndRunningIsLost) {
  Harness h;
  auto gone = h.add_nodes(1, [](Node& n, size_t) { down(n); });
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, gone, 1, [](Allocation& a, size_t) { a.DesiredStatus = alloc_desired::kEvict; });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  EXPECT_EQ(h->alloc(ids[0])->ClientStatus, "lost");
  EXPECT_EQ(h->alloc(ids[0])->DesiredDescription, text::kLost);
}

// The first pass notes when the allocation was lost; what follows is counted from there.
TEST(Outage, G53ToG55StopAfterDisconnectCountsFromTheNote) {
  Harness h;
  auto gone = h.add_nodes(1, [](Node& n, size_t) { down(n); });
  h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].StopAfterClientDisconnect = 1min;
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, gone, 1);
  auto eval = make_eval(*job, eval_trigger::kNodeUpdate);
  ASSERT_EQ(h.process(eval), "");
  auto& lost = *h->alloc(ids[0]);
  ASSERT_EQ(lost.AllocStates.size(), 1u);
  EXPECT_EQ(lost.AllocStates[0].Value, "lost");
  EXPECT_EQ(lost.AllocStates[0].Time, kNow);
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.created[0].Status, "pending");
  EXPECT_EQ(h.created[0].WaitUntil, kNow + 1min + 5s);  // and the task's kill_timeout
  EXPECT_TRUE(h.fresh().empty());

  auto follow_up = h.created[0];
  h.created.clear();
  h.now = kNow + 66s;
  ASSERT_EQ(h.process(follow_up), "");
  EXPECT_EQ(h.fresh().size(), 1u);
  EXPECT_TRUE(h.created.empty());
}

TEST(Outage, G57NodeUpdateWithNothingToChange) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto job = h.add_job(make_job());
  h.add_allocs(job, nodes, 10);
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  EXPECT_TRUE(h.plans.empty());
  EXPECT_EQ(h.updates[0].Status, "complete");
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
}

TEST(Outage, G59DrainedThenDown) {
  Harness h;
  auto gone = h.add_nodes(1, [](Node& n, size_t) {
    drain(n);
    down(n);
  });
  auto j = make_job();
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, gone, 10, [](Allocation& a, size_t i) {
    if (i >= 6) {
      a.ClientStatus = alloc_client::kComplete;
      a.TaskStates["web"] = TaskState{.State = "dead"};
      return;
    }
    a.DesiredTransition.Migrate = true;
    if (i < 4) a.DesiredStatus = alloc_desired::kStop;
  });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  std::set<Uuid> stopped;
  for (auto& s : h.stopped()) stopped.insert(s->ID);
  EXPECT_EQ(stopped, std::set<Uuid>(ids.begin(), ids.begin() + 6));
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(h->alloc(ids[i])->ClientStatus, "lost") << i;
  for (size_t i = 6; i < 10; ++i) EXPECT_EQ(h->alloc(ids[i])->ClientStatus, "complete") << i;
}

TEST(Outage, G64CanaryAndOldVersionLoseTheirNode) {
  Harness h;
  auto gone = h.add_nodes(1);
  auto j = make_job();
  j.Stable = true;
  j.TaskGroups[0].Count = 3;
  j.TaskGroups[0].Update = UpdateStrategy{.MaxParallel = 1, .Canary = 1};
  auto job = h.add_job(j);
  auto d = make_deployment(*job, deployment_status::kSuccessful);
  d.TaskGroups["web"] = {.DesiredTotal = 3};
  h->put(d);
  h.add_allocs(job, gone, 3, [&](Allocation& a, size_t) { a.DeploymentID = d.ID; });
  auto v1 = j;
  v1.Stable = false;
  v1.TaskGroups[0].Tasks[0].Config["command"] = "/bin/other";
  auto next = h.update_job(v1);
  ASSERT_EQ(h.process(make_eval(*next)), "");
  ASSERT_EQ(h.fresh().size(), 1u);
  ASSERT_TRUE(is_canary(*h.fresh()[0]));
  auto canary = h.fresh()[0]->ID;

  h.change_node(gone[0], [](Node& n) { down(n); });
  auto other = h.add_nodes(1);
  ASSERT_EQ(h.process(make_eval(*next, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.fresh().size(), 3u);
  for (auto& a : h.fresh()) {
    EXPECT_EQ(a->NodeID, other[0]);
    ASSERT_TRUE(a->Job);
    EXPECT_EQ(a->Job->Version, 0u);
    EXPECT_EQ(a->DeploymentID, d.ID);
    EXPECT_FALSE(is_canary(*a));
  }
  for (auto& a : h->allocs_by_node(gone[0])) EXPECT_EQ(a->DesiredStatus, "stop");
  EXPECT_EQ(h->alloc(canary)->ClientStatus, "lost");
}

// Which replacements take the driver's handle of a task over.
TEST(Outage, G67TaskHandles) {
  struct Case {
    const char* name;
    bool node_down, migrate, failed, handle, taken;
  };
  for (auto& c : {Case{"lost", true, false, false, true, true}, Case{"lost, no handle", true, false, false, false, false},
                  Case{"migrates", false, true, false, true, true},
                  Case{"migrates, no handle", false, true, false, false, false},
                  Case{"ended", false, false, true, true, false}}) {
    SCOPED_TRACE(c.name);
    Harness h;
    auto old = h.add_nodes(1, [&](Node& n, size_t) {
      if (c.node_down) down(n);
      if (c.migrate) drain(n);
    });
    h.add_nodes(1);
    auto j = make_job();
    j.TaskGroups[0].Count = 1;
    auto job = h.add_job(j);
    h.add_allocs(job, old, 1, [&](Allocation& a, size_t) {
      auto& task = a.TaskStates["web"];
      task.State = c.failed ? "dead" : "running";
      if (c.migrate) a.DesiredTransition.Migrate = true;
      if (c.failed) a.ClientStatus = alloc_client::kFailed, task.Failed = true, task.FinishedAt = kNow - 10s;
      if (c.handle) task.TaskHandle = TaskHandle{.Version = 1, .DriverState = {"remote"}};
    });
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    ASSERT_EQ(h.fresh().size(), 1u);
    auto& states = h.fresh()[0]->TaskStates;
    ASSERT_EQ(states.contains("web") && states.at("web").TaskHandle, c.taken);
    if (c.taken) EXPECT_TRUE(states.at("web").State.empty());  // the handle and nothing else
  }
}

TEST(Outage, G80FailedBatchWorkWaitsForANode) {
  Harness h;
  auto nodes = h.add_nodes(1, [](Node& n, size_t) { drain(n); });
  auto j = make_batch_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 1, [](Allocation& a, size_t) {
    a.ClientStatus = alloc_client::kFailed;
    a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = kNow - 10s};
  });
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.fresh().empty());
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 1);
}

}  // namespace
}  // namespace drover::scheduler
