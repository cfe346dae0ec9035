// Policies of jobs and groups: restart, reschedule, update, migrate, scaling, periodic, parameterized, volumes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/strings.h"
#include "model/cron.h"
#include "model/job_defaults.h"
#include "model/validate_parts.h"

namespace drover::validation {
namespace {

constexpr Duration kRestartIntervalMin = 5s;
constexpr Duration kRescheduleDelayMin = 5s;
constexpr Duration kRescheduleIntervalMin = 15s;
// Delays are added up slot by slot; a policy with more attempts than this is judged by its first slots.
constexpr int64_t kAttemptsJudgedMax = 100'000;

std::string text(Duration d) { return format_duration(d); }

Duration times(int64_t count, Duration d) {
  double product = static_cast<double>(count) * static_cast<double>(d.count());
  return product > 9e18 ? Duration::max() : Duration(count * d.count());
}

struct Attempts {
  bool viable = true;
  int64_t possible = 0;
  Duration interval{};  // the least that lets all attempts happen
};

Attempts constant_attempts(const ReschedulePolicy& policy) {
  Attempts out{.interval = times(policy.Attempts, policy.Delay)};
  if (policy.Interval < out.interval) {
    out.viable = false;
    out.possible = policy.Interval / policy.Delay;
  }
  return out;
}

Attempts exponential_attempts(const ReschedulePolicy& policy, int64_t attempts) {
  Attempts out;
  for (int64_t i = 0; i < attempts; ++i) {
    Duration delay = i < 62 ? times(int64_t{1} << i, policy.Delay) : Duration::max();
    out.interval = delay > policy.MaxDelay ? out.interval + policy.MaxDelay : delay;
    if (out.interval < policy.Interval) ++out.possible;
  }
  out.viable = out.possible >= attempts;
  return out;
}

Attempts fibonacci_attempts(const ReschedulePolicy& policy, int64_t attempts) {
  std::vector<Duration> slots{policy.Delay, policy.Delay};
  bool at_ceiling = false;
  for (int64_t i = 2; i < attempts; ++i) {
    Duration last = slots[slots.size() - 1];
    Duration next = at_ceiling ? last + policy.MaxDelay : last + slots[slots.size() - 2];
    if (!at_ceiling && next > policy.MaxDelay) {
      next = policy.MaxDelay;
      at_ceiling = true;
    }
    slots.push_back(next);
  }
  Attempts out{.interval = slots.back()};
  if (policy.Interval >= out.interval) return out;
  out.viable = false;
  auto over = std::find_if(slots.begin(), slots.end(), [&](Duration slot) { return slot > policy.Interval; });
  out.possible = over - slots.begin();
  return out;
}

// Whether the attempts fit into the interval, with their delays.
void check_attempts(const ReschedulePolicy& policy, MultiError& errors) {
  int64_t attempts = std::min(policy.Attempts, kAttemptsJudgedMax);
  auto found = policy.DelayFunction == "constant"      ? constant_attempts(policy)
               : policy.DelayFunction == "exponential" ? exponential_attempts(policy, attempts)
                                                       : fibonacci_attempts(policy, attempts);
  if (found.viable) return;
  auto problem = fmt::format("Nomad can only make {} attempts in {} with initial delay {}", found.possible,
                             text(policy.Interval), text(policy.Delay));
  if (policy.DelayFunction == "constant")
    errors.add(problem + " and delay function " + go_quote(policy.DelayFunction));
  else
    errors.add(fmt::format("{}, delay function {}, and delay ceiling {}", problem, go_quote(policy.DelayFunction),
                           text(policy.MaxDelay)));
  errors.add(fmt::format("Set the interval to at least {} to accommodate {} attempts",
                         text(std::chrono::round<std::chrono::seconds>(found.interval)), policy.Attempts));
}

// Whether the delays make sense by themselves.
bool check_delays(const ReschedulePolicy& policy, MultiError& errors) {
  size_t before = errors.items().size();
  if (policy.Delay < kRescheduleDelayMin)
    errors.add(fmt::format("Delay cannot be less than {} (got {})", text(kRescheduleDelayMin), text(policy.Delay)));
  if (!among(policy.DelayFunction, {"constant", "exponential", "fibonacci"}))
    errors.add(fmt::format(R"(Invalid delay function {}, must be one of ["constant" "exponential" "fibonacci"])",
                           go_quote(policy.DelayFunction)));
  if (policy.DelayFunction != "constant") {
    if (policy.MaxDelay < kRescheduleDelayMin)
      errors.add(fmt::format("Max Delay cannot be less than {} (got {})", text(kRescheduleDelayMin), text(policy.Delay)));
    if (policy.MaxDelay < policy.Delay)
      errors.add(fmt::format("Max Delay cannot be less than Delay {} (got {})", text(policy.Delay), text(policy.MaxDelay)));
  }
  return errors.items().size() == before;
}

}  // namespace

MultiError restart_policy(const RestartPolicy& policy) {
  MultiError errors;
  if (!among(policy.Mode, {"fail", "delay"})) errors.add("Unsupported restart mode: " + go_quote(policy.Mode));
  if (policy.Attempts == 0 && policy.Mode != "fail")
    errors.add(fmt::format("Restart policy {} with {} attempts is ambiguous", go_quote(policy.Mode), policy.Attempts));
  if (policy.Interval < kRestartIntervalMin)
    errors.add(fmt::format("Interval can not be less than {} (got {})", text(kRestartIntervalMin), text(policy.Interval)));
  if (times(policy.Attempts, policy.Delay) > policy.Interval)
    errors.add(fmt::format("Nomad can't restart the TaskGroup {} times in an interval of {} with a delay of {}",
                           policy.Attempts, text(policy.Interval), text(policy.Delay)));
  return errors;
}

MultiError reschedule_policy(const ReschedulePolicy& policy) {
  MultiError errors;
  if (policy.Attempts <= 0 && !policy.Unlimited) return errors;
  if (policy.Attempts > 0) {
    if (policy.Interval <= 0s) errors.add("Interval must be a non zero value if Attempts > 0");
    if (policy.Unlimited) {
      errors.add(fmt::format("Reschedule Policy with Attempts = {}, Interval = {}, and Unlimited = true is ambiguous",
                             policy.Attempts, text(policy.Interval)));
      errors.add("If Attempts >0, Unlimited cannot also be set to true");
    }
  }
  bool delays = check_delays(policy, errors);
  if (policy.Unlimited) return errors;
  if (policy.Interval < kRescheduleIntervalMin)
    errors.add(fmt::format("Interval cannot be less than {} (got {})", text(kRescheduleIntervalMin), text(policy.Interval)));
  if (delays) check_attempts(policy, errors);
  return errors;
}

MultiError update_strategy(const UpdateStrategy& u) {
  MultiError errors;
  if (!among(u.HealthCheck, {"checks", "task_states", "manual"}))
    errors.add("Invalid health check given: " + go_quote(u.HealthCheck));
  if (u.MaxParallel < 0) errors.add(fmt::format("Max parallel can not be less than zero: {} < 0", u.MaxParallel));
  if (u.Canary < 0) errors.add(fmt::format("Canary count can not be less than zero: {} < 0", u.Canary));
  if (u.Canary == 0 && u.AutoPromote) errors.add("Auto Promote requires a Canary count greater than zero");
  if (u.MinHealthyTime < 0s)
    errors.add("Minimum healthy time may not be less than zero: " + text(u.MinHealthyTime));
  if (u.HealthyDeadline <= 0s) errors.add("Healthy deadline must be greater than zero: " + text(u.HealthyDeadline));
  if (u.ProgressDeadline < 0s) errors.add("Progress deadline must be zero or greater: " + text(u.ProgressDeadline));
  if (u.MinHealthyTime >= u.HealthyDeadline)
    errors.add(fmt::format("Minimum healthy time must be less than healthy deadline: {} > {}", text(u.MinHealthyTime),
                           text(u.HealthyDeadline)));
  if (u.ProgressDeadline != 0s && u.HealthyDeadline >= u.ProgressDeadline)
    errors.add(fmt::format("Healthy deadline must be less than progress deadline: {} > {}", text(u.HealthyDeadline),
                           text(u.ProgressDeadline)));
  if (u.Stagger <= 0s) errors.add("Stagger must be greater than zero: " + text(u.Stagger));
  return errors;
}

MultiError migrate_strategy(const MigrateStrategy& m) {
  MultiError errors;
  if (m.MaxParallel < 0) errors.add(fmt::format("MaxParallel must be >= 0 but found {}", m.MaxParallel));
  if (m.HealthCheck.empty())
    errors.add("Missing HealthCheck");
  else if (!among(m.HealthCheck, {"checks", "task_states"}))
    errors.add("Invalid HealthCheck: " + go_quote(m.HealthCheck));
  if (m.MinHealthyTime < 0s) errors.add(fmt::format("MinHealthyTime is {} and must be >= 0", text(m.MinHealthyTime)));
  if (m.HealthyDeadline < 0s) errors.add(fmt::format("HealthyDeadline is {} and must be >= 0", text(m.HealthyDeadline)));
  if (m.MinHealthyTime > m.HealthyDeadline) errors.add("MinHealthyTime must be less than HealthyDeadline");
  return errors;
}

MultiError scaling_policy(const ScalingPolicy& policy) {
  MultiError errors;
  if (policy.Type.empty()) {
    errors.add("missing scaling policy type");
  } else if (policy.Type != "horizontal") {
    errors.add(fmt::format("scaling policy type \"{}\" is not valid", policy.Type));
  } else if (!policy.Target.empty()) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kTargets{
        {{"Namespace", "missing target namespace"}, {"Job", "missing target job"}, {"Group", "missing target group"}}};
    for (auto& [key, problem] : kTargets)
      if (policy.Target.get_or(key).empty()) errors.add(std::string(problem));
  }
  if (policy.Max < 0)
    errors.add("maximum count must be specified and non-negative");
  else if (policy.Max < policy.Min)
    errors.add("maximum count must not be less than minimum count");
  if (policy.Min < 0) errors.add("minimum count must be specified and non-negative");
  return errors;
}

MultiError periodic(const PeriodicConfig& periodic) {
  MultiError errors;
  if (!periodic.Enabled) return errors;
  if (periodic.Spec.empty()) errors.add("Must specify a spec");
  if (auto zone = check_time_zone(periodic.TimeZone); !zone)
    errors.add(fmt::format("Invalid time zone {}: {}", go_quote(periodic.TimeZone), zone.error().message));
  if (periodic.SpecType == "cron") {
    if (auto cron = Cron::parse(periodic.Spec); !cron)
      errors.add(fmt::format("Invalid cron spec {}: {}", go_quote(periodic.Spec), cron.error().message));
  } else if (periodic.SpecType != kPeriodicTestSpec) {
    errors.add("Unknown periodic specification type " + go_quote(periodic.SpecType));
  }
  return errors;
}

MultiError parameterized(const ParameterizedJobConfig& config) {
  MultiError errors;
  if (!among(config.Payload, {"optional", "required", "forbidden"}))
    errors.add("Unknown payload requirement: " + go_quote(config.Payload));
  std::vector<std::string> both;
  for (auto& key : config.MetaRequired)
    if (config.MetaOptional.contains(key) && std::find(both.begin(), both.end(), key) == both.end()) both.push_back(key);
  if (!both.empty())
    errors.add(fmt::format("Required and optional meta keys should be disjoint. Following keys exist in both: [{}]",
                           join(both, " ")));
  return errors;
}

namespace {

void host_volume(const VolumeRequest& volume, MultiError& errors) {
  if (!volume.AttachmentMode.empty()) errors.add("host volumes cannot have an attachment mode");
  if (!volume.AccessMode.empty()) errors.add("host volumes cannot have an access mode");
  if (volume.MountOptions) errors.add("host volumes cannot have mount options");
}

void csi_volume(const VolumeRequest& volume, int64_t group_count, MultiError& errors) {
  if (volume.AttachmentMode.empty())
    errors.add("CSI volumes must have an attachment mode");
  else if (volume.AttachmentMode == "block-device" && volume.MountOptions)
    errors.add("block devices cannot have mount options");

  auto& mode = volume.AccessMode;
  bool shared = group_count > 1 && !volume.PerAlloc;
  if (mode.empty()) errors.add("CSI volumes must have an access mode");
  if ((mode == "single-node-reader-only" || mode == "multi-node-reader-only") && !volume.ReadOnly)
    errors.add(mode + " volumes must be read-only");
  if (mode == "single-node-reader-only" && shared)
    errors.add(fmt::format("volume with {} access mode allows only one reader", mode));
  if (mode == "single-node-writer" && shared)
    errors.add(fmt::format("volume with {} access mode allows only one reader or writer", mode));
  if (mode == "multi-node-single-writer" && !volume.ReadOnly && shared)
    errors.add(fmt::format("volume with {} access mode allows only one writer", mode));
}

}  // namespace

MultiError volume(const VolumeRequest& volume, std::string_view type, int64_t group_count, int64_t canaries) {
  MultiError errors;
  if (volume.Source.empty()) errors.add("volume has an empty source");
  if (volume.PerAlloc) {
    if (type == job_type::kSystem || type == job_type::kSysbatch)
      errors.add("volume cannot be per_alloc for system or sysbatch jobs");
    if (canaries > 0) errors.add("volume cannot be per_alloc when canaries are in use");
  }
  if (volume.Type == "host") host_volume(volume, errors);
  if (volume.Type == "csi") csi_volume(volume, group_count, errors);
  return errors;
}

}  // namespace drover::validation
