// The shell around TaskCore: persists, runs hooks, talks to the driver. One per task of an allocation, on the loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/world.h"
#include "client/config.h"
#include "client/flows.h"
#include "client/task_core.h"
#include "client/task_hooks.h"
#include "drivers/driver.h"

namespace drover::client {

class StateDb;

// What all runners of one client share. References outlive them.
struct RunnerDeps {
  World& world;
  const Config& config;
  StateDb& state;
  std::function<Ref<Node>()> node;
  std::function<drivers::Driver*(std::string_view name)> driver;  // null: not found
  ServiceParts* services = nullptr;                               // null: nothing is registered or checked
  bool rebooted = false;  // the machine began anew: what the state database got last may be lost, the servers' word with it
};

class TaskRunner {
 public:
  // `changed` runs after every transition, when it is persisted. It must not destroy the runner.
  TaskRunner(const RunnerDeps& deps, Ref<Allocation> alloc, const Task& task, TaskState state, LocalTaskState local,
             std::function<void()> changed);
  ~TaskRunner();
  TaskRunner(const TaskRunner&) = delete;

  // Takes a persisted task back and begins. Once. `stopped`: it is not to be started any more.
  void begin(bool stopped);

  // The following are carried out as callbacks of their own, in the order of the calls.
  void gate(bool open);
  void servers_contacted();
  void kill(std::vector<TaskEvent> events);
  void restart(TaskEvent event, bool failure, bool force);
  void no_shutdown_delay();
  void record(TaskEvent event);
  // A newer copy of the allocation: policies, environment and hooks follow it.
  void update(Ref<Allocation> alloc);
  // Facts about the group's network namespace; before begin().
  void set_network(std::optional<drivers::NetworkIsolation> network) { network_ = std::move(network); }

  const std::string& name() const { return name_; }
  const Task& task() const { return *ctx_.task; }
  const TaskState& state() const { return core_.state; }
  TaskPhase phase() const { return core_.phase(); }
  bool finished() const { return core_.phase() == TaskPhase::kFinished; }
  bool alive() const { return core_.alive(); }
  bool restartable() const { return core_.restartable(); }
  // With the driver: its files, exec and signals make sense.
  bool running() const { return core_.running(); }
  bool begun() const { return core_.phase() != TaskPhase::kNew; }
  drivers::Driver* driver() const { return ctx_.driver; }
  drivers::FsIsolation isolation() const { return ctx_.isolation; }

  // kInvalid "Task not running" when it is not.
  Async<Status> signal(std::string signal, std::string reason);
  Async<Result<drivers::ExecResult>> exec(std::vector<std::string> command, Duration timeout);
  Async<Result<std::unique_ptr<drivers::ExecSession>>> exec_stream(std::vector<std::string> command, bool tty);
  // Of a task that ended: the last figures there were; kInvalid "Task not running" when there were none.
  Async<Result<drivers::TaskResourceUsage>> stats();

  RunEnv env() const;

 private:
  Async<void> restore_flow(bool stopped);
  Async<void> prestart_flow();
  Async<void> start_flow();
  Async<void> wait_flow();
  Async<void> poststart_flow();
  Async<void> prekill_flow();
  Async<void> stop_flow(Duration timeout);
  Async<void> cleanup_flow();
  Async<void> stop_hooks_flow();
  Async<void> update_flow();

  void send(TaskInput input);
  void dispatch(const TaskInput& input);
  void persist();
  void count_changes(const TaskInput& input, const SharedString& was, uint64_t restarts) const;
  void perform(const TaskEffect& effect);
  TaskPolicy policy() const;
  std::optional<drivers::DriverNetwork> driver_network() const;
  Result<drivers::TaskSpec> make_spec() const;
  std::string task_id() const;
  void fail_start(Error error, TaskEvent event);
  Async<void> note_usage();

  RunnerDeps deps_;
  std::string name_;
  TaskHookContext ctx_;
  TaskCore core_;
  std::vector<NamedTaskHook> hooks_;
  std::map<std::string, PrestartResult, std::less<>> prestarted_;  // by hook, of this run
  std::optional<drivers::NetworkIsolation> network_;
  std::map<std::string, std::string> host_env_;
  std::function<void()> changed_;
  // What the driver said last. Nobody samples a task in between: this is from its start, its stop or the last question.
  std::unique_ptr<drivers::TaskResourceUsage> usage_;
  TaskState saved_state_;
  LocalTaskState saved_local_;
  bool ever_saved_ = false;

  Poster poster_;
  Timer timer_;
  Running restore_, prestart_, start_, wait_, poststart_, usage_flow_, prekill_, stop_, cleanup_, stop_hooks_, update_;
};

// What the driver is told, without the driver's config: pure.
drivers::TaskSpec base_task_spec(const Allocation& alloc, const Task& task, const Node& node, const AllocPaths& paths,
                                 const RunEnv& env);

}  // namespace drover::client
