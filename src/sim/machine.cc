#include "sim/machine.h"

#include "base/strings.h"

namespace drover::sim {

std::shared_ptr<RunningTask> Machine::start(const std::string& id, const std::string& alloc, const std::string& name,
                                            Duration run_for, int exit_code, Duration stop_takes) {
  auto task = std::make_shared<RunningTask>();
  task->id = id;
  task->alloc_id = alloc;
  task->name = name;
  task->node = node_;
  task->began = sim_.clock.monotonic();
  task->started_at = sim_.clock.now();
  task->stop_takes = stop_takes;
  tasks_[id] = task;
  watcher_.task_started(*task);
  if (run_for > Duration::zero()) {
    later(sim_.loop, run_for, [this, task, exit_code] {
      drivers::ExitResult exit;
      exit.exit_code = exit_code;
      end(*task, exit, ExitCause::kByItself);
    });
  }
  return task;
}

std::shared_ptr<RunningTask> Machine::find(const std::string& id) const {
  auto it = tasks_.find(id);
  return it == tasks_.end() ? nullptr : it->second;
}

void Machine::stop(const std::string& id, Duration timeout) {
  auto task = find(id);
  if (!task || !task->running) return;
  if (!std::exchange(task->stop_asked, true)) watcher_.task_stop_asked(*task);
  later(sim_.loop, std::min(task->stop_takes, timeout), [this, task] {
    drivers::ExitResult exit;
    exit.signal = 15;
    end(*task, exit, ExitCause::kStopped);
  });
}

void Machine::lose_power() {
  for (auto& [id, task] : tasks_) end(*task, {}, ExitCause::kPowerLoss);
  tasks_.clear();
  waiting_.clear();
}

void Machine::end(RunningTask& task, drivers::ExitResult exit, ExitCause cause) {
  if (!std::exchange(task.running, false)) return;
  task.exit = std::move(exit);
  task.completed_at = sim_.clock.now();
  watcher_.task_ended(task, cause);
  auto [from, to] = waiting_.equal_range(task.id);
  std::vector<std::pair<Loop*, Promise<bool>>> waiters;
  for (auto it = from; it != to; ++it) waiters.push_back(it->second);
  waiting_.erase(from, to);
  for (auto& [loop, promise] : waiters) promise.set_from_any_thread(*loop, true);
}

Async<drivers::ExitResult> Machine::wait(std::shared_ptr<RunningTask> task, Loop& loop) {
  if (task->running) {
    Promise<bool> ended;
    waiting_.emplace(task->id, std::pair(&loop, ended));
    co_await ended;
  }
  co_return task->exit;
}

namespace {

using namespace drivers;

class SimDriver final : public Driver {
 public:
  SimDriver(Machine& machine, DriverContext context) : machine_(machine), context_(std::move(context)) {
    capabilities_.send_signals = true;
    capabilities_.mounts = false;
  }
  std::string_view name() const override { return "sim"; }
  const Capabilities& capabilities() const override { return capabilities_; }
  const ConfigSpec& plugin_config_spec() const override {
    static const ConfigSpec none;
    return none;
  }
  const ConfigSpec& task_config_spec() const override {
    static const ConfigSpec spec = {attr("run_for", ConfigType::string()), attr("exit_code", ConfigType::number()),
                                    attr("stop_takes", ConfigType::string()), attr("start_error", ConfigType::string())};
    return spec;
  }
  Status configure(const Value&) override { return {}; }
  Async<Fingerprint> fingerprint() override {
    Fingerprint f;
    f.health = Health::kHealthy;
    f.description = "Healthy";
    f.attributes["driver.sim"] = "true";
    co_return f;
  }
  Result<TaskHandle> prepare(const TaskSpec& spec) override {
    TaskHandle handle;
    handle.driver = name();
    handle.task_id = spec.id;
    return handle;
  }
  Async<Result<Started>> start(TaskSpec spec, TaskHandle handle) override {
    if (auto error = config_string(spec.driver_config, "start_error"); !error.empty()) co_return internal(error);
    machine_.starting(spec.alloc_id, spec.name);
    co_await sleep_for(context_.world.loop, context_.world.random.jitter(std::chrono::milliseconds(200)));
    if (machine_.find(spec.id)) co_return Error(ErrorCode::kConflict, "task with ID " + go_quote(spec.id) + " already started");
    auto time = [&](std::string_view key) {
      auto d = parse_duration(config_string(spec.driver_config, key));
      return d ? *d : Duration::zero();
    };
    machine_.start(spec.id, spec.alloc_id, spec.name, time("run_for"), static_cast<int>(config_int(spec.driver_config, "exit_code")),
                   time("stop_takes"));
    handle.driver_state = "started";
    Started out;
    out.handle = std::move(handle);
    co_return out;
  }
  Async<Status> recover(TaskHandle handle) override {
    if (!machine_.find(handle.task_id)) co_return not_found("the task was never started, or is gone");
    co_return Status{};
  }
  Async<Result<ExitResult>> wait(std::string id) override {
    auto task = machine_.find(id);
    if (!task) co_return task_not_found();
    co_return co_await machine_.wait(task, context_.world.loop);
  }
  Async<Status> stop(std::string id, Duration timeout, std::string) override {
    auto task = machine_.find(id);
    if (!task) co_return task_not_found();
    machine_.stop(id, timeout);
    co_await machine_.wait(task, context_.world.loop);
    co_return Status{};
  }
  Async<Status> destroy(std::string id, bool force) override {
    auto task = machine_.find(id);
    if (!task) co_return task_not_found();
    if (task->running && !force) co_return Error(ErrorCode::kConflict, "cannot destroy running task");
    machine_.stop(id, Duration::zero());
    co_await machine_.wait(task, context_.world.loop);
    machine_.forget(id);
    co_return Status{};
  }
  Async<Status> signal(std::string id, std::string) override {
    if (!machine_.find(id)) co_return task_not_found();
    co_return Status{};
  }
  Async<Result<TaskResourceUsage>> stats(std::string id) override {
    if (!machine_.find(id)) co_return task_not_found();
    co_return TaskResourceUsage{};
  }
  Async<Result<TaskStatus>> inspect(std::string id) override {
    auto task = machine_.find(id);
    if (!task) co_return task_not_found();
    TaskStatus s;
    s.id = id;
    s.name = task->name;
    s.state = task->running ? TaskRunState::kRunning : TaskRunState::kExited;
    s.started_at = task->started_at;
    s.completed_at = task->completed_at;
    if (!task->running) s.result = task->exit;
    co_return s;
  }

 private:
  Machine& machine_;
  DriverContext context_;
  Capabilities capabilities_;
};

}  // namespace

std::unique_ptr<Driver> make_sim_driver(Machine& machine, DriverContext context) {
  return std::make_unique<SimDriver>(machine, std::move(context));
}

}  // namespace drover::sim
