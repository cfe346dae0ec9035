// Whole evaluations of service and batch jobs: reference scheduler 18.1. The number of the scenario is in the name.
#include <gtest/gtest.h>

#include "scheduler/testing.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

using namespace testing;

std::multiset<std::string> names_of(const std::vector<Ref<Allocation>>& allocs) {
  std::multiset<std::string> names;
  for (auto& a : allocs) names.insert(a->Name.str());
  return names;
}

std::set<Uuid> nodes_of(const std::vector<Ref<Allocation>>& allocs) {
  std::set<Uuid> nodes;
  for (auto& a : allocs) nodes.insert(a->NodeID);
  return nodes;
}

Job with_command(Job j) {
  j.TaskGroups[0].Tasks[0].Config["command"] = "/bin/other";
  return j;
}

TEST(Generic, G1RegisterPlacesEveryAllocationUnderItsName) {
  Harness h;
  h.add_nodes(10);
  auto job = h.add_job(make_job());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.plans.size(), 1u);
  EXPECT_FALSE(h.plan().Annotations);
  EXPECT_TRUE(h.created.empty());
  std::multiset<std::string> expected;
  for (uint64_t i = 0; i < 10; ++i) expected.insert(alloc_name(job->ID, "web", i));
  EXPECT_EQ(names_of(h.placed()), expected);
  std::set<std::pair<Uuid, int64_t>> ports;
  for (auto& a : h.placed())
    for (auto& p : a->AllocatedResources->Shared.Ports) {
      EXPECT_TRUE(ports.emplace(a->NodeID, p.Value).second);
      EXPECT_GE(p.Value, kMinDynamicPort);
      EXPECT_LE(p.Value, kMaxDynamicPort);
    }
  EXPECT_EQ(ports.size(), 20u);
  ASSERT_EQ(h.updates.size(), 1u);
  EXPECT_EQ(h.updates[0].Status, "complete");
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
  auto& metrics = *h.placed()[0]->Metrics;
  EXPECT_EQ(metrics.NodesAvailable.at("dc1"), 10);
  EXPECT_EQ(metrics.ScoreMetaData.size(), 5u);
}

TEST(Generic, G2MemoryMaxNeedsOversubscription) {
  for (bool on : {true, false}) {
    Harness h;
    h.add_nodes(1);
    SchedulerConfiguration c;
    c.MemoryOversubscriptionEnabled = on;
    h->config = std::make_shared<SchedulerConfiguration>(c);
    auto j = make_min_job();
    j.TaskGroups[0].Count = 1;
    j.TaskGroups[0].Tasks[0].Resources->MemoryMB = 200;
    j.TaskGroups[0].Tasks[0].Resources->MemoryMaxMB = 300;
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    auto& r = *h.placed().at(0)->AllocatedResources;
    EXPECT_EQ(r.Tasks.at("t").Memory.MemoryMB, 200);
    EXPECT_EQ(r.Tasks.at("t").Memory.MemoryMaxMB, on ? 300 : 0);
    EXPECT_EQ(comparable(r).usage.MemoryMaxMB, on ? 300 : 200);
  }
}

TEST(Generic, G5StickyDiskKeepsEveryReplacementOnItsNode) {
  Harness h;
  h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].EphemeralDisk->Sticky = true;
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  auto first = h.placed();
  j.TaskGroups[0].Tasks[0].Resources->CPU += 10;
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.fresh().size(), 10u);
  for (auto& a : h.fresh()) {
    auto previous = h->alloc(a->PreviousAllocation);
    ASSERT_TRUE(previous);
    EXPECT_EQ(previous->NodeID, a->NodeID);
  }
}

TEST(Generic, G6OneFullNodeBlocksTheRest) {
  Harness h;
  h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  j.TaskGroups[0].EphemeralDisk->SizeMB = 88 * 1024;
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 1u);
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.created[0].Status, "blocked");
  EXPECT_EQ(h.created[0].TriggeredBy, "queued-allocs");
  EXPECT_EQ(h.updates[0].BlockedEval, h.created[0].ID);
  EXPECT_EQ(h.updates[0].FailedTGAllocs.at("web").DimensionExhausted.at("disk"), 1);
}

TEST(Generic, G7DistinctHosts) {
  Harness h;
  h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Count = 11;
  j.Constraints.push_back({.Operand = "distinct_hosts"});
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 10u);
  EXPECT_EQ(nodes_of(h.placed()).size(), 10u);
  EXPECT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.updates[0].FailedTGAllocs.size(), 1u);
  EXPECT_EQ(h.updates[0].FailedTGAllocs.at("web").ConstraintFiltered.at("distinct_hosts"), 10);
}

TEST(Generic, G8DistinctPropertyLimit) {
  Harness h;
  h.add_nodes(10, [](Node& n, size_t i) { n.Meta["rack"] = i % 2 ? "odd" : "even"; });
  auto j = make_job();
  j.TaskGroups[0].Count = 8;
  j.Constraints.push_back({.LTarget = "${meta.rack}", .RTarget = "2", .Operand = "distinct_property"});
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  std::map<std::string, int> racks;
  for (auto& a : h.placed()) ++racks[h->node(a->NodeID)->Meta.at("rack")];
  EXPECT_EQ(racks, (std::map<std::string, int>{{"even", 2}, {"odd", 2}}));
  ASSERT_EQ(h.created.size(), 1u);
  auto& filtered = h.updates[0].FailedTGAllocs.at("web").ConstraintFiltered;
  EXPECT_EQ(filtered.at("distinct_property: ${meta.rack}=even used by 2 allocs"), 5);
}

TEST(Generic, G10DistinctPropertyCountsAnUpdateInPlaceOnce) {
  Harness h;
  h.add_nodes(6);
  auto j = make_job();
  j.TaskGroups[0].Count = 3;
  j.Constraints.push_back({.LTarget = "${node.unique.id}", .Operand = "distinct_property"});
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  j.TaskGroups[0].Count = 6;
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 6u);
  EXPECT_EQ(h.fresh().size(), 3u);
  EXPECT_EQ(nodes_of(h.placed()).size(), 6u);
  EXPECT_EQ(h->allocs.size(), 6u);
}

TEST(Generic, G11SpreadOverTwoDatacentersIsExact) {
  for (int p = 100; p >= 10; p -= 10) {
    Harness h;
    h.add_nodes(10, [](Node& n, size_t i) {
      n.Datacenter = i % 2 ? "dc2" : "dc1";
      n.NodeResources->MinDynamicPort = 20000;
      n.NodeResources->MaxDynamicPort = 20005;
    });
    auto j = make_job();
    j.Datacenters = {"dc*"};
    Spread s{.Attribute = "${node.datacenter}", .Weight = 100};
    s.SpreadTarget.push_back({.Value = "dc1", .Percent = static_cast<uint8_t>(p)});
    if (p < 100) s.SpreadTarget.push_back({.Value = "dc2", .Percent = static_cast<uint8_t>(100 - p)});
    j.TaskGroups[0].Spreads = {s};
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    int dc1 = 0;
    for (auto& a : h.placed()) dc1 += h->node(a->NodeID)->Datacenter == "dc1";
    EXPECT_EQ(dc1, p / 10);
    EXPECT_EQ(h.placed().size(), 10u);
  }
}

TEST(Generic, G12EvenSpread) {
  Harness h;
  h.add_nodes(10, [](Node& n, size_t i) { n.Datacenter = i % 2 ? "dc2" : "dc1"; });
  auto j = make_job();
  j.Datacenters = {"dc1", "dc2"};
  j.TaskGroups[0].Spreads = {{.Attribute = "${node.datacenter}", .Weight = 100}};
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  int dc1 = 0;
  for (auto& a : h.placed()) dc1 += h->node(a->NodeID)->Datacenter == "dc1";
  EXPECT_EQ(dc1, 5);
}

TEST(Generic, G13AnnotatedPlan) {
  Harness h;
  h.add_nodes(10);
  auto job = h.add_job(make_job());
  auto eval = make_eval(*job);
  eval.AnnotatePlan = true;
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.plan().Annotations->DesiredTGUpdates.at("web"), (DesiredUpdates{.Place = 10}));
}

TEST(Generic, G14CountZeroNeedsNoPlan) {
  Harness h;
  h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Count = 0;
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.plans.empty());
  EXPECT_EQ(h.updates[0].Status, "complete");
}

TEST(Generic, G15NoNodes) {
  Harness h;
  auto job = h.add_job(make_job());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.plans.empty());
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.updates[0].BlockedEval, h.created[0].ID);
  auto& failed = h.updates[0].FailedTGAllocs.at("web");
  EXPECT_EQ(failed.CoalescedFailures, 9);
  EXPECT_FALSE(failed.NodesAvailable.is_nil());
  EXPECT_TRUE(failed.NodesAvailable.empty());
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 10);
  ASSERT_EQ(h.explanation.size(), 1u);
  EXPECT_EQ(h.explanation[0].Remedies[0].Kind, Remedy::kAddNodes);
}

TEST(Generic, G16BlockedEvalKnowsTheClasses) {
  Harness h;
  auto full = h.add_nodes(1, [](Node& n, size_t) {
    n.ReservedResources->Cpu.CpuShares = n.NodeResources->Cpu.CpuShares;
    n.ReservedResources->Memory.MemoryMB = n.NodeResources->Memory.MemoryMB;
  });
  auto windows = h.add_nodes(1, [](Node& n, size_t) { n.Attributes["kernel.name"] = "windows"; });
  auto job = h.add_job(make_job());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.created.size(), 1u);
  auto& classes = h.created[0].ClassEligibility;
  EXPECT_EQ(classes.size(), 2u);
  EXPECT_TRUE(classes.at(h->node(full[0])->ComputedClass));
  EXPECT_FALSE(classes.at(h->node(windows[0])->ComputedClass));
  EXPECT_FALSE(h.created[0].EscapedComputedClass);
  auto& failed = h.updates[0].FailedTGAllocs.at("web");
  EXPECT_EQ(failed.CoalescedFailures, 9);
  EXPECT_EQ(failed.NodesAvailable.at("dc1"), 2);
  EXPECT_EQ(failed.NodesFiltered, 1);
  EXPECT_EQ(failed.NodesExhausted, 1);
  // Without a configuration a second look, for preemption, follows; the class is known by then.
  EXPECT_EQ(failed.ConstraintFiltered.at("computed class ineligible"), 1);
  EXPECT_EQ(failed.ResourcesExhausted.at("web").CPU, 5000);
}

TEST(Generic, G17GroupsBoundToClasses) {
  Harness h;
  h.add_nodes(2, [](Node& n, size_t) { n.NodeClass = "class_0"; });
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  j.TaskGroups[0].Constraints.push_back({.LTarget = "${node.class}", .RTarget = "class_0", .Operand = "="});
  auto other = j.TaskGroups[0];
  other.Name = "web2";
  other.Constraints.back().RTarget = "class_1";
  j.TaskGroups.push_back(other);
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 2u);
  ASSERT_EQ(h.updates[0].FailedTGAllocs.size(), 1u);
  EXPECT_EQ(h.updates[0].FailedTGAllocs.at("web2").CoalescedFailures, 1);
  EXPECT_TRUE(h.updates[0].BlockedEval);
  // Dropping the one rule would do.
  ASSERT_FALSE(h.explanation.empty());
  EXPECT_EQ(h.explanation[0].Remedies[0],
            (Remedy{Remedy::kDropConstraint, "${node.class} = class_1", 0, 2, ""}));
}

TEST(Generic, G19QueuedCountsWhatIsLeft) {
  Harness h;
  h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 3;
  j.TaskGroups[0].Tasks[0].Resources->CPU = 3600;
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 2);
  ASSERT_EQ(h.explanation.size(), 1u);
  auto& remedy = h.explanation[0].Remedies.back();
  EXPECT_EQ(remedy.Kind, Remedy::kFreeResource);
  EXPECT_EQ(remedy.Subject, "cpu");
  EXPECT_EQ(remedy.Amount, 3600 * 2 - 3900);
}

TEST(Generic, G20G21BlockedEvalIsReblockedThenDone) {
  Harness h;
  auto job = h.add_job(make_job());
  auto eval = make_eval(*job);
  eval.Status = eval_status::kBlocked;
  ASSERT_EQ(h.process(eval), "");
  EXPECT_TRUE(h.created.empty());
  EXPECT_TRUE(h.updates.empty());
  ASSERT_EQ(h.reblocked.size(), 1u);
  EXPECT_EQ(h.reblocked[0].ID, eval.ID);
  h.add_nodes(10);
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.placed().size(), 10u);
  EXPECT_EQ(h.reblocked.size(), 1u);
  ASSERT_EQ(h.updates.size(), 1u);
  EXPECT_EQ(h.updates[0].Status, "complete");
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
}

Job lifecycle_job(int64_t cpu, int main, int init, int sidecar) {
  auto j = make_min_job();
  auto& g = j.TaskGroups[0];
  g.Count = 1;
  g.Tasks.clear();
  auto add = [&](const char* kind, int n, Box<TaskLifecycleConfig> lifecycle) {
    for (int i = 0; i < n; ++i) {
      g.Tasks.push_back(make_task(fmt::format("{}{}", kind, i), "mock_driver", cpu, 10));
      g.Tasks.back().Lifecycle = lifecycle;
    }
  };
  add("main", main, nullptr);
  add("init", init, TaskLifecycleConfig{.Hook = "prestart"});
  add("side", sidecar, TaskLifecycleConfig{.Hook = "prestart", .Sidecar = true});
  return j;
}

TEST(Generic, G22ToG25TasksCountByLifecycle) {
  struct Case {
    int64_t cpu;
    int main, init, sidecar;
    bool fits;
  };
  for (auto& c : {Case{500, 1, 1, 1, true}, Case{700, 1, 1, 1, false}, Case{100, 3, 5, 5, true},
                  Case{100, 10, 10, 10, false}, Case{1000, 10, 10, 10, false}}) {
    Harness h;
    h.add_nodes(1, [](Node& n, size_t) { n.NodeResources->Cpu.CpuShares = 1200; });
    auto job = h.add_job(lifecycle_job(c.cpu, c.main, c.init, c.sidecar));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.placed().size(), c.fits ? 1u : 0u) << c.cpu << " " << c.main;
  }
}

TEST(Generic, G26OnlyMemoryLimitsNotItsMaximum) {
  Harness h;
  h.add_nodes(1, [](Node& n, size_t) {
    n.NodeResources->Cpu.CpuShares = 100000;
    n.NodeResources->Memory.MemoryMB = 1224;
    n.ReservedResources->Memory.MemoryMB = 60;
  });
  SchedulerConfiguration c;
  c.MemoryOversubscriptionEnabled = true;
  h->config = std::make_shared<SchedulerConfiguration>(c);
  auto j = make_min_job();
  j.TaskGroups[0].Tasks[0].Resources->MemoryMB = 200;
  j.TaskGroups[0].Tasks[0].Resources->MemoryMaxMB = 500;
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 5u);
}

TEST(Generic, G31PreemptionWithoutConfiguration) {
  Harness h;
  auto nodes = h.add_nodes(1);
  for (int64_t priority : {30, 50}) {
    auto j = make_min_job();
    j.Priority = priority;
    auto job = h.add_job(j);
    h.add_allocs(job, nodes, 1, [](Allocation& a, size_t) {
      AllocatedResources r;
      r.Tasks["t"].Cpu.CpuShares = 1600;
      r.Tasks["t"].Memory.MemoryMB = 3500;
      a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    });
  }
  auto j = make_min_job();
  j.Priority = 100;
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].Tasks[0].Resources->CPU = 2500;
  j.TaskGroups[0].Tasks[0].Resources->MemoryMB = 6000;
  auto job = h.add_job(j);
  auto eval = make_eval(*job);
  eval.AnnotatePlan = true;
  ASSERT_EQ(h.process(eval), "");
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.placed()[0]->PreemptedAllocations.size(), 2u);
  ASSERT_EQ(h.preempted().size(), 2u);
  EXPECT_EQ(h.preempted()[0]->DesiredStatus, "evict");
  EXPECT_EQ(h.preempted()[0]->DesiredDescription.str(), "Preempted by alloc ID " + h.placed()[0]->ID.str());
  EXPECT_TRUE(h.rejections.empty());
  EXPECT_TRUE(h.created.empty());
  EXPECT_EQ(h.plan().Annotations->PreemptedAllocs.size(), 2u);
  EXPECT_EQ(h.plan().Annotations->DesiredTGUpdates.at("g").Preemptions, 2u);
}

// --- updates ---

TEST(Generic, G32DestructiveUpdateLeavesEndedAllocationsAlone) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 10);
  h.add_allocs(job, nodes, 5, [](Allocation& a, size_t) {
    a.DesiredStatus = alloc_desired::kStop;
    a.ClientStatus = alloc_client::kFailed;
  });
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.stopped().size(), 10u);
  EXPECT_EQ(h.placed().size(), 10u);
  for (auto& s : h.stopped()) EXPECT_EQ(s->DesiredDescription, text::kUpdating);
}

TEST(Generic, G34ScaleUpInPlace) {
  Harness h;
  auto nodes = h.add_nodes(1, [](Node& n, size_t) { n.NodeResources->Cpu.CpuShares = 1000; });
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].Tasks[0].Resources->CPU = 256;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 1);
  j.TaskGroups[0].Count = 3;
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.stopped().empty());
  EXPECT_EQ(h.placed().size(), 3u);
  EXPECT_EQ(h.fresh().size(), 2u);
  EXPECT_TRUE(h.updates[0].FailedTGAllocs.empty());
}

TEST(Generic, G35CountToZeroStopsAll) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 10);
  j.TaskGroups[0].Count = 0;
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.stopped().size(), 10u);
  EXPECT_TRUE(h.placed().empty());
}

UpdateStrategy update_block(int64_t parallel, int64_t canary = 0) {
  return {.Stagger = 31s, .MaxParallel = parallel, .HealthCheck = "checks", .MinHealthyTime = 10s,
          .HealthyDeadline = 10min, .Canary = canary};
}

TEST(Generic, G36RollingUpdateMakesADeployment) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 10);
  j.TaskGroups[0].Update = update_block(4);
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.stopped().size(), 4u);
  EXPECT_EQ(h.placed().size(), 4u);
  ASSERT_TRUE(h.plan().Deployment);
  auto& d = *h.plan().Deployment;
  EXPECT_EQ(h.updates[0].DeploymentID, d.ID);
  EXPECT_EQ(d.TaskGroups.at("web").DesiredTotal, 10);
  EXPECT_EQ(d.TaskGroups.at("web").DesiredCanaries, 0);
  EXPECT_EQ(d.StatusDescription, text::kDeploymentRunning);
  for (auto& a : h.placed()) EXPECT_EQ(a->DeploymentID, d.ID);
}

TEST(Generic, G37WhatAFullNodeFreesIsUsedAtOnce) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].Tasks[0].Resources->CPU = 3600;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 1);
  j.TaskGroups[0].Count = 5;
  j.TaskGroups[0].Tasks[0].Resources->CPU = 100;
  j.TaskGroups[0].Update = update_block(5);
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.stopped().size(), 1u);
  EXPECT_EQ(h.placed().size(), 5u);
  EXPECT_EQ(h.plan().Deployment->TaskGroups.at("web").DesiredTotal, 5);
  EXPECT_TRUE(h.rejections.empty());
}

TEST(Generic, G38CanariesFirst) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 10);
  j.TaskGroups[0].Update = update_block(2, 2);
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.stopped().empty());
  ASSERT_EQ(h.placed().size(), 2u);
  for (auto& a : h.placed()) EXPECT_TRUE(is_canary(*a));
  auto& group = h.plan().Deployment->TaskGroups.at("web");
  EXPECT_TRUE(group.PlacedCanaries.empty());
  EXPECT_EQ(group.DesiredTotal, 10);
  EXPECT_EQ(group.DesiredCanaries, 2);
  EXPECT_EQ(h.plan().Deployment->StatusDescription, text::kDeploymentNeedsPromotion);
}

TEST(Generic, G39InPlaceKeepsPortsAndDevices) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Update = update_block(4);
  auto job = h.add_job(j);
  auto old = make_id();
  h.add_allocs(job, nodes, 10, [&](Allocation& a, size_t) {
    auto r = *a.AllocatedResources;
    r.Shared.Ports = {{.Label = "http", .Value = 23456, .HostIP = "192.168.0.100"}};
    r.Tasks["web"].Devices.push_back({.Vendor = "v", .Type = "gpu", .Name = "n", .DeviceIDs = {"1"}});
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    a.DeploymentID = old;
    a.DeploymentStatus = AllocDeploymentStatus{.Healthy = true};
  });
  j.TaskGroups[0].Tasks[0].KillTimeout = 9s;
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.stopped().empty());
  ASSERT_EQ(h.placed().size(), 10u);
  for (auto& a : h.placed()) {
    EXPECT_EQ(a->AllocatedResources->Shared.Ports[0].Value, 23456);
    EXPECT_EQ(a->AllocatedResources->Tasks.at("web").Devices.size(), 1u);
    EXPECT_EQ(a->DeploymentID, h.plan().Deployment->ID);
    EXPECT_FALSE(a->DeploymentStatus);
  }
  for (auto& [id, a] : h->allocs) EXPECT_EQ(a->Job, job);
}

TEST(Generic, G42G43RescheduleTrackerAndPenalty) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Count = 2;
  j.TaskGroups[0].ReschedulePolicy = ReschedulePolicy{.Attempts = 1, .Interval = 15min, .Delay = 5s, .DelayFunction = "constant"};
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 2, [&](Allocation& a, size_t i) {
    if (i == 0) return;
    a.ClientStatus = alloc_client::kFailed;
    a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .StartedAt = kNow - 1h, .FinishedAt = kNow - 10s};
  });
  auto failed_on = nodes[1];
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.fresh().size(), 1u);
  auto a = h.fresh()[0];
  ASSERT_TRUE(a->RescheduleTracker);
  ASSERT_EQ(a->RescheduleTracker->Events.size(), 1u);
  EXPECT_EQ(a->RescheduleTracker->Events[0].PrevNodeID, failed_on);
  EXPECT_NE(a->NodeID, failed_on);
  // The next version starts clean.
  job = h.update_job(with_command(j));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.fresh().size(), 2u);
  for (auto& f : h.fresh()) {
    EXPECT_FALSE(f->RescheduleTracker);
    for (auto& s : f->Metrics->ScoreMetaData) EXPECT_EQ(s.Scores.at("node-reschedule-penalty"), 0);
  }
}

TEST(Generic, G45StoppedAndPurgedJobs) {
  for (bool purged : {false, true}) {
    Harness h;
    auto nodes = h.add_nodes(10);
    auto j = make_job();
    auto job = h.add_job(j);
    h.add_allocs(job, nodes, 10);
    if (purged) {
      h->current.clear();
    } else {
      j.Stop = true;
      job = h.update_job(j);
    }
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kJobDeregister)), "");
    EXPECT_EQ(h.stopped().size(), 10u);
    EXPECT_TRUE(h.plan().Job);
    for (auto& [id, a] : h->allocs) EXPECT_TRUE(a->Job);
    if (!purged) EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
  }
}

TEST(Generic, G46StoppingCancelsTheDeployment) {
  Harness h;
  auto j = make_job();
  j.Stop = true;
  auto job = h.add_job(j);
  auto d = make_deployment(*job, deployment_status::kRunning);
  h->put(d);
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kJobDeregister)), "");
  ASSERT_EQ(h.plan().DeploymentUpdates.size(), 1u);
  EXPECT_EQ(h.plan().DeploymentUpdates[0].StatusDescription, text::kDeploymentStoppedJob);
}

// --- nodes ---

TEST(Generic, G47ToG51NodeDown) {
  struct Case {
    const char *desired, *client;
    bool migrate, stopped, lost;
  };
  for (auto& c : {Case{"stop", "running", false, true, true}, Case{"run", "pending", true, true, false},
                  Case{"run", "running", true, true, false}, Case{"run", "lost", false, false, false},
                  Case{"run", "complete", false, false, false}, Case{"evict", "running", false, true, true}}) {
    SCOPED_TRACE(fmt::format("{} {}", c.desired, c.client));
    Harness h;
    auto nodes = h.add_nodes(1, [](Node& n, size_t) { n.Status = node_status::kDown; });
    auto j = make_job("batch");
    j.TaskGroups[0].Count = 1;
    j.TaskGroups[0].ReschedulePolicy = nullptr;
    auto job = h.add_job(j);
    auto ids = h.add_allocs(job, nodes, 1, [&](Allocation& a, size_t) {
      a.DesiredStatus = c.desired;
      a.ClientStatus = c.client;
      if (c.migrate) a.DesiredTransition.Migrate = true;
    });
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    EXPECT_EQ(h.stopped().size(), c.stopped ? 1u : 0u);
    if (c.stopped) EXPECT_EQ(h->alloc(ids[0])->ClientStatus == "lost", c.lost);
  }
}

TEST(Generic, G52ToG56StopAfterClientDisconnect) {
  struct Case {
    Duration stop_after;
    std::optional<Duration> lost_at;  // relative to now
    bool blocked;
  };
  for (auto& c : {Case{0s, std::nullopt, true}, Case{1s, std::nullopt, false}, Case{1s, -10s, true},
                  Case{1s, 10min, false}}) {
    Harness h;
    auto nodes = h.add_nodes(1, [](Node& n, size_t) { n.Status = node_status::kDown; });
    auto j = make_job();
    j.TaskGroups[0].Count = 1;
    j.TaskGroups[0].StopAfterClientDisconnect = c.stop_after;
    auto job = h.add_job(j);
    auto ids = h.add_allocs(job, nodes, 1, [&](Allocation& a, size_t) {
      if (c.lost_at) a.AllocStates.push_back({kAllocStateClientStatus, "lost", kNow + *c.lost_at});
    });
    auto eval = make_eval(*job, eval_trigger::kNodeDrain);
    ASSERT_EQ(h.process(eval), "");
    EXPECT_EQ(h->alloc(ids[0])->DesiredStatus, "stop");
    EXPECT_EQ(h->alloc(ids[0])->ClientStatus, "lost");
    ASSERT_EQ(h.created.size(), 1u);
    EXPECT_EQ(h.created[0].Status, c.blocked ? "blocked" : "pending");
    EXPECT_EQ(h.created[0].PreviousEval, eval.ID);
    EXPECT_EQ(h.created[0].WaitUntil.unset(), c.blocked);
    EXPECT_TRUE(h.fresh().empty());
    if (!c.blocked) continue;
    h.add_nodes(1);
    h.created.clear();
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    ASSERT_EQ(h.fresh().size(), 1u);
    EXPECT_TRUE(h.created.empty());
  }
}

TEST(Generic, G58DrainMovesAll) {
  Harness h;
  auto drained = h.add_nodes(1, [](Node& n, size_t) {
    n.DrainStrategy = DrainStrategy{};
    n.SchedulingEligibility = node_eligibility::kIneligible;
  });
  h.add_nodes(10);
  auto job = h.add_job(make_job());
  h.add_allocs(job, drained, 10, [](Allocation& a, size_t) { a.DesiredTransition.Migrate = true; });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  EXPECT_EQ(h.stopped().size(), 10u);
  EXPECT_EQ(h.fresh().size(), 10u);
  for (auto& s : h.stopped()) EXPECT_EQ(s->DesiredDescription, text::kMigrating);
}

TEST(Generic, G61TaskHandleGoesWithTheReplacement) {
  Harness h;
  auto drained = h.add_nodes(1, [](Node& n, size_t) {
    n.DrainStrategy = DrainStrategy{};
    n.SchedulingEligibility = node_eligibility::kIneligible;
  });
  h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  h.add_allocs(job, drained, 1, [](Allocation& a, size_t) {
    a.DesiredTransition.Migrate = true;
    a.TaskStates["web"].TaskHandle = TaskHandle{.Version = 1, .DriverState = {"remote"}};
  });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.fresh().size(), 1u);
  EXPECT_EQ(h.fresh()[0]->TaskStates.at("web").TaskHandle->DriverState.data, "remote");
}

TEST(Generic, G65DisconnectedClientKeepsItsAllocationUnknown) {
  Harness h;
  auto nodes = h.add_nodes(1, [](Node& n, size_t) { n.Status = node_status::kDisconnected; });
  h.add_nodes(1);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].MaxClientDisconnect = 10min;
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, nodes, 1);
  auto eval = make_eval(*job, eval_trigger::kNodeUpdate);
  ASSERT_EQ(h.process(eval), "");
  auto a = h->alloc(ids[0]);
  EXPECT_EQ(a->ClientStatus, "unknown");
  EXPECT_EQ(a->DesiredStatus, "run");
  EXPECT_EQ(a->ClientDescription, text::kUnknown);
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.created[0].TriggeredBy, "max-disconnect-timeout");
  EXPECT_EQ(h.created[0].WaitUntil, kNow + 10min);
  EXPECT_EQ(h.created[0].PreviousEval, eval.ID);
  EXPECT_EQ(a->FollowupEvalID, h.created[0].ID);
  EXPECT_EQ(h.fresh().size(), 1u);
}

// --- failures ---

TEST(Generic, G68AllPlansRejected) {
  Harness h;
  h.add_nodes(1);
  h.reject = true;
  auto job = h.add_job(make_job());
  auto eval = make_eval(*job);
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.plans.size(), 5u);
  EXPECT_EQ(h.updates[0].Status, "failed");
  EXPECT_EQ(h.updates[0].StatusDescription, "maximum attempts reached (5)");
  auto& blocked = h.created.back();
  EXPECT_EQ(blocked.TriggeredBy, "max-plan-attempts");
  EXPECT_EQ(blocked.StatusDescription, text::kBlockedMaxPlans);
  EXPECT_EQ(h.updates[0].BlockedEval, blocked.ID);
}

TEST(Generic, G70FailedNowIsReplacedLater) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Count = 1;
  j.TaskGroups[0].ReschedulePolicy = ReschedulePolicy{.Attempts = 1, .Interval = 15min, .Delay = 15s, .DelayFunction = "constant"};
  auto job = h.add_job(j);
  auto ids = h.add_allocs(job, nodes, 1, [&](Allocation& a, size_t) {
    a.ClientStatus = alloc_client::kFailed;
    a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = kNow};
  });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  EXPECT_TRUE(h.fresh().empty());
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.created[0].TriggeredBy, "alloc-failure");
  EXPECT_EQ(h.created[0].WaitUntil, kNow + 15s);
  EXPECT_EQ(h.created[0].StatusDescription, text::kFollowupReschedule);
  EXPECT_EQ(h->alloc(ids[0])->FollowupEvalID, h.created[0].ID);
}

TEST(Generic, G76DowngradedVersionIsTheLastPromotedOne) {
  // A canary deployment waits for promotion, and an allocation of the old version is lost.
  Harness h;
  auto down = h.add_nodes(1, [](Node& n, size_t) { n.Status = node_status::kDown; });
  auto nodes = h.add_nodes(10);
  auto j = make_job();
  j.TaskGroups[0].Count = 3;
  j.TaskGroups[0].Update = update_block(1, 1);
  auto v0 = h.add_job(j);
  auto deployment = [&](const Ref<Job>& job, bool promoted) {
    auto d = make_deployment(*job, promoted ? deployment_status::kSuccessful : deployment_status::kRunning);
    d.TaskGroups["web"].Promoted = promoted;
    d.TaskGroups["web"].DesiredCanaries = 1;
    d.TaskGroups["web"].DesiredTotal = 3;
    h->put(d);
    return d.ID;
  };
  auto d0 = deployment(v0, true);
  h.add_allocs(v0, down, 3, [&](Allocation& a, size_t) { a.DeploymentID = d0; });
  auto v1 = h.update_job(with_command(j));
  auto d1 = deployment(v1, false);
  auto canary = make_alloc(v1, nodes[0], 0);
  canary.DeploymentID = d1;
  canary.DeploymentStatus = AllocDeploymentStatus{.Canary = true};
  auto d = *h->deployments.at(d1);
  d.TaskGroups["web"].PlacedCanaries.push_back(canary.ID);
  h->put(d);
  h->put(canary);
  ASSERT_EQ(h.process(make_eval(*v1, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.fresh().size(), 3u);
  for (auto& a : h.fresh()) {
    ASSERT_TRUE(a->Job);
    EXPECT_EQ(a->Job->Version, 0u);
    EXPECT_EQ(a->DeploymentID, d0);
    EXPECT_FALSE(is_canary(*a));
  }
}

// --- batch ---

TEST(Generic, G77G78BatchCompleteAndFailed) {
  for (bool failed : {false, true}) {
    Harness h;
    auto nodes = h.add_nodes(2);
    auto j = make_batch_job();
    j.TaskGroups[0].Count = 1;
    auto job = h.add_job(j);
    h.add_allocs(job, nodes, 1, [&](Allocation& a, size_t) {
      a.ClientStatus = failed ? alloc_client::kFailed : alloc_client::kComplete;
      a.TaskStates["web"] = TaskState{.State = "dead", .Failed = failed, .FinishedAt = kNow - 10s};
    });
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.fresh().size(), failed ? 1u : 0u);
    if (!failed) EXPECT_TRUE(h.plans.empty());
    EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
  }
}

TEST(Generic, G81FinishedBatchWorkIsNotRepeatedAfterADrain) {
  Harness h;
  auto drained = h.add_nodes(1, [](Node& n, size_t) {
    n.DrainStrategy = DrainStrategy{};
    n.SchedulingEligibility = node_eligibility::kIneligible;
  });
  h.add_nodes(1);
  auto j = make_batch_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  h.add_allocs(job, drained, 1, [&](Allocation& a, size_t) {
    a.ClientStatus = alloc_client::kComplete;
    a.TaskStates["web"] = TaskState{.State = "dead"};
  });
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.plans.empty());
}

TEST(Generic, G86DuplicateNamesAreStopped) {
  Harness h;
  auto nodes = h.add_nodes(5);
  auto j = make_batch_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 5, [&](Allocation& a, size_t) { a.Name = alloc_name(job->ID, "web", 0); });
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.stopped().size(), 4u);
  EXPECT_TRUE(h.fresh().empty());
}

TEST(Generic, UnknownTypeAndTrigger) {
  Harness h;
  auto job = h.add_job(make_job());
  auto eval = make_eval(*job);
  eval.Type = "nonsense";
  EXPECT_EQ(h.process(eval), "unknown scheduler 'nonsense'");
  eval = make_eval(*job, "scheduled");
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.updates[0].Status, "failed");
  EXPECT_EQ(h.updates[0].StatusDescription, "scheduler cannot handle 'scheduled' evaluation reason");
}

TEST(Generic, MovesAwayReportsTheClassThatTheUpdateProbeRuledOut) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_batch_job();
  j.TaskGroups[0].Count = 1;
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 1);
  j.TaskGroups[0].Constraints = {{.LTarget = "${meta.rack}", .RTarget = "elsewhere", .Operand = "="}};
  job = h.update_job(j);
  auto eval = make_eval(*job);
  eval.AnnotatePlan = true;
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.plan().Annotations->DesiredTGUpdates.at("web"), (DesiredUpdates{.DestructiveUpdate = 1}));
  EXPECT_TRUE(h.stopped().empty());
  EXPECT_EQ(h.updates[0].FailedTGAllocs.at("web").ConstraintFiltered.at("computed class ineligible"), 1);
}

}  // namespace
}  // namespace drover::scheduler
