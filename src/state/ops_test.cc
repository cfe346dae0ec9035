// What the writes do beside storing. Names of tests tell the rule.
#include <gtest/gtest.h>

#include "state/acl_ops.h"
#include "state/alloc_ops.h"
#include "state/config_ops.h"
#include "state/csi_ops.h"
#include "state/fixtures.h"
#include "state/node_ops.h"

namespace drover::state {
namespace {

using namespace fixtures;

class Ops : public testing::Test {
 protected:
  Store store;
  uint64_t index = 1;

  using Write = std::function<Status(Txn&)>;
  Status write(const Write& fn) {
    ++index;
    auto txn = store.begin(index, at(static_cast<int64_t>(index)));
    Status status = fn(txn);
    if (status) store.publish(std::move(txn));
    return status;
  }
  void ok(const Write& fn) {
    auto status = write(fn);
    ASSERT_TRUE(status) << status.error().message;
  }
  std::string refused(const Write& fn) {
    auto status = write(fn);
    return status ? "accepted" : status.error().message;
  }
  Snapshot now() { return store.snapshot(); }
  Ref<Job> web() { return now().jobs().get("default", "web"); }
  TaskGroupSummary counts() { return now().job_summaries().get("default", "web")->Summary.at("web"); }
  void add_web(std::string type = "service") {
    ok([&](Txn& t) { return upsert_job(t, job("web", type)); });
  }
  void place(std::initializer_list<uint64_t> ids, std::function<void(Allocation&)> adjust = [](auto&) {}) {
    ok([&](Txn& t) {
      std::vector<Allocation> allocs;
      for (auto n : ids) adjust(allocs.emplace_back(alloc(n, t.jobs()->get("default", "web"), uid(1), uid(2))));
      return upsert_allocs(t, std::move(allocs));
    });
  }
  void client_says(uint64_t n, std::string_view status) {
    ok([&](Txn& t) { return update_allocs_from_client(t, {report(uid(n), status)}); });
  }
};

// --- nodes ---

TEST_F(Ops, ReRegisteringKeepsWhatServersOwn) {
  ok([](Txn& t) { return upsert_node(t, node(1)); });
  DrainStrategy strategy;
  strategy.Deadline = 60s;
  ok([&](Txn& t) { return update_node_drain(t, uid(1), {.strategy = &strategy, .updated_at = 5, .meta = {{"who", "me"}}, .accessor_id = "acc"}); });
  ok([](Txn& t) { return update_node_status(t, uid(1), "down", 6, nullptr); });
  uint64_t missed = index;
  ok([](Txn& t) { return upsert_node(t, node(1, "initializing")); });
  auto n = now().nodes().get(uid(1));
  EXPECT_EQ(n->CreateIndex, 2u);
  EXPECT_EQ(n->ModifyIndex, index);
  EXPECT_EQ(n->SchedulingEligibility, "ineligible");
  EXPECT_TRUE(n->DrainStrategy);
  EXPECT_EQ(n->LastDrain->Status, "draining");
  EXPECT_EQ(n->LastDrain->AccessorID, "acc");
  EXPECT_EQ(n->LastMissedHeartbeatIndex, missed);
  ASSERT_EQ(n->Events.size(), 2u);
  EXPECT_EQ(n->Events[0].Message, "Node registered");
  EXPECT_EQ(n->Events[1].Message, "Node re-registered");
  EXPECT_EQ(n->Events[1].CreateIndex, index);
}

TEST_F(Ops, MissedHeartbeatIndexFollowsTheStatus) {
  ok([](Txn& t) { return upsert_node(t, node(1)); });
  auto status = [&](std::string_view s) { ok([&](Txn& t) { return update_node_status(t, uid(1), s, 1, nullptr); }); };
  status("disconnected");
  uint64_t missed = index;
  status("down");  // unresponsive already
  EXPECT_EQ(now().nodes().get(uid(1))->LastMissedHeartbeatIndex, missed);
  status("initializing");
  EXPECT_EQ(now().nodes().get(uid(1))->LastMissedHeartbeatIndex, missed);
  status("ready");
  EXPECT_EQ(now().nodes().get(uid(1))->LastMissedHeartbeatIndex, 0u);
}

TEST_F(Ops, DrainRecordsItsEnd) {
  ok([](Txn& t) { return upsert_node(t, node(1)); });
  DrainStrategy strategy;
  EXPECT_EQ(refused([](Txn& t) { return update_node_drain(t, uid(9), {}); }), "node not found");
  ok([](Txn& t) { return update_node_drain(t, uid(1), {.updated_at = 3}); });
  EXPECT_FALSE(now().nodes().get(uid(1))->LastDrain);  // no drain before nor after
  ok([&](Txn& t) { return update_node_drain(t, uid(1), {.strategy = &strategy, .updated_at = 4}); });
  EXPECT_EQ(refused([](Txn& t) { return update_node_eligibility(t, uid(1), "eligible", 5, nullptr); }),
            "can not set node's scheduling eligibility to eligible while it is draining");
  ok([](Txn& t) { return update_node_drain(t, uid(1), {.mark_eligible = true, .updated_at = 6}); });
  auto n = now().nodes().get(uid(1));
  EXPECT_EQ(n->LastDrain->Status, "canceled");
  EXPECT_EQ(n->LastDrain->StartedAt, Time::from_unix_seconds(4));
  EXPECT_EQ(n->LastDrain->UpdatedAt, Time::from_unix_seconds(6));
  EXPECT_EQ(n->SchedulingEligibility, "eligible");
  ok([&](Txn& t) { return update_node_drain(t, uid(1), {.strategy = &strategy, .updated_at = 7}); });
  ok([&](Txn& t) { return update_node_drain(t, uid(1), {.by_drainer = true, .updated_at = 8}); });
  EXPECT_EQ(now().nodes().get(uid(1))->LastDrain->Status, "complete");
  EXPECT_EQ(now().nodes().get(uid(1))->SchedulingEligibility, "ineligible");
}

TEST_F(Ops, ANodeKeepsTenEvents) {
  ok([](Txn& t) { return upsert_node(t, node(1)); });
  for (int i = 0; i < 15; ++i) {
    NodeEvent e;
    e.Message = std::to_string(i);
    ok([&](Txn& t) { return append_node_events(t, uid(1), {e}); });
  }
  auto& events = now().nodes().get(uid(1))->Events;
  ASSERT_EQ(events.size(), kNodeEventsMax);
  EXPECT_EQ(events[0].Message, "5");
  EXPECT_EQ(events.back().Message, "14");
}

// --- jobs ---

TEST_F(Ops, AJobNeedsItsNamespace) {
  EXPECT_EQ(refused([](Txn& t) { return upsert_job(t, job("web", "service", "nope")); }),
            R"(job "web" is in nonexistent namespace "nope")");
}

TEST_F(Ops, RegisteringAgainMakesAVersion) {
  add_web();
  uint64_t created = index;
  add_web();
  auto j = web();
  EXPECT_EQ(j->Version, 1u);
  EXPECT_EQ(j->CreateIndex, created);
  EXPECT_EQ(j->JobModifyIndex, index);
  EXPECT_EQ(j->Status, "pending");
  EXPECT_EQ(now().job_versions().by_job("default", "web").count(), 2u);
  EXPECT_EQ(now().job_versions().by_job("default", "web").next()->Version, 1u);
}

TEST_F(Ops, SixVersionsAreKeptAndTheStableOneAmongThem) {
  auto versions = [&] {
    std::string out;
    for (auto& j : now().job_versions().by_job("default", "web")) out += std::to_string(j->Version) + " ";
    return out;
  };
  for (int i = 0; i < 7; ++i) add_web();
  EXPECT_EQ(versions(), "6 5 4 3 2 1 ");
  ok([](Txn& t) { return update_job_stability(t, "default", "web", 1, true); });
  EXPECT_EQ(web()->Version, 6u);  // an old version's flag does not bring it back
  add_web();
  EXPECT_EQ(versions(), "7 6 5 4 3 1 ");
  add_web();
  EXPECT_EQ(versions(), "8 7 6 5 4 1 ");
  ok([](Txn& t) { return update_job_stability(t, "default", "web", 8, true); });
  EXPECT_TRUE(web()->Stable);
  EXPECT_EQ(web()->Version, 8u);
  add_web();
  EXPECT_EQ(versions(), "9 8 7 6 5 4 ");
}

TEST_F(Ops, SubmissionsGoWithTheirVersions) {
  JobSubmission sub;
  sub.Source = "job web {}";
  ok([&](Txn& t) { return upsert_job(t, job("web"), &sub); });
  EXPECT_EQ(now().job_submissions().get("default", "web", 0)->Source, "job web {}");
  Job reverted = job("web");
  reverted.Version = 0;
  ok([&](Txn& t) { return upsert_job(t, reverted); });
  EXPECT_EQ(now().job_submissions().get("default", "web", 1)->Source, "job web {}");
  EXPECT_EQ(now().job_submissions().get("default", "web", 1)->JobModifyIndex, index);
  for (int i = 0; i < 9; ++i) ok([&](Txn& t) { return upsert_job(t, job("web"), &sub); });
  EXPECT_EQ(now().job_submissions().by_job("default", "web").count(), 6u);
}

TEST_F(Ops, StatusFollowsWork) {
  add_web();
  EXPECT_EQ(web()->Status, "pending");
  ok([](Txn& t) { return upsert_evals(t, {eval(2, "web")}), Status(); });
  EXPECT_EQ(web()->Status, "pending");
  place({10});
  EXPECT_EQ(web()->Status, "running");
  ok([](Txn& t) { return upsert_evals(t, {eval(2, "web", "complete")}), Status(); });
  client_says(10, "running");
  EXPECT_EQ(web()->Status, "running");
  client_says(10, "complete");
  EXPECT_EQ(web()->Status, "dead");
  ok([](Txn& t) { return delete_evals(t, {uid(2)}, {uid(10)}, false); });
  EXPECT_EQ(web()->Status, "dead");
  ok([](Txn& t) { return upsert_job(t, job("sys", "system")); });
  EXPECT_EQ(now().jobs().get("default", "sys")->Status, "running");
}

TEST_F(Ops, ChildrenAreCountedWithTheirParent) {
  Job parent = job("cron", "batch");
  parent.Periodic = PeriodicConfig{.Enabled = true, .Spec = "* * * * *"};
  ok([&](Txn& t) { return upsert_job(t, parent); });
  Job child = job("web", "batch");
  child.ParentID = "cron";
  ok([&](Txn& t) { return upsert_job(t, child); });
  auto children = [&] { return *now().job_summaries().get("default", "cron")->Children; };
  EXPECT_EQ(children(), (JobChildrenSummary{1, 0, 0}));
  place({10});
  EXPECT_EQ(children(), (JobChildrenSummary{0, 1, 0}));
  client_says(10, "complete");
  EXPECT_EQ(children(), (JobChildrenSummary{0, 0, 1}));
}

TEST_F(Ops, PurgeTakesAllThatIsKeptAboutAJob) {
  JobSubmission sub;
  Job j = job("web");
  j.TaskGroups[0].Scaling = ScalingPolicy{.ID = uid(77).str(), .Type = "horizontal", .Max = 5};
  ok([&](Txn& t) { return upsert_job(t, j, &sub); });
  ok([](Txn& t) { return append_scaling_event(t, "default", "web", "web", {}); });
  ok([](Txn& t) { return put_periodic_launch(t, "default", "web", at(0)), Status(); });
  place({10});
  ok([](Txn& t) { return deregister_job(t, "default", "web", true, false); });
  auto s = now();
  EXPECT_EQ(s.jobs().size() + s.job_versions().size() + s.job_summaries().size() + s.job_submissions().size() +
                s.scaling_policies().size() + s.scaling_events().size() + s.periodic_launches().size(),
            0u);
  EXPECT_EQ(s.allocs().size(), 1u);
  EXPECT_EQ(refused([](Txn& t) { return deregister_job(t, "default", "web", true, false); }), "job not found");
  EXPECT_EQ(refused([](Txn& t) { return deregister_job(t, "default", "web", false, false); }),
            R"(job "web" in namespace "default" doesn't exist to be deregistered)");
}

TEST_F(Ops, StoppingIsANewVersion) {
  add_web();
  place({10});
  ok([](Txn& t) { return deregister_job(t, "default", "web", false, true); });
  EXPECT_TRUE(web()->Stop);
  EXPECT_EQ(web()->Version, 1u);
  EXPECT_EQ(now().allocs().get(uid(10))->DesiredTransition.NoShutdownDelay, true);
}

TEST_F(Ops, ScalingPoliciesKeepTheirIdentity) {
  Job j = job("web");
  j.TaskGroups[0].Scaling = ScalingPolicy{.ID = "p1", .Type = "horizontal", .Min = 1, .Max = 5, .Enabled = true};
  ok([&](Txn& t) { return upsert_job(t, j); });
  uint64_t created = index;
  j.TaskGroups[0].Scaling->ID = "p2";
  ok([&](Txn& t) { return upsert_job(t, j); });
  EXPECT_EQ(now().scaling_policies().get("p1")->ModifyIndex, created);
  j.TaskGroups[0].Scaling->Max = 9;
  ok([&](Txn& t) { return upsert_job(t, j); });
  auto p = now().scaling_policies().get("p1");
  EXPECT_EQ(p->Max, 9);
  EXPECT_EQ(p->CreateIndex, created);
  EXPECT_EQ(p->ModifyIndex, index);
  EXPECT_EQ(p->Target.at("Group"), "web");
  j.TaskGroups[0].Scaling.reset();
  ok([&](Txn& t) { return upsert_job(t, j); });
  EXPECT_EQ(now().scaling_policies().size(), 0u);
}

TEST_F(Ops, TwentyScalingEventsNewestFirst) {
  for (int64_t i = 0; i < 25; ++i)
    ok([&](Txn& t) { return append_scaling_event(t, "default", "web", "g", ScalingEvent{.Time = i}); });
  auto& events = now().scaling_events().get("default", "web")->ScalingEvents.at("g");
  ASSERT_EQ(events.size(), kScalingEventsKept);
  EXPECT_EQ(events[0].Time, 24);
  EXPECT_EQ(events[0].CreateIndex, index);
}

// --- evaluations and allocations ---

TEST_F(Ops, ASuccessfulEvalCancelsTheBlockedOnes) {
  add_web();
  ok([](Txn& t) { return upsert_evals(t, {eval(5, "web", "blocked"), eval(6, "other", "blocked")}), Status(); });
  auto failed = eval(7, "web", "complete");
  failed.FailedTGAllocs["web"] = {};
  ok([&](Txn& t) { return upsert_evals(t, {failed}), Status(); });
  EXPECT_EQ(now().evals().get(uid(5))->Status, "blocked");
  ok([](Txn& t) { return upsert_evals(t, {eval(8, "web", "complete")}), Status(); });
  auto e = now().evals().get(uid(5));
  EXPECT_EQ(e->Status, "canceled");
  EXPECT_EQ(e->StatusDescription, "evaluation \"" + uid(8).str() + "\" successful");
  EXPECT_EQ(e->ModifyTime, 7);
  EXPECT_EQ(now().evals().get(uid(6))->Status, "blocked");
}

TEST_F(Ops, SummaryCounts) {
  add_web();
  auto e = eval(2, "web");
  e.QueuedAllocations["web"] = 3;
  e.QueuedAllocations["unknown"] = 3;
  ok([&](Txn& t) { return upsert_evals(t, {e}), Status(); });
  EXPECT_EQ(counts().Queued, 3);
  place({10, 11});
  EXPECT_EQ(counts(), (TaskGroupSummary{.Queued = 1, .Starting = 2}));
  client_says(10, "running");
  client_says(11, "failed");
  EXPECT_EQ(counts(), (TaskGroupSummary{.Queued = 1, .Failed = 1, .Running = 1}));
  client_says(10, "complete");
  auto again = report(uid(11), "running");
  again.TaskStates["server"].StartedAt = at(3);
  ok([&](Txn& t) { return update_allocs_from_client(t, {again}); });  // failed is a count of what happened: it stays
  EXPECT_EQ(counts(), (TaskGroupSummary{.Queued = 1, .Complete = 1, .Failed = 1, .Running = 1}));
  ok([](Txn& t) { return reconcile_summaries(t, [](auto&, auto&) { return Map<int64_t>{{"web", 4}}; }), Status(); });
  EXPECT_EQ(counts(), (TaskGroupSummary{.Queued = 4, .Complete = 1, .Running = 1}));
}

TEST_F(Ops, AReportThatWasOvertakenChangesNothing) {
  add_web();
  place({10});
  auto say = [&](std::string_view status, std::string_view state, int64_t started) {
    auto r = report(uid(10), status);
    r.TaskStates["server"].State = state;
    r.TaskStates["server"].StartedAt = started ? at(started) : Time();
    ok([&](Txn& t) { return update_allocs_from_client(t, {r}); });
    return std::string(now().allocs().get(uid(10))->ClientStatus);
  };
  EXPECT_EQ(say("running", "running", 100), "running");
  EXPECT_EQ(say("complete", "dead", 100), "complete");
  EXPECT_EQ(say("running", "running", 100), "complete") << "sent before the end, and late";
  EXPECT_EQ(counts().Complete, 1);
  EXPECT_EQ(say("pending", "pending", 0), "complete") << "sent before the start";
  EXPECT_EQ(say("running", "running", 130), "running") << "started anew";
}

TEST_F(Ops, AReportFromBeforeATaskFailedToStartChangesNothing) {
  add_web();
  place({10});
  std::vector<TaskEvent> all(5);
  for (size_t i = 0; i < all.size(); i++) {
    all[i].Type = std::vector{"Received", "Task Setup", "Driver Failure", "Not Restarting", "Restart Signaled"}[i];
    all[i].Time = 1000 - static_cast<int64_t>(i);  // the node's clock is being set back
  }
  auto say = [&](std::string_view status, std::string_view state, size_t events) {
    auto r = report(uid(10), status);
    if (!state.empty()) {
      r.TaskStates["server"].State = state;
      r.TaskStates["server"].StartedAt = Time();
      for (size_t i = 0; i < events; i++) r.TaskStates["server"].Events.push_back(all[i]);
    } else {
      r.TaskStates.clear();
    }
    ok([&](Txn& t) { return update_allocs_from_client(t, {r}); });
    return std::string(now().allocs().get(uid(10))->ClientStatus);
  };
  EXPECT_EQ(say("pending", "pending", 1), "pending");
  EXPECT_EQ(say("failed", "dead", 4), "failed");
  EXPECT_EQ(say("pending", "pending", 2), "failed") << "sent before the failure, and late";
  EXPECT_EQ(say("pending", "pending", 1), "failed") << "the first of all";
  EXPECT_EQ(say("pending", "pending", 0), "failed");
  EXPECT_EQ(say("pending", "", 0), "failed") << "from before there was a task";
  EXPECT_EQ(counts().Failed, 1);
  EXPECT_EQ(say("pending", "pending", 5), "pending") << "to be started anew";
}

TEST_F(Ops, ReconciledSummariesAreThoseOfTheKindOfJob) {
  add_web();
  auto parent = job("parent", "batch");
  parent.ParameterizedJob.emplace();
  auto child = job("parent/dispatch-1", "batch");
  child.ParentID = "parent";
  child.Dispatched = true;
  ok([&](Txn& t) { return upsert_job(t, parent); });
  ok([&](Txn& t) { return upsert_job(t, child); });
  auto e = eval(3, "web");
  e.Status = "blocked";
  e.QueuedAllocations["web"] = 2;
  ok([&](Txn& t) { return upsert_evals(t, {e}), Status(); });
  place({10});
  ok([](Txn& t) { return reconcile_summaries(t, {}), Status(); });
  EXPECT_EQ(counts(), (TaskGroupSummary{.Queued = 2, .Starting = 1}));
  EXPECT_FALSE(now().job_summaries().get("default", "web")->Children);
  auto after = now().job_summaries().get("default", "parent");
  EXPECT_TRUE(after->Summary.empty());
  EXPECT_EQ(after->Children->Pending + after->Children->Running + after->Children->Dead, 1);
  ok([](Txn& t) { return reconcile_summaries(t, {}), Status(); });
  EXPECT_EQ(*now().job_summaries().get("default", "parent"), *after);  // right already
}

TEST_F(Ops, ClientReportsTakeOnlyWhatClientsOwn) {
  add_web();
  ok([](Txn& t) { return upsert_node(t, node(1)); });
  place({10});
  uint64_t placed = index;
  auto r = report(uid(10), "running");
  r.DesiredStatus = "stop";
  r.ModifyTime = 99;
  ok([&](Txn& t) { return update_allocs_from_client(t, {r, report(uid(404), "running")}); });
  auto a = now().allocs().get(uid(10));
  EXPECT_EQ(a->DesiredStatus, "run");
  EXPECT_EQ(a->ClientStatus, "running");
  EXPECT_EQ(a->TaskStates.at("server").Events.size(), 3u);
  EXPECT_EQ(a->ModifyTime, 99);
  EXPECT_EQ(a->ModifyIndex, index);
  EXPECT_EQ(a->AllocModifyIndex, placed);
  EXPECT_EQ(now().nodes().get(uid(1))->LastAllocUpdateIndex, index);
  // The next report tells nothing new about the node.
  uint64_t nodes = now().table_index(TableId::nodes);
  client_says(10, "running");
  EXPECT_EQ(now().table_index(TableId::nodes), nodes);
  // After a missed heartbeat it does.
  ok([](Txn& t) { return update_node_status(t, uid(1), "disconnected", 1, nullptr); });
  client_says(10, "running");
  auto n = now().nodes().get(uid(1));
  EXPECT_GT(n->LastAllocUpdateIndex, n->LastMissedHeartbeatIndex);
}

TEST_F(Ops, SchedulersDoNotOverwriteTheClientsView) {
  add_web();
  place({10});
  client_says(10, "running");
  place({10}, [](Allocation& a) { a.ClientStatus = "pending"; });
  EXPECT_EQ(now().allocs().get(uid(10))->ClientStatus, "running");
  EXPECT_EQ(now().allocs().get(uid(10))->TaskStates.size(), 1u);
  EXPECT_EQ(now().allocs().get(uid(10))->AllocModifyIndex, index);
  place({10}, [](Allocation& a) { a.ClientStatus = "lost"; });
  EXPECT_EQ(now().allocs().get(uid(10))->ClientStatus, "lost");
  EXPECT_EQ(refused([](Txn& t) {
              Allocation a = alloc(12, t.jobs()->get("default", "web"), uid(1), uid(2));
              a.Job = nullptr;
              return upsert_allocs(t, {a});
            }),
            "attempting to upsert allocation \"" + uid(12).str() + "\" without a job");
}

TEST_F(Ops, AReplacementIsLinkedFromItsPredecessor) {
  add_web();
  place({10});
  place({11}, [](Allocation& a) { a.PreviousAllocation = uid(10); });
  EXPECT_EQ(now().allocs().get(uid(10))->NextAllocation, uid(11));
  EXPECT_EQ(now().allocs().get(uid(10))->ModifyIndex, index);
}

TEST_F(Ops, PlanResults) {
  add_web();
  ok([](Txn& t) { return upsert_node(t, node(1)); });
  ok([](Txn& t) { return upsert_evals(t, {eval(2, "web")}), Status(); });
  place({10, 11});
  rpc::ApplyPlanResultsRequest plan;
  auto stub = std::make_shared<Job>();
  stub->Namespace = "default";
  stub->ID = "web";
  stub->CreateIndex = web()->CreateIndex;
  plan.Job = stub;
  plan.EvalID = uid(2);
  Allocation placed = alloc(12, web(), uid(1), uid(2));
  placed.Job = nullptr;
  plan.AllocsUpdated.push_back(std::make_shared<const Allocation>(placed));
  Allocation stop;
  stop.ID = uid(10);
  stop.DesiredDescription = "alloc not needed due to job update";
  stop.ModifyTime = 55;
  plan.AllocsStopped.push_back(std::make_shared<const Allocation>(stop));
  Allocation preempt;
  preempt.ID = uid(11);
  preempt.PreemptedByAllocation = uid(12);
  plan.AllocsPreempted.push_back(std::make_shared<const Allocation>(preempt));
  plan.IneligibleNodes = {uid(98).str(), uid(1).str()};  // the first left while the plan was on its way
  plan.PreemptionEvals = {eval(3, "web")};
  ok([&](Txn& t) { return apply_plan_results(t, plan); });
  auto s = now();
  EXPECT_EQ(s.allocs().get(uid(10))->DesiredStatus, "stop");
  EXPECT_EQ(s.allocs().get(uid(10))->ModifyTime, 55);
  EXPECT_EQ(s.allocs().get(uid(11))->DesiredStatus, "evict");
  EXPECT_EQ(s.allocs().get(uid(11))->DesiredDescription, "Preempted by alloc ID " + uid(12).str());
  EXPECT_EQ(s.allocs().get(uid(12))->Job, s.job_versions().get("default", "web", 0));  // shared, not copied
  EXPECT_EQ(s.evals().get(uid(2))->ModifyIndex, index);
  EXPECT_TRUE(s.evals().get(uid(3)));
  EXPECT_EQ(s.nodes().get(uid(1))->SchedulingEligibility, "ineligible");
  EXPECT_EQ(s.nodes().get(uid(1))->Events.back().Subsystem, "Scheduler");
  stop.ID = uid(404);
  plan.AllocsStopped = {std::make_shared<const Allocation>(stop)};
  EXPECT_EQ(refused([&](Txn& t) { return apply_plan_results(t, plan); }), "alloc " + uid(404).str() + " doesn't exist");
}

TEST_F(Ops, OperatorsDeleteEvalsOnlyWhileTheBrokerIsPaused) {
  add_web();
  ok([](Txn& t) { return upsert_evals(t, {eval(2, "web", "complete"), eval(3, "web", "failed")}), Status(); });
  auto by_filter = [](Txn& t) -> Status {
    DROVER_TRY(auto n, delete_evals_by_filter(t, "Status == \"failed\"", 100));
    EXPECT_EQ(n, 1u);
    return {};
  };
  EXPECT_EQ(refused(by_filter), "eval broker is enabled; eval broker must be paused to delete evals");
  ok([](Txn& t) { return set_scheduler_config(t, {.PauseEvalBroker = true}, false), Status(); });
  ok(by_filter);
  EXPECT_FALSE(now().evals().get(uid(3)));
  EXPECT_TRUE(now().evals().get(uid(2)));
}

// --- deployments ---

class Deploy : public Ops {
 protected:
  void SetUp() override {
    add_web();
    ok([](Txn& t) {
      Deployment d;
      d.ID = uid(50);
      d.Namespace = "default";
      d.JobID = "web";
      d.Status = "running";
      d.StatusDescription = "Deployment is running but requires manual promotion";
      d.TaskGroups["web"] = {.ProgressDeadline = 600s, .DesiredCanaries = 1, .DesiredTotal = 2};
      return upsert_deployment(t, d), Status();
    });
  }
  void place_canary(uint64_t n) {
    place({n}, [](Allocation& a) {
      a.DeploymentID = uid(50);
      a.DeploymentStatus = AllocDeploymentStatus{.Canary = true};
      a.ModifyTime = at(0).unix_nanos;
    });
  }
  void health(uint64_t n, bool healthy, Time when) {
    ok([&](Txn& t) {
      auto r = report(uid(n), "running");
      r.DeploymentStatus = AllocDeploymentStatus{.Healthy = healthy, .Timestamp = when};
      return update_allocs_from_client(t, {r});
    });
  }
  Ref<Deployment> d() { return now().deployments().get(uid(50)); }
  DeploymentState group() { return d()->TaskGroups.at("web"); }
};

TEST_F(Deploy, CountsFollowPlacementAndHealth) {
  place_canary(10);
  EXPECT_EQ(group().PlacedAllocs, 1);
  EXPECT_EQ(group().PlacedCanaries.size(), 1u);
  EXPECT_EQ(group().RequireProgressBy, at(600));
  health(10, true, at(100));
  EXPECT_EQ(group().HealthyAllocs, 1);
  EXPECT_EQ(group().RequireProgressBy, at(700));
  health(10, true, at(200));
  EXPECT_EQ(group().HealthyAllocs, 1);
  EXPECT_EQ(group().RequireProgressBy, at(700));
  health(10, false, at(300));
  EXPECT_EQ(group().HealthyAllocs, 0);
  EXPECT_EQ(group().UnhealthyAllocs, 1);
}

TEST_F(Deploy, PromotionNeedsHealthyCanaries) {
  place_canary(10);
  auto promote = [](Txn& t) { return promote_deployment(t, uid(50), true, {}); };
  EXPECT_EQ(refused(promote), "1 error occurred:\n\t* Task group \"web\" has 0/1 healthy allocations\n\n");
  health(10, true, at(100));
  ok(promote);
  EXPECT_TRUE(group().Promoted);
  EXPECT_EQ(d()->StatusDescription, "Deployment is running");
  EXPECT_EQ(group().RequireProgressBy, at(static_cast<int64_t>(index)) + 600s);
  EXPECT_FALSE(now().allocs().get(uid(10))->DeploymentStatus->Canary);
}

TEST_F(Deploy, SuccessMakesTheVersionStable) {
  ok([](Txn& t) { return update_deployment_status(t, {uid(50), "successful", "done"}); });
  EXPECT_TRUE(web()->Stable);
  EXPECT_TRUE(now().job_versions().get("default", "web", 0)->Stable);
  EXPECT_EQ(web()->Version, 0u);
  EXPECT_EQ(refused([](Txn& t) { return update_deployment_status(t, {uid(50), "failed", ""}); }),
            "Deployment \"" + uid(50).str() + "\" has terminal status \"successful\":");
  EXPECT_EQ(refused([](Txn& t) { return update_deployment_status(t, {uid(51), "failed", ""}); }),
            "Deployment ID \"" + uid(51).str() + "\" couldn't be updated as it does not exist");
}

TEST_F(Deploy, HealthByHand) {
  place_canary(10);
  place({11});
  ok([](Txn& t) { return set_alloc_health(t, uid(50), {uid(10).str()}, {}, at(9)); });
  EXPECT_EQ(group().HealthyAllocs, 1);
  EXPECT_EQ(refused([](Txn& t) { return set_alloc_health(t, uid(50), {}, {uid(11).str()}, at(9)); }),
            "alloc \"" + uid(11).str() + "\" is not part of deployment \"" + uid(50).str() + "\"");
}

// --- the rest ---

TEST_F(Ops, Variables) {
  auto apply = [&](std::string op, std::string data, uint64_t cas) {
    rpc::VarApplyStateResponse out;
    ok([&](Txn& t) {
      rpc::VarApplyStateRequest r;
      r.Op = op;
      auto& v = r.Var.emplace();
      v.Namespace = "default";
      v.Path = "a/b";
      v.Data.data = data;
      v.ModifyIndex = cas;
      out = apply_variable(t, r);
      return Status();
    });
    return out;
  };
  auto quota = [&] { return now().variables_quotas().get("default")->Size; };
  EXPECT_EQ(apply("cas", "x", 5).Result, "conflict");
  EXPECT_EQ(apply("cas", "12345", 0).Result, "ok");
  uint64_t first = index;
  EXPECT_EQ(quota(), 5);
  auto conflict = apply("cas", "zz", 1);
  EXPECT_EQ(conflict.Result, "conflict");
  EXPECT_EQ(conflict.Conflict->Data.data, "12345");
  EXPECT_EQ(apply("cas", "12", first).WrittenSVMeta->CreateIndex, first);
  EXPECT_EQ(quota(), 2);
  EXPECT_EQ(apply("set", "1234", 0).Result, "ok");
  EXPECT_EQ(apply("delete-cas", "", first).Result, "conflict");
  EXPECT_EQ(apply("delete", "", 0).Result, "ok");
  EXPECT_EQ(quota(), 0);
  EXPECT_EQ(apply("delete-cas", "", 0).Result, "ok");
  EXPECT_EQ(apply("delete", "", 0).Result, "ok");
}

TEST_F(Ops, RootKeysRotate) {
  auto put = [&](std::string id, std::string state, bool rekey) {
    return write([&](Txn& t) { return upsert_root_key(t, {.KeyID = id, .State = state}, rekey); });
  };
  ASSERT_TRUE(put("k1", "active", false));
  ASSERT_TRUE(put("k2", "active", false));
  EXPECT_EQ(now().root_keys().get("k1")->State, "inactive");
  ASSERT_TRUE(put("k3", "active", true));
  EXPECT_EQ(now().root_keys().get("k1")->State, "rekeying");
  EXPECT_EQ(now().root_keys().get("k2")->State, "rekeying");
  EXPECT_EQ(now().root_keys().active()->KeyID, "k3");
  EXPECT_EQ(put("k4", "inactive", true).error().message, "cannot rekey without setting the new key active");
}

TEST_F(Ops, NamespacesInUseStay) {
  ok([](Txn& t) { return upsert_namespaces(t, {Namespace{.Name = "team"}}), Status(); });
  EXPECT_EQ(refused([](Txn& t) { return delete_namespaces(t, {"default"}); }), "default namespace can not be deleted");
  ok([](Txn& t) { return upsert_job(t, job("web", "service", "team")); });
  EXPECT_EQ(refused([](Txn& t) { return delete_namespaces(t, {"team"}); }),
            "namespace \"team\" contains at least one non-terminal job \"web\". All jobs must be terminal in namespace "
            "before it can be deleted");
  ok([](Txn& t) { return delete_job(t, "team", "web"); });
  ok([](Txn& t) { return delete_namespaces(t, {"team"}); });
  EXPECT_FALSE(now().namespaces().get("team"));
}

TEST_F(Ops, ConfigsCompareAndSet) {
  bool applied = true;
  auto set = [&](uint64_t seen, bool compare) {
    ok([&](Txn& t) { return applied = set_scheduler_config(t, {.ModifyIndex = seen}, compare), Status(); });
    return applied;
  };
  EXPECT_FALSE(set(0, true));
  EXPECT_TRUE(set(0, false));
  EXPECT_TRUE(set(index, true));
  EXPECT_FALSE(set(1, true));
  ok([](Txn& t) { return set_cluster_metadata(t, {"a", 1}); });
  EXPECT_EQ(refused([](Txn& t) { return set_cluster_metadata(t, {"b", 1}); }),
            "refusing to set new cluster id, previous: a, new: b");
}

TEST_F(Ops, AclObjects) {
  ok([](Txn& t) { return bootstrap_acl(t, {.AccessorID = "a1", .SecretID = "s1"}, 0); });
  uint64_t reset = index;
  EXPECT_EQ(refused([](Txn& t) { return bootstrap_acl(t, {.AccessorID = "a2"}, 0); }), "ACL bootstrap already done");
  EXPECT_EQ(refused([](Txn& t) { return bootstrap_acl(t, {.AccessorID = "a2"}, 77); }),
            "Invalid reset index for ACL bootstrap");
  ok([&](Txn& t) { return bootstrap_acl(t, {.AccessorID = "a2", .SecretID = "s2"}, reset); });

  ok([](Txn& t) { return upsert_acl_tokens(t, {ACLToken{.AccessorID = "a1", .SecretID = "other", .Name = "n"}}), Status(); });
  EXPECT_EQ(now().acl_tokens().by_secret("s1")->Name, "n");

  ACLRole role{.ID = "r1", .Name = "dev", .Policies = {{"p"}}};
  EXPECT_EQ(refused([&](Txn& t) { return upsert_acl_roles(t, {role}, false); }), "ACL policy not found");
  ok([](Txn& t) { return upsert_acl_policies(t, {ACLPolicy{.Name = "p"}}), Status(); });
  ok([&](Txn& t) { return upsert_acl_roles(t, {role}, false); });
  uint64_t written = index;
  ok([&](Txn& t) { return upsert_acl_roles(t, {role}, false); });
  EXPECT_EQ(now().acl_roles().get("r1")->ModifyIndex, written);
  role.ID = "r2";
  EXPECT_EQ(refused([&](Txn& t) { return upsert_acl_roles(t, {role}, false); }), "ACL role with name dev already exists");

  auto token = std::make_shared<ACLToken>();
  token->Roles = {{"r1", "old name"}, {"gone", "x"}};
  EXPECT_EQ(read_acl_token(now().state(), token)->Roles, (List<ACLTokenRoleLink>{{"r1", "dev"}}));

  ok([](Txn& t) { return upsert_acl_auth_methods(t, {ACLAuthMethod{.Name = "m", .Default = true}}); });
  EXPECT_EQ(refused([](Txn& t) { return upsert_acl_auth_methods(t, {ACLAuthMethod{.Name = "m2", .Default = true}}); }),
            "default ACL auth method already exists: m");
  EXPECT_EQ(refused([](Txn& t) { return upsert_acl_binding_rules(t, {ACLBindingRule{.ID = "b", .AuthMethod = "x"}}, false); }),
            "ACL binding rule insert failed: ACL auth method not found");
}

TEST_F(Ops, TokensExpireInOrder) {
  ok([](Txn& t) {
    List<ACLToken> tokens;
    for (int64_t i : {30, 10, 20}) {
      ACLToken token{.AccessorID = "t" + std::to_string(i), .SecretID = "s" + std::to_string(i)};
      token.ExpirationTime = at(i);
      tokens.push_back(token);
    }
    return upsert_acl_tokens(t, tokens), Status();
  });
  std::string order;
  for (auto& t : now().acl_tokens().expired(false, at(20))) order += t->AccessorID + " ";
  EXPECT_EQ(order, "t10 t20 ");
  EXPECT_FALSE(now().acl_tokens().expired(true, at(99)).any());
}

TEST_F(Ops, ServicesAreWrittenOnlyWhenTheyChange) {
  ServiceRegistration s{.ID = "s1", .ServiceName = "web", .Namespace = "default", .NodeID = uid(1), .Port = 80};
  ok([&](Txn& t) { return upsert_services(t, {s}), Status(); });
  uint64_t written = index;
  ok([&](Txn& t) { return upsert_services(t, {s}), Status(); });
  EXPECT_EQ(now().services().get("default", "s1")->ModifyIndex, written);
  EXPECT_EQ(refused([](Txn& t) { return delete_service(t, "default", "nope"); }), "service registration not found");
  ok([](Txn& t) { return delete_services_of_node(t, uid(1)), Status(); });
  EXPECT_EQ(now().services().size(), 0u);
}

TEST_F(Ops, ServicesAreFoundByNameJobNodeAndAllocation) {
  ServiceRegistration s{.ID = "s1", .ServiceName = "web", .Namespace = "default", .NodeID = uid(1), .JobID = "j", .AllocID = uid(2)};
  auto other = s;
  other.ID = "s2";
  other.ServiceName = "db";
  other.JobID = "k";
  other.Namespace = "prod";
  ok([&](Txn& t) { return upsert_services(t, {s, other}), Status(); });
  auto snap = now();
  auto ids = [](auto rows) {
    std::string out;
    for (auto& r : rows) out += r->Namespace + "/" + r->ID + " ";
    return out;
  };
  EXPECT_EQ(ids(snap.services().by_name("default", "web")), "default/s1 ");
  EXPECT_EQ(ids(snap.services().by_name("default", "db")), "");
  EXPECT_EQ(ids(snap.services().by_job("prod", "k")), "prod/s2 ");
  EXPECT_EQ(ids(snap.services().by_node(uid(1))), "default/s1 prod/s2 ");
  EXPECT_EQ(ids(snap.services().by_alloc(uid(2))), "default/s1 prod/s2 ");
  ok([](Txn& t) { return delete_service(t, "default", "s1"); });
  EXPECT_EQ(ids(now().services().by_name("default", "web")), "");
}

TEST_F(Ops, VolumesAndPlugins) {
  auto n = node(1);
  n.CSINodePlugins["ebs"] = CSIInfo{.PluginID = "ebs", .Healthy = true, .Provider = "aws", .NodeInfo = CSINodeInfo{}};
  ok([&](Txn& t) { return upsert_node(t, n); });
  auto p = now().csi_plugins().get("ebs");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->NodesHealthy, 1);
  EXPECT_EQ(refused([](Txn& t) { return delete_csi_plugin(t, "ebs"); }), "plugin in use");

  CSIVolume v{.ID = "vol", .Namespace = "default", .PluginID = "ebs"};
  ok([&](Txn& t) { return upsert_csi_volumes(t, {v}); });
  v.PluginID = "other";
  EXPECT_EQ(refused([&](Txn& t) { return upsert_csi_volumes(t, {v}); }), "volume identity cannot be updated: vol");
  add_web();
  place({10, 11});
  auto claim = [&](uint64_t alloc_number, int64_t state) {
    return [=](Txn& t) {
      rpc::CSIVolumeClaimRequest r;
      r.VolumeID = "vol";
      r.AllocationID = uid(alloc_number).str();
      r.Claim = 1;
      r.State = state;
      r.AccessMode = "single-node-writer";
      r.AttachmentMode = "file-system";
      return claim_csi_volume(t, "default", r);
    };
  };
  ok(claim(10, 0));
  EXPECT_EQ(refused(claim(11, 0)), "volume max claims reached");
  EXPECT_EQ(refused(claim(404, 0)), "allocation missing: " + uid(404).str());
  EXPECT_EQ(refused([](Txn& t) { return deregister_csi_volumes(t, "default", {"vol"}, false); }), "volume in use: vol");
  auto shown = denormalized(now().state(), *now().csi_volumes().get("default", "vol"));
  EXPECT_TRUE(shown.Schedulable);
  EXPECT_EQ(shown.WriteAllocs.size(), 1u);
  EXPECT_TRUE(shown.PastClaims.empty());
  client_says(10, "complete");
  EXPECT_EQ(denormalized(now().state(), *now().csi_volumes().get("default", "vol")).PastClaims.size(), 1u);
  ok(claim(10, 3));
  EXPECT_EQ(now().csi_volumes().get("default", "vol")->AccessMode, "");
  ok(claim(11, 0));
  EXPECT_EQ(refused([](Txn& t) { return deregister_csi_volumes(t, "default", {"vol"}, true); }), "volume in use: vol");
  ok([](Txn& t) { return delete_nodes(t, {uid(1)}); });
  EXPECT_FALSE(now().csi_plugins().get("ebs"));
  EXPECT_EQ(refused(claim(10, 0)), "volume is currently unschedulable");
}

}  // namespace
}  // namespace drover::state
