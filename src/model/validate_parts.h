// Shared by the files of job validation; not for others.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "model/validate.h"

namespace drover::validation {

inline bool among(std::string_view value, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

inline bool is_multiregion(const Job& job) { return job.Multiregion && !job.Multiregion->Regions.empty(); }

MultiError restart_policy(const RestartPolicy& policy);
MultiError reschedule_policy(const ReschedulePolicy& policy);
MultiError update_strategy(const UpdateStrategy& update);
MultiError migrate_strategy(const MigrateStrategy& migrate);
MultiError scaling_policy(const ScalingPolicy& policy);
MultiError periodic(const PeriodicConfig& periodic);
MultiError parameterized(const ParameterizedJobConfig& config);
MultiError volume(const VolumeRequest& volume, std::string_view type, int64_t group_count, int64_t canaries);

MultiError group(const TaskGroup& group, const Job& job);
MultiError group_networks(const TaskGroup& group);
MultiError group_services(const TaskGroup& group);
MultiError group_script_checks(const TaskGroup& group);
MultiError task_services(const Task& task, const List<NetworkResource>& group_networks);
// The first problem, or "".
std::string connect(const ConsulConnect& connect);

// "Constraint 2 validation failed: ..." for each bad one.
void constraints(const List<Constraint>& constraints, MultiError& errors);
// The same for affinities and spreads; system jobs have none.
void affinities(const List<Affinity>& affinities, std::string_view type, MultiError& errors);
void spreads(const List<Spread>& spreads, std::string_view type, MultiError& errors);

}  // namespace drover::validation
