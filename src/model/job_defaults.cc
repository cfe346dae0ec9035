#include "model/job_defaults.h"

#include "codec/reflect.h"

namespace drover {

UpdateStrategy default_update_strategy() {
  return {.Stagger = 30s, .MaxParallel = 1, .HealthCheck = "checks", .MinHealthyTime = 10s, .HealthyDeadline = 5min,
          .ProgressDeadline = 10min};
}

MigrateStrategy default_migrate_strategy() {
  return {.MaxParallel = 1, .HealthCheck = "checks", .MinHealthyTime = 10s, .HealthyDeadline = 5min};
}

RestartPolicy default_restart_policy(std::string_view type) {
  if (type == job_type::kService || type == job_type::kSystem)
    return {.Attempts = 2, .Interval = 30min, .Delay = 15s, .Mode = "fail"};
  return {.Attempts = 3, .Interval = 24h, .Delay = 15s, .Mode = "fail"};
}

ReschedulePolicy default_reschedule_policy(std::string_view type) {
  if (type == job_type::kService)
    return {.Delay = 30s, .DelayFunction = "exponential", .MaxDelay = 1h, .Unlimited = true};
  if (type == job_type::kBatch) return {.Attempts = 1, .Interval = 24h, .Delay = 5s, .DelayFunction = "constant"};
  return {};
}

EphemeralDisk default_ephemeral_disk() { return {.SizeMB = 300}; }

LogConfig default_log_config() { return {.MaxFiles = 10, .MaxFileSizeMB = 10}; }

void fill_nulls(const TypeInfo& to_type, void* to, const TypeInfo& from_type, const void* from) {
  for (auto& field : to_type.fields) {
    auto& type = field.type();
    if (type.kind != Kind::kPointer || !type.is_nil(field.in(to))) continue;
    auto* source = from_type.find(field.name);
    if (!source) continue;
    auto& source_type = source->type();
    if (source_type.kind == Kind::kPointer && source_type.is_nil(source->in(from))) continue;
    reflect_convert(source_type, source->in(from), type, field.in(to));
  }
}

}  // namespace drover
