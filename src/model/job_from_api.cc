// From the client's shape of a job to the server's. Fields convert by name; what is left here is what the two shapes
// do not say alike (reference jobspec section 6.3).
#include <fmt/format.h>

#include "codec/reflect.h"
#include "model/canonicalize.h"
#include "model/job_defaults.h"

namespace drover {
namespace {

void settle_networks(List<NetworkResource>& networks) {
  null_if_empty(networks);
  for (auto& network : networks) {
    network.Device.clear();
    null_if_empty(network.ReservedPorts);
    null_if_empty(network.DynamicPorts);
  }
}

void settle_resources(Resources& resources) {
  resources.DiskMB = 0;
  settle_networks(resources.Networks);
  null_if_empty(resources.Devices);
}

// The old field names of the expose block win over the new ones.
void settle_expose(const api::ConsulProxy& from, ConsulProxy& proxy) {
  auto& expose = from.ExposeConfig ? from.ExposeConfig : from.Expose;
  proxy.Expose.reset();
  if (!expose) return;
  auto& paths = expose->Path.empty() ? expose->Paths : expose->Path;
  proxy.Expose.emplace().Paths = convert<List<ConsulExposePath>>(paths);
  null_if_empty(proxy.Expose->Paths);
}

void settle_connect(const api::ConsulConnect& from, ConsulConnect& connect) {
  if (connect.SidecarService && connect.SidecarService->Proxy)
    settle_expose(*from.SidecarService->Proxy, *connect.SidecarService->Proxy);
  if (connect.SidecarTask && connect.SidecarTask->Resources) settle_resources(*connect.SidecarTask->Resources);
  if (connect.Gateway && connect.Gateway->Proxy) connect.Gateway->Proxy->EnvoyGatewayBindAddresses.vec();  // none are an empty map
}

void settle_services(const List<api::Service>& from, List<Service>& services, bool in_group) {
  null_if_empty(services);
  for (size_t i = 0; i < services.size(); ++i) {
    auto& service = services[i];
    null_if_empty(service.Checks);
    for (auto& check : service.Checks) {
      if (check.OnUpdate.empty()) check.OnUpdate = service.OnUpdate;
      // A task's checks run in that task, whatever they say.
      if (!in_group) check.TaskName.clear();
    }
    if (service.Connect) settle_connect(*from[i].Connect, *service.Connect);
  }
}

void settle_scaling(const api::ScalingPolicy& from, ScalingPolicy& policy, int64_t count, const Job& job,
                    const std::string& group) {
  policy.ID.clear();
  policy.CreateIndex = policy.ModifyIndex = 0;
  policy.Min = from.Min.value_or(count);
  policy.Max = from.Max.value_or(-1);
  policy.Enabled = from.Enabled.value_or(true);
  policy.Target = {{"Namespace", job.Namespace}, {"Job", job.ID}, {"Group", group}};
}

void settle_task(const api::Task& from, Task& task, const TaskGroup& group, const Job& job) {
  null_if_empty(task.Constraints);
  null_if_empty(task.Affinities);
  null_if_empty(task.Config);
  auto& mounts = task.VolumeMounts;
  for (size_t i = from.VolumeMounts.size(); i-- > 0;)
    if (!from.VolumeMounts[i].Volume) mounts.erase(&mounts[i]);
  // Mounts that name no volume leave an empty list.
  if (mounts.empty() && from.VolumeMounts.empty()) mounts.reset();
  null_if_empty(task.ScalingPolicies);
  for (size_t i = 0; i < task.ScalingPolicies.size(); ++i) {
    settle_scaling(from.ScalingPolicies[i], task.ScalingPolicies[i], 0, job, group.Name);
    task.ScalingPolicies[i].Target["Task"] = task.Name;
  }
  settle_services(from.Services, task.Services, false);
  if (task.Resources) settle_resources(*task.Resources);
  null_if_empty(task.Artifacts);
  null_if_empty(task.Templates);
  if (task.Vault && task.Vault->Namespace.empty()) task.Vault->Namespace = job.VaultNamespace;
}

void settle_group(const api::TaskGroup& from, TaskGroup& group, const Job& job) {
  if (group.Scaling) settle_scaling(*from.Scaling, *group.Scaling, group.Count, job, group.Name);
  null_if_empty(group.Constraints);
  null_if_empty(group.Affinities);
  null_if_empty(group.Spreads);
  settle_networks(group.Networks);
  settle_services(from.Services, group.Services, true);
  null_if_empty(group.Volumes);
  for (auto& [name, request] : from.Volumes)
    if (request.Type != "host" && request.Type != "csi") group.Volumes.erase(name);
  null_if_empty(group.Tasks);
  for (size_t i = 0; i < group.Tasks.size(); ++i) settle_task(from.Tasks[i], group.Tasks[i], group, job);
}

// What only the server says about a job.
void drop_server_fields(Job& job) {
  job.ParentID.clear();
  job.Dispatched = false;
  job.DispatchIdempotencyToken.clear();
  job.ConsulNamespace.clear();
  job.NomadTokenID.clear();
  job.Status.clear();
  job.StatusDescription.clear();
  job.Stable = false;
  job.Version = 0;
  job.SubmitTime = 0;
  job.CreateIndex = job.ModifyIndex = job.JobModifyIndex = 0;
}

}  // namespace

Job job_from_api(api::Job from) {
  canonicalize(from);
  Job job = convert<Job>(from);
  drop_server_fields(job);
  job.Update = {};
  if (from.Update && from.Update->MaxParallel.value_or(0) > 0)
    job.Update = {.Stagger = from.Update->Stagger.value_or(0s), .MaxParallel = *from.Update->MaxParallel};
  null_if_empty(job.Constraints);
  null_if_empty(job.Affinities);
  null_if_empty(job.Spreads);
  null_if_empty(job.TaskGroups);
  for (size_t i = 0; i < job.TaskGroups.size(); ++i) settle_group(from.TaskGroups[i], job.TaskGroups[i], job);
  return job;
}

}  // namespace drover
