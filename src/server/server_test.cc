// The whole server in one process on virtual time: nodes, jobs, placement, heartbeats, blocking reads, collection.
#include "server/server.h"

#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "model/rpc.h"
#include "model/status.h"
#include "server/leader.h"
#include "server/worker.h"

namespace drover::server {
namespace {

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    config.node_name = "s1";
    config.rpc_advertise = "127.0.0.1:4647";
    config.in_memory = true;
    config.num_schedulers = 2;
    config.default_scheduler_config.SchedulerAlgorithm = "binpack";
    open();
  }
  void open() {
    config.node_id = Uuid::generate(sim.random).str();
    auto made = Server::create(config, {.world = sim.world, .fatal = [](const Error& e) { FAIL() << e.message; }});
    ASSERT_TRUE(made) << made.error().message;
    server = std::move(*made);
    server->start();
    ASSERT_TRUE(sim.loop.run_until([&] { return server->leader() && server->leader()->ready(); }, 10s));
  }

  template <class Response, class Request>
  Result<Response> call(std::string_view method, Request request) {
    auto r = run_async(sim.loop, server->call<Response>(method, std::move(request)));
    if (!r) return Error(ErrorCode::kTimeout, "the call did not end");
    return std::move(*r);
  }

  Uuid add_node(int n) {
    rpc::NodeRegisterRequest req;
    auto& node = req.Node.ensure();
    node.ID = Uuid::generate(sim.random);
    node.SecretID = Uuid::generate(sim.random);
    node.Name = "node-" + std::to_string(n);
    node.Datacenter = "dc1";
    node.Status = node_status::kInit;
    node.Attributes = {{"driver.mock_driver", "1"}, {"kernel.name", "linux"}, {"nomad.version", "1.5.7"}};
    node.Drivers["mock_driver"].Detected = true;
    node.Drivers["mock_driver"].Healthy = true;
    auto& res = node.NodeResources.ensure();
    res.Cpu.CpuShares = 4000;
    res.Memory.MemoryMB = 8192;
    res.Disk.DiskMB = 100000;
    auto registered = call<NodeUpdateResponse>("Node.Register", req);
    EXPECT_TRUE(registered) << registered.error().message;
    rpc::NodeUpdateStatusRequest ready;
    ready.NodeID = node.ID.str();
    ready.Status = node_status::kReady;
    auto beat = call<NodeUpdateResponse>("Node.UpdateStatus", ready);
    EXPECT_TRUE(beat) << beat.error().message;
    EXPECT_GT(beat->HeartbeatTTL, Duration::zero());
    return node.ID;
  }

  static Job job(std::string id, int64_t count, std::string type = "service") {
    Job j;
    j.ID = j.Name = id;
    j.Namespace = "default";
    j.Region = "global";
    j.Type = std::move(type);
    j.Priority = 50;
    j.Datacenters = {"dc1"};
    auto& g = j.TaskGroups.emplace_back();
    g.Name = "web";
    g.Count = count;
    g.EphemeralDisk.ensure().SizeMB = 10;
    g.RestartPolicy.ensure().Mode = "fail";
    g.RestartPolicy->Interval = 30min;
    g.RestartPolicy->Delay = 15s;
    g.RestartPolicy->Attempts = 2;
    auto& t = g.Tasks.emplace_back();
    t.Name = "t";
    t.Driver = "mock_driver";
    t.Resources.ensure().CPU = 100;
    t.Resources->MemoryMB = 64;
    t.LogConfig.ensure().MaxFiles = 1;
    t.LogConfig->MaxFileSizeMB = 1;
    return j;
  }

  JobRegisterResponse run(Job j) {
    rpc::JobRegisterRequest req;
    req.Namespace = "default";
    req.Job = std::move(j);
    auto r = call<JobRegisterResponse>("Job.Register", std::move(req));
    EXPECT_TRUE(r) << r.error().message;
    return r ? *r : JobRegisterResponse{};
  }

  std::string eval_status(const std::string& id) {
    auto e = server->snapshot().evals().get(*Uuid::parse(id));
    return e ? e->Status : "missing";
  }
  bool settled(const std::string& eval) {
    return sim.loop.run_until([&] { return eval_status(eval) != "pending"; }, 30s);
  }
  size_t placed(std::string_view job) { return server->snapshot().allocs().by_job("default", job).count(); }

  SimWorld sim{7};
  Config config;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, PlacesAJobOnItsNodes) {
  add_node(1);
  add_node(2);
  auto r = run(job("web", 3));
  ASSERT_FALSE(r.EvalID.empty());
  ASSERT_TRUE(settled(r.EvalID));
  EXPECT_EQ(eval_status(r.EvalID), "complete");
  EXPECT_EQ(placed("web"), 3u);
  EXPECT_EQ(server->leader()->broker().stats().unacked, 0u);
}

TEST_F(ServerTest, WhatDoesNotFitIsBlockedAndPlacedWhenANodeComes) {
  auto r = run(job("web", 2));
  ASSERT_TRUE(settled(r.EvalID));
  EXPECT_EQ(placed("web"), 0u);
  EXPECT_EQ(server->leader()->blocked().stats().total_blocked, 1u);
  add_node(1);
  ASSERT_TRUE(sim.loop.run_until([&] { return placed("web") == 2; }, 30s));
  EXPECT_EQ(server->leader()->blocked().stats().total_blocked, 0u);
}

TEST_F(ServerTest, StoppingAJobStopsItsAllocations) {
  add_node(1);
  ASSERT_TRUE(settled(run(job("web", 2)).EvalID));
  rpc::JobDeregisterRequest req;
  req.JobID = "web";
  auto r = call<JobDeregisterResponse>("Job.Deregister", req);
  ASSERT_TRUE(r) << r.error().message;
  ASSERT_TRUE(settled(r->EvalID));
  for (auto& a : server->snapshot().allocs().by_job("default", "web")) EXPECT_EQ(a->DesiredStatus, "stop");
}

TEST_F(ServerTest, ANodeThatGoesSilentIsMarkedDownAndItsWorkMoves) {
  auto first = add_node(1);
  auto r = run(job("web", 1));
  ASSERT_TRUE(settled(r.EvalID));
  ASSERT_EQ(server->snapshot().allocs().by_node(first).count(), 1u);
  auto second = add_node(2);
  // Only the second node keeps talking.
  rpc::NodeUpdateStatusRequest beat;
  beat.NodeID = second.str();
  beat.Status = node_status::kReady;
  for (int i = 0; i < 12; ++i) {
    sim.loop.advance(5s);
    ASSERT_TRUE(call<NodeUpdateResponse>("Node.UpdateStatus", beat));
  }
  EXPECT_EQ(server->snapshot().nodes().get(first)->Status, "down");
  EXPECT_EQ(server->snapshot().nodes().get(second)->Status, "ready");
  ASSERT_TRUE(sim.loop.run_until([&] { return server->snapshot().allocs().by_node(second).any(); }, 30s));
}

TEST_F(ServerTest, BlockingReadsWakeOnlyForWhatConcernsThem) {
  auto node = add_node(1);
  rpc::NodeSpecificRequest req;
  req.NodeID = node.str();
  req.SecretID = server->snapshot().nodes().get(node)->SecretID.str();
  auto first = call<rpc::NodeClientAllocsResponse>("Node.GetClientAllocs", req);
  ASSERT_TRUE(first) << first.error().message;
  req.MinQueryIndex = first->Index;
  req.MaxQueryTime = 60s;
  std::optional<Result<rpc::NodeClientAllocsResponse>> answer;
  Running waiting([](Server& s, rpc::NodeSpecificRequest r, auto& out) -> Async<void> {
    out = co_await s.call<rpc::NodeClientAllocsResponse>("Node.GetClientAllocs", r);
  }(*server, req, answer));
  sim.loop.advance(1s);
  EXPECT_FALSE(answer);
  run(job("web", 1));
  ASSERT_TRUE(sim.loop.run_until([&] { return answer.has_value(); }, 10s));
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->Allocs.size(), 1u);
  EXPECT_GT((*answer)->Index, first->Index);
}

TEST_F(ServerTest, AnUnchangedJobMakesNoNewVersion) {
  add_node(1);
  auto first = run(job("web", 1));
  ASSERT_TRUE(settled(first.EvalID));
  auto again = run(job("web", 1));
  ASSERT_TRUE(settled(again.EvalID));
  EXPECT_EQ(again.JobModifyIndex, first.JobModifyIndex);
  EXPECT_EQ(server->snapshot().jobs().get("default", "web")->Version, 0u);
  EXPECT_EQ(run(job("web", 2)).JobModifyIndex > first.JobModifyIndex, true);
  EXPECT_EQ(server->snapshot().jobs().get("default", "web")->Version, 1u);
}

TEST_F(ServerTest, GarbageCollectionTakesWhatIsDead) {
  add_node(1);
  ASSERT_TRUE(settled(run(job("web", 1)).EvalID));
  rpc::JobDeregisterRequest req;
  req.JobID = "web";
  auto r = call<JobDeregisterResponse>("Job.Deregister", req);
  ASSERT_TRUE(settled(r->EvalID));
  for (auto& a : server->snapshot().allocs().by_job("default", "web").all()) {
    rpc::AllocUpdateRequest update;
    auto& u = update.Alloc.emplace_back();
    u.ID = a->ID;
    u.NodeID = a->NodeID;
    u.ClientStatus = alloc_client::kComplete;
    ASSERT_TRUE(call<GenericResponse>("Node.UpdateAlloc", update));
  }
  ASSERT_TRUE(call<GenericResponse>("System.GarbageCollect", rpc::GenericWriteRequest{}));
  ASSERT_TRUE(sim.loop.run_until([&] { return !server->snapshot().jobs().get("default", "web"); }, 30s));
  EXPECT_EQ(placed("web"), 0u);
}

}  // namespace
}  // namespace drover::server
