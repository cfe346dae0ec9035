#include "drivers/shim_task.h"

#include <algorithm>

#include "base/strings.h"
#include "drivers/files.h"
#include "drivers/shim_connection.h"
#include "drivers/shim_exec.h"

namespace drover::drivers {

using shim::Message;

namespace {
constexpr Duration kReconnectFirst = 10ms;
constexpr Duration kReconnectMax = 1s;
constexpr Duration kExitLimit = 15s;  // after SIGKILL, as the reference
}  // namespace

Async<Result<ShimTask::Ptr>> ShimTask::start(ShimHost& host, ShimSpec spec) {
  auto task = std::make_shared<ShimTask>(host, spec.dir);
  auto status = co_await launch_shim(host, std::move(spec));
  if (!status) co_return std::move(status).error();
  task->status_ = *status;
  task->watch_ = Running(task->watch());
  co_return task;
}

Async<Result<ShimTask::Ptr>> ShimTask::recover(ShimHost& host, std::string dir) {
  auto task = std::make_shared<ShimTask>(host, dir);
  auto probe = co_await on_pool(host.world, [dir] { return probe_shim(dir); });
  if (probe.state == ShimState::kGone) co_return not_found("the task and its supervisor are gone");
  if (probe.state == ShimState::kFinished) {
    task->finish(std::move(probe.exit));
    co_return task;
  }
  task->watch_ = Running(task->watch());
  co_await task->known_;
  if (task->lost_) co_return not_found("the task and its supervisor are gone");
  co_return task;
}

// Holds a connection until the end of the task; reconnects while the shim lives.
Async<void> ShimTask::watch() {
  Duration pause = kReconnectFirst;
  for (;;) {
    if (auto connection = ShimConnection::connect(host_.fds, dir_)) {
      if (co_await follow(**connection)) co_return;
    }
    auto probe = co_await on_pool(host_.world, [dir = dir_] { return probe_shim(dir); });
    if (probe.state == ShimState::kFinished) co_return finish(std::move(probe.exit));
    if (probe.state == ShimState::kGone) {
      lost_ = true;
      ShimExit exit;
      exit.result.err = "executor: error waiting on process: the supervisor ended without an exit status";
      exit.finished_at = host_.world.clock.now();
      co_return finish(std::move(exit));
    }
    co_await sleep_for(host_.world.loop, pause);
    pause = std::min(pause * 2, kReconnectMax);
  }
}

// True when the exit record came over the connection.
Async<bool> ShimTask::follow(ShimConnection& connection) {
  auto answer = co_await connection.call(Message::kInspect, {});
  shim::StatusReply status;
  if (!answer || answer->type != Message::kStatus || !answer->as(status)) co_return false;
  status_ = status;
  known_.set_from_any_thread(host_.world.loop, true);
  auto end = co_await connection.call(Message::kWait, {});
  if (!end || end->type != Message::kExit) co_return false;
  auto exit = parse_exit_record(end->body);
  if (!exit) co_return false;
  finish(std::move(*exit));
  co_return true;
}

void ShimTask::finish(ShimExit exit) {
  exit_ = std::move(exit);
  known_.set_from_any_thread(host_.world.loop, true);
  if (on_end_) on_end_(*exit_);
  gate_.open(exit_->result);
}

void ShimTask::on_end(std::function<void(const ShimExit&)> fn) {
  on_end_ = std::move(fn);
  if (exit_) on_end_(*exit_);
}

Async<Status> ShimTask::shut_down(int signal, Duration grace) {
  if (exit_) co_return Status{};
  auto self = shared_from_this();
  shim::ShutdownRequest request;
  request.signal = signal;
  request.grace_ns = grace > Duration::zero() ? static_cast<uint64_t>(grace.count()) : 0;
  // A shim that cannot be reached is one that is ending, or gone; the watch finds out which.
  Status sent;
  if (auto connection = ShimConnection::connect(host_.fds, dir_)) {
    auto answer = co_await (*connection)->call(Message::kShutdown, pod_bytes(request));
    if (!answer) sent = std::move(answer).error();
  } else {
    sent = std::move(connection).error();
  }
  if (!sent && sent.error().code != ErrorCode::kUnavailable) co_return sent;
  auto result = co_await gate_.wait_until((sent ? std::max(grace, Duration::zero()) : Duration::zero()) + kExitLimit);
  if (result) co_return Status{};
  if (!sent) co_return sent;
  co_return Error(ErrorCode::kTimeout, "process did not exit after 15 seconds");
}

Async<Status> ShimTask::signal(int number) {
  if (exit_) co_return Error(ErrorCode::kConflict, "os: process already finished");
  auto self = shared_from_this();
  auto connection = ShimConnection::connect(host_.fds, dir_);
  if (!connection) co_return std::move(connection).error();
  auto answer = co_await (*connection)->call(Message::kSignal, pod_bytes(static_cast<int32_t>(number)));
  if (!answer) co_return std::move(answer).error();
  co_return Status{};
}

Async<Result<std::unique_ptr<ShimConnection>>> ShimTask::open_exec(const ShimExec& exec) {
  if (exec.command.empty()) co_return invalid("command is required but was empty");
  if (exit_) co_return Error(ErrorCode::kConflict, "os: process already finished");
  auto connection = ShimConnection::connect(host_.fds, dir_);
  if (!connection) co_return std::move(connection).error();
  auto answer = co_await (*connection)->call(Message::kExec, encode_exec(exec));
  if (answer) co_return std::move(*connection);
  Error e = std::move(answer).error();
  const std::string& program = exec.command[0];
  if (e.message.starts_with("fork/exec: ")) {
    bool by_name = program.find('/') == std::string::npos && e.code == ErrorCode::kNotFound;
    e.message = by_name ? "exec: " + go_quote(program) + ": executable file not found in $PATH"
                        : "fork/exec " + program + e.message.substr(9);
  }
  // The reference's executor is behind gRPC, and this is how its refusals reach operators.
  e.message = "rpc error: code = Unknown desc = failed to start command: " + e.message;
  co_return e;
}

Async<Result<ExecResult>> ShimTask::exec(ShimExec exec, Duration timeout) {
  auto self = shared_from_this();
  auto opened = co_await open_exec(exec);
  if (!opened) co_return std::move(opened).error();
  ShimConnection& connection = **opened;
  bool expired = false;
  Timer timer;
  if (timeout > Duration::zero())
    timer = host_.world.loop.after(timeout, [&] {
      expired = true;
      connection.shut_down();
    });
  ExecResult out;
  for (;;) {
    auto frame = co_await connection.read();
    if (!frame && expired) co_return Error(ErrorCode::kTimeout, "context deadline exceeded");
    if (!frame) co_return std::move(frame).error();
    if (frame->type == Message::kStdout || frame->type == Message::kStderr) {
      out.stdout_data += frame->body;
      if (out.stdout_data.size() > kExecTail) out.stdout_data.erase(0, out.stdout_data.size() - kExecTail);
    }
    shim::ExecExit exit;
    if (frame->type != Message::kExecExit || !frame->as(exit)) continue;
    out.exit.exit_code = exit.exit_code;
    out.exit.signal = exit.signal;
    co_return out;
  }
}

Async<Result<std::unique_ptr<ExecSession>>> ShimTask::exec_stream(ShimExec exec) {
  auto self = shared_from_this();
  auto opened = co_await open_exec(exec);
  if (!opened) co_return std::move(opened).error();
  co_return std::unique_ptr<ExecSession>(std::make_unique<ShimExecSession>(std::move(*opened)));
}

Async<Result<TaskResourceUsage>> ShimTask::stats(ComputeCapacity capacity) {
  if (exit_) co_return Error(ErrorCode::kConflict, "os: process already finished");
  auto self = shared_from_this();
  auto connection = ShimConnection::connect(host_.fds, dir_);
  if (!connection) co_return std::move(connection).error();
  auto answer = co_await (*connection)->call(Message::kStats, {});
  if (!answer) co_return std::move(answer).error();
  shim::UsageReply sums;
  if (answer->type != Message::kUsage || !answer->as(sums)) co_return Error(ErrorCode::kCorrupt, "the supervisor's statistics cannot be read");
  std::vector<shim::ProcessEntry> processes((answer->body.size() - sizeof sums) / sizeof(shim::ProcessEntry));
  __builtin_memcpy(processes.data(), answer->body.data() + sizeof sums, processes.size() * sizeof(shim::ProcessEntry));
  co_return meter_.measure(sums, processes, host_.world.clock.now(), capacity);
}

TaskStatus ShimTask::status() const {
  TaskStatus s;
  s.state = !exit_ ? TaskRunState::kRunning : lost_ ? TaskRunState::kUnknown : TaskRunState::kExited;
  if (status_) {
    s.started_at = Time::from_unix_nanos(static_cast<int64_t>(status_->started_ns));
    s.driver_attributes["pid"] = std::to_string(status_->pid);
  }
  if (exit_) {
    if (!exit_->started_at.unset()) s.started_at = exit_->started_at;
    s.completed_at = exit_->finished_at;
    s.result = exit_->result;
  }
  return s;
}

Async<void> ShimTask::clean_up() {
  auto removed = co_await on_pool(host_.world, [dir = dir_] { return remove_flat_dir(dir); });
  // Left behind, the directory is only untidy.
  (void)removed;
}

}  // namespace drover::drivers
