// Constraints that follow from what a group uses (reference jobspec section 7.2).
#include <set>

#include "base/strings.h"
#include "model/admission_hooks.h"
#include "model/job_defaults.h"

namespace drover::admission {
namespace {

enum class SkipIf : unsigned char { kSameTarget, kIdentical };

struct Needs {
  bool vault = false, consul_services = false, nomad_services = false, nomad_checks = false;
  std::set<std::string> signals;
};

void note_services(const List<Service>& services, Needs& needs) {
  for (auto& service : services) {
    if (service.Provider == kProviderNomad) {
      needs.nomad_services = true;
      needs.nomad_checks |= !service.Checks.empty();
    } else if (service.Provider == kProviderConsul || service.Provider.empty()) {
      needs.consul_services = true;
    }
  }
}

Needs needs_of(const TaskGroup& group) {
  Needs needs;
  note_services(group.Services, needs);
  for (auto& task : group.Tasks) {
    note_services(task.Services, needs);
    if (!task.KillSignal.empty()) needs.signals.insert(task.KillSignal);
    for (auto& tmpl : task.Templates)
      if (tmpl.ChangeMode == "signal") needs.signals.insert(tmpl.ChangeSignal);
    if (!task.Vault) continue;
    needs.vault = true;
    if (task.Vault->ChangeMode == "signal") needs.signals.insert(task.Vault->ChangeSignal);
  }
  return needs;
}

void imply(TaskGroup& group, Constraint constraint, SkipIf skip) {
  for (auto& present : group.Constraints)
    if (skip == SkipIf::kSameTarget ? present.LTarget == constraint.LTarget : present == constraint) return;
  group.Constraints.push_back(std::move(constraint));
}

}  // namespace

void imply_constraints(Job& job) {
  for (auto& group : job.TaskGroups) {
    auto needs = needs_of(group);
    if (needs.vault) imply(group, {"${attr.vault.version}", ">= 0.6.1", "semver"}, SkipIf::kSameTarget);
    if (!needs.signals.empty())
      imply(group, {"${attr.os.signals}", join({needs.signals.begin(), needs.signals.end()}, ","), "set_contains"},
            SkipIf::kIdentical);
    if (needs.nomad_services) imply(group, {"${attr.nomad.service_discovery}", "true", "="}, SkipIf::kIdentical);
    if (needs.nomad_checks) imply(group, {"${attr.nomad.version}", ">= 1.4.0", "semver"}, SkipIf::kIdentical);
    if (needs.consul_services) imply(group, {"${attr.consul.version}", ">= 1.7.0", "semver"}, SkipIf::kSameTarget);
  }
}

}  // namespace drover::admission
