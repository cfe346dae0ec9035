#include "model/status.h"

#include <algorithm>

#include "base/strings.h"

namespace drover {

bool is_server_terminal(const Allocation& a) {
  return a.DesiredStatus == alloc_desired::kStop || a.DesiredStatus == alloc_desired::kEvict;
}

bool is_client_terminal(const Allocation& a) {
  return a.ClientStatus == alloc_client::kComplete || a.ClientStatus == alloc_client::kFailed ||
         a.ClientStatus == alloc_client::kLost;
}

bool is_terminal(const Allocation& a) { return is_server_terminal(a) || is_client_terminal(a); }

bool ran_successfully(const Allocation& a) {
  if (a.TaskStates.empty()) return false;
  return std::all_of(a.TaskStates.begin(), a.TaskStates.end(), [](auto& entry) {
    return entry.second.State == task_state::kDead && !entry.second.Failed;
  });
}

bool wants_migrate(const Allocation& a) { return a.DesiredTransition.Migrate.value_or(false); }

bool is_canary(const Allocation& a) { return a.DeploymentStatus && a.DeploymentStatus->Canary; }

bool is_healthy(const Allocation& a) { return a.DeploymentStatus && a.DeploymentStatus->Healthy.value_or(false); }

bool is_unhealthy(const Allocation& a) { return a.DeploymentStatus && !a.DeploymentStatus->Healthy.value_or(true); }

uint64_t alloc_index(std::string_view name, size_t job_id_size, size_t group_size) {
  size_t prefix = job_id_size + group_size + 2;  // the '.' and the '['
  if (name.size() <= prefix + 1) return 0;
  return parse_uint(name.substr(prefix, name.size() - 1 - prefix)).value_or(0);
}

uint64_t alloc_index(const Allocation& a) { return alloc_index(a.Name, a.JobID.size(), a.TaskGroup.size()); }

std::string_view alloc_suffix(std::string_view name) {
  auto at = name.rfind('[');
  return at == std::string_view::npos ? std::string_view() : name.substr(at);
}

bool is_terminal(const Evaluation& e) {
  return e.Status == eval_status::kComplete || e.Status == eval_status::kFailed || e.Status == eval_status::kCanceled;
}

bool is_ready(const Node& n) {
  return n.Status == node_status::kReady && !n.DrainStrategy &&
         n.SchedulingEligibility == node_eligibility::kEligible;
}

bool is_down(const Node& n) { return n.Status == node_status::kDown; }

bool is_stopped(const Job* job) { return !job || job->Stop; }

const TaskGroup* find_group(const Job& job, std::string_view name) {
  auto it = std::find_if(job.TaskGroups.begin(), job.TaskGroups.end(), [&](auto& g) { return g.Name == name; });
  return it == job.TaskGroups.end() ? nullptr : it;
}

const Task* find_task(const TaskGroup& group, std::string_view name) {
  auto it = std::find_if(group.Tasks.begin(), group.Tasks.end(), [&](auto& t) { return t.Name == name; });
  return it == group.Tasks.end() ? nullptr : it;
}

bool is_empty(const UpdateStrategy* update) { return !update || update->MaxParallel == 0; }

bool is_active(const Deployment& d) {
  namespace s = deployment_status;
  return d.Status == s::kRunning || d.Status == s::kPaused || d.Status == s::kBlocked || d.Status == s::kUnblocking ||
         d.Status == s::kInitializing || d.Status == s::kPending;
}

bool requires_promotion(const Deployment& d) {
  if (d.Status != deployment_status::kRunning) return false;
  return std::any_of(d.TaskGroups.begin(), d.TaskGroups.end(),
                     [](auto& entry) { return entry.second.DesiredCanaries > 0 && !entry.second.Promoted; });
}

bool has_auto_promote(const Deployment& d) {
  if (d.TaskGroups.empty() || d.Status != deployment_status::kRunning) return false;
  return std::all_of(d.TaskGroups.begin(), d.TaskGroups.end(),
                     [](auto& entry) { return entry.second.DesiredCanaries == 0 || entry.second.AutoPromote; });
}

}  // namespace drover
