// Run-time interpolation on the node: "${NOMAD_PORT_http}", "${node.class}", "${attr.cpu.arch}" and the like in the
// text of services, networks, templates, artifacts and volume mounts (reference jobspec section 9). Driver configs are
// evaluated as HCL instead; constraints have a resolver of their own (constraint.h).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/env_text.h"
#include "model/job.h"
#include "model/node.h"

namespace drover {

// The names that a task's text may refer to: its environment, then its node.
class TaskEnv {
 public:
  TaskEnv() = default;
  TaskEnv(std::map<std::string, std::string> env, std::map<std::string, std::string> node)
      : env_(std::move(env)), node_(std::move(node)) {}

  const std::map<std::string, std::string>& env() const { return env_; }
  const std::map<std::string, std::string>& node() const { return node_; }
  std::optional<std::string> find(std::string_view name) const;

  // Unknown names stay as they are written.
  std::string replace(std::string_view text) const;

  // Copies with every field replaced that the reference replaces, and no other.
  Service replace(Service service) const;
  NetworkResource replace(NetworkResource network) const;

 private:
  std::map<std::string, std::string> env_, node_;
};

// Node names by which text refers to a node: "node.class", "attr.cpu.arch", "meta.rack".
std::map<std::string, std::string> node_names(const Node& node);

// Every character outside [A-Za-z0-9_.] becomes '_', and so does a leading digit when `whole` (a bare name).
std::string clean_env_name(std::string_view name, bool whole = false);

// NOMAD_META_<key> and its upper-case twin for the job's, the group's and (unless null) the task's meta; the deepest
// wins.
void add_meta(const Job& job, const TaskGroup& group, const Task* task, std::map<std::string, std::string>& env);

// What service names may refer to at submission: identity of job and group, and meta.
EnvLookup submission_env(const Job& job, const TaskGroup& group);

}  // namespace drover
