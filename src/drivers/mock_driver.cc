#include "drivers/mock_driver.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include "base/strings.h"
#include "base/unique_fd.h"
#include "codec/json.h"
#include "drivers/exit_gate.h"
#include "drivers/files.h"

namespace drover::drivers {
namespace {

// The keys that a task and its exec_command have in common.
struct Command {
  Duration run_for{};
  Duration plugin_exit_after{};
  ExitResult exit;
  std::string signal_error;
  struct Output {
    std::string text;
    int64_t repeat = 0;
    Duration interval{};
  } out, err;
};

// "" is 0. Error: `run_for 5x not a valid duration: time: ...`.
Result<Duration> duration(const Value& config, std::string_view key) {
  std::string text = config_string(config, key);
  if (text.empty()) return Duration::zero();
  auto d = parse_duration(text);
  if (!d) return invalid(std::string(key) + " " + text + " not a valid duration: " + d.error().message);
  return d;
}

Result<Command> parse_command(const Value& config) {
  Command c;
  DROVER_TRY(c.run_for, duration(config, "run_for"));
  DROVER_TRY(c.plugin_exit_after, duration(config, "plugin_exit_after"));
  DROVER_TRY(c.out.interval, duration(config, "stdout_repeat_duration"));
  DROVER_TRY(c.err.interval, duration(config, "stderr_repeat_duration"));
  c.exit.exit_code = static_cast<int>(config_int(config, "exit_code"));
  c.exit.signal = static_cast<int>(config_int(config, "exit_signal"));
  c.exit.err = config_string(config, "exit_err_msg");
  c.signal_error = config_string(config, "signal_error");
  c.out.text = config_string(config, "stdout_string");
  c.out.repeat = config_int(config, "stdout_repeat");
  c.err.text = config_string(config, "stderr_string");
  c.err.repeat = config_int(config, "stderr_repeat");
  return c;
}

Result<DriverNetwork> parse_network(const Value& config) {
  DriverNetwork n;
  n.ip = config_string(config, "driver_ip");
  n.auto_advertise = config_bool(config, "driver_advertise");
  std::string map = config_string(config, "driver_port_map");
  if (map.empty()) return n;
  auto parts = split(map, ':');
  auto port = parts.size() == 2 ? parse_int(parts[1]) : std::nullopt;
  if (!port || *port < 0 || *port > 65535) return invalid("malformed port map: " + go_quote(map));
  n.port_map[parts[0]] = static_cast<int>(*port);
  return n;
}

ConfigSpec command_spec() {
  auto s = ConfigType::string();
  auto n = ConfigType::number();
  return {attr("run_for", s),        attr("plugin_exit_after", s), attr("exit_code", n),
          attr("exit_signal", n),    attr("exit_err_msg", s),      attr("signal_error", s),
          attr("stdout_string", s),  attr("stdout_repeat", n),     attr("stdout_repeat_duration", s),
          attr("stderr_string", s),  attr("stderr_repeat", n),     attr("stderr_repeat_duration", s)};
}

Status append_to(const std::string& path, const std::string& text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) return errno_error("open " + path, errno);
  return write_all(fd.get(), text);
}

// A configured command's streams: what it prints and when, then its exit.
class MockSession : public ExecSession {
 public:
  MockSession(Loop& loop, const Command& c) : loop_(loop) {
    add(ExecOutput::Kind::kStdout, c.out);
    add(ExecOutput::Kind::kStderr, c.err);
    ExecOutput last;
    last.kind = ExecOutput::Kind::kExit;
    last.result = c.exit;
    steps_.push_back({c.run_for, std::move(last)});
  }
  // `showinput`: echoes what it was given.
  MockSession(Loop& loop, bool tty) : loop_(loop), shows_input_(true), tty_(tty) {}

  Async<Result<ExecOutput>> read() override {
    if (shows_input_) {
      co_await input_closed_;
      shows_input_ = false;
      ExecOutput out, last;
      out.data = std::string("TTY: ") + (tty_ ? "true" : "false") + "\nStdin:\n" + input_ + "\n";
      last.kind = ExecOutput::Kind::kExit;
      steps_.push_back({Duration::zero(), std::move(last)});
      co_return out;
    }
    if (steps_.empty()) co_return Error(ErrorCode::kUnavailable, "the session has ended");
    auto step = std::move(steps_.front());
    steps_.pop_front();
    if (step.first > Duration::zero()) co_await sleep_for(loop_, step.first);
    co_return std::move(step.second);
  }
  Async<Status> write_stdin(std::string data) override {
    input_ += data;
    co_return Status{};
  }
  Async<Status> close_stdin() override {
    input_closed_.set_from_any_thread(loop_, true);
    co_return Status{};
  }
  Async<Status> resize(int, int) override { co_return Status{}; }

 private:
  void add(ExecOutput::Kind kind, const Command::Output& o) {
    for (int64_t i = 0; !o.text.empty() && i <= o.repeat; i++)
      steps_.push_back({i == 0 ? Duration::zero() : o.interval, {.kind = kind, .data = o.text}});
  }
  Loop& loop_;
  std::deque<std::pair<Duration, ExecOutput>> steps_;
  bool shows_input_ = false, tty_ = false;
  std::string input_;
  Promise<bool> input_closed_;
};

}  // namespace

// One task. Its flows end when it is destroyed or killed.
struct MockDriver::Run {
  Run(World& w, TaskHandle h) : world(w), handle(std::move(h)), gate(w.loop) {}

  World& world;
  TaskHandle handle;
  std::string name;
  Command command;
  Value exec_command;  // nil: none
  std::string stdout_path, stderr_path;  // empty: output goes nowhere
  Time started_at, completed_at;
  ExitGate gate;
  std::optional<Error> output_error;
  int printing = 0;
  Promise<bool> printed;
  Running out_flow, err_flow, life_flow, plugin_flow;

  void end(ExitResult r) {
    if (gate.is_open()) return;
    completed_at = world.clock.now();
    gate.open(std::move(r));
  }
  Async<void> print(Command::Output o, std::string path) {
    for (int64_t i = 0; i <= o.repeat; i++) {
      if (i > 0) co_await sleep_for(world.loop, o.interval);
      if (path.empty()) continue;
      auto written = co_await on_pool(world, [path, text = o.text] { return append_to(path, text); });
      if (!written && !output_error) output_error = std::move(written).error();
    }
    if (--printing == 0) printed.set_from_any_thread(world.loop, true);
  }
  // A kill: the exit is still the configured one, as the reference has it.
  void halt() {
    out_flow.reset();
    err_flow.reset();
    plugin_flow.reset();
    life_flow.reset();
    end(command.exit);
  }
  // From `elapsed` into the run. Output is only begun by a start, not by a recovery.
  Async<void> live(Duration elapsed) {
    if (command.run_for > elapsed) co_await sleep_for(world.loop, command.run_for - elapsed);
    if (printing > 0) co_await printed;
    ExitResult result = command.exit;
    if (output_error && result.err.empty()) result.err = output_error->message;
    end(std::move(result));
  }
  Async<void> lose_plugin(Duration elapsed) {
    if (command.plugin_exit_after > elapsed) co_await sleep_for(world.loop, command.plugin_exit_after - elapsed);
    ExitResult lost;
    lost.err = "plugin is shut down";
    end(std::move(lost));
  }
  void begin(Duration elapsed, bool prints) {
    if (prints) {
      printing = (command.out.text.empty() ? 0 : 1) + (command.err.text.empty() ? 0 : 1);
      if (!command.out.text.empty()) out_flow = Running(print(command.out, stdout_path));
      if (!command.err.text.empty()) err_flow = Running(print(command.err, stderr_path));
    }
    if (command.plugin_exit_after > Duration::zero()) plugin_flow = Running(lose_plugin(elapsed));
    life_flow = Running(live(elapsed));
  }
};

MockDriver::MockDriver(DriverContext context) : context_(std::move(context)) { (void)configure(Value()); }
MockDriver::~MockDriver() = default;

const ConfigSpec& MockDriver::plugin_config_spec() const {
  static const ConfigSpec spec = {
      attr_or("fs_isolation", ConfigType::string(), Value("none")),
      attr_or("shutdown_periodic_after", ConfigType::boolean(), Value(false)),
      attr_or("shutdown_periodic_duration", ConfigType::number(), Value(0)),
  };
  return spec;
}

const ConfigSpec& MockDriver::task_config_spec() const {
  static const ConfigSpec spec = [] {
    auto s = ConfigType::string();
    auto b = ConfigType::boolean();
    ConfigSpec out = command_spec();
    for (auto& f : {attr("start_error", s), attr("start_error_recoverable", b), attr("start_block_for", s), attr("kill_after", s),
                    attr("driver_ip", s), attr("driver_advertise", b), attr("driver_port_map", s), block("exec_command", command_spec())})
      out.push_back(f);
    return out;
  }();
  return spec;
}

Status MockDriver::configure(const Value& config) {
  capabilities_ = {};
  capabilities_.send_signals = true;
  capabilities_.exec = true;
  capabilities_.mounts = false;
  std::string fs = config_string(config, "fs_isolation");
  for (auto kind : {FsIsolation::kNone, FsIsolation::kChroot, FsIsolation::kImage})
    if (fs == to_string(kind)) capabilities_.fs_isolation = kind;
  disabled_at_ = config_bool(config, "shutdown_periodic_after")
                     ? context_.world.clock.now() + Duration(config_int(config, "shutdown_periodic_duration"))
                     : Time{};
  return {};
}

Async<Fingerprint> MockDriver::fingerprint() {
  Fingerprint f;
  if (!disabled_at_.unset() && context_.world.clock.now() >= disabled_at_) {
    f.description = "disabled";
    co_return f;
  }
  f.health = Health::kHealthy;
  f.description = "Healthy";
  f.attributes["driver.mock"] = "true";
  co_return f;
}

Result<TaskHandle> MockDriver::prepare(const TaskSpec& spec) {
  TaskHandle handle;
  handle.driver = name();
  handle.task_id = spec.id;
  return handle;
}

std::shared_ptr<MockDriver::Run> MockDriver::find(const std::string& task_id) const {
  auto it = tasks_.find(task_id);
  return it == tasks_.end() ? nullptr : it->second;
}

std::shared_ptr<MockDriver::Run> MockDriver::launch(TaskHandle handle, Value state, Time started_at) {
  auto* object = state.as_object();
  const Value* config = object ? object->find("Config") : nullptr;
  auto command = parse_command(config ? *config : Value());
  if (!command) return nullptr;
  auto run = std::make_shared<Run>(context_.world, std::move(handle));
  run->command = std::move(*command);
  run->name = config_string(state, "Name");
  run->stdout_path = config_string(state, "Stdout");
  run->stderr_path = config_string(state, "Stderr");
  run->started_at = started_at;
  if (auto* o = config ? config->as_object() : nullptr)
    if (auto* e = o->find("exec_command")) run->exec_command = *e;
  tasks_[run->handle.task_id] = run;
  return run;
}

Async<Result<Started>> MockDriver::start(TaskSpec spec, TaskHandle handle) {
  const Value& config = spec.driver_config;
  DROVER_CO_TRY(Duration block_for, duration(config, "start_block_for"));
  DROVER_CO_TRY(Command command, parse_command(config));
  DROVER_CO_TRY(DriverNetwork network, parse_network(config));
  if (tasks_.contains(spec.id)) co_return Error(ErrorCode::kConflict, "task with ID " + go_quote(spec.id) + " already started");
  if (block_for > Duration::zero()) co_await sleep_for(context_.world.loop, block_for);
  if (std::string error = config_string(config, "start_error"); !error.empty())
    co_return Error(config_bool(config, "start_error_recoverable") ? ErrorCode::kUnavailable : ErrorCode::kInternal, error);

  Time now = context_.world.clock.now();
  Value::Object state = Value::Object::empty_map();
  state.set("Config", config);
  state.set("Name", Value(spec.name));
  // As text: a JSON number would not keep the nanoseconds.
  state.set("StartedAt", Value(std::to_string(now.unix_nanos)));
  if (spec.logs.enabled && !spec.logs.dir.empty()) {
    state.set("Stdout", Value(spec.logs.dir + "/" + spec.logs.stdout_name + ".0"));
    state.set("Stderr", Value(spec.logs.dir + "/" + spec.logs.stderr_name + ".0"));
  }
  Value whole(std::move(state));
  handle.driver_state = to_json(whole, {.trailing_newline = false});
  auto run = launch(handle, whole, now);
  run->begin(Duration::zero(), true);
  Started out;
  out.handle = std::move(handle);
  out.network = std::move(network);
  co_return out;
}

Async<Status> MockDriver::recover(TaskHandle handle) {
  if (tasks_.contains(handle.task_id)) co_return Status{};
  if (handle.driver_state.empty()) co_return not_found("the task was never started");
  auto state = from_json<Value>(handle.driver_state);
  auto started = state ? parse_int(config_string(*state, "StartedAt")) : std::nullopt;
  if (!started) co_return invalid("failed to decode task state from handle: no start time");
  auto run = launch(std::move(handle), std::move(*state), Time::from_unix_nanos(*started));
  if (!run) co_return invalid("failed to decode task state from handle: bad config");
  run->begin(context_.world.clock.now() - run->started_at, false);
  co_return Status{};
}

Async<Result<ExitResult>> MockDriver::wait(std::string task_id) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  co_return co_await run->gate.wait();
}

Async<Status> MockDriver::stop(std::string task_id, Duration, std::string) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  run->halt();
  co_return Status{};
}

Async<Status> MockDriver::destroy(std::string task_id, bool force) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  if (!run->gate.is_open() && !force) co_return Error(ErrorCode::kConflict, "cannot destroy running task");
  run->halt();
  tasks_.erase(task_id);
  co_return Status{};
}

Async<Status> MockDriver::signal(std::string task_id, std::string) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  if (!run->command.signal_error.empty()) co_return internal(run->command.signal_error);
  co_return Status{};
}

Async<Result<ExecResult>> MockDriver::exec(std::string task_id, std::vector<std::string> command, Duration) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  ExecResult out;
  std::string args;
  for (auto& c : command) args += (args.empty() ? "" : " ") + go_quote(c);
  out.stdout_data = "Exec(" + go_quote(run->name) + ", [" + args + "])";
  co_return out;
}

Async<Result<std::unique_ptr<ExecSession>>> MockDriver::exec_stream(std::string task_id, ExecOptions options) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  Loop& loop = context_.world.loop;
  if (options.command.size() == 1 && options.command[0] == "showinput")
    co_return std::unique_ptr<ExecSession>(std::make_unique<MockSession>(loop, options.tty));
  if (run->exec_command.is_nil()) co_return invalid("no exec command is configured");
  DROVER_CO_TRY(Command command, parse_command(run->exec_command));
  co_return std::unique_ptr<ExecSession>(std::make_unique<MockSession>(loop, command));
}

Async<Result<TaskResourceUsage>> MockDriver::stats(std::string task_id) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  TaskResourceUsage usage;
  usage.timestamp = context_.world.clock.now();
  usage.total.memory.rss = context_.world.random.next() >> 1;
  usage.total.memory.measured = {"RSS"};
  co_return usage;
}

Async<Result<TaskStatus>> MockDriver::inspect(std::string task_id) {
  auto run = find(task_id);
  if (!run) co_return task_not_found();
  TaskStatus s;
  s.id = task_id;
  s.name = run->name;
  s.state = run->gate.is_open() ? TaskRunState::kExited : TaskRunState::kRunning;
  s.started_at = run->started_at;
  s.completed_at = run->completed_at;
  s.result = run->gate.result();
  co_return s;
}

}  // namespace drover::drivers
