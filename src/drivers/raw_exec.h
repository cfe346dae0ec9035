// raw_exec: runs a program as it is, without isolation. Off unless the plugin config enables it.
#pragma once

#include "drivers/shim_driver.h"

namespace drover::drivers {

class RawExecDriver : public ShimDriver {
 public:
  using ShimDriver::ShimDriver;
  std::string_view name() const override { return "raw_exec"; }
  const Capabilities& capabilities() const override;
  const ConfigSpec& plugin_config_spec() const override;
  const ConfigSpec& task_config_spec() const override;
  Status configure(const Value& config) override;
  Async<Fingerprint> fingerprint() override;

 protected:
  Status check_start(const TaskSpec& spec) const override;
  Result<ShimSpec> build(const TaskSpec& spec) const override;

 private:
  bool enabled_ = false;
  bool no_cgroups_ = false;
};

// Where a host driver finds `command`: the task's local/, the task's directory, an absolute path, the agent's $PATH. A
// file in the task's directory is made executable. Blocks. Error: `binary "x" could not be found`.
Result<std::string> find_host_program(const std::string& task_dir, const std::string& command);

// The cgroup that contains a task started by root: where, and of which kind; none when the host has no usable one.
void contain_in_cgroup(const TaskSpec& task, const std::string& parent, ShimSpec& spec);

}  // namespace drover::drivers
