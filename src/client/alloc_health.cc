#include "client/alloc_health.h"

#include <algorithm>

#include "model/client_status.h"

namespace drover::client {

std::optional<HealthParams> health_params(const Allocation& alloc, bool group_has_checks) {
  auto* group = task_group_of(alloc);
  if (!group || alloc.Job->Type != job_type::kService) return std::nullopt;
  if (alloc.DeploymentStatus && alloc.DeploymentStatus->Healthy) return std::nullopt;
  HealthParams out;
  std::string health_check = "checks";
  if (!alloc.DeploymentID.nil()) {
    if (is_empty(group->Update.get()) || group->Update->HealthCheck == "manual") return std::nullopt;
    out.min_healthy_time = group->Update->MinHealthyTime;
    out.healthy_deadline = group->Update->HealthyDeadline;
    health_check = group->Update->HealthCheck;
  } else if (group->Migrate) {
    out.min_healthy_time = group->Migrate->MinHealthyTime;
    out.healthy_deadline = group->Migrate->HealthyDeadline;
    health_check = group->Migrate->HealthCheck;
  }
  out.use_checks = health_check == "checks" && group_has_checks;
  return out;
}

namespace {

// Tasks whose end says nothing about the health of the group.
bool counts(const AllocTask& task, const TaskState& state) {
  if (task.role == TaskRole::kPoststop) return false;
  return !(task.role == TaskRole::kPoststart && state.State == task_state::kDead && !state.Failed);
}

}  // namespace

std::optional<HealthVerdict> HealthWatch::failure(const Map<TaskState>& states) const {
  HealthVerdict out;
  for (auto& task : tasks_) {
    auto* s = states.find(task.name);
    if (!s || !counts(task, *s)) continue;
    if (s->Failed) out.reasons.emplace_back(task.name, "Unhealthy because of failed task");
    else if (s->State == task_state::kDead && task.role != TaskRole::kPrestart)
      out.reasons.emplace_back(task.name, "Unhealthy because of dead task");
  }
  if (out.reasons.empty()) return std::nullopt;
  return out;
}

HealthVerdict HealthWatch::late(const Map<TaskState>& states) const {
  HealthVerdict out;
  auto deadline = format_duration(params_.healthy_deadline), least = format_duration(params_.min_healthy_time);
  for (auto& task : tasks_) {
    auto* s = states.find(task.name);
    TaskState none;
    auto& state = s ? *s : none;
    if (!counts(task, state) || task.role == TaskRole::kPrestart) continue;
    if (state.State != task_state::kRunning)
      out.reasons.emplace_back(task.name, "Task not running by healthy_deadline of " + deadline);
    else if (state.StartedAt + params_.min_healthy_time > deadline_)
      out.reasons.emplace_back(task.name, "Task not running for min_healthy_time of " + least +
                                              " by healthy_deadline of " + deadline);
  }
  if (out.reasons.empty() && params_.use_checks)
    for (auto& task : tasks_)
      if (task.role != TaskRole::kPoststop) out.reasons.emplace_back(task.name, "Service checks not registered");
  return out;
}

std::optional<HealthVerdict> HealthWatch::observe(const Map<TaskState>& states, bool alloc_failed, Time now) {
  if (done_) return std::nullopt;
  if (alloc_failed && std::none_of(states.begin(), states.end(), [](auto& s) { return s.second.Failed; })) {
    done_ = true;
    return HealthVerdict{false, true, {}};
  }
  if (auto failed = failure(states)) {
    done_ = true;
    return failed;
  }
  bool pending = tasks_.empty();
  Time latest = Time::from_unix_nanos(0);
  for (auto& task : tasks_) {
    auto* s = states.find(task.name);
    if (task.role == TaskRole::kPoststop) continue;
    if (!s || (s->State != task_state::kRunning && s->State != task_state::kDead)) pending = true;
    else if (counts(task, *s) && !s->StartedAt.unset()) latest = std::max(latest, s->StartedAt);
  }
  if (pending) started_.reset();
  else started_ = latest;
  if (tasks_healthy(now) && checks_healthy(now)) {
    done_ = true;
    return HealthVerdict{true, false, {}};
  }
  if (now >= deadline_) {
    done_ = true;
    return late(states);
  }
  return std::nullopt;
}

void HealthWatch::checks(bool passing, Time now) {
  if (!passing) passing_since_.reset();
  else if (!passing_since_) passing_since_ = now;
}

std::optional<Time> HealthWatch::wake_at() const {
  if (done_) return std::nullopt;
  Time at = deadline_;
  if (started_ && (!params_.use_checks || passing_since_)) {
    auto ready = *started_ + params_.min_healthy_time;
    if (params_.use_checks) ready = std::max(ready, *passing_since_ + params_.min_healthy_time);
    at = std::min(at, ready);
  }
  return at;
}

}  // namespace drover::client
