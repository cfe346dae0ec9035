// Canonicalization of the client's shape: job, groups and their policies. Tasks and services: canonicalize_api_task.cc.
#include "model/canonicalize.h"
#include "model/canonicalize_api.h"
#include "model/job_defaults.h"

namespace drover {

namespace {

using api_canonical::fill;

void fill(api::PeriodicConfig& periodic) {
  fill(periodic.Enabled, true);
  fill(periodic.Spec, "");
  fill(periodic.SpecType, "cron");
  fill(periodic.ProhibitOverlap, false);
  if (!periodic.TimeZone || periodic.TimeZone->empty()) periodic.TimeZone = "UTC";
}

void fill(api::Multiregion& multiregion) {
  auto& strategy = multiregion.Strategy.ensure();
  fill(strategy.MaxParallel, 0);
  fill(strategy.OnFailure, "");
  multiregion.Regions.vec();
  for (auto& region : multiregion.Regions) {
    fill(region.Count, 1);
    region.Datacenters.vec();
    region.Meta.vec();
  }
}

// Whether a job's update block says nothing that a group could inherit: every field unset or zero.
bool says_nothing(const api::UpdateStrategy& update) {
  return update.Stagger.value_or(0s) == 0s && update.MaxParallel.value_or(0) == 0 &&
         update.HealthCheck.value_or("").empty() && update.MinHealthyTime.value_or(0s) == 0s &&
         update.HealthyDeadline.value_or(0s) == 0s && update.ProgressDeadline.value_or(0s) == 0s &&
         !update.AutoRevert.value_or(false) && !update.AutoPromote.value_or(false) && update.Canary.value_or(0) == 0;
}

// The group's block laid over the job's.
template <class Block>
void inherit(Box<Block>& group, const Box<Block>& job) {
  if (!job) return;
  if (!group) {
    group = job;
    return;
  }
  fill_nulls(*group, *job);
}

void merge_policies(api::TaskGroup& group, const api::Job& job) {
  std::string_view type = *job.Type;
  if (job.Update && (group.Update || !says_nothing(*job.Update))) inherit(group.Update, job.Update);
  if (group.Update) fill_nulls(*group.Update, default_update_strategy());

  inherit(group.ReschedulePolicy, job.Reschedule);
  if (!group.ReschedulePolicy && type != job_type::kSystem) group.ReschedulePolicy.emplace();
  if (group.ReschedulePolicy) fill_nulls(*group.ReschedulePolicy, default_reschedule_policy(type));

  inherit(group.Migrate, job.Migrate);
  if (!group.Migrate && type == job_type::kService) group.Migrate.emplace();
  if (group.Migrate) fill_nulls(*group.Migrate, default_migrate_strategy());

  fill_nulls(group.RestartPolicy.ensure(), default_restart_policy(type));
}

void fill(api::TaskGroup& group, const api::Job& job) {
  fill(group.Name, "");
  if (!group.Count) group.Count = group.Scaling && group.Scaling->Min ? *group.Scaling->Min : 1;
  if (auto* scaling = group.Scaling.get()) {
    fill(scaling->Enabled, true);
    fill(scaling->Min, *group.Count);
    if (scaling->Type.empty()) scaling->Type = "horizontal";
  }
  fill_nulls(group.EphemeralDisk.ensure(), default_ephemeral_disk());
  auto& consul = group.Consul.ensure();
  if (consul.Namespace.empty()) consul.Namespace = job.ConsulNamespace.value_or("");
  merge_policies(group, job);
  for (auto& task : group.Tasks) api_canonical::fill_task(task, group, job);
  for (auto& spread : group.Spreads) fill(spread.Weight, 50);
  for (auto& affinity : group.Affinities) fill(affinity.Weight, 50);
  for (auto& service : group.Services) api_canonical::fill_service(service, nullptr, group, job);
}

void fill_scalars(api::Job& job) {
  fill(job.ID, "");
  fill(job.Name, *job.ID);
  fill(job.ParentID, "");
  fill(job.Namespace, kDefaultNamespace);
  fill(job.Priority, kJobDefaultPriority);
  fill(job.Stop, false);
  fill(job.Region, kGlobalRegion);
  fill(job.Type, job_type::kService);
  fill(job.AllAtOnce, false);
  for (auto* text : {&job.ConsulToken, &job.ConsulNamespace, &job.VaultToken, &job.VaultNamespace, &job.NomadTokenID,
                     &job.Status, &job.StatusDescription})
    fill(*text, "");
  fill(job.Stable, false);
  for (auto* number : {&job.Version, &job.CreateIndex, &job.ModifyIndex, &job.JobModifyIndex}) fill(*number, 0);
}

}  // namespace

void canonicalize(api::Job& job) {
  fill_scalars(job);
  if (job.Periodic) fill(*job.Periodic);
  if (!job.Update && *job.Type == job_type::kService) job.Update.emplace();
  if (job.Update) fill_nulls(*job.Update, default_update_strategy());
  if (job.Multiregion) fill(*job.Multiregion);
  for (auto& group : job.TaskGroups) fill(group, job);
  for (auto& spread : job.Spreads) fill(spread.Weight, 50);
  for (auto& affinity : job.Affinities) fill(affinity.Weight, 50);
}

}  // namespace drover
