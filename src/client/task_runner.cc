#include "client/task_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "client/driver_config.h"
#include "client/state_db.h"
#include "model/client_status.h"
#include "model/metric_labels.h"
#include "model/task_events.h"

namespace drover::client {

using namespace task_event;

namespace {

constexpr std::string_view kLog = "client.alloc_runner.task_runner";
constexpr Duration kStopRetryFirst = std::chrono::seconds(5);
constexpr Duration kStopRetryMax = std::chrono::minutes(2);

const Task* task_in(const Allocation& alloc, std::string_view name) {
  auto* group = task_group_of(alloc);
  return group ? find_task(*group, name) : nullptr;
}

}  // namespace

TaskRunner::TaskRunner(const RunnerDeps& deps, Ref<Allocation> alloc, const Task& task, TaskState state,
                       LocalTaskState local, std::function<void()> changed)
    : deps_(deps),
      name_(task.Name),
      ctx_{deps.world, deps.config, deps.state, AllocPaths{deps.config.alloc_dir + "/" + alloc->ID.str()}, alloc,
           task_in(*alloc, task.Name), deps.driver(task.Driver)},
      core_({}, std::move(state), std::move(local)),
      host_env_(inherited_env(deps.config.host_env,
                              option_list(deps.config, {"env.denylist", "env.blacklist"}, kDefaultEnvDenylist))),
      changed_(std::move(changed)),
      poster_(deps.world.loop) {
  if (ctx_.driver) ctx_.isolation = ctx_.driver->capabilities().fs_isolation;
  ctx_.node = deps.node();
  ctx_.emit = [this](TaskEvent e) { record(std::move(e)); };
  ctx_.env = [this] { return env(); };
  ctx_.restart = [this](TaskEvent e, bool failure) { restart(std::move(e), failure, false); };
  ctx_.kill = [this](std::vector<TaskEvent> e) { kill(std::move(e)); };
  ctx_.signal = [this](std::string s) { return signal(std::move(s), ""); };
  ctx_.exec = [this](std::vector<std::string> c, Duration t) { return exec(std::move(c), t); };
  ctx_.remember = [this](std::string_view hook, Map<std::string> data) {
    core_.local.Hooks[hook].Data = std::move(data);
    persist();
  };
  ctx_.services = deps.services;
  ctx_.driver_network = [this] { return driver_network(); };
  core_.policy = policy();
  hooks_ = make_task_hooks(ctx_);
  // What was persisted need not be written again.
  saved_state_ = core_.state;
  saved_local_ = core_.local;
  ever_saved_ = !core_.state.State.empty();
}

TaskRunner::~TaskRunner() = default;

TaskPolicy TaskRunner::policy() const {
  TaskPolicy out;
  auto& task = *ctx_.task;
  auto* group = task_group_of(*ctx_.alloc);
  if (group) out.restart = restart_policy(*group, task);
  auto& type = ctx_.alloc->Job->Type;
  out.restart_on_success = restart_on_success(type, task);
  out.poststop = task_role(task) == TaskRole::kPoststop;
  out.system_job = type == job_type::kSystem || type == job_type::kSysbatch;
  out.kill_timeout = std::min(task.KillTimeout, deps_.config.max_kill_timeout);
  out.shutdown_delay = task.ShutdownDelay;
  out.no_shutdown_delay = ctx_.alloc->DesiredTransition.NoShutdownDelay.value_or(false);
  return out;
}

// ---- The machine's drive

void TaskRunner::send(TaskInput input) {
  poster_.post([this, input = std::move(input)] { dispatch(input); });
}

void TaskRunner::dispatch(const TaskInput& input) {
  auto phase = core_.phase();
  auto was = core_.state.State;
  auto restarts = core_.state.Restarts;
  auto effects = core_.step(input, deps_.world.clock.now(), deps_.world.random.next());
  count_changes(input, was, restarts);
  bool news = core_.phase() != phase || !(core_.state == saved_state_);
  persist();
  for (auto& effect : effects) perform(effect);
  if (news) changed_();
}

// What dashboards count of tasks.
void TaskRunner::count_changes(const TaskInput& input, const SharedString& was, uint64_t restarts) const {
  auto count = [this](std::string_view what) { metric_count(what, 1, task_labels(*ctx_.alloc, name_)); };
  auto& state = core_.state;
  if (state.State != was && state.State == task_state::kRunning) count("client.allocs.running");
  if (state.State != was && state.State == task_state::kDead) count(state.Failed ? "client.allocs.failed" : "client.allocs.complete");
  if (state.Restarts > restarts) count("client.allocs.restart");
  if (auto* exited = std::get_if<Exited>(&input); exited && exited->result.oom_killed) count("client.allocs.oom_killed");
}

void TaskRunner::persist() {
  if (ever_saved_ && core_.state == saved_state_ && core_.local == saved_local_) return;
  auto status = deps_.state.put_task(ctx_.alloc->ID, name_, core_.local, core_.state);
  if (!status) {
    log_error(kLog, "failed to persist task state",
              {{"alloc_id", ctx_.alloc->ID.str()}, {"task", name_}, {"error", status.error().message}});
    return;
  }
  saved_state_ = core_.state;
  saved_local_ = core_.local;
  ever_saved_ = true;
}

void TaskRunner::perform(const TaskEffect& effect) {
  using K = TaskEffectKind;
  switch (effect.kind) {
    case K::kRunPrestart:
      prestart_ = Running(prestart_flow());
      return;
    case K::kCancelPrestart:
      prestart_.reset();
      return;
    case K::kStartDriver:
      start_ = Running(start_flow());
      return;
    case K::kWaitDriver:
      wait_ = Running(wait_flow());
      return;
    case K::kRunPoststart:
      usage_flow_ = Running(note_usage());
      poststart_ = Running(poststart_flow());
      return;
    case K::kRunPrekill:
      usage_flow_ = Running(note_usage());  // beside the kill, which waits for no figures
      prekill_ = Running(prekill_flow());
      return;
    case K::kStopDriver:
      stop_ = Running(stop_flow(effect.delay));
      return;
    case K::kCleanup:
      stop_.reset();
      prekill_.reset();
      poststart_.reset();
      usage_flow_.reset();
      wait_.reset();
      cleanup_ = Running(cleanup_flow());
      return;
    case K::kArmTimer:
      timer_ = deps_.world.loop.after(effect.delay, [this] { send(TimerFired{}); });
      return;
    case K::kCancelTimer:
      timer_.cancel();
      return;
    case K::kRunStopHooks:
      stop_hooks_ = Running(stop_hooks_flow());
      return;
    case K::kFinished:
      return;
  }
}

void TaskRunner::begin(bool stopped) { restore_ = Running(restore_flow(stopped)); }
void TaskRunner::gate(bool open) { send(Gate{open}); }
void TaskRunner::servers_contacted() { send(ServersContacted{}); }
void TaskRunner::kill(std::vector<TaskEvent> events) { send(Kill{std::move(events)}); }
void TaskRunner::restart(TaskEvent event, bool failure, bool force) {
  send(Restart{std::move(event), failure, force});
}
void TaskRunner::no_shutdown_delay() { send(NoShutdownDelay{}); }
void TaskRunner::record(TaskEvent event) { send(Record{std::move(event)}); }

void TaskRunner::update(Ref<Allocation> alloc) {
  auto* task = task_in(*alloc, name_);
  if (!task) return;  // an in-place update cannot drop a task
  bool skip_delay = core_.policy.no_shutdown_delay;
  ctx_.alloc = std::move(alloc);
  ctx_.task = task;
  ctx_.node = deps_.node();
  core_.policy = policy();
  core_.policy.no_shutdown_delay |= skip_delay;
  if (core_.policy.no_shutdown_delay && !skip_delay) no_shutdown_delay();
  if (begun() && alive()) update_ = Running(update_flow());
}

// ---- Restore

Async<void> TaskRunner::restore_flow(bool stopped) {
  using Handle = Begin::Handle;
  Begin begin{Handle::kNone, stopped, deps_.rebooted};
  if (core_.local.TaskHandle) {
    auto handle = from_stored(*core_.local.TaskHandle);
    Status status = not_found("driver not found");
    if (ctx_.driver) status = co_await ctx_.driver->recover(handle);
    begin.handle = status ? Handle::kRecovered : Handle::kLost;
    if (!status) {
      log_warn(kLog, "error recovering task; cleaning up",
               {{"alloc_id", ctx_.alloc->ID.str()}, {"task", name_}, {"error", status.error().message}});
      if (ctx_.driver && core_.state.State == task_state::kRunning && status.error().code != ErrorCode::kNotFound)
        (void)co_await ctx_.driver->destroy(handle.task_id, true);
      core_.local.TaskHandle.reset();
      core_.local.DriverNetwork.reset();
    }
  }
  send(begin);
}

// ---- Hooks

Async<void> TaskRunner::prestart_flow() {
  for (auto& [name, hook] : hooks_) {
    HookState before = core_.local.Hooks.get_or(name);
    if (before.PrestartDone) continue;
    auto result = co_await hook->prestart(ctx_, before);
    if (!result.status) {
      auto error = result.status.error();
      auto event = std::move(result.failure_event);
      if (!event)
        event = with_message(make_task_event(kTaskHookFailed, deps_.world.clock.now()), std::string(name) + ": " + error.message);
      send(PrestartDone{std::move(error).with_context(fmt::format("prestart hook {} failed", go_quote(name))), std::move(event)});
      co_return;
    }
    HookState after{result.done, result.data, result.env};
    if (after != before) {
      core_.local.Hooks[name] = std::move(after);
      persist();
    }
    prestarted_.insert_or_assign(std::string(name), std::move(result));
  }
  send(PrestartDone{});
}

Async<void> TaskRunner::poststart_flow() {
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->poststart(ctx_); !status)
      log_error(kLog, "poststart failed", {{"hook", std::string(name)}, {"error", status.error().message}});
}

Async<void> TaskRunner::prekill_flow() {
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->prekill(ctx_); !status)
      log_error(kLog, "prekill failed", {{"hook", std::string(name)}, {"error", status.error().message}});
  send(PrekillDone{});
}

Async<void> TaskRunner::stop_hooks_flow() {
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->stop(ctx_); !status)
      log_error(kLog, "stop failed", {{"hook", std::string(name)}, {"error", status.error().message}});
  send(StopHooksDone{});
}

Async<void> TaskRunner::update_flow() {
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->update(ctx_); !status)
      log_error(kLog, "update failed", {{"hook", std::string(name)}, {"error", status.error().message}});
}

// ---- The driver

RunEnv TaskRunner::env() const {
  std::vector<const Map<std::string>*> hook_env;
  for (auto& [name, hook] : hooks_) {
    if (auto* state = core_.local.Hooks.find(name)) hook_env.push_back(&state->Env);
  }
  auto network = driver_network();
  TaskEnvInput in{*ctx_.node,
                  *ctx_.alloc,
                  *ctx_.task,
                  deps_.config.region,
                  task_dirs_of(ctx_.isolation, ctx_.paths.root, name_),
                  ctx_.isolation == drivers::FsIsolation::kImage ? nullptr : &host_env_,
                  std::move(hook_env),
                  network ? &*network : nullptr};
  auto out = build_task_env(in);
  for (auto& [name, result] : prestarted_)
    for (auto& [key, value] : result.device_env) out.device_vars[key] = out.vars[key] = value;
  return out;
}

std::optional<drivers::DriverNetwork> TaskRunner::driver_network() const {
  if (!core_.local.DriverNetwork) return std::nullopt;
  drivers::DriverNetwork out;
  for (auto& [label, port] : core_.local.DriverNetwork->PortMap) out.port_map[label] = static_cast<int>(port);
  out.ip = core_.local.DriverNetwork->IP;
  out.auto_advertise = core_.local.DriverNetwork->AutoAdvertise;
  return out;
}

Result<drivers::TaskSpec> TaskRunner::make_spec() const {
  auto env = this->env();
  auto spec = base_task_spec(*ctx_.alloc, *ctx_.task, *ctx_.node, ctx_.paths, env);
  char random[4];
  deps_.world.random.fill(random, sizeof random);
  spec.id = spec.alloc_id + "/" + name_ + "/" + hex_encode(std::string_view(random, sizeof random));
  if (ctx_.driver->capabilities().disable_log_collection) spec.logs.enabled = false;
  spec.network = network_;
  for (auto& [name, hook] : hooks_)
    if (auto it = prestarted_.find(name); it != prestarted_.end()) {
      spec.mounts.insert(spec.mounts.end(), it->second.mounts.begin(), it->second.mounts.end());
      spec.devices.insert(spec.devices.end(), it->second.devices.begin(), it->second.devices.end());
    }
  DROVER_TRY(auto config, evaluate_driver_config(ctx_.task->Config, env));
  DROVER_TRY(spec.driver_config, drivers::decode_config(ctx_.driver->task_config_spec(), config));
  return spec;
}

void TaskRunner::fail_start(Error error, TaskEvent event) {
  core_.local.TaskHandle.reset();
  core_.local.DriverNetwork.reset();
  send(StartDone{std::move(error), std::move(event)});
}

Async<void> TaskRunner::start_flow() {
  auto now = [this] { return deps_.world.clock.now(); };
  core_.local.DriverNetwork.reset();
  if (!ctx_.driver) {
    fail_start(not_found("driver not found"),
               with_driver_error(make_task_event(kTaskDriverFailure, now()), "driver not found"));
    co_return;
  }
  auto spec = make_spec();
  if (!spec) {
    fail_start(invalid(spec.error().message),
               with_validation_error(make_task_event(kTaskFailedValidation, now()), spec.error().message));
    co_return;
  }
  auto handle = ctx_.driver->prepare(*spec);
  if (!handle) {
    fail_start(handle.error(), with_driver_error(make_task_event(kTaskDriverFailure, now()), handle.error().message));
    co_return;
  }
  core_.local.TaskHandle = to_stored(*handle);
  persist();
  auto started = co_await ctx_.driver->start(std::move(*spec), std::move(*handle));
  if (!started) {
    fail_start(started.error(), with_driver_error(make_task_event(kTaskDriverFailure, now()), started.error().message));
    co_return;
  }
  core_.local.TaskHandle = to_stored(started->handle);
  if (auto& network = started->network) {
    auto& stored = core_.local.DriverNetwork.emplace();
    for (auto& [label, port] : network->port_map) stored.PortMap.set(label, port);
    stored.IP = network->ip;
    stored.AutoAdvertise = network->auto_advertise;
  }
  send(StartDone{});
}

std::string TaskRunner::task_id() const { return core_.local.TaskHandle ? core_.local.TaskHandle->TaskID : ""; }

Async<void> TaskRunner::wait_flow() {
  auto result = co_await ctx_.driver->wait(task_id());
  if (result) {
    send(Exited{std::move(*result)});
    co_return;
  }
  drivers::ExitResult lost;
  lost.exit_code = -1;
  lost.err = result.error().message;
  send(Exited{std::move(lost)});
}

Async<void> TaskRunner::stop_flow(Duration timeout) {
  Duration backoff = kStopRetryFirst;
  for (;;) {
    auto status = co_await ctx_.driver->stop(task_id(), timeout, ctx_.task->KillSignal);
    if (status || status.error().code == ErrorCode::kNotFound) co_return;
    log_error(kLog, "failed to kill task",
              {{"alloc_id", ctx_.alloc->ID.str()}, {"task", name_}, {"error", status.error().message}});
    co_await sleep_for(deps_.world.loop, backoff);
    backoff = std::min(backoff * 4, kStopRetryMax);
  }
}

Async<void> TaskRunner::cleanup_flow() {
  if (core_.local.TaskHandle && ctx_.driver) {
    auto status = co_await ctx_.driver->destroy(task_id(), true);
    if (!status && status.error().code != ErrorCode::kNotFound)
      log_error(kLog, "failed to destroy task",
                {{"alloc_id", ctx_.alloc->ID.str()}, {"task", name_}, {"error", status.error().message}});
  }
  core_.local.TaskHandle.reset();
  core_.local.DriverNetwork.reset();
  for (auto& [name, hook] : hooks_)
    if (auto status = co_await hook->exited(ctx_); !status)
      log_error(kLog, "exited hook failed", {{"hook", std::string(name)}, {"error", status.error().message}});
  send(CleanupDone{});
}

// ---- Requests

Async<Status> TaskRunner::signal(std::string signal, std::string reason) {
  if (!running() || task_id().empty()) co_return invalid("Task not running");
  record(with_signal(make_task_event(kTaskSignaling, deps_.world.clock.now()), signal, reason));
  co_return co_await ctx_.driver->signal(task_id(), signal);
}

Async<Result<drivers::ExecResult>> TaskRunner::exec(std::vector<std::string> command, Duration timeout) {
  if (!running() || task_id().empty()) co_return invalid("Task not running");
  co_return co_await ctx_.driver->exec(task_id(), std::move(command), timeout);
}

Async<Result<std::unique_ptr<drivers::ExecSession>>> TaskRunner::exec_stream(std::vector<std::string> command, bool tty) {
  if (!running() || task_id().empty()) co_return invalid("Task not running");
  co_return co_await ctx_.driver->exec_stream(task_id(), {std::move(command), tty});
}

Async<Result<drivers::TaskResourceUsage>> TaskRunner::stats() {
  if (running() && !task_id().empty()) {
    auto now = co_await ctx_.driver->stats(task_id());
    if (!now && !usage_) co_return std::move(now).error();
    if (now) usage_ = std::make_unique<drivers::TaskResourceUsage>(std::move(*now));
  }
  if (!usage_) co_return invalid("Task not running");
  co_return *usage_;
}

Async<void> TaskRunner::note_usage() { (void)co_await stats(); }

}  // namespace drover::client
