#include "drivers/shim_driver.h"

#include "base/log.h"
#include "base/strings.h"
#include "codec/json.h"
#include "drivers/shim_exec.h"
#include "drivers/signals.h"

namespace drover::drivers {
namespace {

constexpr std::string_view kLogger = "client.driver_mgr";
constexpr size_t kDirNameMax = 200;  // of 255 bytes that a name may have

// "<alloc>.<task>.<8 hex>"; the end of the id is the part that tells starts apart.
std::string dir_name(const std::string& task_id) {
  std::string name;
  for (char c : task_id) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    name += plain ? c : c == '/' ? '.' : '_';
  }
  if (name.size() > kDirNameMax) name.erase(0, name.size() - kDirNameMax);
  return "task-" + name;
}

Error start_error(Error e) { return std::move(e).with_context("failed to launch command with executor"); }

}  // namespace

// Keeps a second start of an id out while the first is under way, also when that one is dropped.
class ShimDriver::Reservation {
 public:
  Reservation(ShimDriver& driver, std::string id, std::string name) : driver_(driver), id_(std::move(id)) {
    driver_.tasks_[id_] = {std::move(name), nullptr};
  }
  Reservation(const Reservation&) = delete;
  ~Reservation() {
    if (auto it = driver_.tasks_.find(id_); it != driver_.tasks_.end() && !it->second.task) driver_.tasks_.erase(it);
  }
  void fill(ShimTask::Ptr task) {
    Entry& entry = driver_.tasks_[id_];
    entry.task = std::move(task);
    entry.task->on_end([driver = &driver_, id = id_, name = entry.name](const ShimExit& exit) { driver->report_end(id, name, exit); });
  }

 private:
  ShimDriver& driver_;
  std::string id_;
};

ShimDriver::ShimDriver(DriverContext context)
    : context_(std::move(context)), host_{context_.world, *context_.fds, context_.shim_path} {}

ShimTask::Ptr ShimDriver::find(const std::string& task_id) const {
  auto it = tasks_.find(task_id);
  return it == tasks_.end() ? nullptr : it->second.task;
}

void ShimDriver::report_end(const std::string& task_id, const std::string& name, const ShimExit& exit) {
  if (exit.output_lost == 0 || !context_.emit) return;
  TaskEvent event;
  event.task_id = task_id;
  event.alloc_id = task_id.substr(0, task_id.find('/'));
  event.task_name = name;
  event.timestamp = context_.world.clock.now();
  event.message = std::to_string(exit.output_lost) + " bytes of the task's output were lost: its logs could not be written";
  context_.emit(std::move(event));
}

Result<TaskHandle> ShimDriver::prepare(const TaskSpec& spec) {
  if (context_.state_dir.empty()) return internal("the client has no state directory for supervisors");
  Value::Object state = Value::Object::empty_map();
  state.set("Dir", Value(context_.state_dir + "/" + dir_name(spec.id)));
  state.set("TaskName", Value(spec.name));
  TaskHandle handle;
  handle.driver = name();
  handle.task_id = spec.id;
  handle.driver_state = to_json(Value(std::move(state)), {.trailing_newline = false});
  return handle;
}

Async<Result<Started>> ShimDriver::start(TaskSpec spec, TaskHandle handle) {
  DROVER_CO_CHECK(check_start(spec));
  if (tasks_.contains(spec.id)) co_return Error(ErrorCode::kConflict, "task with ID " + go_quote(spec.id) + " already started");
  auto state = from_json<Value>(handle.driver_state);
  std::string dir = state ? config_string(*state, "Dir") : "";
  if (dir.empty()) co_return internal("failed to start task: the handle names no directory");
  Reservation reserved(*this, spec.id, spec.name);
  auto built = co_await on_pool(context_.world, [this, spec] { return build(spec); });
  if (!built) co_return start_error(std::move(built).error());
  built->dir = dir;
  built->task_id = spec.id;
  auto task = co_await ShimTask::start(host_, std::move(*built));
  if (!task) co_return start_error(std::move(task).error());
  reserved.fill(std::move(*task));
  Started out;
  out.handle = std::move(handle);
  co_return out;
}

Async<Status> ShimDriver::recover(TaskHandle handle) {
  if (tasks_.contains(handle.task_id)) co_return Status{};
  auto state = from_json<Value>(handle.driver_state);
  std::string dir = state ? config_string(*state, "Dir") : "";
  if (handle.version != 1 || dir.empty())
    co_return invalid("failed to decode task state from handle: " + (state ? std::string("no directory") : state.error().message));
  Reservation reserved(*this, handle.task_id, config_string(*state, "TaskName"));
  auto task = co_await ShimTask::recover(host_, dir);
  if (!task) co_return std::move(task).error().with_context("failed to reattach to executor");
  reserved.fill(std::move(*task));
  co_return Status{};
}

Async<Result<ExitResult>> ShimDriver::wait(std::string task_id) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  co_return co_await task->wait();
}

Async<Status> ShimDriver::stop(std::string task_id, Duration timeout, std::string signal) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  if (signal.empty()) signal = "SIGINT";
  auto number = signal_number(signal);
  if (!number && timeout > Duration::zero())
    co_return invalid("executor Shutdown failed: error unknown signal given for shutdown: " + signal);
  auto done = co_await task->shut_down(number.value_or(0), timeout);
  if (!done) co_return std::move(done).error().with_context("executor Shutdown failed");
  co_return Status{};
}

Async<Status> ShimDriver::destroy(std::string task_id, bool force) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  if (task->running() && !force) co_return Error(ErrorCode::kConflict, "cannot destroy running task");
  if (task->running()) {
    auto done = co_await task->shut_down(0, Duration::zero());
    if (!done) co_return std::move(done).error().with_context("executor Shutdown failed");
  }
  tasks_.erase(task_id);
  co_await task->clean_up();
  co_return Status{};
}

Async<Status> ShimDriver::signal(std::string task_id, std::string signal) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  auto number = signal_number(signal);
  // As the reference: an unknown name is SIGINT.
  if (!number) log_warn(kLogger, "unknown signal to send to task, using SIGINT instead", {{"signal", signal}, {"task_id", task_id}});
  co_return co_await task->signal(number.value_or(2));
}

Async<Result<ExecResult>> ShimDriver::exec(std::string task_id, std::vector<std::string> command, Duration timeout) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  ShimExec exec;
  exec.command = std::move(command);
  co_return co_await task->exec(std::move(exec), timeout);
}

Async<Result<std::unique_ptr<ExecSession>>> ShimDriver::exec_stream(std::string task_id, ExecOptions options) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  ShimExec exec;
  exec.command = std::move(options.command);
  exec.tty = options.tty;
  exec.cwd = "/";
  co_return co_await task->exec_stream(std::move(exec));
}

Async<Result<TaskResourceUsage>> ShimDriver::stats(std::string task_id) {
  auto task = find(task_id);
  if (!task) co_return task_not_found();
  co_return co_await task->stats({context_.total_compute_mhz, context_.cpu_cores});
}

Async<Result<TaskStatus>> ShimDriver::inspect(std::string task_id) {
  auto it = tasks_.find(task_id);
  if (it == tasks_.end() || !it->second.task) co_return task_not_found();
  TaskStatus status = it->second.task->status();
  status.id = task_id;
  status.name = it->second.name;
  co_return status;
}

}  // namespace drover::drivers
