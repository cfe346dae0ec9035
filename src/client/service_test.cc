// Services and checks: what is registered where, when it goes, and what failing checks do.
#include <gtest/gtest.h>

#include "client/check_probe.h"
#include "client/client_testing.h"
#include "client/service_core.h"
#include "client/task_env.h"
#include "net/http_server.h"

namespace drover::client {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// ---- addresses -----------------------------------------------------------------------------------------------------

class AddressTest : public testing::Test {
 protected:
  AddressTest() {
    AllocatedResources r;
    r.Shared.Ports.push_back({"http", 23456, 8080, "10.0.0.7"});
    r.Shared.Ports.push_back({"flat", 23457, 0, "10.0.0.7"});
    r.Shared.Networks.emplace_back().IP = "10.0.0.7";
    auto& old = r.Tasks["old"].Networks.emplace_back();
    old.IP = "10.0.0.8";
    old.DynamicPorts.emplace_back().Label = "legacy";
    old.DynamicPorts[0].Value = 25000;
    alloc_.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  }
  // "ip:port", or the error.
  std::string at(std::string custom, std::string mode, std::string label, std::string task = "") {
    Workload w{alloc_, task, env_, Uuid(), "dc1", driver_ ? &*driver_ : nullptr, status_ ? &*status_ : nullptr};
    auto r = resolve_address(custom, mode, label, w);
    return r ? r->ip + ":" + std::to_string(r->port) : r.error().message;
  }
  Allocation alloc_;
  RunEnv env_;
  std::optional<drivers::DriverNetwork> driver_;
  std::optional<AllocNetworkStatus> status_;
};

TEST_F(AddressTest, OfTheHost) {
  EXPECT_EQ(at("", "auto", "http"), "10.0.0.7:23456");
  EXPECT_EQ(at("", "host", "http"), "10.0.0.7:23456");
  EXPECT_EQ(at("", "host", ""), "10.0.0.7:0");
  EXPECT_EQ(at("", "host", "9000"), ":9000");
  EXPECT_EQ(at("", "host", "legacy", "old"), "10.0.0.8:25000");
  EXPECT_EQ(at("", "host", "nope"), "invalid port \"nope\": port label not found");
  EXPECT_EQ(at("", "host", "-1"), "invalid port: \"-1\": port must be >0");
}

TEST_F(AddressTest, OfTheOperator) {
  EXPECT_EQ(at("lb.example", "auto", "http"), "lb.example:23456");
  EXPECT_EQ(at("lb.example", "auto", "443"), "lb.example:443");
  EXPECT_EQ(at("lb.example", "auto", ""), "lb.example:0");
  EXPECT_EQ(at("lb.example", "auto", "nope"), "invalid port: \"nope\": not a valid port mapping or numeric port");
  EXPECT_EQ(at("lb.example", "host", "http"), "cannot use custom advertise address with \"host\" address mode");
}

TEST_F(AddressTest, OfTheDriver) {
  EXPECT_EQ(at("", "driver", "http"), "cannot use address_mode=\"driver\": no driver network exists");
  driver_.emplace();
  driver_->ip = "172.17.0.2";
  driver_->port_map["old"] = 81;
  EXPECT_EQ(at("", "driver", "http"), "172.17.0.2:8080");
  EXPECT_EQ(at("", "driver", "old"), "172.17.0.2:81");
  EXPECT_EQ(at("", "driver", "7000"), "172.17.0.2:7000");
  EXPECT_EQ(at("", "driver", "x"), "invalid port label \"x\": port labels in driver address_mode must be numeric or in the driver's port map");
  EXPECT_EQ(at("", "auto", "http"), "10.0.0.7:23456");
  driver_->auto_advertise = true;
  EXPECT_EQ(at("", "auto", "http"), "172.17.0.2:8080");
}

TEST_F(AddressTest, OfTheAllocation) {
  EXPECT_EQ(at("", "alloc", "http"), "cannot use address_mode=\"alloc\": no allocation network status reported");
  status_.emplace().Address = "172.26.64.2";
  EXPECT_EQ(at("", "alloc", "http"), "172.26.64.2:8080");
  EXPECT_EQ(at("", "alloc", "flat"), "172.26.64.2:23457");
  EXPECT_EQ(at("", "alloc", ""), "172.26.64.2:0");
}

// ---- restarts ------------------------------------------------------------------------------------------------------

TEST(CheckRestartTest, WaitsForGraceAndForTheLimit) {
  ServiceCheck check;
  check.Interval = seconds(10);
  check.CheckRestart.ensure().Limit = 3;
  check.CheckRestart->Grace = seconds(30);
  auto t = [](int64_t s) { return Time::from_unix_seconds(1000 + s); };
  CheckRestartWatch watch(check, t(0));
  EXPECT_FALSE(watch.observe("failure", t(29)));
  EXPECT_FALSE(watch.observe("failure", t(30)));
  EXPECT_FALSE(watch.observe("failure", t(49)));
  EXPECT_TRUE(watch.observe("failure", t(50)));
  EXPECT_FALSE(watch.observe("success", t(51)));
  EXPECT_FALSE(watch.observe("failure", t(60)));
  EXPECT_FALSE(watch.observe("pending", t(100)));
}

TEST(CheckProbeTest, WhatAnAnswerMeans) {
  auto shown = [](ProbeResult r) { return std::string(r.success ? "ok " : "bad ") + r.output; };
  EXPECT_EQ(shown(judge_answer(200, "body")), "ok nomad: http ok");
  EXPECT_EQ(shown(judge_answer(204, "")), "ok ");
  EXPECT_EQ(shown(judge_answer(302, "moved")), "ok moved");
  EXPECT_EQ(shown(judge_answer(400, "why")), "bad why");
  EXPECT_EQ(shown(judge_answer(503, "down")), "bad down");
}

// ---- the whole client ----------------------------------------------------------------------------------------------

Service web_service() {
  Service s;
  s.Name = "web-${NOMAD_JOB_NAME}";
  s.Provider = "nomad";
  s.PortLabel = "http";
  s.Tags = {"blue"};
  s.CanaryTags = {"canary"};
  return s;
}

Allocation serving(TestNode& n, Job job) {
  auto alloc = test_alloc(std::move(job), n.sim.random);
  auto r = *alloc.AllocatedResources;
  r.Shared.Ports.push_back({"http", 23456, 0, "10.0.0.7"});
  alloc.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  return alloc;
}

Job serving_job(Service group_service) {
  auto job = test_job();
  job.TaskGroups[0].Services.push_back(std::move(group_service));
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "1h"}}));
  return job;
}

ServiceCheck tcp_check(Duration interval) {
  ServiceCheck c;
  c.Name = "alive";
  c.Type = "tcp";
  c.Interval = interval;
  c.Timeout = seconds(1);
  return c;
}

TEST(ServiceTest, GroupServicesComeWithTheAllocationAndGoBeforeItsTasks) {
  TestNode n;
  n.boot();
  auto job = serving_job(web_service());
  job.TaskGroups[0].ShutdownDelay = seconds(20);
  auto alloc = serving(n, job);
  auto id = alloc.ID;
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(id, "running"));
  auto service_id = "_nomad-task-" + id.str() + "-group-web-web-example-http";
  ASSERT_TRUE(n.until([&] { return n.server.services.contains(service_id); }));
  auto& s = n.server.services[service_id];
  EXPECT_EQ(s.ServiceName, "web-example");
  EXPECT_EQ(s.Address + ":" + std::to_string(s.Port), "10.0.0.7:23456");
  EXPECT_EQ(s.NodeID, n.client->node_id());
  EXPECT_EQ(s.Tags[0], "blue");
  n.server.stop(id);
  ASSERT_TRUE(n.until([&] { return n.server.services.empty(); }, seconds(2)));
  n.sim.loop.advance(seconds(15));
  EXPECT_EQ(n.server.status(id), "running");  // its group's shutdown_delay
  ASSERT_TRUE(n.reaches(id, "complete"));
}

TEST(ServiceTest, AStopWithoutDelayEndsTheGroupsShutdownDelay) {
  TestNode n;
  n.boot();
  auto job = serving_job(web_service());
  job.TaskGroups[0].ShutdownDelay = minutes(30);
  auto alloc = serving(n, job);
  auto id = alloc.ID;
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.stop(id);
  n.sim.loop.advance(seconds(10));
  EXPECT_EQ(n.server.status(id), "running");
  n.server.change(id, [](Allocation& a) { a.DesiredTransition.NoShutdownDelay = true; });
  ASSERT_TRUE(n.reaches(id, "complete", seconds(30)));
}

TEST(ServiceTest, TaskServicesFollowTheTask) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  auto task = mock_task("main", {{"run_for", "10s"}});
  task.Services.push_back(web_service());
  job.TaskGroups[0].Tasks.push_back(task);
  auto alloc = serving(n, job);
  n.server.put(alloc);
  ASSERT_TRUE(n.until([&] { return n.server.services.size() == 1; }));
  EXPECT_EQ(n.server.services.begin()->first, "_nomad-task-" + alloc.ID.str() + "-main-web-example-http");
  ASSERT_TRUE(n.reaches(alloc.ID, "complete"));
  ASSERT_TRUE(n.until([&] { return n.server.services.empty(); }));
}

TEST(ServiceTest, CanaryTagsUntilThePromotion) {
  TestNode n;
  n.boot();
  auto alloc = serving(n, serving_job(web_service()));
  alloc.DeploymentStatus.ensure().Canary = true;
  n.server.put(alloc);
  ASSERT_TRUE(n.until([&] { return n.server.services.size() == 1; }));
  auto tag = [&] { return n.server.services.begin()->second.Tags[0]; };
  EXPECT_EQ(tag(), "canary");
  n.server.change(alloc.ID, [](Allocation& a) { a.DeploymentStatus->Canary = false; });
  ASSERT_TRUE(n.until([&] { return tag() == "blue"; }));
}

TEST(ServiceTest, UnreachableServersNeitherStopNorDelayTheWork) {
  TestNode n;
  n.boot();
  bool down = true;
  n.server.fault = [&](std::string_view method) {
    return down && method.starts_with("ServiceRegistration.") ? Status(Error(ErrorCode::kNoLeader, "No cluster leader")) : Status();
  };
  auto alloc = serving(n, serving_job(web_service()));
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(alloc.ID, "running", seconds(5)));
  n.sim.loop.advance(minutes(2));
  EXPECT_EQ(n.server.status(alloc.ID), "running");
  down = false;
  ASSERT_TRUE(n.until([&] { return n.server.services.size() == 1; }));
  down = true;
  n.server.stop(alloc.ID);
  ASSERT_TRUE(n.reaches(alloc.ID, "complete", seconds(10)));
  down = false;
  ASSERT_TRUE(n.until([&] { return n.server.services.empty(); }));
}

TEST(ServiceTest, ABadPortFailsTheSetup) {
  TestNode n;
  n.boot();
  auto service = web_service();
  service.PortLabel = "nope";
  auto alloc = serving(n, serving_job(service));
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(alloc.ID, "failed"));
  auto& events = n.server.allocs[alloc.ID].TaskStates.at("main").Events;
  bool told = std::any_of(events.begin(), events.end(), [](auto& e) {
    return e.DisplayMessage.view().find("invalid port \"nope\": port label not found") != std::string::npos;
  });
  EXPECT_TRUE(told);
}

TEST(ServiceTest, ASuccessorOfTheAgentRegistersAgainAndRemovesWhatWasLeft) {
  TestNode n;
  n.boot();
  auto alloc = serving(n, serving_job(web_service()));
  n.server.put(alloc);
  ASSERT_TRUE(n.until([&] { return n.server.services.size() == 1; }));
  n.kill();
  n.server.services.clear();
  n.boot();
  ASSERT_TRUE(n.until([&] { return n.server.services.size() == 1; }));
  ASSERT_TRUE(n.reaches(alloc.ID, "running"));
  n.server.stop(alloc.ID);
  ASSERT_TRUE(n.reaches(alloc.ID, "complete"));
  n.kill();
  auto left = ServiceRegistration{.ID = "_nomad-task-" + alloc.ID.str() + "-group-web-web-example-http"};
  n.server.services[left.ID] = left;  // the agent died before it could say that it is gone
  n.boot();
  ASSERT_TRUE(n.until([&] { return n.server.services.empty(); }));
}

TEST(CheckTest, FailureThenSuccessAndHealthWaitsForIt) {
  TestNode n;
  n.boot();
  auto service = web_service();
  service.Checks.push_back(tcp_check(seconds(10)));
  auto job = serving_job(service);
  auto& update = job.TaskGroups[0].Update.ensure();
  update.MaxParallel = 1;
  update.HealthCheck = "checks";
  update.MinHealthyTime = seconds(5);
  update.HealthyDeadline = minutes(5);
  auto alloc = serving(n, job);
  alloc.DeploymentID = Uuid::generate(n.sim.random);
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(alloc.ID, "running"));
  auto result = [&] {
    auto all = n.client->alloc_checks(alloc.ID);
    return all && all->size() == 1 ? all->begin()->second : CheckQueryResult();
  };
  EXPECT_EQ(result().Status, "pending");
  EXPECT_EQ(result().Output, "nomad: waiting to run");
  ASSERT_TRUE(n.until([&] { return result().Status == "failure"; }, seconds(10)));
  EXPECT_EQ(result().Output, "dial tcp 10.0.0.7:23456: connect: connection refused");
  EXPECT_EQ(result().Mode, "healthiness");
  EXPECT_EQ(result().Group, "example.web[0]");
  n.sim.loop.advance(seconds(30));
  EXPECT_FALSE(n.server.allocs[alloc.ID].DeploymentStatus && n.server.allocs[alloc.ID].DeploymentStatus->Healthy);
  auto listener = n.lan.host("10.0.0.7").listen(net::Address::tcp("10.0.0.7", 23456));
  ASSERT_TRUE(listener);
  ASSERT_TRUE(n.until([&] { return result().Status == "success"; }, seconds(20)));
  EXPECT_EQ(result().Output, "nomad: tcp ok");
  ASSERT_TRUE(n.until([&] {
    auto& status = n.server.allocs[alloc.ID].DeploymentStatus;
    return status && status->Healthy && *status->Healthy;
  }, seconds(30)));
  n.server.stop(alloc.ID);
  ASSERT_TRUE(n.reaches(alloc.ID, "complete"));
  EXPECT_TRUE(n.client->alloc_checks(alloc.ID)->empty());
}

TEST(CheckTest, AsksOverHttp) {
  TestNode n;
  int status = 200;
  std::string asked;
  net::HttpServer server(n.sim.world, {}, [&](net::HttpRequest& request, net::HttpExchange& exchange) -> Async<void> {
    asked = request.method + " " + request.target + " " + std::string(request.headers.get("X-Probe"));
    (void)co_await exchange.respond(status, "it is " + std::to_string(status));
  });
  auto& host = n.lan.host("10.0.0.7");
  server.add_listener(std::move(*host.listen(net::Address::tcp("10.0.0.7", 23456))));
  CheckPlan plan;
  plan.check.Type = "http";
  plan.check.Method = "HEAD";
  plan.check.Path = "/healthz?full=1";
  plan.check.Header["X-Probe"] = {"yes"};
  plan.check.Timeout = seconds(2);
  plan.address = ServiceAddress{"10.0.0.7", 23456};
  auto probe = [&] { return run_async(n.sim.loop, run_probe(n.sim.world, host, plan)); };
  auto r = probe();
  ASSERT_TRUE(r);
  EXPECT_TRUE(r->success) << r->output;
  EXPECT_EQ(asked, "HEAD /healthz?full=1 yes");
  plan.check.Method = "";
  status = 503;
  r = probe();
  EXPECT_FALSE(r->success);
  EXPECT_EQ(r->status_code, 503);
  EXPECT_EQ(r->output, "it is 503");
  plan.address = ServiceAddress{"10.0.0.7", 1};
  EXPECT_EQ(probe()->output, "nomad: Get \"http://10.0.0.7:1/healthz?full=1\": dial tcp 10.0.0.7:1: connect: connection refused");
}

TEST(CheckTest, AnsweringNothingEndsWithTheTimeout) {
  TestNode n;
  auto& host = n.lan.host("10.0.0.7");
  auto listener = host.listen(net::Address::tcp("10.0.0.7", 23456));
  CheckPlan plan;
  plan.check.Type = "http";
  plan.check.Timeout = seconds(2);
  plan.address = ServiceAddress{"10.0.0.7", 23456};
  auto began = n.sim.clock.monotonic();
  auto r = run_async(n.sim.loop, run_probe(n.sim.world, host, plan));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->output, "nomad: Get \"http://10.0.0.7:23456\": context deadline exceeded");
  EXPECT_LT(n.sim.clock.monotonic() - began, seconds(3));
}

TEST(CheckTest, CheckRestartEndsTheTaskAndCounts) {
  TestNode n;
  n.boot();
  auto job = test_job();
  auto task = mock_task("main", {{"run_for", "1h"}});
  auto service = web_service();
  auto check = tcp_check(seconds(10));
  check.CheckRestart.ensure().Limit = 2;
  check.CheckRestart->Grace = seconds(20);
  service.Checks.push_back(check);
  task.Services.push_back(service);
  job.TaskGroups[0].Tasks.push_back(task);
  auto alloc = serving(n, job);
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(alloc.ID, "running"));
  auto restarts = [&] { return n.server.allocs[alloc.ID].TaskStates.at("main").Restarts; };
  n.sim.loop.advance(seconds(25));
  EXPECT_EQ(restarts(), 0u);
  ASSERT_TRUE(n.until([&] { return restarts() == 1; }, minutes(1)));
  auto types = n.server.event_types(alloc.ID, "main");
  EXPECT_NE(std::find(types.begin(), types.end(), "Restart Signaled"), types.end());
  ASSERT_TRUE(n.reaches(alloc.ID, "failed"));  // the policy allows two
}

TEST(CheckTest, AGroupServicesCheckRestartsItsTasks) {
  TestNode n;
  n.boot();
  auto service = web_service();
  auto check = tcp_check(seconds(10));
  check.CheckRestart.ensure().Limit = 1;
  check.CheckRestart->Grace = seconds(5);
  service.Checks.push_back(check);
  auto alloc = serving(n, serving_job(service));
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(alloc.ID, "running"));
  ASSERT_TRUE(n.until([&] { return n.server.allocs[alloc.ID].TaskStates.at("main").Restarts == 1; }, minutes(1)));
  ASSERT_TRUE(n.until([&] { return n.server.services.size() == 1; }));
}

}  // namespace
}  // namespace drover::client
