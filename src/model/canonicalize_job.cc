// The server's canonicalization (reference jobspec section 6.4).
#include <fmt/format.h>

#include "base/strings.h"
#include "model/canonicalize.h"
#include "model/env_text.h"
#include "model/job_defaults.h"

namespace drover {
namespace {

constexpr std::string_view kGroupServiceTask = "group";

void canonicalize(ServiceCheck& check, const Service& service, std::string_view task) {
  null_if_empty(check.Args);
  null_if_empty(check.Header);
  for (auto& [name, values] : check.Header) null_if_empty(values);
  if (check.Name.empty()) check.Name = fmt::format("service: {} check", go_quote(service.Name));
  if (check.TaskName.empty() && task != kGroupServiceTask) check.TaskName = task;
  if (check.OnUpdate.empty()) check.OnUpdate = "require_healthy";
}

void canonicalize(Service& service, const Job& job, const TaskGroup& group, std::string_view task) {
  null_if_empty(service.Tags);
  null_if_empty(service.CanaryTags);
  null_if_empty(service.Checks);
  null_if_empty(service.TaggedAddresses);
  if (service.TaskName.empty() && task != kGroupServiceTask) service.TaskName = task;
  service.Name = replace_env(service.Name, [&](std::string_view name) -> std::optional<std::string> {
    if (name == "JOB") return job.Name;
    if (name == "TASKGROUP") return group.Name;
    if (name == "TASK") return std::string(task);
    if (name == "BASE") return fmt::format("{}-{}-{}", job.Name, group.Name, task);
    return std::nullopt;
  });
  for (auto& check : service.Checks) canonicalize(check, service, service.TaskName.empty() ? task : service.TaskName);
  if (service.Provider.empty()) service.Provider = kProviderConsul;
  if (service.Provider == kProviderNomad)
    service.Namespace = job.Namespace;
  else if (service.Provider == kProviderConsul && service.Namespace.empty())
    service.Namespace = kDefaultNamespace;
}

void canonicalize(Resources& resources) {
  null_if_empty(resources.Networks);
  null_if_empty(resources.Devices);
  for (auto& network : resources.Networks) canonicalize(network);
}

void canonicalize(TaskGroup& group, const Job& job) {
  null_if_empty(group.Meta);
  if (!group.RestartPolicy) group.RestartPolicy = default_restart_policy(job.Type);
  if (!group.ReschedulePolicy && (job.Type == job_type::kService || job.Type == job_type::kBatch))
    group.ReschedulePolicy = default_reschedule_policy(job.Type);
  if (!group.Migrate && job.Type == job_type::kService) group.Migrate = default_migrate_strategy();
  if (!group.EphemeralDisk) group.EphemeralDisk = default_ephemeral_disk();
  if (job.Type == job_type::kSystem && group.Count == 0) group.Count = 1;
  if (group.Scaling && group.Scaling->Type.empty()) group.Scaling->Type = "horizontal";
  for (auto& service : group.Services) canonicalize(service, job, group, kGroupServiceTask);
  for (auto& network : group.Networks) canonicalize(network);
  for (auto& task : group.Tasks) canonicalize(task, job, group);
}

}  // namespace

void canonicalize(NetworkResource& network) {
  for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
    for (auto& port : *ports)
      if (port.HostNetwork.empty()) port.HostNetwork = "default";
}

void canonicalize(Task& task, const Job& job, const TaskGroup& group) {
  null_if_empty(task.Meta);
  null_if_empty(task.Env);
  for (auto& service : task.Services) canonicalize(service, job, group, task.Name);
  if (!task.Resources) task.Resources = Resources{.CPU = 100, .MemoryMB = 300};
  canonicalize(*task.Resources);
  if (!task.RestartPolicy) task.RestartPolicy = group.RestartPolicy;
  if (task.KillTimeout == 0s) task.KillTimeout = kDefaultKillTimeout;
  if (auto* vault = task.Vault.get()) {
    if (!vault->ChangeSignal.empty()) vault->ChangeSignal = to_upper(vault->ChangeSignal);
    if (vault->ChangeMode.empty()) vault->ChangeMode = "restart";
  }
  for (auto& tmpl : task.Templates)
    if (!tmpl.ChangeSignal.empty()) tmpl.ChangeSignal = to_upper(tmpl.ChangeSignal);
}

void canonicalize(Job& job) {
  null_if_empty(job.Meta);
  if (job.Namespace.empty()) job.Namespace = kDefaultNamespace;
  if (job.Datacenters.empty()) job.Datacenters = {"*"};
  for (auto& group : job.TaskGroups) canonicalize(group, job);
  if (job.ParameterizedJob && job.ParameterizedJob->Payload.empty()) job.ParameterizedJob->Payload = "optional";
  if (auto* multiregion = job.Multiregion.get()) {
    multiregion->Strategy.ensure();
    multiregion->Regions.vec();
  }
}

}  // namespace drover
