// What a shim is told, on the agent's side of shim/protocol.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drivers/task_spec.h"
#include "drivers/users.h"
#include "isolate/cgroup.h"

namespace drover::drivers {

struct ResourceLimit {
  int resource = 0;  // RLIMIT_*
  uint64_t soft = 0, hard = 0;
};

struct ShimSpec {
  std::string dir;      // the shim's own directory, made by launch_shim()
  std::string task_id;  // shown in the process list
  std::string command;  // path
  std::vector<std::string> argv;  // argv[0] first
  std::vector<std::string> env;   // "K=V"
  std::string cwd;
  std::optional<UserIds> user;    // none: the agent's
  LogSpec logs;
  std::vector<ResourceLimit> limits;
  std::string network_path;       // empty: the host's network
  isolate::CgroupKind cgroup_kind = isolate::CgroupKind::kNone;
  std::string cgroup_path;        // containment
  std::vector<std::string> cgroup_joins;
  std::string memory_cgroup;
  std::optional<int> oom_score_adj;
};
std::string encode_spec(const ShimSpec& spec);

struct ShimExec {
  std::vector<std::string> command;
  std::string cwd;  // empty: the task's
  bool tty = false;
};
std::string encode_exec(const ShimExec& exec);

// "K=V" texts sorted by key.
std::vector<std::string> env_list(const std::map<std::string, std::string>& env);

}  // namespace drover::drivers
