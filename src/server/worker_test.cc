// Scheduling in a cluster: workers of servers that follow, what the leader refuses them, what becomes of an evaluation
// whose worker goes.
#include "codec/msgpack.h"
#include "model/worker_rpc.h"
#include "net/rpc_pool.h"
#include "scheduler/schedule.h"
#include "server/cluster_testing.h"
#include "server/test_objects.h"
#include "server/worker.h"

namespace drover::server {
namespace {

const std::vector<std::string> kTypes = {"service", "batch", "system", "sysbatch", "_core"};

struct WorkerTest : ClusterTest {
  Uuid add_node(Node& at, int n) {
    auto req = test_node(sim.random, n);
    auto id = req.Node->ID;
    auto registered = call<NodeUpdateResponse>(at, "Node.Register", req);
    EXPECT_TRUE(registered) << registered.error().message;
    rpc::NodeUpdateStatusRequest ready;
    ready.NodeID = id.str();
    ready.Status = node_status::kReady;
    auto beat = call<NodeUpdateResponse>(at, "Node.UpdateStatus", ready);
    EXPECT_TRUE(beat) << beat.error().message;
    return id;
  }
  std::string run(Node& at, Job job) {
    rpc::JobRegisterRequest req;
    req.Namespace = "default";
    req.Job = std::move(job);
    auto r = call<JobRegisterResponse>(at, "Job.Register", std::move(req));
    EXPECT_TRUE(r) << r.error().message;
    return r ? r->EvalID : "";
  }
  static std::string status_at(Node& at, const std::string& eval) {
    auto e = at.server->snapshot().evals().get(*Uuid::parse(eval));
    return e ? e->Status : "missing";
  }
  static size_t placed(Node& at, std::string_view job) { return at.server->snapshot().allocs().by_job("default", job).count(); }
  void only_followers_work() {
    for (auto& [n, node] : nodes) ASSERT_TRUE(node.server->set_workers(&node == leader() ? 0 : 1, kTypes));
  }
  void nobody_works() {
    for (auto& [n, node] : nodes) ASSERT_TRUE(node.server->set_workers(0, kTypes));
  }
  rpc::EvalDequeueRequest dequeue() {
    rpc::EvalDequeueRequest req;
    req.Schedulers = kTypes;
    req.SchedulerVersion = scheduler::kSchedulerVersion;
    return req;
  }
  // Refused with the text.
  template <class Request>
  void refused(std::string_view method, Request req, std::string_view text) {
    auto r = call<GenericResponse>(follower(), method, req);
    ASSERT_FALSE(r) << method << ": should be refused with " << text;
    EXPECT_EQ(r.error().message, text) << method;
  }
};

TEST_F(WorkerTest, FollowersScheduleWhatTheLeaderHandsOut) {
  three();
  only_followers_work();
  for (int n : {1, 2, 3}) add_node(*leader(), n);
  auto eval = run(follower(), test_job("web", 3));
  ASSERT_TRUE(until([&] { return status_at(*leader(), eval) == "complete"; }, 20s)) << status_at(*leader(), eval);
  EXPECT_EQ(placed(*leader(), "web"), 3u);
  for (auto& [n, node] : nodes) EXPECT_TRUE(until([&] { return placed(node, "web") == 3; }, 5s)) << n;
  EXPECT_TRUE(until([&] { return leader()->server->leader()->broker().stats().unacked == 0; }, 5s)) << "acknowledged";
  auto stored = leader()->server->snapshot().evals().get(*Uuid::parse(eval));
  EXPECT_GT(stored->SnapshotIndex, 0u);
  EXPECT_GE(stored->SnapshotIndex, stored->CreateIndex) << "the follower waited until it had the evaluation";
}

TEST_F(WorkerTest, WhatDoesNotFitIsBlockedAndRunsWhenThereIsRoom) {
  three();
  only_followers_work();
  auto eval = run(follower(), test_job("late", 2));
  ASSERT_TRUE(until([&] { return status_at(*leader(), eval) == "complete"; }, 20s));
  auto blocked = leader()->server->snapshot().evals().get(*Uuid::parse(eval))->BlockedEval;
  ASSERT_FALSE(blocked.nil());
  add_node(*leader(), 1);
  EXPECT_TRUE(until([&] { return placed(*leader(), "late") == 2; }, 20s));
  EXPECT_TRUE(until([&] { return status_at(*leader(), blocked.str()) == "complete"; }, 5s));
}

TEST_F(WorkerTest, GarbageIsCollectedByAFollower) {
  three();
  only_followers_work();
  add_node(*leader(), 1);
  run(*leader(), test_job("gone", 0));
  rpc::JobDeregisterRequest stop;
  stop.Namespace = "default";
  stop.JobID = "gone";
  ASSERT_TRUE(call<JobDeregisterResponse>(*leader(), "Job.Deregister", stop));
  ASSERT_TRUE(until([&] { return leader()->server->leader()->broker().stats().unacked + leader()->server->leader()->broker().stats().ready == 0; }, 20s));
  ASSERT_TRUE(call<GenericResponse>(follower(), "System.GarbageCollect", rpc::GenericWriteRequest{}));
  for (auto& [n, node] : nodes)
    EXPECT_TRUE(until([&] { return !node.server->snapshot().jobs().get("default", "gone"); }, 20s)) << n;
  auto left = [&] { return leader()->server->snapshot().evals().by_job("default", "gone").count(); };
  // The deregistration by the collector makes an evaluation of its own; that one is the next run's.
  EXPECT_LE(left(), 1u);
}

TEST_F(WorkerTest, ThreeQuartersOfTheLeadersWorkersRest) {
  for (int n : {1, 2, 3}) add(n, 3);
  for (auto& [n, node] : nodes) ASSERT_TRUE(node.server->set_workers(4, kTypes));
  join(nodes[2], nodes[1]);
  join(nodes[3], nodes[1]);
  auto resting = [](Node& at) {
    int n = 0;
    for (auto& w : at.server->workers()) n += w->status() == "Paused";
    return n;
  };
  auto settled = [&] {
    if (!leader()) return false;
    for (auto& [n, node] : nodes)
      if (node.server && resting(node) != (&node == leader() ? 3 : 0)) return false;
    return true;
  };
  EXPECT_TRUE(until(settled));
  kill(*leader());
  EXPECT_TRUE(until([&] { return leader() != nullptr; }));
  EXPECT_TRUE(until(settled)) << "the new one";
}

TEST_F(WorkerTest, AServerAloneRestsNobody) {
  auto& one = add(1, 1);
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  for (int n : {0, 1, 7}) EXPECT_FALSE(one.server->pauses_worker(n));
}

TEST_F(WorkerTest, NothingIsLostWhenTheLeaderChangesInTheMidst) {
  three();
  for (int n : {1, 2, 3}) add_node(*leader(), n);
  std::vector<std::string> evals;
  for (int i = 0; i < 12; ++i) evals.push_back(run(*leader(), test_job("job-" + std::to_string(i), 2)));
  auto done = [&](Node& at) {
    size_t n = 0;
    for (auto& e : evals) n += status_at(at, e) == "complete";
    return n;
  };
  auto* old = leader();
  ASSERT_LT(done(*old), evals.size()) << "there is work left";
  kill(*old);
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  EXPECT_TRUE(until([&] { return done(*leader()) == evals.size(); }, 200s)) << done(*leader());
  for (int i = 0; i < 12; ++i) EXPECT_EQ(placed(*leader(), "job-" + std::to_string(i)), 2u) << "no more and no less";
}

TEST_F(WorkerTest, TheLeaderHandsWorkToTheOwnerOfTheTokenOnly) {
  three();
  nobody_works();
  add_node(*leader(), 1);
  auto eval = run(*leader(), test_job("web", 1));
  auto other = Uuid::generate(sim.random).str();

  auto bad = dequeue();
  bad.Schedulers = {};
  refused("Eval.Dequeue", bad, "dequeue requires at least one scheduler type");
  bad = dequeue();
  bad.SchedulerVersion = 7;
  refused("Eval.Dequeue", bad, "dequeue disallowed: calling scheduler version is 7; leader version is 1");
  auto nothing = dequeue();
  nothing.Schedulers = {"batch"};
  auto none = call<rpc::EvalDequeueResponse>(follower(), "Eval.Dequeue", nothing);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_FALSE(none->Eval);

  auto got = call<rpc::EvalDequeueResponse>(follower(), "Eval.Dequeue", dequeue());
  ASSERT_TRUE(got && got->Eval);
  EXPECT_EQ(got->Eval->ID.str(), eval);
  EXPECT_EQ(got->WaitIndex, got->Eval->ModifyIndex);

  rpc::PlanRequest plan;
  refused("Plan.Submit", plan, "cannot submit nil plan");
  auto body = std::make_shared<Plan>();
  plan.Plan = body;
  body->EvalID = got->Eval->ID;
  body->EvalToken = other;
  refused("Plan.Submit", plan, "evaluation token does not match");
  body->EvalToken = got->Token;
  body->EvalID = *Uuid::parse(other);
  refused("Plan.Submit", plan, "evaluation is not outstanding");

  rpc::EvalUpdateRequest write;
  write.EvalToken = got->Token;
  refused("Eval.Update", write, "only a single eval can be updated");
  refused("Eval.Create", write, "only a single eval can be created");
  refused("Eval.Reblock", write, "only a single eval can be reblocked");
  write.Evals.push_back(*got->Eval);
  refused("Eval.Reblock", write, "evaluation not blocked");
  write.Evals[0].PreviousEval = got->Eval->ID;
  refused("Eval.Create", write, "evaluation already exists");
  write.EvalToken = other;
  refused("Eval.Update", write, "evaluation token does not match");
  refused("Eval.Create", write, "evaluation token does not match");
  refused("Eval.Reblock", write, "evaluation token does not match");

  rpc::EvalAckRequest ack;
  ack.EvalID = got->Eval->ID;
  ack.Token = other;
  refused("Eval.Ack", ack, "Token does not match for Evaluation ID");
  refused("Eval.Nack", ack, "Token does not match for Evaluation ID");
  ack.Token = got->Token;
  EXPECT_TRUE(call<GenericResponse>(follower(), "Eval.Ack", ack));
  refused("Eval.Ack", ack, "Evaluation ID not found");
  body->EvalID = got->Eval->ID;
  refused("Plan.Submit", plan, "evaluation is not outstanding");
  EXPECT_EQ(status_at(*leader(), eval), "pending") << "nothing that was refused was written";
}

TEST_F(WorkerTest, ATokenOfTheLeaderBeforeIsWorthNothing) {
  three();
  nobody_works();
  add_node(*leader(), 1);
  run(*leader(), test_job("web", 1));
  auto got = call<rpc::EvalDequeueResponse>(follower(), "Eval.Dequeue", dequeue());
  ASSERT_TRUE(got && got->Eval);
  kill(*leader());
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  auto body = std::make_shared<Plan>();
  body->EvalID = got->Eval->ID;
  body->EvalToken = got->Token;
  rpc::PlanRequest plan;
  plan.Plan = body;
  refused("Plan.Submit", plan, "evaluation is not outstanding");
  auto again = call<rpc::EvalDequeueResponse>(follower(), "Eval.Dequeue", dequeue());
  ASSERT_TRUE(again && again->Eval) << "the new leader hands it out anew";
  EXPECT_EQ(again->Eval->ID, got->Eval->ID);
  EXPECT_NE(again->Token, got->Token);
}

TEST_F(WorkerTest, AnEvaluationWhoseWorkerIsGoneIsHandedOutAtOnce) {
  three();
  nobody_works();
  auto eval = run(*leader(), test_job("web", 1));
  auto ask = dequeue();
  ask.Region = "global";
  {
    net::RpcPool pool(sim.world, lan.host("10.0.1.1"), {});
    auto raw = run_async(sim.loop, pool.call(net::Address::tcp(leader()->ip, 4647), "global", "Eval.Dequeue", to_msgpack(ask)), 10s);
    ASSERT_TRUE(raw && *raw) << (*raw).error().message;
    EXPECT_EQ(from_msgpack<rpc::EvalDequeueResponse>(**raw)->Eval->ID.str(), eval);
  }
  auto& broker = leader()->server->leader()->broker();
  ASSERT_TRUE(until([&] { return broker.stats().unacked == 0; }, 2s)) << "not after its minute";
  ASSERT_TRUE(until([&] { return broker.has_ready(kTypes); }, 5s));

  // One that leaves while it waits takes nothing with it.
  auto taken = call<rpc::EvalDequeueResponse>(follower(), "Eval.Dequeue", dequeue());
  ASSERT_TRUE(taken && taken->Eval);
  {
    net::RpcPool pool(sim.world, lan.host("10.0.1.1"), {});
    ask.Timeout = 10s;
    Running waiting([](net::RpcPool& p, ClusterTest::Node& at, std::string body) -> Async<void> {
      (void)co_await p.call(net::Address::tcp(at.ip, 4647), "global", "Eval.Dequeue", std::move(body));
    }(pool, *leader(), to_msgpack(ask)));
    sim.loop.advance(100ms);
  }
  sim.loop.advance(100ms);
  auto next = run(*leader(), test_job("other", 1));
  auto got = call<rpc::EvalDequeueResponse>(follower(), "Eval.Dequeue", dequeue());
  ASSERT_TRUE(got && got->Eval);
  EXPECT_EQ(got->Eval->ID.str(), next);
}

TEST_F(WorkerTest, ChangingTheWorkersGivesBackWhatTheyHold) {
  auto& one = add(1, 1);
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  add_node(one, 1);
  // The worker's server cannot reach the log's end: it holds the evaluation and waits.
  auto eval = run(one, test_job("web", 1));
  auto& broker = one.server->leader()->broker();
  ASSERT_TRUE(until([&] { return broker.stats().unacked == 1 || status_at(one, eval) == "complete"; }));
  ASSERT_TRUE(one.server->set_workers(1, kTypes));
  EXPECT_TRUE(until([&] { return status_at(one, eval) == "complete"; }, 10s)) << "well before its minute";
}

}  // namespace
}  // namespace drover::server
