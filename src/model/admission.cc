#include "model/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "model/admission_hooks.h"
#include "model/canonicalize.h"
#include "model/validate.h"

namespace drover {
namespace {

template <class F>
void for_each_vault(const Job& job, F&& f) {
  for (auto& group : job.TaskGroups)
    for (auto& task : group.Tasks)
      if (task.Vault) f(*task.Vault);
}

bool uses_vault(const Job& job) {
  bool used = false;
  for_each_vault(job, [&](auto&) { used = true; });
  return used;
}

std::string vault_problem(const Job& job, const AdmissionOptions& options) {
  if (!uses_vault(job)) return "";
  if (!options.vault_enabled) return "Vault not enabled but used in the job";
  if (options.vault_allow_unauthenticated) return "";
  if (job.VaultToken.empty()) return "Vault used in the job but missing Vault token";
  static const VaultTokenLookup kNone;
  auto& token = options.vault_token ? *options.vault_token : kNone;
  if (!token.lookup_error.empty()) return "failed to lookup Vault token: " + token.lookup_error;
  if (!token.policies_error.empty()) return "failed to lookup Vault token policies: " + token.policies_error;
  std::set<std::string> namespaces, missing;
  auto allowed = [&](const std::string& policy) {
    return std::find(token.policies.begin(), token.policies.end(), policy) != token.policies.end();
  };
  for_each_vault(job, [&](const Vault& vault) {
    if (!vault.Namespace.empty()) namespaces.insert(vault.Namespace);
    for (auto& policy : vault.Policies)
      if (!allowed(policy)) missing.insert(policy);
  });
  if (!namespaces.empty())
    return fmt::format("multiple Vault namespaces requires Nomad Enterprise, Namespaces: {}", fmt::join(namespaces, ", "));
  if (missing.empty() || allowed("root")) return "";
  return fmt::format("Vault token doesn't allow access to the following policies: {}", fmt::join(missing, ", "));
}

bool driver_allowed(const std::string& driver, const Namespace& ns) {
  if (!ns.Capabilities) return true;
  auto& rules = *ns.Capabilities;
  bool enabled = rules.EnabledTaskDrivers.empty() || rules.EnabledTaskDrivers.contains(driver);
  return enabled && !rules.DisabledTaskDrivers.contains(driver);
}

std::string namespace_problem(const Job& job, const AdmissionOptions& options) {
  if (!options.find_namespace) return "";
  auto* ns = options.find_namespace(job.Namespace);
  if (!ns)
    return fmt::format("job {} is in nonexistent namespace {}", go_quote(job.ID), go_quote(job.Namespace));
  std::vector<std::string> refused;
  for (auto& group : job.TaskGroups)
    for (auto& task : group.Tasks)
      if (!driver_allowed(task.Driver, *ns)) refused.push_back(task.Driver);
  if (refused.empty()) return "";
  if (refused.size() == 1)
    return fmt::format("used task driver {} is not allowed in namespace {}", go_quote(refused[0]), go_quote(ns->Name));
  std::vector<std::string> quoted;
  for (auto& driver : refused) quoted.push_back(go_quote(driver));
  return fmt::format("used task drivers [{}] are not allowed in namespace {}", join(quoted, " "), go_quote(ns->Name));
}

void validate_whole(const Job& job, const AdmissionOptions& options, MultiError& errors) {
  errors.append(validate(job));
  if (job.Type == job_type::kCore) errors.add("job type cannot be core");
  if (!job.Payload.empty()) errors.add("job can't be submitted with a payload, only dispatched");
  if (job.Priority < kJobMinPriority || job.Priority > options.max_priority)
    errors.add(fmt::format("job priority must be between [{}, {}]", kJobMinPriority, options.max_priority));
}

void memory_warnings(const Job& job, std::vector<std::string>& warnings) {
  for (auto& group : job.TaskGroups)
    for (auto& task : group.Tasks)
      if (task.Resources && task.Resources->MemoryMaxMB != 0)
        warnings.push_back(fmt::format(
            "Memory oversubscription is not enabled; Task \"{}.{}\" memory_max value will be ignored. Update the Scheduler "
            "Configuration to allow oversubscription.",
            group.Name, task.Name));
}

Status mutate(Job& job, const AdmissionOptions& options) {
  canonicalize(job);
  if (job.Priority == 0) job.Priority = options.default_priority;
  if (auto ok = admission::connect_mutate(job, options.random); !ok)
    return Error(std::move(ok).error()).with_context("error in job mutator connect");
  if (auto ok = admission::expose_mutate(job); !ok)
    return Error(std::move(ok).error()).with_context("error in job mutator expose-check");
  admission::imply_constraints(job);
  return {};
}

}  // namespace

bool vault_token_needed(const Job& job, const AdmissionOptions& options) {
  return options.vault_enabled && !options.vault_allow_unauthenticated && !job.VaultToken.empty() && uses_vault(job);
}

Admission admit(Job job, const AdmissionOptions& options) {
  Admission out{.job = std::move(job)};
  if (auto ok = mutate(out.job, options); !ok) {
    out.mutator_error = internal(ok.error().message);  // no coded error in the reference
    return out;
  }
  for (auto problem : {admission::connect_problem(out.job), admission::expose_problem(out.job),
                       vault_problem(out.job, options), namespace_problem(out.job, options)})
    if (!problem.empty()) out.errors.add(std::move(problem));
  validate_whole(out.job, options, out.errors);
  auto warnings = job_warnings(out.job);
  out.warnings = warnings.items();
  if (!options.memory_oversubscription) memory_warnings(out.job, out.warnings);
  return out;
}

}  // namespace drover
