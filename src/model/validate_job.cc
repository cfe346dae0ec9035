#include <fmt/format.h>

#include <map>

#include "base/strings.h"
#include "model/job_defaults.h"
#include "model/validate_parts.h"

namespace drover {
namespace {

void identity(const Job& job, MultiError& errors) {
  if (job.Region.empty()) errors.add("Missing job region");
  if (job.ID.empty())
    errors.add("Missing job ID");
  else if (job.ID.find(' ') != std::string::npos)
    errors.add("Job ID contains a space");
  else if (job.ID.find('\0') != std::string::npos)
    errors.add("Job ID contains a null character");
  if (job.Name.empty())
    errors.add("Missing job name");
  else if (job.Name.find('\0') != std::string::npos)
    errors.add("Job Name contains a null character");
  if (job.Namespace.empty()) errors.add("Job must be in a namespace");
}

void type_and_datacenters(const Job& job, MultiError& errors) {
  if (job.Type.empty())
    errors.add("Missing job type");
  else if (!validation::among(job.Type, {job_type::kCore, job_type::kService, job_type::kBatch, job_type::kSystem,
                                         job_type::kSysbatch}))
    errors.add("Invalid job type: " + go_quote(job.Type));
  if (job.Datacenters.empty() && !validation::is_multiregion(job)) errors.add("Missing job datacenters");
  for (auto& datacenter : job.Datacenters)
    if (datacenter.empty()) errors.add("Job datacenter must be non-empty string");
}

// What is judged of all groups before any is judged by itself.
void groups_at_a_glance(const Job& job, MultiError& errors) {
  std::map<std::string_view, size_t> seen;
  for (size_t i = 0; i < job.TaskGroups.size(); ++i) {
    auto& group = job.TaskGroups[i];
    if (group.Name.empty()) {
      errors.add(fmt::format("Job task group {} missing name", i + 1));
    } else if (auto [at, fresh] = seen.emplace(group.Name, i + 1); !fresh) {
      errors.add(fmt::format("Job task group {} redefines '{}' from group {}", i + 1, group.Name, at->second));
    }
    if (group.ShutdownDelay && *group.ShutdownDelay < 0s) errors.add("ShutdownDelay must be a positive value");
    Duration stop_after = group.StopAfterClientDisconnect.value_or(0s);
    if (stop_after > 0s && job.Type != job_type::kBatch && job.Type != job_type::kService)
      errors.add("stop_after_client_disconnect can only be set in batch and service jobs");
    if (stop_after < 0s) errors.add("stop_after_client_disconnect must be a positive value");
    if (job.Type == job_type::kSystem && group.Count > 1)
      errors.add(fmt::format("Job task group {} has count {}. Count cannot exceed 1 with system scheduler", group.Name,
                             group.Count));
  }
}

void launches(const Job& job, MultiError& errors) {
  bool batch = job.Type == job_type::kBatch || job.Type == job_type::kSysbatch;
  if (job.Periodic && job.Periodic->Enabled) {
    if (!batch) errors.add(R"(Periodic can only be used with "batch" or "sysbatch" scheduler)");
    errors.add_nested(validation::periodic(*job.Periodic));
  }
  if (job.ParameterizedJob) {
    if (!batch) errors.add(R"(Parameterized job can only be used with "batch" or "sysbatch" scheduler)");
    errors.add_nested(validation::parameterized(*job.ParameterizedJob));
  }
  if (validation::is_multiregion(job)) errors.add("Multiregion jobs are unlicensed.");
}

MultiError template_warnings(const Template& tmpl) {
  MultiError warnings;
  if (tmpl.VaultGrace != 0s)
    warnings.add(
        "VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5. Please remove VaultGrace / "
        "vault_grace from template block.");
  return warnings;
}

MultiError task_warnings(const Task& task) {
  MultiError warnings;
  if (task.Resources && task.Resources->IOPS != 0)
    warnings.add("IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.");
  if (task.Resources && !task.Resources->Networks.empty())
    warnings.add(
        "task network resources have been deprecated as of Nomad 0.12.0. Please configure networking via group network "
        "block.");
  for (size_t i = 0; i < task.Templates.size(); ++i) {
    MultiError prefixed;
    prefixed.append_prefixed(fmt::format("Template[{}]", i), template_warnings(task.Templates[i]));
    warnings.add_nested(prefixed);
  }
  return warnings;
}

MultiError group_warnings(const TaskGroup& group, const Job& job) {
  MultiError warnings;
  if (group.Update && group.Count > 1 && group.Update->MaxParallel > group.Count)
    warnings.add(fmt::format(
        "Update max parallel count is greater than task group count ({} > {}). A destructive change would result in the "
        "simultaneous replacement of all allocations.",
        group.Update->MaxParallel, group.Count));
  if (!group.Networks.empty() && group.Networks.front().MBits > 0)
    warnings.add("mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block");
  for (auto& task : group.Tasks) {
    MultiError prefixed;
    prefixed.append_prefixed(fmt::format("Task {}:", go_quote(task.Name)), task_warnings(task));
    warnings.add_nested(prefixed);
  }
  return warnings;
}

}  // namespace

MultiError validate(const Job& job) {
  MultiError errors;
  identity(job, errors);
  type_and_datacenters(job, errors);
  if (job.TaskGroups.empty()) errors.add("Missing job task groups");
  validation::constraints(job.Constraints, errors);
  validation::affinities(job.Affinities, job.Type, errors);
  validation::spreads(job.Spreads, job.Type, errors);
  groups_at_a_glance(job, errors);
  for (auto& group : job.TaskGroups)
    errors.add_nested(fmt::format("Task group {} validation failed: ", group.Name), validation::group(group, job));
  launches(job, errors);
  return errors;
}

MultiError job_warnings(const Job& job) {
  MultiError warnings;
  bool some_promote = false, all_promote = true;
  for (auto& group : job.TaskGroups) {
    warnings.add_nested(fmt::format("Group {} has warnings: ", go_quote(group.Name)), group_warnings(group, job));
    if (!group.Update) continue;
    some_promote |= group.Update->AutoPromote;
    all_promote &= group.Update->Canary == 0 || group.Update->AutoPromote;
  }
  if (some_promote && !all_promote)
    warnings.add("auto_promote must be true for all groups to enable automatic promotion");
  return warnings;
}

}  // namespace drover
