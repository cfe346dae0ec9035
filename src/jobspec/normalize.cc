#include "jobspec/normalize.h"

namespace drover::jobspec {
namespace {

template <class T, class V>
void fill(std::optional<T>& field, const V& value) {
  if (!field) field = T(value);
}

void normalize_template(api::Template& tmpl) {
  fill(tmpl.ChangeMode, "restart");
  fill(tmpl.Perms, "0644");
  fill(tmpl.Splay, Duration(5s));
  fill(tmpl.ErrMissingKey, false);
  if (auto* script = tmpl.ChangeScript.get()) {
    script->Args.vec();
    fill(script->Timeout, Duration(5s));
    fill(script->FailOnError, false);
  }
}

// Each task of a job becomes a group of its name, in front of the written groups.
void groups_of_tasks(api::Job& job, List<api::Task> tasks) {
  if (tasks.empty()) return;
  List<api::TaskGroup> groups;
  for (auto& task : tasks) {
    auto& group = groups.emplace_back();
    group.Name = task.Name;
    group.Tasks.push_back(std::move(task));
  }
  for (auto& group : job.TaskGroups) groups.push_back(std::move(group));
  job.TaskGroups = std::move(groups);
}

}  // namespace

void normalize_ports(List<api::NetworkResource>& networks) {
  for (auto& network : networks) {
    if (network.DynamicPorts.empty()) continue;
    List<api::Port> dynamic, reserved;
    for (auto& port : network.DynamicPorts) (port.Value > 0 ? reserved : dynamic).push_back(std::move(port));
    network.DynamicPorts = std::move(dynamic);
    network.ReservedPorts = std::move(reserved);
  }
}

void normalize_vault(Box<api::Vault>& vault) {
  if (!vault) return;
  fill(vault->Env, true);
  fill(vault->ChangeMode, "restart");
}

void normalize(api::Job& job, List<api::Task> tasks, Box<api::Vault> vault) {
  if (job.Periodic && job.Periodic->Spec) job.Periodic->SpecType = "cron";
  normalize_vault(vault);
  groups_of_tasks(job, std::move(tasks));
  for (auto& group : job.TaskGroups) {
    normalize_ports(group.Networks);
    for (auto& task : group.Tasks) {
      if (task.Resources) normalize_ports(task.Resources->Networks);
      for (auto& tmpl : task.Templates) normalize_template(tmpl);
      normalize_vault(task.Vault);
      if (!task.Vault) task.Vault = vault;
    }
  }
}

}  // namespace drover::jobspec
