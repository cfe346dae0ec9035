// The life of one task as a pure state machine: step(event, now) -> effects (reference client, section 14).
//
// The shell (task_runner) feeds events and carries out effects in order. Before it carries out any it persists `state`
// and `local`, so that a dead agent's successor begins where the last step ended.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "client/local_state.h"
#include "client/restart_tracker.h"
#include "drivers/task_spec.h"
#include "model/alloc.h"
#include "model/client_status.h"

namespace drover::client {

enum class TaskPhase : unsigned char {
  kNew,
  kBlocked,        // its gate is closed, or it waits for word from the servers
  kPrestart,       // hooks run
  kStarting,       // the driver starts it
  kRunning,
  kPrekill,        // hooks run before it is stopped
  kShutdownDelay,
  kStopping,       // the driver stops it
  kCleanup,        // the driver forgets it, exited hooks run
  kBackoff,        // the restart policy's delay
  kDead,           // over, unless somebody restarts the whole allocation
  kStopHooks,
  kFinished,
};
std::string_view to_string(TaskPhase phase);

// From the job; may change with an update.
struct TaskPolicy {
  RestartPolicy restart;
  bool restart_on_success = true;
  bool poststop = false;
  bool system_job = false;
  Duration kill_timeout = std::chrono::seconds(5);  // capped by the client's maximum
  Duration shutdown_delay{};
  bool no_shutdown_delay = false;
};

namespace task_event {
// How the first step finds the task.
struct Begin {
  enum class Handle : unsigned char {
    kNone,       // nothing of it runs
    kRecovered,  // it runs, or has ended unseen
    kLost,       // a handle was there and could not be taken back
  };
  Handle handle = Handle::kNone;
  bool stopped = false;  // the allocation has to stop; it is not to be started
  bool doubtful = false;  // what is known of it may be old; with nothing of it running, the servers have the word
};
struct Gate { bool open = false; };
struct ServersContacted {};
// kUnavailable is recoverable. The event tells of the failure; it is recorded in the same step, so that a successor of
// the agent neither misses nor repeats it.
struct PrestartDone { Status status; std::optional<TaskEvent> event; };
struct StartDone { Status status; std::optional<TaskEvent> event; };
struct Exited { drivers::ExitResult result; };
struct PrekillDone {};
struct TimerFired {};
struct CleanupDone {};
struct StopHooksDone {};
// Ends the task for good. The events are recorded if it is alive.
struct Kill { std::vector<TaskEvent> events; };
// Another run. `failure`: it counts against the policy. `force`: a dead task is revived.
struct Restart { TaskEvent event; bool failure = false; bool force = false; };
struct NoShutdownDelay {};
struct Record { TaskEvent event; };              // an event of a hook or a driver
}  // namespace task_event

using TaskInput =
    std::variant<task_event::Begin, task_event::Gate, task_event::ServersContacted, task_event::PrestartDone,
                 task_event::StartDone, task_event::Exited, task_event::PrekillDone, task_event::TimerFired,
                 task_event::CleanupDone, task_event::StopHooksDone, task_event::Kill, task_event::Restart,
                 task_event::NoShutdownDelay, task_event::Record>;

enum class TaskEffectKind : unsigned char {
  kRunPrestart,
  kCancelPrestart,
  kStartDriver,
  kWaitDriver,
  kRunPoststart,
  kRunPrekill,
  kStopDriver,      // `delay` is the kill timeout
  kCleanup,         // destroy in the driver, drop the handle, exited hooks
  kArmTimer,        // `delay`; one timer, arming replaces it
  kCancelTimer,
  kRunStopHooks,
  kFinished,
};
struct TaskEffect {
  TaskEffectKind kind;
  Duration delay{};
  friend bool operator==(const TaskEffect&, const TaskEffect&) = default;
};

class TaskCore {
 public:
  TaskCore(TaskPolicy policy, TaskState state, LocalTaskState local)
      : policy(std::move(policy)), state(std::move(state)), local(std::move(local)) {}

  // `jitter` is any random number.
  std::vector<TaskEffect> step(const TaskInput& input, Time now, uint64_t jitter);

  TaskPhase phase() const { return phase_; }
  bool alive() const { return phase_ < TaskPhase::kDead; }
  // The driver has it: signals, exec and stats make sense.
  bool running() const { return phase_ >= TaskPhase::kRunning && phase_ <= TaskPhase::kStopping; }
  // RestartRunning's test, and the error text "Task not running" otherwise.
  bool restartable() const { return phase_ == TaskPhase::kRunning; }

  TaskPolicy policy;
  TaskState state;        // what the servers see
  LocalTaskState local;   // what only a successor needs; its handle and hooks are the shell's to fill in

 private:
  void on(const task_event::Begin&);
  void on(const task_event::Gate&);
  void on(const task_event::ServersContacted&);
  void on(const task_event::PrestartDone&);
  void on(const task_event::StartDone&);
  void on(const task_event::Exited&);
  void on(const task_event::PrekillDone&);
  void on(const task_event::TimerFired&);
  void on(const task_event::CleanupDone&);
  void on(const task_event::StopHooksDone&);
  void on(const task_event::Kill&);
  void on(const task_event::Restart&);
  void on(const task_event::NoShutdownDelay&);
  void on(const task_event::Record&);

  void begin(const task_event::Begin&);
  void effect(TaskEffectKind kind, Duration delay = {});
  void record(TaskEvent event);
  void set_state(std::string_view state);
  void proceed_if_open();
  void begin_kill();
  void stop_driver();
  void decide(const RunOutcome& outcome);
  void die();
  void finish();

  TaskPhase phase_ = TaskPhase::kNew;
  bool gate_open_ = false;
  bool wait_servers_ = false;
  bool killed_ = false;               // for good
  std::optional<task_event::Kill> early_kill_;  // came before Begin
  bool restart_asked_ = false;        // after the stop that is going on
  bool restart_failure_ = false;
  std::vector<TaskEffect> effects_;
  Time now_;
  uint64_t jitter_ = 0;
};

// Adds an event, keeps the latest ten, and does what the event's type and FailsTask mean for the state.
void append_task_event(TaskState& state, TaskEvent event);

}  // namespace drover::client
