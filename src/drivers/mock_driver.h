// mock_driver: tasks that run nothing. They last, fail, print and refuse as their config says, on the World's clock, so
// that whole clusters of them run in simulation.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "drivers/driver.h"

namespace drover::drivers {

class MockDriver : public Driver {
 public:
  explicit MockDriver(DriverContext context);
  ~MockDriver() override;

  std::string_view name() const override { return "mock_driver"; }
  const Capabilities& capabilities() const override { return capabilities_; }
  const ConfigSpec& plugin_config_spec() const override;
  const ConfigSpec& task_config_spec() const override;
  Status configure(const Value& config) override;
  Duration fingerprint_period() const override { return std::chrono::milliseconds(500); }
  Async<Fingerprint> fingerprint() override;
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

  struct Run;

 private:
  std::shared_ptr<Run> find(const std::string& task_id) const;
  std::shared_ptr<Run> launch(TaskHandle handle, Value state, Time started_at);

  DriverContext context_;
  Capabilities capabilities_;
  Time disabled_at_;  // unset: never
  std::map<std::string, std::shared_ptr<Run>> tasks_;
};

}  // namespace drover::drivers
