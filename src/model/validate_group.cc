#include <fmt/format.h>

#include <map>

#include "base/strings.h"
#include "model/job_defaults.h"
#include "model/validate_parts.h"

namespace drover::validation {
namespace {

constexpr int64_t kPortMax = 65535;
constexpr int64_t kDiskMBMin = 10;

struct PortsInUse {
  std::map<std::string, std::string> labels;                             // label -> by whom
  std::map<std::string, std::map<int64_t, std::string>> reserved;        // host network -> port -> by whom
};

// `user` names who has the port in later messages.
void static_port(const Port& port, const std::string& user, PortsInUse& in_use, MultiError& errors) {
  if (port.Value == 0) return;
  auto& reserved = in_use.reserved[port.HostNetwork.empty() ? "default" : port.HostNetwork];
  auto other = reserved.find(port.Value);
  if (other != reserved.end())
    errors.add(fmt::format("Static port {} already reserved by {}", port.Value, other->second));
  else if (port.Value > kPortMax)
    errors.add(fmt::format("Port {} ({}) cannot be greater than {}", port.Label, port.Value, kPortMax));
  else
    reserved[port.Value] = user + ":" + port.Label;
}

void group_port(const Port& port, PortsInUse& in_use, MultiError& errors) {
  auto [at, fresh] = in_use.labels.emplace(port.Label, "taskgroup network");
  if (!fresh) errors.add(fmt::format("Port label {} already in use by {}", port.Label, at->second));
  static_port(port, "taskgroup network", in_use, errors);
  if (port.To < -1)
    errors.add(fmt::format("Port {} cannot be mapped to negative value {}", go_quote(port.Label), port.To));
  else if (port.To > kPortMax)
    errors.add(fmt::format("Port {} cannot be mapped to a port ({}) greater than {}", go_quote(port.Label), port.To, kPortMax));
}

// DNS names are judged by their lengths and dots alone.
bool domain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return false;
  for (auto& part : split(name, '.'))
    if (part.empty() || part.size() > 63) return false;
  return true;
}

void names(const TaskGroup& group, MultiError& errors) {
  if (group.Name.empty())
    errors.add("Missing task group name");
  else if (group.Name.find('\0') != std::string::npos)
    errors.add("Task group name contains null character");
  if (group.Count < 0) errors.add("Task group count can't be negative");
  if (group.Tasks.empty()) errors.add("Missing tasks for task group");
  if (group.MaxClientDisconnect && group.StopAfterClientDisconnect)
    errors.add("Task group cannot be configured with both max_client_disconnect and stop_after_client_disconnect");
  if (group.MaxClientDisconnect && *group.MaxClientDisconnect < 0s)
    errors.add("max_client_disconnect cannot be negative");
}

void policies(const TaskGroup& group, const Job& job, MultiError& errors) {
  if (group.RestartPolicy)
    errors.add_nested(restart_policy(*group.RestartPolicy));
  else
    errors.add(fmt::format("Task Group {} should have a restart policy", group.Name));
  spreads(group.Spreads, job.Type, errors);
  if (job.Type == job_type::kSystem) {
    if (group.ReschedulePolicy) errors.add("System jobs should not have a reschedule policy");
  } else if (group.ReschedulePolicy) {
    errors.add_nested(reschedule_policy(*group.ReschedulePolicy));
  } else {
    errors.add(fmt::format("Task Group {} should have a reschedule policy", group.Name));
  }
  if (!group.EphemeralDisk)
    errors.add(fmt::format("Task Group {} should have an ephemeral disk object", group.Name));
  else if (group.EphemeralDisk->SizeMB < kDiskMBMin)
    errors.add(fmt::format("minimum DiskMB value is {}; got {}", kDiskMBMin, group.EphemeralDisk->SizeMB));
  if (group.Update) {
    if (job.Type != job_type::kService && job.Type != job_type::kSystem)
      errors.add(fmt::format("Job type {} does not allow update block", go_quote(job.Type)));
    errors.add_nested(update_strategy(*group.Update));
  }
  if (!group.Migrate) return;
  if (job.Type == job_type::kService)
    errors.add_nested(migrate_strategy(*group.Migrate));
  else
    errors.add(fmt::format("Job type {} does not allow migrate block", go_quote(job.Type)));
}

void task_names(const TaskGroup& group, MultiError& errors) {
  std::map<std::string_view, size_t> seen;
  int leaders = 0;
  for (size_t i = 0; i < group.Tasks.size(); ++i) {
    auto& task = group.Tasks[i];
    leaders += task.Leader;
    if (task.Name.empty()) {
      errors.add(fmt::format("Task {} missing name", i + 1));
      continue;
    }
    auto [at, fresh] = seen.emplace(task.Name, i + 1);
    if (!fresh) errors.add(fmt::format("Task {} redefines '{}' from task {}", i + 1, task.Name, at->second));
  }
  if (leaders > 1) errors.add("Only one task may be marked as leader");
}

MultiError scaling(const TaskGroup& group, const Job& job) {
  MultiError errors;
  if (!group.Scaling) return errors;
  auto& policy = *group.Scaling;
  errors.append_prefixed("Scaling policy invalid:", scaling_policy(policy));
  if (policy.Max < group.Count)
    errors.add("Scaling policy invalid: task group count must not be greater than maximum count in scaling policy");
  bool set_per_region = is_multiregion(job) && group.Count == 0 && job.Region == kGlobalRegion;
  if (group.Count < policy.Min && !set_per_region)
    errors.add("Scaling policy invalid: task group count must not be less than minimum count in scaling policy");
  return errors;
}

void tasks(const TaskGroup& group, const Job& job, MultiError& errors) {
  for (auto& task : group.Tasks) {
    for (size_t i = 0; i < task.VolumeMounts.size(); ++i) {
      auto& volume = task.VolumeMounts[i].Volume;
      if (volume.empty())
        errors.add(fmt::format("Task {} has a volume mount ({}) referencing an empty volume", task.Name, i));
      else if (!group.Volumes.contains(volume))
        errors.add(fmt::format("Task {} has a volume mount ({}) referencing undefined volume {}", task.Name, i, volume));
    }
    errors.add_nested(fmt::format("Task {} validation failed: ", task.Name), validate(task, job.Type, group));
    if (job.Type == job_type::kService && group.Update && task.KillTimeout > group.Update->ProgressDeadline)
      errors.add(fmt::format("Task {} has a kill timout ({}) longer than the group's progress deadline ({})", task.Name,
                             format_duration(task.KillTimeout), format_duration(group.Update->ProgressDeadline)));
  }
}

}  // namespace

MultiError group_networks(const TaskGroup& group) {
  MultiError errors;
  PortsInUse in_use;
  for (auto& network : group.Networks) {
    for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
      for (auto& port : *ports) group_port(port, in_use, errors);
    bool computed = network.Hostname.find("${") != std::string::npos;
    if (!network.Hostname.empty() && !computed && !domain_name(network.Hostname))
      errors.add("Hostname is not a valid DNS name");
  }
  for (auto& task : group.Tasks) {
    if (!task.Resources) continue;
    for (auto& network : task.Resources->Networks)
      for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
        for (auto& port : *ports) {
          auto other = in_use.labels.find(port.Label);
          if (other != in_use.labels.end())
            errors.add(fmt::format("Port label {} already in use by {}", port.Label, other->second));
          static_port(port, task.Name, in_use, errors);
        }
  }
  return errors;
}

MultiError group(const TaskGroup& group, const Job& job) {
  MultiError errors;
  names(group, errors);
  constraints(group.Constraints, errors);
  affinities(group.Affinities, job.Type, errors);
  policies(group, job, errors);
  task_names(group, errors);
  int64_t canaries = group.Update ? group.Update->Canary : 0;
  for (auto& [name, request] : group.Volumes)
    errors.add_nested(fmt::format("Task group volume validation for {} failed: ", name),
                      volume(request, job.Type, group.Count, canaries));
  errors.add_nested("Task group network validation failed: ", group_networks(group));
  errors.add_nested("Task group service validation failed: ", group_services(group));
  errors.add_nested("Task group service check validation failed: ", group_script_checks(group));
  errors.add_nested("Task group scaling policy validation failed: ", scaling(group, job));
  tasks(group, job, errors);
  return errors;
}

}  // namespace drover::validation
