// The task's state machine: which effects an event has in each phase, and what the servers see of it.
#include "client/task_core.h"

#include <gtest/gtest.h>

#include "model/task_events.h"

namespace drover::client {
namespace {

using namespace std::chrono_literals;
using namespace task_event;
using K = TaskEffectKind;
using Handle = Begin::Handle;

class TaskCoreTest : public testing::Test {
 protected:
  TaskCoreTest() {
    policy_.restart = {1, 1h, 10s, "fail"};
    policy_.kill_timeout = 7s;
  }
  // Effects as text: "prestart start ...".
  std::string step(TaskInput input) {
    std::string out;
    for (auto& e : core().step(input, now_, 0)) {
      static constexpr const char* kNames[] = {"prestart", "cancel_prestart", "start", "wait",   "poststart", "prekill",
                                               "stop",     "cleanup",         "arm",   "cancel", "stop_hooks", "finished"};
      out += (out.empty() ? "" : " ") + std::string(kNames[static_cast<int>(e.kind)]);
      if (e.delay > 0s) out += ":" + format_duration(e.delay);
    }
    return out;
  }
  TaskCore& core() {
    if (!core_) core_.emplace(policy_, state_, local_);
    return *core_;
  }
  void run() {
    step(Begin{});
    step(Gate{true});
    step(PrestartDone{});
    step(StartDone{});
  }
  std::string events() {
    std::string out;
    for (auto& e : core().state.Events) out += (out.empty() ? "" : ", ") + e.Type.str();
    return out;
  }
  // A successor that begins with what was persisted.
  void successor(Handle handle, bool stopped = false, bool doubtful = false) {
    state_ = core().state;
    local_ = core().local;
    core_.reset();
    first_ = step(Begin{handle, stopped, doubtful});
  }

  TaskPolicy policy_;
  TaskState state_;
  LocalTaskState local_;
  std::optional<TaskCore> core_;
  Time now_ = Time::from_unix_seconds(1'800'000'000);
  std::string first_;
};

TEST_F(TaskCoreTest, StartsWhenItsGateOpens) {
  EXPECT_EQ(step(Begin{}), "");
  EXPECT_EQ(core().state.State, "pending");
  EXPECT_EQ(step(Gate{true}), "prestart");
  EXPECT_EQ(step(PrestartDone{}), "start");
  EXPECT_EQ(step(StartDone{}), "wait poststart");
  EXPECT_EQ(core().state.State, "running");
  EXPECT_EQ(core().state.StartedAt, now_);
  EXPECT_EQ(events(), "Received, Started");
}

TEST_F(TaskCoreTest, ExitLeadsToCleanupThenToTheRestartDelay) {
  run();
  EXPECT_EQ(step(Exited{{.exit_code = 2}}), "cleanup");
  EXPECT_EQ(core().state.State, "running");
  EXPECT_EQ(step(CleanupDone{}), "arm:10s");
  EXPECT_EQ(core().state.State, "pending");
  EXPECT_EQ(core().state.Restarts, 1u);
  EXPECT_EQ(core().state.Events.back().DisplayMessage, "Task restarting in 10s");
  EXPECT_EQ(step(TimerFired{}), "prestart");
}

TEST_F(TaskCoreTest, KillOfARunningTask) {
  run();
  EXPECT_EQ(step(Kill{{make_task_event(kTaskKilling, now_)}}), "prekill");
  EXPECT_EQ(step(Kill{{make_task_event(kTaskKilling, now_)}}), "");
  EXPECT_EQ(step(PrekillDone{}), "stop:7s");
  EXPECT_EQ(step(Exited{{.signal = 15}}), "cleanup");
  EXPECT_EQ(step(CleanupDone{}), "stop_hooks");
  EXPECT_EQ(core().state.State, "dead");
  EXPECT_FALSE(core().state.Failed);
  EXPECT_EQ(step(StopHooksDone{}), "finished");
  EXPECT_TRUE(core().local.RunComplete);
  EXPECT_EQ(events(), "Received, Started, Killing, Terminated, Killed");
}

TEST_F(TaskCoreTest, KillInEveryPhaseEndsTheTask) {
  struct Row {
    const char* phase;
    std::function<void()> reach;
    const char* effects;
  };
  const Row rows[] = {
      {"blocked", [&] { step(Begin{}); }, "stop_hooks"},
      {"prestart", [&] { step(Begin{}), step(Gate{true}); }, "cancel_prestart stop_hooks"},
      {"starting", [&] { step(Begin{}), step(Gate{true}), step(PrestartDone{}); }, ""},
      {"running", [&] { run(); }, "prekill"},
      {"cleanup", [&] { run(), step(Exited{{.exit_code = 1}}); }, ""},
      {"backoff", [&] { run(), step(Exited{{.exit_code = 1}}), step(CleanupDone{}); }, "cancel stop_hooks"},
  };
  for (auto& row : rows) {
    core_.reset();
    row.reach();
    EXPECT_EQ(to_string(core().phase()), row.phase);
    EXPECT_EQ(step(Kill{}), row.effects) << row.phase;
  }
}

TEST_F(TaskCoreTest, KillDuringStartWaitsForItsEnd) {
  step(Begin{});
  step(Gate{true});
  step(PrestartDone{});
  step(Kill{});
  EXPECT_EQ(step(StartDone{}), "wait poststart prekill");
  core_.reset();
  step(Begin{});
  step(Gate{true});
  step(PrestartDone{});
  step(Kill{});
  EXPECT_EQ(step(StartDone{internal("x")}), "stop_hooks");
}

TEST_F(TaskCoreTest, ShutdownDelayAndItsSkipping) {
  policy_.shutdown_delay = 20s;
  run();
  step(Kill{});
  EXPECT_EQ(step(PrekillDone{}), "arm:20s");
  EXPECT_EQ(core().state.Events.back().DisplayMessage, "Waiting for shutdown_delay of 20s before killing the task.");
  EXPECT_EQ(step(NoShutdownDelay{}), "cancel stop:7s");

  core_.reset();
  policy_.no_shutdown_delay = true;
  run();
  step(Kill{});
  EXPECT_EQ(step(PrekillDone{}), "stop:7s");
  EXPECT_EQ(core().state.Events.back().DisplayMessage, "Skipping shutdown_delay of 20s before killing the task.");
}

TEST_F(TaskCoreTest, AskedRestartRunsAgainAtOnce) {
  policy_.shutdown_delay = 20s;  // not for restarts
  run();
  EXPECT_EQ(step(Restart{make_task_event(kTaskRestartSignaled, now_)}), "prekill");
  EXPECT_EQ(step(PrekillDone{}), "stop:7s");
  step(Exited{{.signal = 15}});
  EXPECT_EQ(step(CleanupDone{}), "prestart");
  EXPECT_EQ(core().local.RestartCount, 0);
}

TEST_F(TaskCoreTest, DeadTaskIsRevivedOnlyByForce) {
  policy_.restart_on_success = false;
  run();
  step(Exited{});
  EXPECT_EQ(step(CleanupDone{}), "");
  EXPECT_EQ(core().phase(), TaskPhase::kDead);
  EXPECT_EQ(step(Restart{make_task_event(kTaskRestartSignaled, now_)}), "");
  EXPECT_EQ(step(Restart{make_task_event(kTaskRestartSignaled, now_), false, true}), "prestart");
  EXPECT_TRUE(core().state.FinishedAt.unset());
}

TEST_F(TaskCoreTest, FailingHookFailsTheTaskUnlessRecoverable) {
  step(Begin{});
  step(Gate{true});
  EXPECT_EQ(step(PrestartDone{Error(ErrorCode::kUnavailable, "x"), make_task_event(kTaskHookFailed, now_)}), "arm:10s");
  step(TimerFired{});
  EXPECT_EQ(step(PrestartDone{invalid("x"), make_task_event(kTaskHookFailed, now_)}), "");
  EXPECT_TRUE(core().state.Failed);
  EXPECT_EQ(events(), "Received, Task hook failed, Restarting, Task hook failed, Not Restarting");
}

TEST_F(TaskCoreTest, OnlyTheLatestTenEventsStay) {
  run();
  for (int i = 0; i < 20; ++i) step(Record{with_driver_message(make_task_event(kTaskDriverMessage, now_), std::to_string(i))});
  ASSERT_EQ(core().state.Events.size(), kMaxTaskEvents);
  EXPECT_EQ(core().state.Events.back().DisplayMessage, "19");
}

// ---- Successors

TEST_F(TaskCoreTest, SuccessorTakesARunningTaskOver) {
  run();
  successor(Handle::kRecovered);
  EXPECT_EQ(first_, "wait poststart");
  EXPECT_EQ(events(), "Received, Started");
}

TEST_F(TaskCoreTest, SuccessorRecordsAStartThatWasNotRecorded) {
  step(Begin{});
  step(Gate{true});
  step(PrestartDone{});
  successor(Handle::kRecovered);
  EXPECT_EQ(first_, "wait poststart");
  EXPECT_EQ(events(), "Received, Started");
}

TEST_F(TaskCoreTest, SuccessorWaitsForTheServersWhenARunningTaskIsLost) {
  run();
  successor(Handle::kLost);
  EXPECT_EQ(step(Gate{true}), "");
  EXPECT_EQ(core().state.State, "pending");
  EXPECT_EQ(core().state.Events.back().Type, "Failed Restoring Task");
  EXPECT_EQ(step(ServersContacted{}), "prestart");
}

// After a reboot: that it was stopped meanwhile may have been forgotten.
TEST_F(TaskCoreTest, SuccessorWaitsForTheServersWhenWhatItKnowsIsDoubtful) {
  step(Begin{});
  successor(Handle::kNone);
  EXPECT_EQ(step(Gate{true}), "prestart") << "the agent alone was gone";
  successor(Handle::kNone, false, true);
  EXPECT_EQ(step(Gate{true}), "");
  EXPECT_EQ(step(ServersContacted{}), "prestart");
  core_.reset();
  state_ = {};
  local_ = {};
  EXPECT_EQ(step(Begin{.doubtful = true}), "");
  EXPECT_EQ(step(Gate{true}), "prestart") << "it is new";
}

TEST_F(TaskCoreTest, SystemTaskDoesNotWaitForTheServers) {
  policy_.system_job = true;
  run();
  successor(Handle::kLost);
  EXPECT_EQ(step(Gate{true}), "prestart");
}

TEST_F(TaskCoreTest, SuccessorFinishesCleanupVerdictKillAndDelay) {
  run();
  step(Exited{{.exit_code = 1}});
  successor(Handle::kRecovered);
  EXPECT_EQ(first_, "cleanup");
  EXPECT_EQ(step(CleanupDone{}), "arm:10s");
  now_ = now_ + 4s;
  successor(Handle::kNone);
  EXPECT_EQ(first_, "arm:6s");

  core_.reset();
  state_ = {};
  local_ = {};
  run();
  step(Kill{{make_task_event(kTaskKilling, now_)}});
  successor(Handle::kRecovered);
  EXPECT_EQ(first_, "wait poststart prekill");
  EXPECT_EQ(events(), "Received, Started, Killing");
}

TEST_F(TaskCoreTest, SuccessorOfAFinishedTaskHasNothingToDo) {
  run();
  step(Kill{});
  step(PrekillDone{});
  step(Exited{});
  step(CleanupDone{});
  step(StopHooksDone{});
  successor(Handle::kNone);
  EXPECT_EQ(first_, "finished");
}

TEST_F(TaskCoreTest, StoppedAllocationIsNotStartedByASuccessor) {
  step(Begin{});
  successor(Handle::kNone, true);
  EXPECT_EQ(first_, "stop_hooks");
  EXPECT_EQ(core().state.State, "dead");
}

TEST(TaskEventsTest, DisplayMessages) {
  Time now = Time::from_unix_seconds(1);
  auto e = [&](std::string_view type) { return make_task_event(type, now); };
  struct Row {
    TaskEvent event;
    const char* display;
  };
  const Row rows[] = {
      {e(kTaskReceived), "Task received by client"},
      {with_exit(e(kTaskTerminated), 1, 0, "", false), "Exit Code: 1"},
      {with_exit(e(kTaskTerminated), 0, 9, "oom \"x\"", true), "Exit Code: 0, Signal: 9, Exit Message: \"oom \\\"x\\\"\""},
      {with_kill_timeout(e(kTaskKilling), 90s, 30s), "Sent interrupt. Waiting 30s before force killing"},
      {e(kTaskKilling), "Sent interrupt"},
      {with_kill_reason(e(kTaskKilling), "because"), "because"},
      {e(kTaskKilled), "Task successfully killed"},
      {with_restart_reason(with_restart_delay(e(kTaskRestarting), 16s), kRestartReasonWithinPolicy), "Task restarting in 16s"},
      {with_restart_reason(with_restart_delay(e(kTaskRestarting), 16s), kRestartReasonDelay),
       "Exceeded allowed attempts, applying a delay - Task restarting in 16s"},
      {with_restart_reason(e(kTaskNotRestarting), "x"), "x"},
      {e(kTaskNotRestarting), "Task exceeded restart policy"},
      {with_signal(e(kTaskSignaling), "SIGHUP", "why"), "Task being sent signal SIGHUP: why"},
      {with_failed_sibling(e(kTaskSiblingFailed), "web"), "Task's sibling \"web\" failed"},
      {with_driver_error(e(kTaskDriverFailure), "boom"), "boom"},
      {e(kTaskDriverFailure), "Failed to start task"},
      {with_message(e(kTaskSetup), kTaskBuildingTaskDir), "Building Task Directory"},
      {with_display(e(kTaskSetup), "given"), "given"},
  };
  for (auto& row : rows) EXPECT_EQ(display_message(row.event), row.display);
  EXPECT_EQ(failing_task(e(kTaskNotRestarting)).Details.get_or("fails_task"), "true");
}

}  // namespace
}  // namespace drover::client
