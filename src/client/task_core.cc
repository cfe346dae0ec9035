#include "client/task_core.h"

#include <utility>

#include "model/task_events.h"

namespace drover::client {

using namespace task_event;
using Phase = TaskPhase;
using Effect = TaskEffectKind;

std::string_view to_string(TaskPhase phase) {
  constexpr std::string_view kNames[] = {"new",      "blocked",        "prestart", "starting", "running",
                                         "prekill",  "shutdown_delay", "stopping", "cleanup",  "backoff",
                                         "dead",     "stop_hooks",     "finished"};
  return kNames[static_cast<int>(phase)];
}

void append_task_event(TaskState& state, TaskEvent event) {
  if (event.more && event.more->FailsTask) state.Failed = true;
  if (event.Type == kTaskRestarting) {
    ++state.Restarts;
    state.LastRestart = Time::from_unix_nanos(event.Time);
  }
  if (event.DisplayMessage.empty()) event.DisplayMessage = display_message(event);
  auto& events = state.Events.vec();
  events.push_back(std::move(event));
  if (events.size() > kMaxTaskEvents) events.erase(events.begin(), events.end() - kMaxTaskEvents);
}

void TaskCore::effect(TaskEffectKind kind, Duration delay) { effects_.push_back({kind, delay}); }

namespace {

// Events that only say that a step begins. A successor of the agent repeats the step, not the event.
bool begins_step(const TaskEvent& event) {
  return event.Type == kTaskSetup || event.Type == kTaskDownloadingArtifacts || event.Type == kTaskWaitingShutdownDelay ||
         event.Type == kTaskSkippingShutdownDelay;
}

}  // namespace

void TaskCore::record(TaskEvent event) {
  if (!state.Events.empty() && begins_step(event)) {
    auto& last = state.Events.back();
    if (last.Type == event.Type && last.Message == event.Message) return;
  }
  append_task_event(state, std::move(event));
}

void TaskCore::set_state(std::string_view next) {
  if (next == task_state::kRunning && state.State != task_state::kRunning) state.StartedAt = now_;
  if (next == task_state::kDead && state.FinishedAt.unset()) state.FinishedAt = now_;
  state.State = next;
}

std::vector<TaskEffect> TaskCore::step(const TaskInput& input, Time now, uint64_t jitter) {
  now_ = now;
  jitter_ = jitter;
  effects_.clear();
  std::visit([this](auto& event) { on(event); }, input);
  return std::exchange(effects_, {});
}

// ---- Beginning

void TaskCore::on(const Begin& how) {
  if (phase_ != Phase::kNew) return;
  begin(how);
  if (auto kill = std::exchange(early_kill_, std::nullopt)) on(*kill);
}

void TaskCore::begin(const Begin& begin) {
  wait_servers_ = begin.doubtful && !state.State.empty() && !policy.system_job;
  if (state.State.empty()) state.State = task_state::kPending;
  if (state.Events.empty()) record(make_task_event(kTaskReceived, now_));
  // One that runs is stopped by the allocation's kill, with its events and in its order.
  killed_ = local.Killing || (begin.stopped && !policy.poststop && begin.handle != Begin::Handle::kRecovered);
  if (local.RunComplete) {
    phase_ = Phase::kFinished;
    effect(Effect::kFinished);
    return;
  }
  if (local.Exit || (state.State == task_state::kDead && begin.handle != Begin::Handle::kNone)) {
    phase_ = Phase::kCleanup;  // the predecessor saw the exit and died before it had cleaned up
    effect(Effect::kCleanup);
    return;
  }
  if (state.State == task_state::kDead) return die();
  if (begin.handle == Begin::Handle::kRecovered) {
    phase_ = Phase::kRunning;
    if (state.State != task_state::kRunning) {
      record(make_task_event(kTaskStarted, now_));
      set_state(task_state::kRunning);
    }
    effect(Effect::kWaitDriver);
    effect(Effect::kRunPoststart);
    if (killed_) begin_kill();
    return;
  }
  if (killed_) return die();
  if (begin.handle == Begin::Handle::kLost && state.State == task_state::kRunning) {
    if (!policy.system_job) {
      wait_servers_ = true;
      record(with_display(make_task_event(kTaskRestoreFailed, now_),
                          "failed to restore task; will not run until server is contacted"));
    }
    set_state(task_state::kPending);
  }
  if (!local.RestartAt.unset() && local.RestartAt > now_) {
    phase_ = Phase::kBackoff;
    effect(Effect::kArmTimer, local.RestartAt - now_);
    return;
  }
  phase_ = Phase::kBlocked;
  proceed_if_open();
}

void TaskCore::proceed_if_open() {
  if (phase_ != Phase::kBlocked || !gate_open_ || wait_servers_) return;
  local.RestartAt = {};
  phase_ = Phase::kPrestart;
  effect(Effect::kRunPrestart);
}

void TaskCore::on(const Gate& gate) {
  gate_open_ = gate.open;
  proceed_if_open();
}

void TaskCore::on(const ServersContacted&) {
  wait_servers_ = false;
  proceed_if_open();
}

// ---- Starting

void TaskCore::on(const PrestartDone& done) {
  if (phase_ != Phase::kPrestart) return;
  if (done.event) record(*done.event);
  if (!done.status)
    return decide({RunOutcome::Kind::kStartError, done.status.error().code == ErrorCode::kUnavailable, false});
  phase_ = Phase::kStarting;
  effect(Effect::kStartDriver);
}

void TaskCore::on(const StartDone& done) {
  if (phase_ != Phase::kStarting) return;
  if (done.event) record(*done.event);
  if (!done.status) {
    if (killed_) return die();
    return decide({RunOutcome::Kind::kStartError, done.status.error().code == ErrorCode::kUnavailable, false});
  }
  phase_ = Phase::kRunning;
  record(make_task_event(kTaskStarted, now_));
  set_state(task_state::kRunning);
  effect(Effect::kWaitDriver);
  effect(Effect::kRunPoststart);
  if (killed_) begin_kill();
}

// ---- Stopping

void TaskCore::begin_kill() {
  phase_ = Phase::kPrekill;
  effect(Effect::kRunPrekill);
}

void TaskCore::stop_driver() {
  phase_ = Phase::kStopping;
  effect(Effect::kStopDriver, policy.kill_timeout);
}

void TaskCore::on(const Kill& kill) {
  if (phase_ == Phase::kNew) {
    early_kill_ = kill;
    return;
  }
  if (killed_ && phase_ != Phase::kDead) return;  // going on already
  bool known = local.Killing;
  if (phase_ < Phase::kDead && !known)
    for (auto& event : kill.events) record(event);
  killed_ = true;
  if (phase_ < Phase::kDead) local.Killing = true;
  switch (phase_) {
    case Phase::kNew:             // kept for Begin
    case Phase::kStarting:        // a start cannot be taken back: its end decides
    case Phase::kStopping:
    case Phase::kCleanup:
    case Phase::kShutdownDelay:
    case Phase::kPrekill:
    case Phase::kStopHooks:
    case Phase::kFinished:
      return;
    case Phase::kPrestart:
      effect(Effect::kCancelPrestart);
      return die();
    case Phase::kBackoff:
      effect(Effect::kCancelTimer);
      return die();
    case Phase::kBlocked:
      return die();
    case Phase::kRunning:
      return begin_kill();
    case Phase::kDead:
      return finish();
  }
}

void TaskCore::on(const Restart& restart) {
  if (killed_) return;
  if (phase_ == Phase::kRunning) {
    record(restart.event);
    restart_asked_ = true;
    restart_failure_ = restart.failure;
    begin_kill();
  } else if (phase_ == Phase::kDead && restart.force) {
    record(restart.event);
    state.FinishedAt = {};
    state.Failed = false;
    set_state(task_state::kPending);
    phase_ = Phase::kBlocked;
    proceed_if_open();
  }
}

void TaskCore::on(const PrekillDone&) {
  if (phase_ != Phase::kPrekill) return;
  if (!killed_ || policy.shutdown_delay <= Duration::zero()) return stop_driver();
  auto delay = format_duration(policy.shutdown_delay);
  if (policy.no_shutdown_delay) {
    record(with_display(make_task_event(kTaskSkippingShutdownDelay, now_),
                        "Skipping shutdown_delay of " + delay + " before killing the task."));
    return stop_driver();
  }
  record(with_display(make_task_event(kTaskWaitingShutdownDelay, now_),
                      "Waiting for shutdown_delay of " + delay + " before killing the task."));
  phase_ = Phase::kShutdownDelay;
  effect(Effect::kArmTimer, policy.shutdown_delay);
}

void TaskCore::on(const NoShutdownDelay&) {
  policy.no_shutdown_delay = true;
  if (phase_ != Phase::kShutdownDelay) return;
  effect(Effect::kCancelTimer);
  stop_driver();
}

void TaskCore::on(const TimerFired&) {
  if (phase_ == Phase::kShutdownDelay) return stop_driver();
  if (phase_ != Phase::kBackoff) return;
  phase_ = Phase::kBlocked;
  proceed_if_open();
}

// ---- Ending

void TaskCore::on(const Exited& exited) {
  if (phase_ < Phase::kRunning || phase_ > Phase::kStopping) return;
  if (phase_ == Phase::kShutdownDelay) effect(Effect::kCancelTimer);
  auto& r = exited.result;
  record(with_exit(make_task_event(kTaskTerminated, now_), r.exit_code, r.signal, r.err, r.oom_killed));
  local.Exit = StoredExit{r.exit_code, r.signal, r.oom_killed, r.err};
  phase_ = Phase::kCleanup;
  effect(Effect::kCleanup);
}

void TaskCore::on(const CleanupDone&) {
  if (phase_ != Phase::kCleanup) return;
  RunOutcome outcome;
  if (local.Exit) {
    auto& e = *local.Exit;
    outcome.successful = e.ExitCode == 0 && e.Signal == 0 && e.Err.empty();
  }
  local.Exit.reset();
  if (state.State == task_state::kDead) return die();
  if (restart_asked_)
    outcome.kind = restart_failure_ ? RunOutcome::Kind::kCheckRestart : RunOutcome::Kind::kRestartAsked;
  restart_asked_ = restart_failure_ = false;
  if (killed_) outcome.kind = RunOutcome::Kind::kKilled;
  decide(outcome);
}

void TaskCore::decide(const RunOutcome& outcome) {
  RestartState tracker{local.RestartCount, local.RestartIntervalStart};
  auto verdict = next_restart(tracker, policy.restart, policy.restart_on_success, outcome, now_, jitter_);
  local.RestartCount = tracker.count;
  local.RestartIntervalStart = tracker.start;
  switch (verdict.kind) {
    case RestartVerdict::Kind::kKilled:
      record(make_task_event(kTaskKilled, now_));
      return die();
    case RestartVerdict::Kind::kTerminated:
      return die();
    case RestartVerdict::Kind::kNotRestarting:
      record(failing_task(with_restart_reason(make_task_event(kTaskNotRestarting, now_), verdict.reason)));
      return die();
    case RestartVerdict::Kind::kRestart:
      break;
  }
  record(with_restart_reason(with_restart_delay(make_task_event(kTaskRestarting, now_), verdict.delay), verdict.reason));
  set_state(task_state::kPending);
  if (verdict.delay <= Duration::zero()) {
    phase_ = Phase::kBlocked;
    return proceed_if_open();
  }
  local.RestartAt = now_ + verdict.delay;
  phase_ = Phase::kBackoff;
  effect(Effect::kArmTimer, verdict.delay);
}

// A dead task stays ready for a restart of its whole allocation; a killed or poststop one does not.
void TaskCore::die() {
  set_state(task_state::kDead);
  phase_ = Phase::kDead;
  if (killed_ || policy.poststop) finish();
}

void TaskCore::finish() {
  phase_ = Phase::kStopHooks;
  effect(Effect::kRunStopHooks);
}

void TaskCore::on(const StopHooksDone&) {
  if (phase_ != Phase::kStopHooks) return;
  phase_ = Phase::kFinished;
  local.RunComplete = true;
  effect(Effect::kFinished);
}

void TaskCore::on(const Record& event) { record(event.event); }

}  // namespace drover::client
