// The agent dies (kill -9) after each single write to its state database, and its successor brings every allocation to
// the same end.
#include <gtest/gtest.h>

#include <algorithm>

#include "client/client_testing.h"
#include "codec/msgpack.h"
#include "model/task_events.h"

namespace drover::client {
namespace {

// Lets a number of writes through, then none: what a dead process writes.
class CrashingState final : public StateDbFilter {
 public:
  CrashingState(std::unique_ptr<StateDb> inner, int& left) : StateDbFilter(std::move(inner)), left_(left) {}

 protected:
  Status write(const std::vector<Write>& batch) override {
    if (left_ <= 0) return Error(ErrorCode::kIo, "dead");
    --left_;
    return StateDbFilter::write(batch);
  }

 private:
  int& left_;
};

struct Scenario {
  std::string name;
  Job job;
  Duration stop_after{};  // 0: it ends by itself
};

void PrintTo(const Scenario& s, std::ostream* out) { *out << s.name; }

struct Outcome {
  std::string status;
  std::map<std::string, std::string> tasks;  // "state failed restarts: events"

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_of(const Allocation& alloc) {
  Outcome out;
  out.status = alloc.ClientStatus.str();
  for (auto& [name, state] : alloc.TaskStates) {
    auto& text = out.tasks[name];
    text = state.State.str() + (state.Failed ? " failed " : " ok ") + std::to_string(state.Restarts) + ":";
    for (auto& e : state.Events) text += " " + e.Type.str() + ";";
  }
  return out;
}

std::string text(const Outcome& o) {
  auto out = o.status + "\n";
  for (auto& [name, t] : o.tasks) out += "  " + name + ": " + t + "\n";
  return out;
}

// Runs the scenario; the client dies after `writes` writes (negative: never). Nullopt: it never wrote so many.
std::optional<Outcome> play(const Scenario& scenario, int writes, bool& died) {
  TestNode n;
  int left = writes < 0 ? 1 << 30 : writes;
  int unlimited = 1 << 30;
  n.boot([&](std::unique_ptr<StateDb> s) { return std::make_unique<CrashingState>(std::move(s), left); });
  auto alloc = test_alloc(scenario.job, n.sim.random);
  auto id = alloc.ID;
  n.server.put(alloc);
  auto begun = n.sim.clock.monotonic();
  bool stopped = false;
  died = false;
  auto finished = [&] { return is_client_terminal(n.server.allocs[id]) && n.client && n.client->alloc(id); };
  auto settle = [&] {
    if (scenario.stop_after > Duration::zero() && !stopped && n.sim.clock.monotonic() - begun >= scenario.stop_after) {
      stopped = true;
      n.server.stop(id);
    }
  };
  for (int turns = 0; turns < 200'000; ++turns) {
    if (left <= 0 && !died) {
      died = true;
      n.kill();
      n.boot([&](std::unique_ptr<StateDb> s) { return std::make_unique<CrashingState>(std::move(s), unlimited); });
      if (testing::Test::HasFatalFailure()) return std::nullopt;
    }
    settle();
    if (finished()) {
      n.sim.loop.advance(std::chrono::seconds(5));  // the last, typical updates
      return outcome_of(n.server.allocs[id]);
    }
    if (!n.sim.loop.step(n.sim.clock.monotonic() + std::chrono::milliseconds(500))) n.sim.loop.advance(std::chrono::milliseconds(100));
  }
  ADD_FAILURE() << scenario.name << " does not end; died after " << writes << " writes\n"
                << text(outcome_of(n.server.allocs[id]));
  return std::nullopt;
}

Task lifecycle(Task task, std::string hook, bool sidecar) {
  task.Lifecycle = TaskLifecycleConfig{std::move(hook), sidecar};
  return task;
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> out;
  auto add = [&](std::string name, std::string type, std::vector<Task> tasks, Duration stop_after = {},
                 std::function<void(TaskGroup&)> more = nullptr) {
    auto job = test_job(type);
    for (auto& t : tasks) job.TaskGroups[0].Tasks.push_back(t);
    if (more) more(job.TaskGroups[0]);
    out.push_back({std::move(name), std::move(job), stop_after});
  };
  add("BatchCompletes", "batch", {mock_task("main", {{"run_for", "20s"}})});
  add("BatchEndsAtOnce", "batch", {mock_task("main", {})});
  add("BatchFailsAfterRestarts", "batch", {mock_task("main", {{"run_for", "1s"}, {"exit_code", 2}})}, {},
      [](TaskGroup& g) { g.RestartPolicy->Attempts = 1; });
  add("StartErrorRetried", "batch", {mock_task("main", {{"start_error", "x"}, {"start_error_recoverable", true}})}, {},
      [](TaskGroup& g) { g.RestartPolicy->Attempts = 1; });
  add("ServiceStopped", "service", {mock_task("main", {{"run_for", "1h"}})}, std::chrono::seconds(30));
  auto slow = mock_task("main", {{"run_for", "1h"}});
  slow.ShutdownDelay = std::chrono::seconds(10);
  add("ShutdownDelay", "service", {slow}, std::chrono::seconds(30));
  add("SiblingFails", "batch",
      {mock_task("bad", {{"run_for", "5s"}, {"exit_code", 1}}), mock_task("good", {{"run_for", "1h"}})}, {},
      [](TaskGroup& g) { g.RestartPolicy->Attempts = 0; });
  auto leader = mock_task("leader", {{"run_for", "5s"}});
  leader.Leader = true;
  add("LeaderEnds", "batch", {leader, mock_task("follower", {{"run_for", "1h"}})});
  add("Lifecycle", "batch",
      {mock_task("main", {{"run_for", "10s"}}), lifecycle(mock_task("init", {{"run_for", "3s"}}), "prestart", false),
       lifecycle(mock_task("proxy", {{"run_for", "1h"}}), "prestart", true),
       lifecycle(mock_task("last", {{"run_for", "4s"}}), "poststop", false)});
  return out;
}

class RestoreTest : public testing::TestWithParam<Scenario> {};

TEST_P(RestoreTest, DeathAfterAnyWriteChangesNothing) {
  bool died = false;
  auto whole = play(GetParam(), -1, died);
  ASSERT_TRUE(whole);
  int deaths = 0;
  for (int writes = 1; writes < 200; ++writes) {
    auto outcome = play(GetParam(), writes, died);
    if (!died) break;
    ++deaths;
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome == *whole) << "died after " << writes << " writes\n" << text(*outcome) << "instead of\n" << text(*whole);
  }
  EXPECT_GE(deaths, 5);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, RestoreTest, testing::ValuesIn(scenarios()),
                         [](const auto& info) { return info.param.name; });

TEST(RestoreTest, RestartDelayGoesOnWhereItWas) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  job.TaskGroups[0].RestartPolicy = RestartPolicy{1, std::chrono::hours(1), std::chrono::seconds(100), "fail"};
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "1s"}, {"exit_code", 1}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.until([&] { return n.server.allocs[id].TaskStates.get_or("main").Restarts == 1; }));
  auto delayed = n.sim.clock.now();
  n.sim.loop.advance(std::chrono::seconds(60));
  n.kill();
  n.boot();
  ASSERT_TRUE(n.reaches(id, "failed"));
  auto took = n.sim.clock.now() - delayed;
  EXPECT_GE(took, std::chrono::seconds(99));
  EXPECT_LT(took, std::chrono::seconds(130));
}

TEST(RestoreTest, UnsentUpdatesAreSentByTheSuccessor) {
  TestNode n;
  n.boot();
  auto job = test_job("batch");
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "10s"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.server.fault = [](std::string_view m) -> Status {
    if (m == rpc::kNodeUpdateAlloc.name) return Error(ErrorCode::kUnavailable, "connection refused");
    return {};
  };
  n.sim.loop.advance(std::chrono::seconds(30));
  n.kill();
  n.server.fault = nullptr;
  n.boot();
  EXPECT_TRUE(n.reaches(id, "complete"));
}

TEST(RestoreTest, AcknowledgedStateIsNotSentAgain) {
  TestNode n;
  n.boot();
  auto job = test_job("service");
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "100h"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.sim.loop.advance(std::chrono::seconds(30));
  auto batches = n.server.updates.size();
  n.kill();
  n.boot();
  n.sim.loop.advance(std::chrono::minutes(2));
  EXPECT_EQ(n.server.updates.size(), batches);
  EXPECT_EQ(n.client->alloc(id)->ClientStatus, "running");
}

// As after a power cut that also took what was last written: the servers stopped and collected the allocation long ago.
TEST(RestoreTest, TaskOfACollectedAllocationIsNotStartedAgain) {
  TestNode n;
  n.boot();
  auto job = test_job("service");
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "100h"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.kill();
  for (auto& [key, value] : (*n.rows)["local_state"]) {
    auto local = from_msgpack<LocalTaskState>(value);
    ASSERT_TRUE(local && local->TaskHandle);
    local->TaskHandle->DriverState.data.clear();
    value = to_msgpack(*local, {.omit_default = true});
  }
  n.server.erase(id);
  n.boot();
  long started = 0;  // as its events have it, the time before included
  auto gone = [&]() -> bool {
    if (!n.client->has_alloc(id)) return true;
    auto alloc = n.client->alloc(id);
    if (auto* state = alloc->TaskStates.find("main"))
      started = std::count_if(state->Events.begin(), state->Events.end(), [](auto& e) { return e.Type == kTaskStarted; });
    return false;
  };
  EXPECT_TRUE(n.until(gone));
  EXPECT_EQ(started, 1);
}

TEST(RestoreTest, TaskThatCannotBeTakenBackWaitsForTheServers) {
  TestNode n;
  n.boot();
  auto job = test_job("service");
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "100h"}}));
  auto id = n.place(job);
  ASSERT_TRUE(n.reaches(id, "running"));
  n.kill();
  // The handle points nowhere.
  for (auto& [key, value] : (*n.rows)["local_state"]) {
    auto local = from_msgpack<LocalTaskState>(value);
    ASSERT_TRUE(local && local->TaskHandle);
    local->TaskHandle->DriverState.data.clear();
    value = to_msgpack(*local, {.omit_default = true});
  }
  n.server.fault = [](std::string_view) -> Status { return Error(ErrorCode::kUnavailable, "connection refused"); };
  n.boot();
  n.sim.loop.advance(std::chrono::minutes(1));
  auto state = n.client->alloc(id)->TaskStates.at("main");
  EXPECT_EQ(state.State, "pending");
  EXPECT_EQ(state.Events.back().Type, "Failed Restoring Task");
  EXPECT_EQ(state.Events.back().DisplayMessage, "failed to restore task; will not run until server is contacted");
  n.server.fault = nullptr;
  EXPECT_TRUE(n.until([&] { return n.client->alloc(id)->TaskStates.at("main").State == "running"; }));
}

}  // namespace
}  // namespace drover::client
