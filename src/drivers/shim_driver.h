// What the drivers that run a program under drover-shim have in common. A driver adds its config, its fingerprint and
// the building of the ShimSpec.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "drivers/driver.h"
#include "drivers/shim_task.h"

namespace drover::drivers {

class ShimDriver : public Driver {
 public:
  explicit ShimDriver(DriverContext context);

  Result<TaskHandle> prepare(const TaskSpec& spec) override;
  Async<Result<Started>> start(TaskSpec spec, TaskHandle handle) override;
  Async<Status> recover(TaskHandle handle) override;
  Async<Result<ExitResult>> wait(std::string task_id) override;
  Async<Status> stop(std::string task_id, Duration timeout, std::string signal) override;
  Async<Status> destroy(std::string task_id, bool force) override;
  Async<Status> signal(std::string task_id, std::string signal) override;
  Async<Result<ExecResult>> exec(std::string task_id, std::vector<std::string> command, Duration timeout) override;
  Async<Result<std::unique_ptr<ExecSession>>> exec_stream(std::string task_id, ExecOptions options) override;
  Async<Result<TaskResourceUsage>> stats(std::string task_id) override;
  Async<Result<TaskStatus>> inspect(std::string task_id) override;

 protected:
  // All of the spec but `dir` and `task_id`. Runs on the pool; may block.
  virtual Result<ShimSpec> build(const TaskSpec& spec) const = 0;
  // Refusals before anything is done.
  virtual Status check_start(const TaskSpec& spec) const = 0;

  DriverContext context_;

 private:
  struct Entry {
    std::string name;
    ShimTask::Ptr task;  // null while it is being started
  };
  class Reservation;
  ShimTask::Ptr find(const std::string& task_id) const;
  void report_end(const std::string& task_id, const std::string& name, const ShimExit& exit);

  ShimHost host_;
  std::map<std::string, Entry> tasks_;  // by task id
};

}  // namespace drover::drivers
