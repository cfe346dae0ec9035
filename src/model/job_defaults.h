// The values that a job has where its author said nothing (reference jobspec sections 4 to 6). Canonicalization on
// the client's side and on the server's read them here.
#pragma once

#include <string_view>

#include "model/api_job.h"
#include "model/job.h"
#include "model/status.h"

namespace drover {

inline constexpr std::string_view kDefaultNamespace = "default";
inline constexpr std::string_view kGlobalRegion = "global";
inline constexpr int64_t kJobMinPriority = 1;
inline constexpr int64_t kJobDefaultPriority = 50;
inline constexpr int64_t kJobDefaultMaxPriority = 100;

inline constexpr std::string_view kProviderConsul = "consul";
inline constexpr std::string_view kProviderNomad = "nomad";

inline constexpr Duration kDefaultKillTimeout = 5s;
inline constexpr int64_t kDispatchPayloadBytesMax = 16 * 1024;

UpdateStrategy default_update_strategy();
MigrateStrategy default_migrate_strategy();
RestartPolicy default_restart_policy(std::string_view type);
// All zero (disabled) for types that do not reschedule.
ReschedulePolicy default_reschedule_policy(std::string_view type);
EphemeralDisk default_ephemeral_disk();
LogConfig default_log_config();

// Where empty and null mean the same, null is the form that is kept: comparisons then are plain.
template <class T>
void null_if_empty(T& container) {
  if (container.empty()) container.reset();
}

// Sets each null field of `to` from the field of the same name in `from`; fields that only one side has stay.
// (api shape onto api shape, or server shape into api shape.)
void fill_nulls(const TypeInfo& to_type, void* to, const TypeInfo& from_type, const void* from);

template <class To, class From>
void fill_nulls(To& to, const From& from) {
  fill_nulls(type_of<To>(), &to, type_of<From>(), &from);
}

}  // namespace drover
