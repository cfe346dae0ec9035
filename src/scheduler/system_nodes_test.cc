// System and sysbatch jobs as nodes and versions change, and preemption by them: the rest of reference scheduler 18.3
// and 18.4. Each runs for both types where the rule is the same.
#include <gtest/gtest.h>

#include "scheduler/testing.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

using namespace testing;

constexpr const char* kTypes[] = {"system", "sysbatch"};

Job with_command(Job j) {
  for (auto& g : j.TaskGroups) g.Tasks[0].Config["command"] = "/bin/other";
  return j;
}

// One allocation of every group on each node.
std::vector<Uuid> run_everywhere(Harness& h, const Ref<Job>& job, const std::vector<Uuid>& nodes,
                                 const std::function<void(Allocation&)>& change = {}) {
  std::vector<Uuid> ids;
  for (auto& node : nodes) {
    auto a = make_alloc(job, node, 0);
    if (change) change(a);
    ids.push_back(a.ID);
    h->put(a);
  }
  return ids;
}

// Two groups, each bound to one class of nodes.
Job two_classes(const char* type = "system") {
  auto j = make_system_job(type);
  auto& a = j.TaskGroups[0];
  a.Name = "groupA";
  a.Constraints = {{.LTarget = "${node.class}", .RTarget = "A", .Operand = "="}};
  auto b = a;
  b.Name = "groupB";
  b.Constraints[0].RTarget = "B";
  j.TaskGroups.push_back(b);
  return j;
}

TEST(SystemNodes, S8DestructiveUpdateLeavesEndedOnesAlone) {
  for (auto* type : kTypes) {
    SCOPED_TRACE(type);
    Harness h;
    auto nodes = h.add_nodes(10);
    auto j = make_system_job(type);
    auto job = h.add_job(j);
    bool batch = job->Type == job_type::kSysbatch;
    auto live = run_everywhere(h, job, nodes, [&](Allocation& a) { if (batch) a.ClientStatus = alloc_client::kPending; });
    std::vector<Uuid> some(nodes.begin(), nodes.begin() + 5);
    auto ended = run_everywhere(h, job, some, [](Allocation& a) {
      a.DesiredStatus = alloc_desired::kStop;
      a.ClientStatus = alloc_client::kComplete;
    });
    job = h.update_job(with_command(j));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.fresh().size(), 10u);
    std::set<Uuid> stopped;
    for (auto& s : h.stopped()) {
      stopped.insert(s->ID);
      EXPECT_EQ(s->DesiredDescription, text::kUpdating);
    }
    EXPECT_EQ(stopped, std::set<Uuid>(live.begin(), live.end()));
  }
}

TEST(SystemNodes, S11DatacenterLeft) {
  Harness h;
  auto nodes = h.add_nodes(2, [](Node& n, size_t i) { n.Datacenter = i ? "dc2" : "dc1"; });
  auto j = make_system_job();
  j.Datacenters = {"dc1", "dc2"};
  auto job = h.add_job(j);
  auto ids = run_everywhere(h, job, nodes);
  j.Datacenters = {"dc1"};
  job = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.stopped().size(), 1u);
  EXPECT_EQ(h.stopped()[0]->ID, ids[1]);
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.placed()[0]->ID, ids[0]);
  EXPECT_EQ(h->alloc(ids[0])->Job, job);
}

TEST(SystemNodes, S13S14NodeDownOrDraining) {
  struct Case {
    bool down, draining, migrate;
    const char* client;  // afterwards
  };
  for (auto* type : kTypes)
    for (auto& c : {Case{true, false, true, "running"}, Case{true, false, false, "lost"},
                    Case{false, true, true, "running"}, Case{true, true, true, "running"}}) {
      SCOPED_TRACE(fmt::format("{} {} {} {}", type, c.down, c.draining, c.migrate));
      Harness h;
      auto nodes = h.add_nodes(1, [&](Node& n, size_t) {
        if (c.down) n.Status = node_status::kDown;
        if (c.draining) drain(n);
      });
      auto job = h.add_job(make_system_job(type));
      auto ids = run_everywhere(h, job, nodes, [&](Allocation& a) { if (c.migrate) a.DesiredTransition.Migrate = true; });
      ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
      EXPECT_EQ(h.stopped().size(), 1u);
      EXPECT_TRUE(h.placed().empty());
      EXPECT_EQ(h->alloc(ids[0])->DesiredStatus, "stop");
      EXPECT_EQ(h->alloc(ids[0])->ClientStatus, c.client);
    }
}

TEST(SystemNodes, S15NothingToDo) {
  for (auto* type : kTypes) {
    Harness h;
    auto nodes = h.add_nodes(1);
    auto job = h.add_job(make_system_job(type));
    run_everywhere(h, job, nodes);
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    EXPECT_TRUE(h.plans.empty());
    EXPECT_EQ(h.updates[0].Status, "complete");
    EXPECT_EQ(h.updates[0].QueuedAllocations.at(job->TaskGroups[0].Name), 0);
  }
}

TEST(SystemNodes, S16PlansRejected) {
  for (auto* type : kTypes) {
    Harness h;
    h.add_nodes(1);
    h.reject = true;
    auto job = h.add_job(make_system_job(type));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    auto attempts = job->Type == job_type::kSysbatch ? 2u : 5u;
    EXPECT_EQ(h.plans.size(), attempts);
    EXPECT_EQ(h.updates[0].Status, "failed");
    EXPECT_EQ(h.updates[0].StatusDescription, fmt::format("maximum attempts reached ({})", attempts));
    EXPECT_TRUE(h.created.empty());
    EXPECT_TRUE(h->allocs.empty());
  }
}

TEST(SystemNodes, S18ClassesComeAndGo) {
  Harness h;
  auto a = h.add_nodes(1, [](Node& n, size_t) { n.NodeClass = "A"; });
  auto job = h.add_job(two_classes());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.placed()[0]->TaskGroup, "groupA");
  EXPECT_EQ(h.updates.back().QueuedAllocations.at("groupA"), 0);
  EXPECT_EQ(h.updates.back().QueuedAllocations.at("groupB"), 0);

  h.plans.clear();
  h.change_node(a[0], [](Node& n) { n.SchedulingEligibility = node_eligibility::kIneligible; });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  EXPECT_TRUE(h.plans.empty());
  EXPECT_EQ(h.updates.back().Status, "complete");

  auto b = h.add_nodes(1, [](Node& n, size_t) { n.NodeClass = "B"; });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.placed()[0]->TaskGroup, "groupB");
  EXPECT_EQ(h.placed()[0]->NodeID, b[0]);
  EXPECT_EQ(h.updates.back().FailedTGAllocs.size(), 1u);
  EXPECT_TRUE(h.updates.back().FailedTGAllocs.contains("groupA"));
}

TEST(SystemNodes, S19NewVersionOnAnIneligibleNode) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_system_job();
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  h.change_node(nodes[0], [](Node& n) { n.SchedulingEligibility = node_eligibility::kIneligible; });
  job = h.update_job(with_command(j));
  auto eval = make_eval(*job);
  eval.AnnotatePlan = true;
  ASSERT_EQ(h.process(eval), "");
  EXPECT_TRUE(h.updates.back().FailedTGAllocs.empty());
  EXPECT_EQ(h.updates.back().QueuedAllocations.at("web"), 0);
  EXPECT_EQ(h.updates.back().Status, "complete");
  EXPECT_TRUE(h.stopped().empty());
}

TEST(SystemNodes, S20SomeNodesDoNotCount) {
  Harness h;
  auto nodes = h.add_nodes(4, [](Node& n, size_t i) {
    if (i != 1) n.Meta["tag"] = "aaaaaa";
    if (i == 2) n.SchedulingEligibility = node_eligibility::kIneligible;
  });
  auto j = make_system_job();
  j.Constraints.push_back({.LTarget = "${meta.tag}", .RTarget = "aaaaaa", .Operand = "="});
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  std::set<Uuid> used;
  for (auto& a : h.placed()) used.insert(a->NodeID);
  EXPECT_EQ(used, (std::set<Uuid>{nodes[0], nodes[3]}));
  EXPECT_TRUE(h.updates[0].FailedTGAllocs.empty());
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
  EXPECT_TRUE(h.created.empty());
}

TEST(SystemNodes, S21EveryReplacementNamesWhatItReplaced) {
  for (auto* type : kTypes) {
    Harness h;
    h.add_nodes(10);
    auto j = make_system_job(type);
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    std::set<Uuid> first;
    for (auto& a : h.placed()) first.insert(a->ID);
    auto added = h.add_nodes(2);
    job = h.update_job(with_command(j));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    std::set<Uuid> previous, without;
    for (auto& a : h.fresh())
      if (a->PreviousAllocation) previous.insert(a->PreviousAllocation);
      else without.insert(a->NodeID);
    EXPECT_EQ(h.fresh().size(), 12u);
    EXPECT_EQ(previous, first);
    EXPECT_EQ(without, std::set<Uuid>(added.begin(), added.end()));
  }
}

TEST(SystemNodes, S22OneOfTwoGroupsLosesItsNodeToADrain) {
  for (auto* type : kTypes) {
    Harness h;
    auto nodes = h.add_nodes(2, [](Node& n, size_t i) {
      n.NodeClass = i ? "B" : "A";
      if (i == 0) drain(n);
    });
    auto job = h.add_job(two_classes(type));
    auto on_a = make_alloc(job, nodes[0], 0, "groupA"), on_b = make_alloc(job, nodes[1], 0, "groupB");
    on_a.DesiredTransition.Migrate = true;
    h->put(on_a);
    h->put(on_b);
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    ASSERT_EQ(h.stopped().size(), 1u);
    EXPECT_EQ(h.stopped()[0]->ID, on_a.ID);
    EXPECT_TRUE(h.placed().empty());
  }
}

TEST(SystemNodes, S23QueuedOfEachGroup) {
  for (auto* type : kTypes) {
    Harness h;
    h.add_nodes(2, [](Node& n, size_t i) { n.NodeClass = i ? "B" : "A"; });
    auto job = h.add_job(two_classes(type));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.placed().size(), 2u);
    for (auto* group : {"groupA", "groupB"}) EXPECT_EQ(h.updates[0].QueuedAllocations.at(group), 0) << group;
  }
}

// Four allocations hold the bandwidth; the three of low priority go, the one of high priority keeps its port.
TEST(SystemNodes, S24B5PreemptionOverANetwork) {
  for (auto* type : kTypes) {
    SCOPED_TRACE(type);
    bool batch = std::string_view(type) == "sysbatch";
    Harness h;
    auto nodes = h.add_nodes(2, [](Node& n, size_t) {
      n.NodeResources->Cpu.CpuShares = 3072;
      n.NodeResources->Memory.MemoryMB = 5034;
      n.NodeResources->Disk.DiskMB = 20 * 1024;
    });
    SchedulerConfiguration c;
    c.PreemptionConfig.SystemSchedulerEnabled = !batch;
    c.PreemptionConfig.SysBatchSchedulerEnabled = batch;
    h->config = std::make_shared<const SchedulerConfiguration>(c);
    auto hold = [&](int64_t priority, int64_t cpu, int64_t memory, int64_t mbits, int64_t disk, int64_t port = 0) {
      auto j = make_batch_job();
      j.Priority = priority;
      auto a = make_alloc(h.add_job(j), nodes[0], 0);
      AllocatedResources r;
      auto& task = r.Tasks["web"];
      task.Cpu.CpuShares = cpu;
      task.Memory.MemoryMB = memory;
      NetworkResource net{.Device = "eth0", .IP = "192.168.0.100", .MBits = mbits};
      if (port) net.ReservedPorts = {{.Label = "web", .Value = port}};
      task.Networks = {net};
      r.Shared.DiskMB = disk;
      a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
      h->put(a);
      return a.ID;
    };
    std::set<Uuid> low = {hold(20, 512, 1024, 200, 5 * 1024), hold(20, 512, 1024, 200, 5 * 1024),
                          hold(40, 1024, 25, 400, 5 * 1024)};
    auto high = hold(100, 1024, 2048, 100, 2 * 1024, 80);
    auto j = make_system_job(type);
    j.Priority = 100;
    auto& r = j.TaskGroups[0].Tasks[0].Resources.ensure();
    r.CPU = 1948;
    r.MemoryMB = 256;
    NetworkResource net{.MBits = 800};
    net.DynamicPorts = {{.Label = "http"}};
    r.Networks = {net};
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_TRUE(h.rejections.empty());
    ASSERT_EQ(h.placed().size(), 2u);
    Ref<Allocation> there;
    for (auto& a : h.placed())
      if (a->NodeID == nodes[0]) there = a;
    ASSERT_TRUE(there);
    std::set<Uuid> gone;
    for (auto& a : h.preempted()) {
      gone.insert(a->ID);
      EXPECT_EQ(a->DesiredStatus, "evict");
      EXPECT_EQ(a->DesiredDescription.str(), "Preempted by alloc ID " + there->ID.str());
      EXPECT_EQ(a->PreemptedByAllocation, there->ID);
    }
    EXPECT_EQ(gone, low);
    EXPECT_EQ(std::set<Uuid>(there->PreemptedAllocations.begin(), there->PreemptedAllocations.end()), low);
    EXPECT_EQ(h->alloc(high)->DesiredStatus, "run");
  }
}

// Switched off, nobody goes.
TEST(SystemNodes, B5WithoutPreemption) {
  for (auto* type : kTypes) {
    Harness h;
    auto nodes = h.add_nodes(1);
    SchedulerConfiguration c;
    c.PreemptionConfig = {};
    h->config = std::make_shared<const SchedulerConfiguration>(c);
    auto s = make_min_job();
    s.TaskGroups[0].Tasks[0].Resources->CPU = 3600;
    h.add_allocs(h.add_job(s), nodes, 1);
    auto j = make_system_job(type);
    j.Priority = 100;
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_TRUE(h.preempted().empty());
    EXPECT_TRUE(h.placed().empty());
    ASSERT_EQ(h.created.size(), 1u);
    EXPECT_EQ(h.created[0].NodeID, nodes[0]);
  }
}

TEST(SystemNodes, B4HalfTheNodesMatch) {
  for (auto* type : kTypes) {
    Harness h;
    h.add_nodes(4, [](Node& n, size_t i) { n.Attributes["kernel.name"] = i % 2 ? "linux" : "windows"; });
    auto job = h.add_job(make_system_job(type));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.placed().size(), 2u);
    for (auto& a : h.placed()) EXPECT_EQ(h->node(a->NodeID)->Attributes.at("kernel.name"), "linux");
    EXPECT_EQ(h.updates[0].QueuedAllocations.at(job->TaskGroups[0].Name), 0);
    EXPECT_TRUE(h.updates[0].FailedTGAllocs.empty());
  }
}

}  // namespace
}  // namespace drover::scheduler
