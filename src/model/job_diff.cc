#include "model/job_diff.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "model/diff_parts.h"

namespace drover {
namespace {

using namespace diff;

constexpr std::initializer_list<std::string_view> kJobFieldsLeftOut = {"ID",          "Status",      "StatusDescription", "Version",
                                           "Stable",      "CreateIndex", "ModifyIndex",       "JobModifyIndex",
                                           "SubmitTime",  "NomadTokenID", "VaultToken"};

std::optional<ObjectDiff> parameterized(const ParameterizedJobConfig* before, const ParameterizedJobConfig* after,
                                        bool contextual) {
  auto out = plain_object("ParameterizedJob", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, string_set("MetaOptional", b.MetaOptional, a.MetaOptional, contextual));
  add(objects, string_set("MetaRequired", b.MetaRequired, a.MetaRequired, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

// Datacenters alone do not make a region a changed one.
std::optional<ObjectDiff> region(const MultiregionRegion* before, const MultiregionRegion* after, bool contextual) {
  auto out = simple_object("Region", before, after, contextual);
  if (!out) return out;
  auto datacenters = string_set("Datacenters", or_empty(before).Datacenters, or_empty(after).Datacenters, contextual);
  if (datacenters && datacenters->Type != kNone) out->Objects = {*datacenters};
  return out;
}

std::optional<ObjectDiff> multiregion(const Multiregion* before, const Multiregion* after, bool contextual) {
  auto out = begin_object("Multiregion", before, after);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, simple_object("Strategy", b.Strategy.get(), a.Strategy.get(), contextual));
  add(objects, by_key(b.Regions, a.Regions, [](auto& r) { return r.Name; },
                      [&](auto* x, auto* y) { return region(x, y, contextual); }));
  sort_objects(objects);
  out->Objects = as_list(std::move(objects));
  return out;
}

Objects job_objects(const Job& b, const Job& a, bool contextual) {
  Objects out;
  if (auto datacenters = string_set("Datacenters", b.Datacenters, a.Datacenters, contextual);
      datacenters && datacenters->Type != kNone)
    add(out, std::move(datacenters));
  add(out, as_set("Constraint", b.Constraints, a.Constraints, contextual));
  add(out, as_set("Affinity", b.Affinities, a.Affinities, contextual));
  add(out, simple_object("Periodic", b.Periodic.get(), a.Periodic.get(), contextual));
  add(out, parameterized(b.ParameterizedJob.get(), a.ParameterizedJob.get(), contextual));
  add(out, multiregion(b.Multiregion.get(), a.Multiregion.get(), contextual));
  return out;
}

List<TaskGroupDiff> groups(const Job& b, const Job& a, bool contextual) {
  std::map<std::string, std::pair<const TaskGroup*, const TaskGroup*>> pairs;
  for (auto& g : b.TaskGroups) pairs[g.Name].first = &g;
  for (auto& g : a.TaskGroups) pairs[g.Name].second = &g;
  List<TaskGroupDiff> out;
  for (auto& [name, pair] : pairs) out.push_back(group(pair.first, pair.second, contextual));
  return out;
}

template <class T>
bool any_change(const List<T>& list) {
  return std::any_of(list.begin(), list.end(), [](auto& x) { return x.Type != kNone; });
}

// Annotations.

constexpr std::string_view kForcesCreate = "forces create", kForcesDestroy = "forces destroy",
                           kForcesInPlace = "forces in-place update", kForcesDestructive = "forces create/destroy update";

void annotate_count(TaskGroupDiff& group) {
  for (auto& field : group.Fields) {
    if (field.Name != "Count") continue;
    auto before = parse_int(field.Old).value_or(0), after = parse_int(field.New).value_or(0);
    if (before < after)
      field.Annotations.push_back(std::string(kForcesCreate));
    else if (before > after)
      field.Annotations.push_back(std::string(kForcesDestroy));
  }
}

bool destructive(const TaskDiff& task) {
  for (auto& field : task.Fields)
    if (field.Type != kNone && field.Name != "KillTimeout") return true;
  for (auto& object : task.Objects) {
    if (object.Type == kNone || object.Name == "Service" || object.Name == "Constraint") continue;
    if (object.Name != "LogConfig") return true;
    for (auto& field : object.Fields)
      if (field.Name == "Disabled") return true;
  }
  return false;
}

void annotate_task(TaskDiff& task, std::string_view group_type) {
  if (task.Type == kNone) return;
  auto annotation = group_type == kAdded     ? kForcesCreate
                    : group_type == kDeleted ? kForcesDestroy
                    : destructive(task)      ? kForcesDestructive
                                             : kForcesInPlace;
  task.Annotations.push_back(std::string(annotation));
}

Map<uint64_t> update_counts(const DesiredUpdates& desired) {
  auto out = Map<uint64_t>::empty_map();
  std::pair<std::string_view, uint64_t> counts[] = {
      {"ignore", desired.Ignore}, {"create", desired.Place},   {"migrate", desired.Migrate},
      {"destroy", desired.Stop},  {"canary", desired.Canary},  {"in-place update", desired.InPlaceUpdate},
      {"create/destroy update", desired.DestructiveUpdate},
  };
  for (auto& [name, count] : counts)
    if (count != 0) out[name] = count;
  return out;
}

}  // namespace

Result<JobDiff> diff_jobs(const Job* before, const Job* after, bool contextual) {
  JobDiff out;
  out.Type = kNone;
  if (!before && !after) return out;
  if (before && after && before->ID != after->ID)
    return invalid("can not diff jobs with different IDs: " + go_quote(before->ID) + " and " + go_quote(after->ID));
  out.ID = (after ? after : before)->ID;
  if (!before) out.Type = kAdded;
  if (!after) out.Type = kDeleted;
  out.Fields = fields(before ? flatten(*before, kJobFieldsLeftOut) : Flat{},
                      after ? flatten(*after, kJobFieldsLeftOut) : Flat{}, false);
  auto &b = or_empty(before), &a = or_empty(after);
  out.Objects = as_list(job_objects(b, a, contextual));
  out.TaskGroups = groups(b, a, contextual);
  // Not a comparison of the jobs: fields that change by themselves are left out.
  if (out.Type == kNone && (any_change(out.Fields) || any_change(out.Objects) || any_change(out.TaskGroups)))
    out.Type = kEdited;
  return out;
}

void annotate_diff(JobDiff& diff, const Map<DesiredUpdates>& desired_by_group) {
  for (auto& group : diff.TaskGroups) {
    if (auto* desired = desired_by_group.find(group.Name)) group.Updates = update_counts(*desired);
    annotate_count(group);
    for (auto& task : group.Tasks) annotate_task(task, group.Type);
  }
}

}  // namespace drover
