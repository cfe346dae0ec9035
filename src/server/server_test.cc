// The whole server in one process on virtual time: nodes, jobs, placement, heartbeats, blocking reads, collection.
#include "server/server.h"

#include <gtest/gtest.h>

#include "model/rpc.h"
#include "model/status.h"
#include "server/alloc_update_batch.h"
#include "server/leader.h"
#include "server/server_testing.h"
#include "server/worker.h"

namespace drover::server {
namespace {

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

TEST_F(ServerTest, LongListsAreMadeInThePoolAlsoForAReaderThatGoes) {
  for (auto method : {"Alloc.List", "Job.List", "Node.List", "Eval.List", "Eval.Count", "Deployment.List", "Job.Allocations", "Node.GetAllocs"})
    EXPECT_EQ(find_rpc(method)->on, On::kPool) << method;
  add_node(1);
  ASSERT_TRUE(settled(run(job("web", 3)).EvalID));
  auto list = [&](std::optional<Result<rpc::AllocListResponse>>& to) -> Async<void> {
    rpc::AllocListRequest req;
    req.Namespace = "default";
    to = co_await server->call<rpc::AllocListResponse>("Alloc.List", std::move(req));
  };
  std::optional<Result<rpc::AllocListResponse>> gone, here;
  { Running leaves(list(gone)); }
  Running stays(list(here));
  EXPECT_FALSE(here) << "the loop has not waited for it";
  ASSERT_TRUE(sim.loop.run_until([&] { return here.has_value(); }, 1s));
  ASSERT_TRUE(*here);
  EXPECT_EQ((*here)->Allocations.size(), 3u);
  EXPECT_FALSE(gone);
}

// An entry is applied in one turn of the loop: a thousand reports at once would hold up all else.
TEST_F(ServerTest, ManyReportsShareEntriesOfBoundedSize) {
  add_node(1);
  ASSERT_TRUE(settled(run(job("web", 3)).EvalID));
  auto report = [&](size_t begin, size_t end) {
    List<Allocation> reports;
    auto first = (*server->snapshot().allocs().by_job("default", "web").begin())->ID;
    for (size_t i = begin; i < end; ++i) {
      auto& a = reports.emplace_back();
      a.ID = i == 0 ? first : Uuid::generate(sim.random);  // the rest is of allocations that have gone
      a.ClientStatus = alloc_client::kRunning;
    }
    return reports;
  };
  auto before = server->snapshot().index();
  std::vector<Result<uint64_t>> answers;
  auto add = [&](size_t begin, size_t end) -> Async<void> {
    answers.push_back(co_await server->alloc_updates().add(report(begin, end), {}));
  };
  Running first(add(0, 1));  // leaves at once; the others come within its interval
  Running second(add(1, 2 * AllocUpdateBatch::kReportsPerEntry)), third(add(0, 2));
  ASSERT_TRUE(sim.loop.run_until([&] { return answers.size() == 3; }, 5s));
  for (auto& a : answers) ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(*answers[0], before + 1);
  EXPECT_EQ(*answers[1], before + 4) << "499 reports and two: three entries";
  EXPECT_EQ(*answers[2], before + 4);
  size_t running = 0;
  for (auto& a : server->snapshot().allocs().by_job("default", "web")) running += a->ClientStatus == alloc_client::kRunning;
  EXPECT_EQ(running, 1u);
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

  // The node's own report is no news for it; the answer at the end of the time still names everything.
  req.MinQueryIndex = (*answer)->Index;
  req.MaxQueryTime = 5s;
  answer.reset();
  Running again([](Server& s, rpc::NodeSpecificRequest r, auto& out) -> Async<void> {
    out = co_await s.call<rpc::NodeClientAllocsResponse>("Node.GetClientAllocs", r);
  }(*server, req, answer));
  rpc::AllocUpdateRequest update;
  auto& u = update.Alloc.emplace_back();
  u.ID = server->snapshot().allocs().by_node(node).all().at(0)->ID;
  u.NodeID = node;
  u.ClientStatus = alloc_client::kRunning;
  ASSERT_TRUE(call<GenericResponse>("Node.UpdateAlloc", update));
  EXPECT_EQ(server->snapshot().allocs().get(u.ID)->ClientStatus, alloc_client::kRunning);
  sim.loop.advance(1s);
  EXPECT_FALSE(answer);
  ASSERT_TRUE(sim.loop.run_until([&] { return answer.has_value(); }, 10s));
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->Allocs.size(), 1u);
  EXPECT_EQ((*answer)->Index, req.MinQueryIndex);
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
