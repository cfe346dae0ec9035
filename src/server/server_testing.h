// For tests: one whole server in virtual time, with nodes that are only records.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "base/sim_loop.h"
#include "model/rpc.h"
#include "model/status.h"
#include "server/leader.h"
#include "server/server.h"
#include "server/test_objects.h"

namespace drover::server {

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
    auto req = test_node(sim.random, n);
    auto& node = *req.Node;
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
    return test_job(std::move(id), count, std::move(type));
  }

  JobRegisterResponse run(Job j) {
    rpc::JobRegisterRequest req;
    req.Namespace = "default";
    req.Job = std::move(j);
    auto r = call<JobRegisterResponse>("Job.Register", std::move(req));
    EXPECT_TRUE(r) << r.error().message;
    return r ? *r : JobRegisterResponse{};
  }

  // Lets time pass in which every node goes on talking.
  void live(Duration d) {
    for (auto end = sim.clock.monotonic() + d; sim.clock.monotonic() < end;) {
      sim.loop.advance(std::min<Duration>(end - sim.clock.monotonic(), 5s));
      for (auto& node : server->snapshot().nodes().all()) {
        rpc::NodeUpdateStatusRequest beat;
        beat.NodeID = node->ID.str();
        beat.Status = node_status::kReady;
        EXPECT_TRUE(call<NodeUpdateResponse>("Node.UpdateStatus", beat));
      }
    }
  }

  // What the node of an allocation says of it.
  void report(const Uuid& alloc, std::string_view status, std::optional<bool> healthy = {}) {
    rpc::AllocUpdateRequest req;
    auto& a = req.Alloc.emplace_back(*server->snapshot().allocs().get(alloc));
    a.ClientStatus = status;
    if (healthy) a.DeploymentStatus.ensure().Healthy = healthy;
    auto r = call<GenericResponse>("Node.UpdateAlloc", std::move(req));
    EXPECT_TRUE(r) << r.error().message;
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

}  // namespace drover::server
