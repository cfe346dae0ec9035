// The environment of a task: every NOMAD_ variable, in the reference's order of precedence, and what may be referred to
// as "${...}" (reference client, section 19). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/driver.h"
#include "model/alloc.h"
#include "model/interpolate.h"
#include "model/node.h"

namespace drover::client {

// The task's directories as the task itself sees them.
struct TaskDirs {
  std::string alloc, local, secrets;
};
TaskDirs task_dirs_of(drivers::FsIsolation isolation, const std::string& alloc_root, std::string_view task);

struct TaskEnvInput {
  const Node& node;
  const Allocation& alloc;
  const Task& task;
  std::string region;
  TaskDirs dirs;
  const std::map<std::string, std::string>* host_env = nullptr;  // null: none is inherited
  std::vector<const Map<std::string>*> hook_env;                 // in hook order
  const drivers::DriverNetwork* driver_network = nullptr;
};

// (model/interpolate.h's TaskEnv is its view for those who only replace text.)
struct RunEnv {
  std::map<std::string, std::string> vars;  // what the task gets
  std::map<std::string, std::string> node;  // "attr.cpu.arch", "meta.rack", "node.class" ...
  std::map<std::string, std::string> device_vars;

  TaskEnv names() const { return {vars, node}; }

  // Replaces ${name} by the variable, else the node's value; anything unknown stays.
  std::string replace(std::string_view text) const;
};
RunEnv build_task_env(const TaskEnvInput& input);

// What the alloc's group network says of the node's ports, by label. Also for allocations of older servers.
std::vector<AllocatedPortMapping> alloc_ports(const Allocation& alloc);

// The agent's own environment less the denied names.
std::map<std::string, std::string> inherited_env(const std::map<std::string, std::string>& host_env,
                                                 const std::vector<std::string>& denied);

}  // namespace drover::client
