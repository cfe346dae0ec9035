// One task under a shim, as its driver sees it: the common body of raw_exec, exec, java and qemu.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/driver.h"
#include "drivers/exit_gate.h"
#include "drivers/shim_launch.h"
#include "drivers/usage.h"

namespace drover::drivers {

class ShimConnection;

class ShimTask : public std::enable_shared_from_this<ShimTask> {
 public:
  using Ptr = std::shared_ptr<ShimTask>;

  static Async<Result<Ptr>> start(ShimHost& host, ShimSpec spec);
  // kNotFound when neither a shim nor an exit record is left; nothing of the task runs then.
  static Async<Result<Ptr>> recover(ShimHost& host, std::string dir);

  ShimTask(ShimHost& host, std::string dir) : host_(host), dir_(std::move(dir)), gate_(host.world.loop) {}

  bool running() const { return !exit_; }
  // Called once with the end, from the loop, before waiters resume; at once if it has come already.
  void on_end(std::function<void(const ShimExit&)> fn);
  Async<ExitResult> wait() { return gate_.wait(); }
  // The reference's Shutdown: `signal` if grace > 0, then SIGKILL, then up to 15 s for the end. 0 sends no signal.
  Async<Status> shut_down(int signal, Duration grace);
  Async<Status> signal(int number);
  Async<Result<ExecResult>> exec(ShimExec exec, Duration timeout);
  Async<Result<std::unique_ptr<ExecSession>>> exec_stream(ShimExec exec);
  Async<Result<TaskResourceUsage>> stats(ComputeCapacity capacity);
  // State, times, result and the attribute "pid".
  TaskStatus status() const;
  // Removes the shim's directory. Only after the end.
  Async<void> clean_up();

 private:
  Async<void> watch();
  Async<bool> follow(ShimConnection& connection);
  void finish(ShimExit exit);
  Async<Result<std::unique_ptr<ShimConnection>>> open_exec(const ShimExec& exec);

  ShimHost& host_;
  std::string dir_;
  std::optional<shim::StatusReply> status_;
  std::optional<ShimExit> exit_;
  bool lost_ = false;  // the exit is not known
  ExitGate gate_;
  std::function<void(const ShimExit&)> on_end_;
  Promise<bool> known_;  // set when status_ or exit_ is
  UsageMeter meter_;
  Running watch_;
};

}  // namespace drover::drivers
