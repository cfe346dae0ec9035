// Step tables of the pure cores: restarts, lifecycle gates, kills, updates, heartbeats, differences, garbage.
#include <gtest/gtest.h>

#include "client/alloc_core.h"
#include "client/alloc_diff.h"
#include "client/client_gc.h"
#include "client/client_testing.h"
#include "client/exec_frames.h"
#include "client/heartbeat.h"
#include "client/restart_tracker.h"
#include "client/update_sync.h"
#include "model/task_events.h"

namespace drover::client {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow = Time::from_unix_seconds(1'800'000'000);

// ---- Exec

TEST(ExecTest, ASessionEndsWithWhoeverAskedForIt) {
  SimWorld sim;
  Promise<bool> gone, never;
  bool dropped = false;
  struct Guard {
    bool& flag;
    ~Guard() { flag = true; }
  };
  auto input = [](Promise<bool> gone) -> Async<void> { co_await gone; };
  auto output = [](Promise<bool> never, bool& dropped) -> Async<Status> {
    Guard guard{dropped};
    co_await never;
    co_return Status{};
  };
  std::optional<Status> ended;
  Running run([](Async<Status> work, std::optional<Status>& ended) -> Async<void> { ended = co_await std::move(work); }(
      run_exec(sim.loop, input(gone), output(never, dropped)), ended));
  sim.loop.advance(1h);
  EXPECT_FALSE(ended) << "a silent command is no reason to end";
  gone.set(true);
  sim.loop.advance(1s);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(*ended);
  EXPECT_TRUE(dropped);

  // What the command ends with is told, whether or not there is more input.
  auto exits = []() -> Async<Status> { co_return Status{}; };
  auto done = run_async(sim.loop, run_exec(sim.loop, input(Promise<bool>()), exits()), 1s);
  ASSERT_TRUE(done);
  EXPECT_TRUE(*done);
}

// ---- Restart policy

RunOutcome exits(bool ok) { return {RunOutcome::Kind::kExit, false, ok}; }

TEST(RestartTest, DelayWithinPolicyThenFailMode) {
  RestartPolicy policy{2, 30min, 15s, "fail"};
  RestartState state;
  auto v = next_restart(state, policy, true, exits(false), kNow, 0);
  EXPECT_EQ(v.kind, RestartVerdict::Kind::kRestart);
  EXPECT_EQ(v.delay, 15s);
  EXPECT_EQ(v.reason, "Restart within policy");
  v = next_restart(state, policy, true, exits(true), kNow + 1s, 14'000'000'000);
  EXPECT_EQ(v.delay, 15s + 3500ms);
  v = next_restart(state, policy, true, exits(false), kNow + 2s, 0);
  EXPECT_EQ(v.kind, RestartVerdict::Kind::kNotRestarting);
  EXPECT_EQ(v.reason, "Exceeded allowed attempts 2 in interval 30m0s and mode is \"fail\"");
}

TEST(RestartTest, IntervalBeginsAnew) {
  RestartPolicy policy{1, 1min, 15s, "fail"};
  RestartState state;
  next_restart(state, policy, true, exits(false), kNow, 0);
  auto v = next_restart(state, policy, true, exits(false), kNow + 61s, 0);
  EXPECT_EQ(v.kind, RestartVerdict::Kind::kRestart);
  EXPECT_EQ(state.count, 1);
}

TEST(RestartTest, DelayModeWaitsForTheEndOfTheInterval) {
  RestartPolicy policy{1, 10min, 15s, "delay"};
  RestartState state;
  next_restart(state, policy, true, exits(false), kNow, 0);
  auto v = next_restart(state, policy, true, exits(false), kNow + 1min, 0);
  EXPECT_EQ(v.kind, RestartVerdict::Kind::kRestart);
  EXPECT_EQ(v.delay, 9min);
  EXPECT_EQ(v.reason, "Exceeded allowed attempts, applying a delay");
}

TEST(RestartTest, Verdicts) {
  struct Row {
    const char* what;
    int64_t attempts;
    bool on_success;
    RunOutcome outcome;
    RestartVerdict::Kind kind;
    const char* reason;
  };
  using K = RestartVerdict::Kind;
  using O = RunOutcome::Kind;
  const Row rows[] = {
      {"killed", 3, true, {O::kKilled}, K::kKilled, ""},
      {"asked", 0, true, {O::kRestartAsked}, K::kRestart, ""},
      {"no attempts, batch success", 0, false, exits(true), K::kTerminated, "Policy allows no restarts"},
      {"no attempts, service success", 0, true, exits(true), K::kNotRestarting, "Policy allows no restarts"},
      {"batch success", 3, false, exits(true), K::kTerminated, "Restart unnecessary as task terminated successfully"},
      {"service success", 3, true, exits(true), K::kRestart, "Restart within policy"},
      {"recoverable start", 3, true, {O::kStartError, true}, K::kRestart, "Restart within policy"},
      {"unrecoverable start", 3, true, {O::kStartError, false}, K::kNotRestarting, "Error was unrecoverable"},
      {"check", 3, true, {O::kCheckRestart}, K::kRestart, "Restart within policy"},
  };
  for (auto& row : rows) {
    RestartState state;
    auto v = next_restart(state, {row.attempts, 1h, 15s, "fail"}, row.on_success, row.outcome, kNow, 0);
    EXPECT_EQ(v.kind, row.kind) << row.what;
    EXPECT_EQ(v.reason, row.reason) << row.what;
  }
}

// ---- Lifecycle

Map<TaskState> states_of(std::initializer_list<std::pair<std::string, std::string>> list) {
  Map<TaskState> out = Map<TaskState>::empty_map();
  for (auto& [name, text] : list) {
    TaskState s;
    s.Failed = text == "failed";
    s.State = s.Failed ? std::string("dead") : text;
    out.set(name, s);
  }
  return out;
}

TEST(CoordinatorTest, StagesFollowTheTasks) {
  std::vector<AllocTask> tasks = {{"init", TaskRole::kPrestart},     {"proxy", TaskRole::kPrestartSidecar},
                                  {"main", TaskRole::kMain},         {"after", TaskRole::kPoststart},
                                  {"last", TaskRole::kPoststop}};
  using S = LifecycleStage;
  struct Row {
    S from;
    Map<TaskState> states;
    S to;
  };
  const Row rows[] = {
      {S::kInit, states_of({}), S::kPrestart},
      {S::kInit, states_of({{"main", "running"}}), S::kInit},
      {S::kPrestart, states_of({{"init", "dead"}}), S::kPrestart},
      {S::kPrestart, states_of({{"init", "failed"}, {"proxy", "running"}}), S::kPrestart},
      {S::kPrestart, states_of({{"init", "dead"}, {"proxy", "running"}}), S::kMain},
      {S::kMain, states_of({{"init", "dead"}, {"proxy", "running"}, {"main", "running"}}), S::kPoststart},
      {S::kPoststart, states_of({{"main", "running"}, {"after", "dead"}}), S::kWaitAlloc},
      {S::kPrestart, states_of({{"init", "dead"}, {"proxy", "dead"}, {"main", "dead"}, {"after", "dead"}}), S::kPoststop},
  };
  for (auto& row : rows) EXPECT_EQ(next_stage(row.from, tasks, row.states), row.to);
}

TEST(CoordinatorTest, Gates) {
  using S = LifecycleStage;
  using R = TaskRole;
  auto open = [](S stage) {
    std::string out;
    for (auto role : {R::kPrestart, R::kPrestartSidecar, R::kMain, R::kPoststart, R::kPoststartSidecar, R::kPoststop})
      out += gate_open(stage, role) ? '1' : '0';
    return out;
  };
  EXPECT_EQ(open(S::kInit), "000000");
  EXPECT_EQ(open(S::kPrestart), "110000");
  EXPECT_EQ(open(S::kMain), "011000");
  EXPECT_EQ(open(S::kPoststart), "011110");
  EXPECT_EQ(open(S::kWaitAlloc), "011010");
  EXPECT_EQ(open(S::kPoststop), "000001");
}

// ---- Kills

TEST(AllocCoreTest, CausesAndOrder) {
  std::vector<AllocTask> tasks = {{"main", TaskRole::kMain, false},
                                  {"boss", TaskRole::kMain, true},
                                  {"proxy", TaskRole::kPrestartSidecar, false},
                                  {"last", TaskRole::kPoststop, false}};
  EXPECT_FALSE(kill_cause(tasks, states_of({{"main", "running"}, {"boss", "running"}})));
  auto cause = kill_cause(tasks, states_of({{"main", "failed"}, {"boss", "running"}}));
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->type, kTaskSiblingFailed);
  EXPECT_EQ(cause->sibling, "main");
  cause = kill_cause(tasks, states_of({{"main", "running"}, {"boss", "dead"}}));
  EXPECT_EQ(cause->type, kTaskLeaderDead);
  cause = kill_cause(tasks, states_of({{"main", "running"}, {"boss", "failed"}}));
  EXPECT_EQ(cause->type, kTaskSiblingFailed);
  std::vector<AllocTask> plain = {tasks[0], tasks[2]};
  cause = kill_cause(plain, states_of({{"main", "dead"}, {"proxy", "running"}}));
  EXPECT_EQ(cause->type, kTaskMainDead);
  EXPECT_FALSE(kill_cause(plain, states_of({{"main", "failed"}, {"proxy", "dead"}})));

  using Names = std::vector<std::string>;
  EXPECT_EQ(kill_now(tasks, states_of({{"main", "running"}, {"boss", "running"}, {"proxy", "running"}})), Names{"boss"});
  EXPECT_EQ(kill_now(tasks, states_of({{"main", "running"}, {"boss", "dead"}, {"proxy", "running"}})), Names{"main"});
  EXPECT_EQ(kill_now(tasks, states_of({{"main", "dead"}, {"boss", "dead"}, {"proxy", "running"}})), Names{"proxy"});
  EXPECT_EQ(kill_now(tasks, states_of({{"main", "dead"}, {"boss", "dead"}, {"proxy", "dead"}})), Names{});
}

TEST(ClientStatusTest, FirstRuleWins) {
  struct Row {
    Map<TaskState> states;
    std::string_view status, description;
  };
  const Row rows[] = {
      {states_of({}), "pending", "No tasks have started"},
      {states_of({{"a", "pending"}, {"b", "running"}}), "running", "Tasks are running"},
      {states_of({{"a", "failed"}, {"b", "running"}}), "failed", "Failed tasks"},
      {states_of({{"a", "dead"}, {"b", "pending"}}), "pending", "No tasks have started"},
      {states_of({{"a", "dead"}, {"b", "dead"}}), "complete", "All tasks have completed"},
  };
  for (auto& row : rows) {
    auto got = derive_client_status(row.states);
    EXPECT_EQ(got.status, row.status);
    EXPECT_EQ(got.description, row.description);
  }
}

// ---- Updates

class UpdateSyncTest : public testing::Test {
 protected:
  Allocation update(const Uuid& id, std::string_view status, std::string_view description = "") {
    Allocation a;
    a.ID = id;
    a.ClientStatus = status;
    a.ClientDescription = description;
    return a;
  }
  std::optional<Monotonic> due() {
    return sync_.next_due([this](const Uuid& id) -> const Allocation* {
      auto it = acked_.find(id);
      return it == acked_.end() ? nullptr : &it->second;
    });
  }
  void send(Monotonic now, bool ok = true) {
    for (auto& a : sync_.take(now))
      if (ok) acked_[a.ID] = a;
    sync_.done(ok, now, 0);
  }

  SimRandom random_{7};
  UpdateSync sync_{false};
  std::map<Uuid, Allocation> acked_;
  Uuid one_ = Uuid::generate(random_), two_ = Uuid::generate(random_);
  Monotonic t0_{Duration(1h)};
};

TEST_F(UpdateSyncTest, NothingLeavesBeforeTheServersWereHeard) {
  sync_.put(update(one_, "running"), t0_);
  EXPECT_FALSE(due());
  sync_.contacted();
  EXPECT_TRUE(due());
}

TEST_F(UpdateSyncTest, UrgentLeavesAtOnceAndThenAtMostEvery200ms) {
  sync_.contacted();
  acked_[one_] = update(one_, "pending");
  sync_.put(update(one_, "running"), t0_);
  EXPECT_EQ(due(), t0_);
  send(t0_);
  sync_.put(update(one_, "complete"), t0_ + 10ms);
  EXPECT_EQ(due(), t0_ + 200ms);
}

TEST_F(UpdateSyncTest, FirstStateOtherThanPendingIsUrgent) {
  sync_.contacted();
  sync_.put(update(one_, "pending"), t0_);
  EXPECT_EQ(due(), t0_ + 200ms);
  sync_.put(update(one_, "running"), t0_ + 10ms);
  EXPECT_LE(due(), t0_ + 10ms);
}

TEST_F(UpdateSyncTest, AnEndThatWasAskedForWaitsForCompany) {
  sync_.contacted();
  acked_[one_] = update(one_, "running");
  sync_.put(update(one_, "complete"), t0_, true);
  EXPECT_EQ(due(), t0_ + 200ms);
}

TEST_F(UpdateSyncTest, UrgentIntervalGrowsWithTheCluster) {
  sync_.contacted();
  acked_[one_] = update(one_, "pending");
  sync_.put(update(one_, "running"), t0_);
  send(t0_);
  sync_.put(update(one_, "complete"), t0_ + 1ms);
  for (auto [nodes, wait] : {std::pair<int, Duration>{1, 5ms}, {100, 20ms}, {1000, 200ms}, {50000, 200ms}}) {
    sync_.set_cluster_size(nodes);
    EXPECT_EQ(due(), t0_ + wait) << nodes;
  }
}

TEST_F(UpdateSyncTest, TypicalWaitsForCompanyAndRidesAlong) {
  sync_.contacted();
  acked_[one_] = update(one_, "running");
  acked_[two_] = update(two_, "running");
  sync_.put(update(one_, "running", "news"), t0_);
  EXPECT_EQ(due(), t0_ + 200ms);
  send(t0_ + 200ms);
  sync_.put(update(one_, "running", "more"), t0_ + 300ms);
  EXPECT_EQ(due(), t0_ + 1200ms);
  sync_.put(update(two_, "failed"), t0_ + 450ms);
  EXPECT_EQ(due(), t0_ + 450ms);
  EXPECT_EQ(sync_.take(t0_ + 450ms).size(), 2u);
}

TEST_F(UpdateSyncTest, WhatTheServersKnowIsDropped) {
  sync_.contacted();
  acked_[one_] = update(one_, "running");
  sync_.put(update(one_, "running"), t0_);
  EXPECT_FALSE(due());
  EXPECT_EQ(sync_.pending(), 0u);
}

TEST_F(UpdateSyncTest, FailedBatchWaitsAndNewerStatesWin) {
  sync_.contacted();
  acked_[one_] = update(one_, "pending");
  acked_[two_] = update(two_, "pending");
  sync_.put(update(one_, "running"), t0_);
  sync_.put(update(two_, "running"), t0_);
  auto batch = sync_.take(t0_);
  EXPECT_FALSE(due());  // one at a time
  sync_.put(update(one_, "complete"), t0_ + 1ms);
  sync_.done(false, t0_ + 2ms, 0);
  EXPECT_EQ(due(), t0_ + 2ms + 5s);
  auto again = sync_.take(t0_ + 6s);
  ASSERT_EQ(again.size(), 2u);
  for (auto& a : again) EXPECT_EQ(a.ClientStatus, a.ID == one_ ? "complete" : "running");
}

// ---- Heartbeats

TEST(HeartbeatTest, RetryFollowsWhatIsLeftOfTheTtl) {
  EXPECT_EQ(heartbeat_retry(std::nullopt, 10s, false, false, 0), 15s);
  EXPECT_EQ(heartbeat_retry(5s, 10s, true, false, 0), 15s);
  EXPECT_EQ(heartbeat_retry(5s, 10s, false, false, 0), 1s);            // a stagger below a second
  EXPECT_EQ(heartbeat_retry(5s, 20s, false, false, 12'000'000'000), 12s);
  EXPECT_EQ(heartbeat_retry(15s, 10s, false, false, 7), 1s + 7ns);     // just missed
  EXPECT_EQ(heartbeat_retry(0s, 200s, false, false, 100'000'000'000), 25s);
  EXPECT_EQ(heartbeat_retry(100s, 10s, false, false, 20'000'000'000), 20s);
  EXPECT_EQ(retry_interval(15s, true, 12345), 1s);
}

TEST(HeartbeatTest, DisconnectedGroupsComeDue) {
  SimRandom random(3);
  auto a = Uuid::generate(random), b = Uuid::generate(random);
  Monotonic t0{Duration(1h)};
  DisconnectStop stop(t0);
  EXPECT_FALSE(stop.poll_interval());
  stop.watch(a, 1min);
  stop.watch(b, 2s);
  EXPECT_EQ(stop.poll_interval(), 2s);
  EXPECT_TRUE(stop.due(t0 + 2s).empty());
  EXPECT_EQ(stop.due(t0 + 3s), std::vector<Uuid>{b});
  stop.contact(t0 + 3s);
  EXPECT_TRUE(stop.due(t0 + 4s).empty());
}

// ---- What the servers list

TEST(AllocDiffTest, PullsCollectsAndAsks) {
  SimRandom random(5);
  auto a = Uuid::generate(random), b = Uuid::generate(random), c = Uuid::generate(random), d = Uuid::generate(random);
  rpc::NodeClientAllocsResponse answer;
  answer.Index = 50;
  answer.Allocs.set(a.str(), 10);
  answer.Allocs.set(b.str(), 20);
  std::map<Uuid, KnownAlloc> known = {{a, {10, false}}, {c, {5, true}}, {d, {5, false}}};
  auto diff = diff_allocs(answer, known, {}, 40);
  EXPECT_FALSE(diff.stale);
  EXPECT_EQ(diff.pull, std::vector<Uuid>{b});
  EXPECT_EQ(diff.pull_index, 19u);
  EXPECT_EQ(diff.collect, std::vector<Uuid>{c});
  EXPECT_EQ(diff.missing, std::vector<Uuid>{d});
  EXPECT_TRUE(diff_allocs(answer, known, {}, 51).stale);
  EXPECT_TRUE(diff_allocs(answer, known, {}, 51).pull.empty());
  EXPECT_TRUE(diff_allocs(answer, known, {b}, 40).pull.empty());
}

// ---- Garbage

TEST(GcTest, ReasonsAndRoom) {
  Config config;
  config.gc_max_allocs = 3;
  EXPECT_EQ(gc_reason(config, {1, 1, 81, 0}, 0), "disk usage of 81 is over gc threshold of 80");
  EXPECT_EQ(gc_reason(config, {1, 1, 0, 71}, 0), "inode usage of 71 is over gc threshold of 70");
  EXPECT_EQ(gc_reason(config, {}, 4), "number of allocations (4) is over the limit (3)");
  EXPECT_EQ(gc_reason(config, {}, 3), "");

  SimRandom random(9);
  std::vector<Uuid> ids;
  GcQueue queue;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Uuid::generate(random));
    queue.mark(ids.back(), 100);
  }
  queue.mark(ids[0], 100);  // once
  EXPECT_EQ(queue.size(), 3u);
  DiskState disk{1000ull << 20, 500ull << 20, 0, 0};
  EXPECT_EQ(make_room(queue, config, disk, 3, 1, 10), std::vector<Uuid>{ids[0]});
  EXPECT_EQ(make_room(queue, config, disk, 1, 1, 550), std::vector<Uuid>{ids[1]});
  EXPECT_TRUE(make_room(queue, config, disk, 1, 1, 10).empty());
}

}  // namespace
}  // namespace drover::client
