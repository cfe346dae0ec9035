// Whole evaluations of system and sysbatch jobs: reference scheduler 18.3, 18.4.
#include <gtest/gtest.h>

#include "scheduler/system_diff.h"
#include "scheduler/testing.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

using namespace testing;

TEST(System, S1OneOnEachNode) {
  for (auto* type : {"system", "sysbatch"}) {
    Harness h;
    auto nodes = h.add_nodes(10);
    auto job = h.add_job(make_system_job(type));
    ASSERT_EQ(h.process(make_eval(*job)), "");
    std::set<Uuid> used;
    for (auto& a : h.placed()) {
      used.insert(a->NodeID);
      EXPECT_EQ(a->Name.str(), alloc_name(job->Name, job->TaskGroups[0].Name, 0));
      EXPECT_EQ(a->Metrics->NodesAvailable.at("dc1"), 10);
      ASSERT_EQ(a->Metrics->ScoreMetaData.size(), 1u);
      EXPECT_EQ(a->Metrics->ScoreMetaData[0].Scores.size(), 1u);
    }
    EXPECT_EQ(used.size(), 10u);
    EXPECT_EQ(h.updates[0].QueuedAllocations.at(job->TaskGroups[0].Name), 0);
    EXPECT_FALSE(h.updates[0].DeploymentID);
  }
}

TEST(System, S2FailedAllocationIsReplacedOnItsNode) {
  Harness h;
  auto nodes = h.add_nodes(3);
  auto job = h.add_job(make_system_job());
  auto ids = h.add_allocs(job, nodes, 3, [&](Allocation& a, size_t i) {
    a.Name = alloc_name(job->Name, "web", 0);
    if (i == 0) a.ClientStatus = alloc_client::kFailed;
  });
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.fresh().size(), 1u);
  EXPECT_EQ(h.fresh()[0]->NodeID, nodes[0]);
  EXPECT_EQ(h.fresh()[0]->PreviousAllocation, ids[0]);
}

TEST(System, S3FullNodeBlocksWithTheNode) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto j = make_system_job();
  j.TaskGroups[0].EphemeralDisk->SizeMB = 60 * 1024;
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 1u);
  j.ID = "other";
  auto other = h.add_job(j);
  h.plans.clear();
  ASSERT_EQ(h.process(make_eval(*other)), "");
  EXPECT_TRUE(h.plans.empty());
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.created[0].NodeID, nodes[0]);
  EXPECT_EQ(h.created[0].Status, "blocked");
  EXPECT_FALSE(h.updates.back().BlockedEval);
  EXPECT_EQ(h.updates.back().FailedTGAllocs.at("web").DimensionExhausted.at("disk"), 1);
}

TEST(System, S4PreemptsAServiceJob) {
  Harness h;
  auto nodes = h.add_nodes(1);
  auto s = make_min_job();
  s.Priority = 50;
  auto service = h.add_job(s);
  h.add_allocs(service, nodes, 1, [](Allocation& a, size_t) {
    AllocatedResources r;
    r.Tasks["t"].Cpu.CpuShares = 3600;
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  });
  auto job = h.add_job(make_system_job());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.preempted().size(), 1u);
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
  EXPECT_TRUE(h.rejections.empty());
}

TEST(System, S5NodesThatDoNotMatchAreNoFailure) {
  Harness h;
  h.add_nodes(10, [](Node& n, size_t i) { n.NodeClass = i < 9 ? "green" : "red"; });
  auto j = make_system_job();
  j.Constraints.push_back({.LTarget = "${node.class}", .RTarget = "green", .Operand = "="});
  auto job = h.add_job(j);
  auto eval = make_eval(*job);
  eval.AnnotatePlan = true;
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.placed().size(), 9u);
  EXPECT_EQ(h.plan().Annotations->DesiredTGUpdates.at("web").Place, 9u);
  EXPECT_TRUE(h.updates[0].FailedTGAllocs.empty());
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
}

TEST(System, S6NewNodeGetsOne) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto job = h.add_job(make_system_job());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  auto added = h.add_nodes(1);
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.placed().size(), 1u);
  EXPECT_EQ(h.placed()[0]->NodeID, added[0]);
}

TEST(System, S7NoNodes) {
  Harness h;
  auto job = h.add_job(make_system_job());
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.plans.empty());
  EXPECT_EQ(h.updates[0].Status, "complete");
}

TEST(System, S9RollingUpdate) {
  Harness h;
  auto nodes = h.add_nodes(10);
  auto j = make_system_job();
  auto job = h.add_job(j);
  h.add_allocs(job, nodes, 10, [&](Allocation& a, size_t) { a.Name = alloc_name(job->Name, "web", 0); });
  j.Update = UpdateStrategy{.Stagger = 30s, .MaxParallel = 5};
  j.TaskGroups[0].Tasks[0].Config["command"] = "/bin/other";
  job = h.update_job(j);
  auto eval = make_eval(*job);
  ASSERT_EQ(h.process(eval), "");
  EXPECT_EQ(h.stopped().size(), 5u);
  EXPECT_EQ(h.placed().size(), 5u);
  ASSERT_EQ(h.created.size(), 1u);
  EXPECT_EQ(h.created[0].TriggeredBy, "rolling-update");
  EXPECT_EQ(h.created[0].Wait, 30s);
  EXPECT_EQ(h.created[0].PreviousEval, eval.ID);
  EXPECT_EQ(h.updates[0].NextEval, h.created[0].ID);
}

TEST(System, S10InPlace) {
  for (auto* type : {"system", "sysbatch"}) {
    Harness h;
    auto nodes = h.add_nodes(10);
    auto j = make_system_job(type);
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    auto before = h->allocs;
    j.TaskGroups[0].Tasks[0].KillTimeout = 11s;
    job = h.update_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_TRUE(h.stopped().empty());
    EXPECT_EQ(h.placed().size(), 10u);
    for (auto& [id, a] : h->allocs) {
      EXPECT_EQ(a->Job, job);
      EXPECT_EQ(a->AllocatedResources->Tasks.begin()->second.Networks,
                before.at(id)->AllocatedResources->Tasks.begin()->second.Networks);
    }
  }
}

TEST(System, S12Deregister) {
  for (bool purged : {false, true}) {
    Harness h;
    auto nodes = h.add_nodes(10);
    auto j = make_system_job();
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    if (purged) {
      h->current.clear();
    } else {
      j.Stop = true;
      h.update_job(j);
    }
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kJobDeregister)), "");
    EXPECT_EQ(h.stopped().size(), 10u);
    EXPECT_TRUE(h.placed().empty());
  }
}

TEST(System, S17TheOnlyNodeDoesNotMatch) {
  Harness h;
  h.add_nodes(3, [](Node& n, size_t) { n.Attributes["kernel.name"] = "darwin"; });
  auto job = h.add_job(make_system_job("sysbatch"));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.plans.empty());
  EXPECT_EQ(h.updates[0].QueuedAllocations.at("pinger"), 0);
  auto& failed = h.updates[0].FailedTGAllocs.at("pinger");
  EXPECT_EQ(failed.NodesEvaluated, 3);
  EXPECT_EQ(failed.NodesFiltered, 3);
  EXPECT_TRUE(failed.NodesAvailable.is_nil());
}

TEST(System, S25Triggers) {
  for (auto& [type, trigger, ok] : {std::tuple{"system", "job-register", true}, std::tuple{"system", "scheduled", false},
                                    std::tuple{"system", "periodic-job", false}, std::tuple{"sysbatch", "periodic-job", true}}) {
    Harness h;
    auto job = h.add_job(make_system_job(type));
    ASSERT_EQ(h.process(make_eval(*job, trigger)), "");
    EXPECT_EQ(h.updates[0].Status, ok ? "complete" : "failed") << type << " " << trigger;
  }
}

TEST(System, B2FinishedSysbatchWorkRunsOnlyOnNewNodes) {
  Harness h;
  auto nodes = h.add_nodes(3);
  auto job = h.add_job(make_system_job("sysbatch"));
  h.add_allocs(job, nodes, 3, [&](Allocation& a, size_t) {
    a.Name = alloc_name(job->Name, "pinger", 0);
    a.ClientStatus = alloc_client::kComplete;
  });
  auto added = h.add_nodes(1);
  ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
  ASSERT_EQ(h.fresh().size(), 1u);
  EXPECT_EQ(h.fresh()[0]->NodeID, added[0]);
  EXPECT_TRUE(h.stopped().empty());
}

// The disconnect matrix: one node, one allocation.
struct Row {
  const char* type;
  const char* node;
  const char* client;
  const char* states;  // "", "unknown" (1 s ago), "expired", "back"
  bool drain, migrate;
  const char* expected;  // "none", "unknown", "lost", "stop", "reconnect"
};

TEST(System, DisconnectMatrix) {
  const Row rows[] = {
      {"system", "disconnected", "running", "", false, false, "unknown"},
      {"sysbatch", "disconnected", "running", "", false, false, "unknown"},
      {"system", "ready", "running", "", false, false, "none"},
      {"system", "ready", "running", "back", false, false, "none"},
      {"system", "disconnected", "unknown", "expired", false, false, "lost"},
      {"sysbatch", "ready", "unknown", "expired", false, false, "lost"},
      {"system", "disconnected", "unknown", "unknown", false, false, "none"},
      {"sysbatch", "disconnected", "complete", "unknown", false, false, "none"},
      {"sysbatch", "ready", "running", "", true, true, "stop"},
      {"sysbatch", "down", "running", "", true, true, "stop"},
      {"system", "down", "running", "", false, false, "lost"},
      {"system", "ready", "running", "", true, false, "none"},
      {"system", "disconnected", "pending", "", false, false, "none"},
      {"system", "down", "complete", "", false, false, "none"},
      {"system", "ready", "running", "unknown", false, false, "reconnect"},
  };
  for (auto& row : rows) {
    SCOPED_TRACE(fmt::format("{} {} {} {}", row.type, row.node, row.client, row.states));
    Harness h;
    auto nodes = h.add_nodes(1, [&](Node& n, size_t) {
      n.Status = row.node;
      if (row.drain) n.DrainStrategy = DrainStrategy{}, n.SchedulingEligibility = node_eligibility::kIneligible;
    });
    auto j = make_system_job(row.type);
    j.TaskGroups[0].MaxClientDisconnect = 5s;
    auto job = h.add_job(j);
    auto ids = h.add_allocs(job, nodes, 1, [&](Allocation& a, size_t) {
      a.Name = alloc_name(job->Name, a.TaskGroup, 0);
      a.ClientStatus = row.client;
      std::string_view s = row.states;
      if (!s.empty()) a.AllocStates.push_back({kAllocStateClientStatus, "unknown", kNow - (s == "expired" ? 60s : 1s)});
      if (s == "back") a.AllocStates.push_back({kAllocStateClientStatus, "running", kNow});
      if (row.migrate) a.DesiredTransition.Migrate = true;
    });
    ASSERT_EQ(h.process(make_eval(*job, eval_trigger::kNodeUpdate)), "");
    std::string_view expected = row.expected;
    auto a = h->alloc(ids[0]);
    EXPECT_EQ(h.plans.empty(), expected == "none");
    EXPECT_EQ(a->DesiredStatus == "stop", expected == "lost" || expected == "stop");
    if (expected == "lost") EXPECT_EQ(a->ClientStatus, "lost");
    if (expected == "stop") EXPECT_EQ(a->ClientStatus, row.client);
    if (expected == "unknown") EXPECT_EQ(a->ClientStatus, "unknown");
    if (expected == "reconnect") EXPECT_FALSE(needs_to_reconnect(*a));
  }
}

// --- the diff alone ---

struct DiffCase {
  Job job = make_system_job();
  SystemDiffInput in;
  Uuid node = make_id();
  Ref<Job> current, old;
  explicit DiffCase(const char* type = "system") : job(make_system_job(type)) {
    job.JobModifyIndex = 100;
    current = std::make_shared<const Job>(job);
    auto o = job;
    o.JobModifyIndex = 99;
    old = std::make_shared<const Job>(o);
    in.job = current.get();
    in.now = kNow;
  }
  Ref<Allocation> alloc(const Ref<Job>& j, const Uuid& on) { return std::make_shared<const Allocation>(make_alloc(j, on, 0)); }
};

TEST(System, U1U2TerminalSysbatch) {
  for (bool older : {false, true}) {
    DiffCase c("sysbatch");
    auto j = *c.current;
    j.TaskGroups[0].Count = 2;
    auto job = std::make_shared<const Job>(j);
    c.in.job = job.get();
    c.in.eligible = {c.node};
    c.in.nodes = {c.node};
    auto a = make_alloc(older ? c.old : job, c.node, 0);
    a.ClientStatus = alloc_client::kComplete;
    c.in.terminal = {std::make_shared<const Allocation>(a)};
    auto d = diff_system(c.in);
    EXPECT_EQ(d.ignore.size(), older ? 0u : 1u);
    EXPECT_EQ(d.update.size(), older ? 1u : 0u);
    EXPECT_EQ(d.place.size(), 1u);
  }
}

TEST(System, U4OldCurrentAndUnknownGroup) {
  DiffCase c;
  c.in.eligible = {c.node};
  c.in.nodes = {c.node};
  auto stranger = make_alloc(c.current, c.node, 0);
  stranger.Name = "my-job.gone[0]";
  c.in.live = {c.alloc(c.old, c.node), c.alloc(c.current, c.node), std::make_shared<const Allocation>(stranger)};
  auto d = diff_system(c.in);
  EXPECT_EQ(d.update.size(), 1u);
  EXPECT_EQ(d.ignore.size(), 1u);
  EXPECT_EQ(d.stop.size(), 1u);
}

TEST(System, U5IneligibleAndUntargetedNodes) {
  DiffCase c;
  auto elsewhere = make_id();
  c.in.not_ready = {c.node};
  c.in.live = {c.alloc(c.current, c.node), c.alloc(c.current, elsewhere)};
  auto d = diff_system(c.in);
  EXPECT_EQ(d.ignore.size(), 1u);
  ASSERT_EQ(d.stop.size(), 1u);
  EXPECT_EQ(d.stop[0].alloc->NodeID, elsewhere);
}

TEST(System, U7DownNode) {
  DiffCase c;
  c.in.tainted[c.node] = nullptr;
  c.in.live = {c.alloc(c.current, c.node), c.alloc(c.old, c.node)};
  EXPECT_EQ(diff_system(c.in).lost.size(), 2u);
}

}  // namespace
}  // namespace drover::scheduler
