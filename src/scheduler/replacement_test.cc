// Whole evaluations around updates, drains and failures: the rest of reference scheduler 18.1.
#include <gtest/gtest.h>

#include "scheduler/testing.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

using namespace testing;

Job with_command(Job j) {
  j.TaskGroups[0].Tasks[0].Config["command"] = "/bin/other";
  return j;
}

void fail(Allocation& a, Duration ago = 10s) {
  a.ClientStatus = alloc_client::kFailed;
  a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = kNow - ago};
}

TEST(Replace, G9DistinctPropertyOfOneGroupOnly) {
  Harness h;
  h.add_nodes(2, [](Node& n, size_t i) { n.Meta["ssd"] = std::to_string(i); });
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  j.TaskGroups[0].Constraints.push_back({.LTarget = "${meta.ssd}", .Operand = "distinct_property"});
  auto other = make_job().TaskGroups[0];
  other.Name = "other";
  other.Count = 1;
  j.TaskGroups.push_back(other);
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 3u);
  EXPECT_TRUE(h.created.empty());
  std::set<Uuid> nodes;
  for (auto& a : h.placed())
    if (a->TaskGroup == "web") nodes.insert(a->NodeID);
  EXPECT_EQ(nodes.size(), 2u);
}

TEST(Replace, G33DatacenterLeft) {
  Harness h;
  auto nodes = h.add_nodes(3, [](Node& n, size_t i) { n.Datacenter = fmt::format("dc{}", i + 1); });
  auto j = make_job();
  j.TaskGroups[0].Count = 3;
  j.Datacenters = {"dc1", "dc2", "dc3"};
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, nodes, 3);
  j.TaskGroups[0].Count = 4;
  j.Datacenters = {"dc1", "dc2"};
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.stopped().size(), 1u);
  EXPECT_EQ(h.stopped()[0]->ID, ids[2]);
  EXPECT_EQ(h.placed().size(), 4u);
  EXPECT_EQ(h.fresh().size(), 2u);
  for (auto& a : h.placed()) EXPECT_NE(a->NodeID, nodes[2]);
}

TEST(Replace, G40AllocationsOfBefore09AreUpdatedInPlace) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_min_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 1, [](Allocation& a, size_t) {
    a.AllocatedResources = nullptr;
    a.TaskResources["t"] = Resources{.CPU = 100, .MemoryMB = 100};
    a.SharedResources = Resources{.DiskMB = 150};
  });
  j.TaskGroups[0].Tasks[0].KillTimeout = 9s;
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.stopped().empty());
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.placed()[0]->AllocatedResources->Tasks.at("t").Cpu.CpuShares, 100);
}

TEST(Replace, G41DistinctPropertyAcrossADestructiveUpdate) {
  Harness h;
  auto nodes = h.add_nodes(10, [](Node& n, size_t i) { n.Meta["rack"] = fmt::format("rack{}", i); });
  auto j = make_job();
  j.TaskGroups[0].Count = 11;
  j.Constraints.push_back({.LTarget = "${meta.rack}", .Operand = "distinct_property"});
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 4);
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.fresh().size(), 10u);
  std::set<Uuid> used;
  for (auto& a : h.fresh()) used.insert(a->NodeID);
  EXPECT_EQ(used.size(), 10u);
  EXPECT_EQ(h.created.size(), 1u);
}

TEST(Replace, G44EveryReplacementNamesWhatItReplaced) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, nodes, 10);
  j.TaskGroups[0].Count = 12;
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  std::set<Uuid> previous;
  for (auto& a : h.fresh())
    if (a->PreviousAllocation) previous.insert(a->PreviousAllocation);
  EXPECT_EQ(h.fresh().size(), 12u);
  EXPECT_EQ(previous, std::set<Uuid>(ids.begin(), ids.end()));
}

TEST(Replace, G60G62DrainWithNowhereToGo) {
  for (bool sticky : {false, true}) {
    Harness h;
    auto nodes = h.add_nodes(1, [](Node& n, size_t) { drain(n); });
    auto j = make_job();
    j.TaskGroups[0].Count = 2;
    j.TaskGroups[0].EphemeralDisk->Sticky = sticky;
    auto job = h.add_job(j);
    h.add_allocs(job, nodes, 2, [](Allocation& a, size_t) { a.DesiredTransition.Migrate = true; });
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    EXPECT_EQ(h.stopped().size(), 2u);
    EXPECT_TRUE(h.fresh().empty());
    EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 2);
  }
}

TEST(Replace, G63AllocStopDuringACanaryUpdate) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].Update = UpdateStrategy{.MaxParallel = 1, .Canary = 1};
  auto job = h.add_job(j);
  auto d = make_deployment(*job, deployment_status::kSuccessful);
  d.TaskGroups["web"] = {.Promoted = false, .DesiredTotal = 1, .PlacedAllocs = 1, .HealthyAllocs = 1};
  h->put(d);
  h.add_allocs(job, nodes, 1, [&](Allocation& a, size_t) {
    a.DeploymentID = d.ID;
    a.DesiredTransition.Migrate = true;
  });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kAllocStop)), "");
  ASSERT_EQ(h.plans.size(), 1u);
  EXPECT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.stopped().size(), 1u);
}

TEST(Replace, G66NextAllocationIsNotResurrected) {
  Harness h;
  auto nodes = h.add_nodes(3);
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 3, [&](Allocation& a, size_t i) {
    if (i == 2) a.Name = alloc_name(job->ID, "web", 1);
    if (i == 1) a.NextAllocation = make_id();
  });
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.stopped().size(), 3u);
  EXPECT_EQ(h.fresh().size(), 2u);
}

TEST(Replace, G69G71AttemptsEnd) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  j.TaskGroups[0].ReschedulePolicy =
      ReschedulePolicy{.Attempts = 3, .Interval = 30min, .Delay = 5s, .DelayFunction = "constant"};
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, nodes, 2);
  auto failing = ids[1];
  for (size_t attempt = 1; attempt <= 4; ++attempt) {
    auto a = *h->alloc(failing);
    fail(a);
    h->put(a);
    h.plans.clear();
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    EXPECT_EQ(h.fresh().size(), attempt <= 3 ? 1u : 0u) << attempt;
    if (attempt > 3) break;
    auto next = h.fresh()[0]->ID;
    EXPECT_EQ(h.fresh()[0]->RescheduleTracker->Events.size(), attempt);
    EXPECT_EQ(h->alloc(failing)->NextAllocation, next);
    failing = next;
  }
  EXPECT_EQ(h->allocs.size(), 5u);
}

TEST(Replace, G74G75FailuresWithinADeployment) {
  for (bool running : {true, false}) {
    Harness h;
    auto nodes = h.add_nodes(10);
    auto j = make_job();
    j.TaskGroups[0].Count = 2;
    j.TaskGroups[0].Update = UpdateStrategy{.MaxParallel = 2};
    auto job = h.add_job(j);
    auto d = make_deployment(*job, running ? deployment_status::kRunning : deployment_status::kFailed);
    d.TaskGroups["web"] = {.DesiredTotal = 2, .PlacedAllocs = 2};
    h->put(d);
    h.add_allocs(job, nodes, 2, [&](Allocation& a, size_t i) {
      a.DeploymentID = d.ID;
      if (i == 0) return;
      fail(a);
      if (running) a.DesiredTransition.Reschedule = true;
    });
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    EXPECT_EQ(h.fresh().size(), running ? 1u : 0u);
    EXPECT_EQ(h.plans.empty(), !running);
  }
}

TEST(Replace, G79FinishedBatchWorkOnALostNodeKeepsItsName) {
  Harness h;
  auto nodes = h.add_nodes(2);
  auto down = h.add_nodes(1, [](Node& n, size_t) { n.Status = node_status::kDown; });
  auto j = make_batch_job();
  j.TaskGroups[0].Count = 3;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 2);
  auto done = make_alloc(job, down[0], 1);
  done.DesiredStatus = alloc_desired::kStop;
  done.ClientStatus = alloc_client::kComplete;
  h->put(done);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.fresh().size(), 1u);
  EXPECT_EQ(h.fresh()[0]->Name.str(), alloc_name(job->ID, "web", 2));
}

TEST(Replace, G82ToG85BatchVersions) {
  {  // in-place change, all complete at the same version
    Harness h;
    auto nodes = h.add_nodes(10);
    auto j = make_batch_job();
    auto job = h.add_job(j);
    h.add_allocs(job, nodes, 10, [](Allocation& a, size_t) {
      a.ClientStatus = alloc_client::kComplete;
      a.TaskStates["web"] = TaskState{.State = "dead"};
    });
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_TRUE(h.plans.empty());
  }
  for (bool running : {true, false}) {  // old version on a drained node
    Harness h;
    auto drained = h.add_nodes(1, [](Node& n, size_t) { drain(n); });
    auto free = h.add_nodes(1);
    auto j = make_batch_job();
    j.TaskGroups[0].Count = 1;
    auto job = h.add_job(j);
    h.add_allocs(job, drained, 1, [&](Allocation& a, size_t) {
      if (running) return;
      a.ClientStatus = alloc_client::kComplete;
      a.TaskStates["web"] = TaskState{.State = "dead"};
    });
    if (running) job = h.update_job(with_command(j));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.stopped().size(), running ? 1u : 0u);
    EXPECT_EQ(h.fresh().size(), running ? 1u : 0u);
  }
}

TEST(Replace, ReconnectAndInPlaceUpdateAreOneChange) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_min_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].MaxClientDisconnect = 5min;
  auto job = h.add_job(j);
  auto same = j;
  same.JobModifyIndex = same.ModifyIndex = 500;
  same.TaskGroups[0].Tasks[0].KillTimeout = 9s;
  auto ids = h.add_allocs(job, nodes, 1, [](Allocation& a, size_t) {
    a.AllocStates.push_back({kAllocStateClientStatus, "unknown", kNow - 1min});
  });
  job = h.add_job(same);
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kReconnect)), "");
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_FALSE(needs_to_reconnect(*h->alloc(ids[0])));
  EXPECT_EQ(h->alloc(ids[0])->Job, job);
}

// --- the plan applier's judgement ---

TEST(PlanApply, Verdicts) {
  struct Case {
    const char* name;
    std::function<void(Harness&, Plan&, const Uuid&)> change;
    std::string why;
  };
  const Case cases[] = {
      {"fits", [](Harness&, Plan&, const Uuid&) {}, ""},
      {"gone", [](Harness& h, Plan&, const Uuid& n) { h->nodes.erase(n); }, "node does not exist"},
      {"down", [](Harness& h, Plan&, const Uuid& n) { h.change_node(n, [](Node& x) { x.Status = "down"; }); },
       "node is not ready for placements"},
      {"disconnected", [](Harness& h, Plan&, const Uuid& n) { h.change_node(n, [](Node& x) { x.Status = "disconnected"; }); },
       "node is disconnected and contains invalid updates"},
      {"ineligible",
       [](Harness& h, Plan&, const Uuid& n) {
         h.change_node(n, [](Node& x) { x.SchedulingEligibility = node_eligibility::kIneligible; });
       },
       "node is not eligible"},
      {"filled meanwhile",
       [](Harness& h, Plan&, const Uuid& n) {
         auto j = make_min_job();
         j.TaskGroups[0].Tasks[0].Resources->CPU = 3800;
         h.add_allocs(h.add_job(j), {n}, 1);
       },
       "cpu"},
      {"port taken meanwhile",
       [](Harness& h, Plan& p, const Uuid& n) {
         auto a = make_alloc(h.add_job(make_min_job()), n, 0);
         AllocatedResources r;
         r.Shared.Ports = p.NodeAllocation.begin()->second[0]->AllocatedResources->Shared.Ports;
         a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
         h->put(a);
       },
       "reserved alloc port collision"},
  };
  for (auto& c : cases) {
    Harness h;
    auto nodes = h.add_nodes(1);
    auto j = make_job();
    j.TaskGroups[0].Count = 1;
    auto job = h.add_job(j);
    auto out = schedule(std::make_shared<MemState>(*h.state), make_eval(*job), {}, kNow, 1);
    ASSERT_TRUE(out);
    c.change(h, out->Plan, nodes[0]);
    auto judged = evaluate_plan(*h.state, out->Plan);
    if (c.why.empty()) {
      EXPECT_TRUE(judged.rejections.empty()) << c.name;
      EXPECT_EQ(judged.result.RefreshIndex, 0u);
      continue;
    }
    ASSERT_EQ(judged.rejections.size(), 1u) << c.name;
    EXPECT_TRUE(judged.rejections[0].second.starts_with(c.why)) << judged.rejections[0].second;
    EXPECT_TRUE(judged.result.NodeAllocation.empty());
    EXPECT_EQ(judged.result.RefreshIndex, h->at);
    EXPECT_TRUE(judged.result.RejectedNodes.contains(nodes[0].str()));
  }
}

TEST(PlanApply, PartialAndAllAtOnce) {
  for (bool all_at_once : {false, true}) {
    Harness h;
    auto nodes = h.add_nodes(2);
    auto j = make_job();
    j.TaskGroups[0].Count = 2;
    j.AllAtOnce = all_at_once;
    j.Constraints.push_back({.Operand = "distinct_hosts"});
    j.TaskGroups[0].Update = UpdateStrategy{.MaxParallel = 1};
    auto job = h.add_job(j);
    auto out = schedule(std::make_shared<MemState>(*h.state), make_eval(*job), {}, kNow, 1);
    ASSERT_TRUE(out->Plan.Deployment);
    h->nodes.erase(nodes[0]);
    auto r = evaluate_plan(*h.state, out->Plan).result;
    EXPECT_EQ(r.NodeAllocation.size(), all_at_once ? 0u : 1u);
    EXPECT_EQ(static_cast<bool>(r.Deployment), !all_at_once);
    EXPECT_FALSE(full_commit(out->Plan, r).full);
  }
}

// The evaluation goes on with what was refused, on the newer state.
TEST(PlanApply, RefusedPartIsTriedAgain) {
  Harness h;
  auto nodes = h.add_nodes(2);
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  j.Constraints.push_back({.Operand = "distinct_hosts"});
  auto job = h.add_job(j);
  EvalProcess process(make_eval(*job), {}, 1);
  auto step = process.start(std::make_shared<MemState>(*h.state), nullptr, kNow);
  ASSERT_TRUE(step);
  auto replacement = h.add_nodes(1);
  h->nodes.erase(nodes[0]);
  auto judged = evaluate_plan(*h.state, step->Plan);
  ASSERT_NE(judged.result.RefreshIndex, 0u);
  h->apply(judged.result, job);
  step = process.result(judged.result, std::make_shared<MemState>(*h.state), nullptr, kNow);
  ASSERT_TRUE(step);
  ASSERT_EQ(step->kind, Step::Kind::kSubmit);
  auto again = Harness::all(step->Plan.NodeAllocation);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0]->NodeID, replacement[0]);
  judged = evaluate_plan(*h.state, step->Plan);
  step = process.result(judged.result, std::make_shared<MemState>(*h.state), nullptr, kNow);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Step::Kind::kDone);
  EXPECT_EQ(step->eval.Status, "complete");
  EXPECT_EQ(step->eval.QueuedAllocations.at("web"), 0);
}

// An id that comes again would overwrite the allocation that has it.
TEST(PlanApply, EachPassGivesNewIds) {
  Harness h;
  h.add_nodes(4);
  auto j = make_job();
  j.TaskGroups[0].Count = 12;
  auto job = h.add_job(j);
  EvalProcess process(make_eval(*job), {}, 1);
  auto step = process.start(std::make_shared<MemState>(*h.state), nullptr, kNow);
  std::set<Uuid> seen;
  for (int pass = 0; pass < 8; ++pass) {
    ASSERT_TRUE(step);
    ASSERT_EQ(step->kind, Step::Kind::kSubmit);
    for (auto& a : Harness::all(step->Plan.NodeAllocation)) EXPECT_TRUE(seen.insert(a->ID).second) << "pass " << pass;
    // One of the plan's allocations is granted, the rest is refused.
    PlanResult granted;
    granted.RefreshIndex = h->at;
    for (auto& [node, allocs] : step->Plan.NodeAllocation) {
      granted.NodeAllocation[node].push_back(allocs[0]);
      break;
    }
    h->apply(granted, job);
    step = process.result(granted, std::make_shared<MemState>(*h.state), nullptr, kNow);
  }
}

}  // namespace
}  // namespace drover::scheduler
