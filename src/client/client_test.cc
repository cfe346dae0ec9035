// The whole client against false servers, with mock_driver, in virtual time.
#include "client/client.h"

#include <gtest/gtest.h>

#include "client/alloc_fs.h"
#include "client/client_testing.h"

namespace drover::client {
namespace {

using Types = std::vector<std::string>;

Job one_task(std::string type, Task task) {
  auto job = test_job(std::move(type));
  job.TaskGroups[0].Tasks.push_back(std::move(task));
  return job;
}

TEST(ClientTest, RegistersHeartbeatsAndFingerprints) {
  TestNode n;
  n.boot();
  ASSERT_TRUE(n.until([&] { return n.server.heartbeats >= 3; }));
  ASSERT_TRUE(n.server.node);
  auto& node = *n.server.node;
  EXPECT_EQ(node.ID, n.client->node_id());
  EXPECT_EQ(node.Attributes.get_or("driver.mock_driver"), "1");
  EXPECT_EQ(node.Attributes.get_or("cpu.totalcompute"), "4000");
  EXPECT_TRUE(node.Drivers.at("mock_driver").Healthy);
  EXPECT_EQ(n.server.registrations, 1);
}

TEST(ClientTest, RunsAServiceTaskAndStopsItOnDemand) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "1h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  EXPECT_EQ(n.server.event_types(id, "main"), (Types{"Received", "Task Setup", "Started"}));
  EXPECT_EQ(n.server.allocs[id].ClientDescription, "Tasks are running");
  n.server.stop(id);
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_EQ(n.server.event_types(id, "main"),
            (Types{"Received", "Task Setup", "Started", "Killing", "Terminated", "Killed"}));
  EXPECT_FALSE(n.server.allocs[id].TaskStates.at("main").Failed);
}

TEST(ClientTest, BatchTaskCompletes) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"run_for", "5s"}})));
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_EQ(n.server.event_types(id, "main"), (Types{"Received", "Task Setup", "Started", "Terminated"}));
  EXPECT_EQ(n.server.allocs[id].ClientDescription, "All tasks have completed");
}

TEST(ClientTest, FailingBatchTaskRestartsAsThePolicySaysAndFails) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"run_for", "1s"}, {"exit_code", 3}})));
  ASSERT_TRUE(n.reaches(id, "failed"));
  auto& state = n.server.allocs[id].TaskStates.at("main");
  EXPECT_EQ(state.Restarts, 3u);
  EXPECT_TRUE(state.Failed);
  EXPECT_EQ(state.Events.back().Type, "Not Restarting");
  EXPECT_EQ(state.Events.back().DisplayMessage,
            "Exceeded allowed attempts 3 in interval 24h0m0s and mode is \"fail\"");
  EXPECT_EQ(state.Events[state.Events.size() - 2].DisplayMessage, "Exit Code: 3");
}

TEST(ClientTest, UrgentUpdateAfterQuietLeavesAtOnce) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"run_for", "60s"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  auto started = n.client->alloc(id)->TaskStates.at("main").StartedAt;
  n.sim.loop.advance(std::chrono::seconds(30));
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_LT(n.sim.clock.now() - started, std::chrono::seconds(60) + std::chrono::milliseconds(50));
}

TEST(ClientTest, SiblingsOfAFailedTaskAreKilled) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  job.TaskGroups[0].RestartPolicy->Attempts = 0;
  job.TaskGroups[0].Tasks.push_back(mock_task("bad", {{"run_for", "2s"}, {"exit_code", 1}}));
  job.TaskGroups[0].Tasks.push_back(mock_task("good", {{"run_for", "1h"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.until([&] { return n.server.allocs[id].TaskStates.get_or("good").State == "dead"; }));
  EXPECT_EQ(n.server.event_types(id, "good"), (Types{"Received", "Task Setup", "Started", "Sibling Task Failed",
                                                     "Killing", "Terminated", "Killed"}));
  EXPECT_EQ(n.server.status(id), "failed");
}

TEST(ClientTest, LifecycleTasksRunInTheirOrder) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  auto add = [&](std::string name, std::string hook, bool sidecar, const char* run_for) {
    auto task = mock_task(name, {{"run_for", run_for}});
    if (!hook.empty()) task.Lifecycle = TaskLifecycleConfig{hook, sidecar};
    job.TaskGroups[0].Tasks.push_back(task);
  };
  add("main", "", false, "10s");
  add("init", "prestart", false, "3s");
  add("proxy", "prestart", true, "1h");
  add("after", "poststart", false, "2s");
  add("last", "poststop", false, "4s");
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "complete"));
  auto& s = n.server.allocs[id].TaskStates;
  EXPECT_GE(s.at("main").StartedAt, s.at("init").FinishedAt);
  EXPECT_GE(s.at("main").StartedAt, s.at("proxy").StartedAt);
  EXPECT_GE(s.at("after").StartedAt, s.at("main").StartedAt);
  EXPECT_GE(s.at("last").StartedAt, s.at("main").FinishedAt);
  EXPECT_GE(s.at("last").StartedAt, s.at("proxy").FinishedAt);
  EXPECT_EQ(s.at("proxy").Events[3].Type, "Main Tasks Dead");
}

TEST(ClientTest, LeaderEndsTheOthers) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  auto leader = mock_task("leader", {{"run_for", "5s"}});
  leader.Leader = true;
  job.TaskGroups[0].Tasks.push_back(leader);
  job.TaskGroups[0].Tasks.push_back(mock_task("follower", {{"run_for", "1h"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_EQ(n.server.event_types(id, "follower")[3], "Leader Task Dead");
}

TEST(ClientTest, DeploymentHealthIsReported) {
  TestNode n;
  n.boot();
  auto job = one_task("service", mock_task("main", {{"run_for", "1h"}}));
  UpdateStrategy update;
  update.MaxParallel = 1;
  update.HealthCheck = "task_states";
  update.MinHealthyTime = std::chrono::seconds(10);
  update.HealthyDeadline = std::chrono::minutes(5);
  job.TaskGroups[0].Update = update;
  auto alloc = test_alloc(job, n.sim.random);
  alloc.DeploymentID = Uuid::generate(n.sim.random);
  auto id = alloc.ID;
  n.server.put(alloc);
  ASSERT_TRUE(n.reaches(id, "running"));
  EXPECT_FALSE(n.server.allocs[id].DeploymentStatus && n.server.allocs[id].DeploymentStatus->Healthy);
  ASSERT_TRUE(n.until([&] { return n.server.allocs[id].DeploymentStatus && n.server.allocs[id].DeploymentStatus->Healthy; }));
  EXPECT_TRUE(*n.server.allocs[id].DeploymentStatus->Healthy);
  auto& status = *n.server.allocs[id].DeploymentStatus;
  EXPECT_GE(status.Timestamp - n.server.allocs[id].TaskStates.at("main").StartedAt, std::chrono::seconds(10));
}

TEST(ClientTest, UnknownDriverFailsTheAllocation) {
  TestNode n;
  n.boot();
  auto task = mock_task("main", {});
  task.Driver = "nonesuch";
  auto id = n.place(one_task("service", task));
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.allocs[id].ClientDescription,
            "Unable to add allocation due to error: failed creating runner for task \"main\": driver not found");
}

TEST(ClientTest, BadDriverConfigFailsTheTask) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"nonsense", "x"}})));
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.event_types(id, "main"),
            (Types{"Received", "Task Setup", "Failed Validation", "Not Restarting"}));
}

TEST(ClientTest, TaskThatNeedsWhatThisBuildCannotDoIsNotStarted) {
  TestNode n;
  n.boot();
  auto templated = mock_task("main", {{"run_for", "1h"}});
  templated.Templates.push_back({});
  auto id = n.place(one_task("service", templated));
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.event_types(id, "main"), (Types{"Received", "Task Setup", "Killing", "Not Restarting"}));
  auto* state = &n.server.allocs[id].TaskStates.at("main");
  EXPECT_EQ(state->Events[2].DisplayMessage, "Template failed: this build of Drover cannot render templates yet");
  EXPECT_EQ(state->Restarts, 0u);

  auto fetching = mock_task("main", {{"run_for", "1h"}});
  TaskArtifact artifact;
  artifact.GetterSource = "https://example.com/a.tgz";
  fetching.Artifacts.push_back(artifact);
  id = n.place(one_task("service", fetching));
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.event_types(id, "main"),
            (Types{"Received", "Task Setup", "Downloading Artifacts", "Failed Artifact Download", "Not Restarting"}));
  state = &n.server.allocs[id].TaskStates.at("main");
  EXPECT_EQ(state->Events[3].DisplayMessage,
            "failed to download artifact \"https://example.com/a.tgz\": this build of Drover cannot fetch artifacts yet");
  EXPECT_EQ(state->Restarts, 0u);
}

TEST(ClientTest, StartErrorIsRetriedOnlyWhenRecoverable) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"start_error", "no luck"}})));
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.event_types(id, "main"), (Types{"Received", "Task Setup", "Driver Failure", "Not Restarting"}));
  auto again = n.place(one_task("batch", mock_task("main", {{"start_error", "no luck"}, {"start_error_recoverable", true}})));
  ASSERT_TRUE(n.reaches(again, "failed"));
  EXPECT_EQ(n.server.allocs[again].TaskStates.at("main").Restarts, 3u);
}

TEST(ClientTest, UserRestartDoesNotCount) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "1h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  EXPECT_EQ(run_async(n.sim.loop, n.client->restart_alloc(id, "other", false))->error().message,
            "Could not find task runner for task: other");
  ASSERT_TRUE(*run_async(n.sim.loop, n.client->restart_alloc(id, "main", false)));
  ASSERT_TRUE(n.until([&] { return n.server.event_types(id, "main").size() == 7; }));
  EXPECT_EQ(n.server.event_types(id, "main"),
            (Types{"Received", "Task Setup", "Started", "Restart Signaled", "Terminated", "Restarting", "Started"}));
  EXPECT_EQ(n.server.allocs[id].TaskStates.at("main").Restarts, 1u);
}

TEST(ClientTest, RestartAllRevivesDeadTasks) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  job.TaskGroups[0].Tasks.push_back(mock_task("short", {{"run_for", "1s"}}));
  job.TaskGroups[0].Tasks.push_back(mock_task("long", {{"run_for", "1h"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.until([&] { return n.server.allocs[id].TaskStates.get_or("short").State == "dead"; }));
  ASSERT_TRUE(*run_async(n.sim.loop, n.client->restart_alloc(id, "", true)));
  ASSERT_TRUE(n.until([&] { return n.server.event_types(id, "short").size() >= 6; }));
  EXPECT_EQ(n.server.event_types(id, "short"),
            (Types{"Received", "Task Setup", "Started", "Terminated", "Restart Signaled", "Started"}));
}

TEST(ClientTest, SignalsReachTasks) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "1h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  EXPECT_TRUE(*run_async(n.sim.loop, n.client->signal_alloc(id, "", "SIGHUP")));
  EXPECT_EQ(run_async(n.sim.loop, n.client->signal_alloc(id, "nope", "SIGHUP"))->error().message, "Task not found");
  n.sim.loop.advance(std::chrono::seconds(2));
  auto events = n.server.allocs[id].TaskStates.at("main").Events;
  EXPECT_EQ(events.back().DisplayMessage, "Task being sent signal SIGHUP");
}

TEST(ClientTest, ShutdownDelayIsWaitedFor) {
  TestNode n;
  n.boot();
  auto task = mock_task("main", {{"run_for", "1h"}});
  task.ShutdownDelay = std::chrono::seconds(20);
  auto id = n.place(one_task("service", task));
  ASSERT_TRUE(n.reaches(id, "running"));
  auto begun = n.sim.clock.now();
  n.server.stop(id);
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_GE(n.sim.clock.now() - begun, std::chrono::seconds(20));
  EXPECT_EQ(n.server.event_types(id, "main"), (Types{"Received", "Task Setup", "Started", "Killing",
                                                     "Waiting for shutdown delay", "Terminated", "Killed"}));
}

TEST(ClientTest, NetworkModeThatTheDriverLacksFailsTheSetup) {
  TestNode n;
  n.boot();
  auto job = one_task("service", mock_task("main", {{"run_for", "1h"}}));
  NetworkResource network;
  network.Mode = "bridge";
  job.TaskGroups[0].Networks.push_back(network);
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.event_types(id, "main"), (Types{"Received", "Setup Failure"}));
  EXPECT_EQ(n.server.allocs[id].TaskStates.at("main").Events[1].DisplayMessage,
            "failed to setup alloc: pre-run hook \"network\" failed: task main does not support \"bridge\" networking mode");
  n.server.stop(id);
  n.sim.loop.advance(std::chrono::seconds(5));
  EXPECT_TRUE(*run_async(n.sim.loop, n.client->collect_alloc(id)));
}

TEST(ClientTest, ReconnectedAllocationTellsTheServersAgain) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  n.sim.loop.advance(std::chrono::seconds(10));
  n.server.change(id, [](Allocation& a) { a.ClientStatus = alloc_client::kUnknown; });
  ASSERT_TRUE(n.reaches(id, "running"));
  EXPECT_EQ(n.server.event_types(id, "main").back(), "Reconnected");
}

TEST(ClientTest, UpdateInPlaceChangesThePolicyOfARunningTask) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "60s"}, {"exit_code", 1}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.change(id, [](Allocation& a) {
    auto job = *a.Job;
    job.TaskGroups[0].RestartPolicy->Attempts = 0;
    a.Job = std::make_shared<const Job>(job);
  });
  ASSERT_TRUE(n.reaches(id, "failed"));
  EXPECT_EQ(n.server.event_types(id, "main"),
            (Types{"Received", "Task Setup", "Started", "Terminated", "Not Restarting"}));
}

TEST(ClientTest, StoppedWhileItWaitsForItsPredecessor) {
  TestNode n;
  n.boot();
  auto job = one_task("service", mock_task("main", {{"run_for", "100h"}}));
  auto first = n.place(job);
  ASSERT_TRUE(n.reaches(first, "running"));
  auto next = test_alloc(job, n.sim.random);
  next.PreviousAllocation = first;
  auto id = next.ID;
  n.server.put(next);
  n.sim.loop.advance(std::chrono::seconds(5));
  n.server.stop(id);
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_EQ(n.server.status(first), "running");
}

TEST(ClientTest, PoststopTasksRunAfterAStop) {
  TestNode n;
  n.boot();
  auto job = one_task("service", mock_task("main", {{"run_for", "100h"}}));
  auto last = mock_task("last", {{"run_for", "3s"}});
  last.Lifecycle = TaskLifecycleConfig{"poststop", false};
  job.TaskGroups[0].Tasks.push_back(last);
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.stop(id);
  ASSERT_TRUE(n.reaches(id, "complete"));
  EXPECT_EQ(n.server.event_types(id, "last"), (Types{"Received", "Task Setup", "Started", "Terminated"}));
}

TEST(ClientTest, ExecIsRefusedWhereItIsDisabled) {
  TestNode n;
  n.config.disable_remote_exec = true;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  EXPECT_EQ(run_async(n.sim.loop, n.client->exec(id, "main", {"ls"}, false))->error().message, "Permission denied");
  auto other = Uuid::generate(n.sim.random);
  EXPECT_EQ(n.client->alloc_files(other).error().message, "Unknown allocation \"" + other.str() + "\"");
}

// ---- Never hurt running work

TEST(ClientTest, UnreachableServersStopNothing) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.fault = [](std::string_view) -> Status { return Error(ErrorCode::kUnavailable, "connection refused"); };
  n.server.wake();
  n.sim.loop.advance(std::chrono::hours(5));
  EXPECT_EQ(n.client->alloc(id)->ClientStatus, "running");
  n.server.fault = nullptr;
  n.server.stop(id);
  EXPECT_TRUE(n.reaches(id, "complete"));
}

TEST(ClientTest, OlderAnswerIsRefused) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.answer_index = 5;
  n.server.hide_allocs = true;
  n.server.wake();
  n.sim.loop.advance(std::chrono::hours(1));
  EXPECT_EQ(n.client->alloc(id)->ClientStatus, "running");
  n.server.answer_index.reset();
  n.server.hide_allocs = false;
  n.server.stop(id);
  EXPECT_TRUE(n.reaches(id, "complete"));
}

TEST(ClientTest, AbsenceFromTheListStopsNothing) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  auto other = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running") && n.reaches(other, "running"));
  n.server.hide_allocs = true;
  n.server.change(other, [](Allocation&) {});
  n.sim.loop.advance(std::chrono::hours(1));
  EXPECT_EQ(n.client->alloc(id)->ClientStatus, "running");
}

TEST(ClientTest, AllocationCollectedByTheServersIsDestroyedOnceConfirmed) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.erase(id);
  EXPECT_TRUE(n.until([&] { return !n.client->has_alloc(id); }));
}

TEST(ClientTest, ServersThatLostTheNodeGetItAgainAndStopNothing) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.allocs.clear();  // a new cluster, whose index will pass the old one some day
  n.server.node.reset();
  n.server.index = 1;
  ASSERT_TRUE(n.until([&] { return n.server.registrations == 2; }));
  n.server.index = 100000;
  n.place(one_task("batch", mock_task("main", {{"run_for", "1s"}})));
  n.sim.loop.advance(std::chrono::hours(1));
  EXPECT_EQ(n.client->alloc(id)->ClientStatus, "running");
  EXPECT_TRUE(*run_async(n.sim.loop, n.client->collect_alloc(id)));  // the operator may
  EXPECT_FALSE(n.client->has_alloc(id));
}

TEST(ClientTest, StopAfterClientDisconnect) {
  TestNode n;
  n.boot();
  auto job = one_task("service", mock_task("main", {{"run_for", "100h"}}));
  job.TaskGroups[0].StopAfterClientDisconnect = std::chrono::minutes(2);
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.sim.loop.advance(std::chrono::minutes(10));
  EXPECT_TRUE(n.client->has_alloc(id));
  n.server.fault = [](std::string_view) -> Status { return Error(ErrorCode::kUnavailable, "connection refused"); };
  n.server.wake();
  n.sim.loop.advance(std::chrono::minutes(3));
  EXPECT_FALSE(n.client->has_alloc(id));
}

// ---- Garbage and disks

TEST(ClientTest, TerminalAllocationsBeyondTheLimitAreCollectedOldestFirst) {
  TestNode n;
  n.config.gc_max_allocs = 2;
  n.boot();
  std::vector<Uuid> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(n.place(one_task("batch", mock_task("main", {{"run_for", "1s"}}))));
    ASSERT_TRUE(n.reaches(ids.back(), "complete"));
  }
  n.sim.loop.advance(std::chrono::minutes(2));
  EXPECT_FALSE(n.client->has_alloc(ids[0]));
  EXPECT_FALSE(n.client->has_alloc(ids[1]));
  EXPECT_TRUE(n.client->has_alloc(ids[3]));
  EXPECT_FALSE(exists(n.config.alloc_dir + "/" + ids[0].str()));
  EXPECT_TRUE(exists(n.config.alloc_dir + "/" + ids[3].str()));
}

TEST(ClientTest, CollectedAllocationAnswersUntilTheServersForgetIt) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"run_for", "1s"}})));
  ASSERT_TRUE(n.reaches(id, "complete"));
  ASSERT_TRUE(n.until([&] { return bool(*run_async(n.sim.loop, n.client->collect_alloc(id))); }));
  EXPECT_FALSE(n.client->has_alloc(id));
  EXPECT_TRUE(*run_async(n.sim.loop, n.client->collect_alloc(id)));
  auto files = n.client->alloc_files(id);
  ASSERT_TRUE(files);
  EXPECT_EQ((*run_async(n.sim.loop, list_files(n.sim.world, *files, "/"))).error().message,
            "open " + (n.dir / "alloc/") + id.str() + ": no such file or directory");
  auto restart = [&](std::string task) { return run_async(n.sim.loop, n.client->restart_alloc(id, task, false))->error().message; };
  EXPECT_EQ(restart(""), "restart of an alloc that should not run");
  EXPECT_EQ(restart("main"), "Task not running");
  EXPECT_EQ(restart("nope"), "Could not find task runner for task: nope");
  EXPECT_TRUE((*run_async(n.sim.loop, n.client->alloc_stats(id, "")))->Tasks.empty());
  n.server.erase(id);
  ASSERT_TRUE(n.until([&] { return !n.client->alloc_files(id); }));
  EXPECT_FALSE(*run_async(n.sim.loop, n.client->collect_alloc(id)));
}

TEST(ClientTest, ExecAndStatsOfATaskThatIsNotThere) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("service", mock_task("main", {{"run_for", "1h"}})));
  ASSERT_TRUE(n.reaches(id, "running"));
  auto refused = [&](std::string task, std::vector<std::string> command) {
    return run_async(n.sim.loop, n.client->exec(id, task, command, false))->error();
  };
  EXPECT_EQ(refused("nope", {"/bin/true"}).message, "task not found");
  EXPECT_EQ(refused("nope", {"/bin/true"}).code, ErrorCode::kInternal);
  EXPECT_EQ(refused("", {"/bin/true"}).message, "must provide task name");
  EXPECT_EQ(refused("main", {}).message, "command is not present");
  auto stats = *run_async(n.sim.loop, n.client->alloc_stats(id, "nope"));
  ASSERT_TRUE(stats);
  EXPECT_TRUE(stats->Tasks.empty() && !stats->Tasks.is_nil());
  EXPECT_FALSE(stats->ResourceUsage->DeviceStats.is_nil());
}

TEST(ClientTest, LastStatsOfATaskThatEndedAreKept) {
  TestNode n;
  n.boot();
  auto id = n.place(one_task("batch", mock_task("main", {{"run_for", "5s"}})));
  ASSERT_TRUE(n.reaches(id, "complete"));
  auto stats = *run_async(n.sim.loop, n.client->alloc_stats(id, "main"));
  ASSERT_TRUE(stats);
  auto* last = stats->Tasks.find("main");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->Timestamp, stats->Timestamp);
  EXPECT_EQ(last->ResourceUsage->MemoryStats->RSS, stats->ResourceUsage->MemoryStats->RSS);
  EXPECT_GT(last->ResourceUsage->MemoryStats->RSS, 0u);
}

TEST(ClientTest, StickyDiskMovesToTheSuccessor) {
  TestNode n;
  n.boot();
  auto job = one_task("service", mock_task("main", {{"run_for", "100h"}}));
  job.TaskGroups[0].EphemeralDisk = EphemeralDisk{true, 150, false};
  auto first = n.place(job);
  ASSERT_TRUE(n.reaches(first, "running"));
  auto old_root = n.config.alloc_dir + "/" + first.str();
  spill_file(old_root + "/alloc/data/kept", "yes");
  spill_file(old_root + "/main/local/own", "mine");
  auto next = test_alloc(job, n.sim.random);
  next.PreviousAllocation = first;
  auto id = next.ID;
  n.server.put(next);
  n.sim.loop.advance(std::chrono::seconds(10));
  EXPECT_EQ(n.server.status(id), "pending");
  n.server.stop(first);
  ASSERT_TRUE(n.reaches(id, "running"));
  auto root = n.config.alloc_dir + "/" + id.str();
  EXPECT_EQ(slurp_file(root + "/alloc/data/kept"), "yes");
  EXPECT_EQ(slurp_file(root + "/main/local/own"), "mine");
  n.sim.loop.advance(std::chrono::seconds(5));
  EXPECT_FALSE(exists(old_root));
}

TEST(ClientTest, NodeMetadataIsAppliedKeptAndTold) {
  TestNode n;
  n.config.meta.set("rack", "r1");
  n.boot();
  ASSERT_TRUE(n.until([&] { return n.server.registrations == 1; }));
  Map<std::optional<std::string>> change;
  change.set("rack", std::nullopt);
  change.set("zone", "z1");
  auto answer = n.client->apply_node_meta(change);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->Meta.contains("rack"));
  EXPECT_EQ(answer->Static.get_or("rack"), "r1");
  ASSERT_TRUE(n.until([&] { return n.server.registrations == 2; }));
  EXPECT_EQ(n.server.node->Meta.get_or("zone"), "z1");
  n.kill();
  n.boot();
  EXPECT_EQ(n.client->node()->Meta.get_or("zone"), "z1");
  EXPECT_FALSE(n.client->node()->Meta.contains("rack"));
  Map<std::optional<std::string>> bad;
  bad.set("a b", "x");
  EXPECT_EQ(n.client->apply_node_meta(bad).error().message,
            "\"a b\" is invalid; metadata keys must be valid dotted hcl identifiers");
}

TEST(ClientTest, ShutdownLeavesTasksAndDevModeDestroysThem) {
  for (bool dev : {false, true}) {
    TestNode n;
    n.config.dev_mode = dev;
    n.boot();
    auto id = n.place(one_task("service", mock_task("main", {{"run_for", "100h"}})));
    ASSERT_TRUE(n.reaches(id, "running"));
    ASSERT_TRUE(run_async(n.sim.loop, n.client->shutdown()));
    EXPECT_EQ(exists(n.config.alloc_dir + "/" + id.str()), !dev);
    EXPECT_EQ(n.server.status(id), "running");
  }
}

}  // namespace
}  // namespace drover::client
