#include "client/restart_tracker.h"

#include <fmt/format.h>

#include "model/client_status.h"
#include "model/task_events.h"

namespace drover::client {

bool restart_on_success(std::string_view job_type, const Task& task) {
  switch (task_role(task)) {
    case TaskRole::kPrestart:
    case TaskRole::kPoststart:
    case TaskRole::kPoststop:
      return false;
    case TaskRole::kPrestartSidecar:
    case TaskRole::kPoststartSidecar:
      return true;
    case TaskRole::kMain:
      break;
  }
  return job_type != "batch" && job_type != "sysbatch";
}

RestartPolicy restart_policy(const TaskGroup& group, const Task& task) {
  if (task.RestartPolicy) return *task.RestartPolicy;
  if (group.RestartPolicy) return *group.RestartPolicy;
  return {};
}

namespace {

// delay + a quarter of a random part of it; a delay of 0 counts as 1 ns.
Duration with_jitter(Duration delay, uint64_t random) {
  auto d = delay.count() > 0 ? delay.count() : 1;
  return Duration(d + static_cast<int64_t>(0.25 * static_cast<double>(random % static_cast<uint64_t>(d))));
}

}  // namespace

RestartVerdict next_restart(RestartState& state, const RestartPolicy& policy, bool on_success, const RunOutcome& outcome,
                            Time now, uint64_t jitter) {
  using Kind = RestartVerdict::Kind;
  if (outcome.kind == RunOutcome::Kind::kKilled) return {Kind::kKilled, {}, ""};
  if (outcome.kind == RunOutcome::Kind::kRestartAsked) return {Kind::kRestart, {}, ""};

  bool finished = outcome.kind == RunOutcome::Kind::kExit && outcome.successful && !on_success;
  if (policy.Attempts == 0)
    return {finished ? Kind::kTerminated : Kind::kNotRestarting, {}, std::string(kRestartReasonNoRestarts)};

  if (state.start.unset() || now > state.start + policy.Interval) state = {0, now};
  ++state.count;
  if (outcome.kind == RunOutcome::Kind::kStartError && !outcome.recoverable)
    return {Kind::kNotRestarting, {}, std::string(kRestartReasonUnrecoverable)};
  if (finished) return {Kind::kTerminated, {}, std::string(kRestartReasonUnnecessary)};
  if (state.count > policy.Attempts) {
    if (policy.Mode == "delay")
      return {Kind::kRestart, state.start + policy.Interval - now, std::string(kRestartReasonDelay)};
    return {Kind::kNotRestarting, {},
            fmt::format("Exceeded allowed attempts {} in interval {} and mode is \"fail\"", policy.Attempts,
                        format_duration(policy.Interval))};
  }
  return {Kind::kRestart, with_jitter(policy.Delay, jitter), std::string(kRestartReasonWithinPolicy)};
}

}  // namespace drover::client
