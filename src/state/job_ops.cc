#include "state/job_ops.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/job_kind.h"
#include "model/status.h"
#include "state/alloc_ops.h"
#include "state/csi_ops.h"
#include "state/job_parts.h"
#include "state/snapshot_records.h"

namespace drover::state {
namespace {

constexpr std::string_view kJobPending = "pending", kJobRunning = "running", kJobDead = "dead";

// Keeps the newest versions, and the newest stable one even if it is the oldest.
void prune_versions(Txn& txn, const Job& job) {
  auto all = txn.job_versions()->by_job(job.Namespace, job.ID).all();
  if (all.size() <= kJobVersionsKept) return;
  auto stable = std::find_if(all.begin(), all.end(), [](auto& j) { return j->Stable; });
  size_t victim = kJobVersionsKept;
  if (stable - all.begin() == static_cast<ptrdiff_t>(victim)) --victim;
  txn.job_versions().erase(*all[victim]);
}

void move_children_count(Txn& txn, const Job& job, std::string_view from, std::string_view to) {
  if (job.ParentID.empty() || from == to) return;
  auto old = txn.job_summaries()->get(job.Namespace, job.ParentID);
  if (!old) return;
  JobSummary summary = *old;
  auto& children = summary.Children.ensure();
  auto bin = [&](std::string_view status) -> int64_t* {
    if (status == kJobPending) return &children.Pending;
    if (status == kJobRunning) return &children.Running;
    return status == kJobDead ? &children.Dead : nullptr;
  };
  if (auto* b = bin(from); b && *b > 0) --*b;
  if (auto* b = bin(to)) ++*b;
  summary.ModifyIndex = txn.index();
  txn.job_summaries().upsert(std::move(summary));
}

// A row for a new job; zeroes for new groups of an old one.
void extend_summary(Txn& txn, const Job& job) {
  auto old = txn.job_summaries()->get(job.Namespace, job.ID);
  JobSummary summary;
  if (old) {
    summary = *old;
  } else {
    summary.JobID = job.ID;
    summary.Namespace = job.Namespace;
    summary.Summary = Map<TaskGroupSummary>::empty_map();
    summary.Children.emplace();
    summary.CreateIndex = txn.index();
  }
  bool changed = !old;
  for (auto& group : job.TaskGroups) {
    if (summary.Summary.contains(group.Name)) continue;
    summary.Summary[group.Name] = {};
    changed = true;
  }
  if (!changed) return;
  summary.ModifyIndex = txn.index();
  txn.job_summaries().upsert(std::move(summary));
}

void carry_submission(Txn& txn, const Job& job, uint64_t from_version) {
  auto old = txn.job_submissions()->get(job.Namespace, job.ID, from_version);
  if (!old) return;
  JobSubmission copy = *old;
  copy.Version = job.Version;
  copy.JobModifyIndex = job.JobModifyIndex;
  if (!txn.job_submissions()->get(job.Namespace, job.ID, job.Version)) txn.job_submissions().upsert(std::move(copy));
}

void store_submission(Txn& txn, const Job& job, const JobSubmission* given) {
  if (given && !txn.job_submissions()->get(job.Namespace, job.ID, job.Version)) {
    JobSubmission sub = *given;
    sub.Namespace = job.Namespace;
    sub.JobID = job.ID;
    sub.Version = job.Version;
    sub.JobModifyIndex = job.JobModifyIndex;
    txn.job_submissions().upsert(std::move(sub));
  }
  auto all = txn.job_submissions()->by_job(job.Namespace, job.ID).all();
  std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a->JobModifyIndex > b->JobModifyIndex; });
  for (size_t i = kJobVersionsKept; i < all.size(); ++i) txn.job_submissions().erase(*all[i]);
}

}  // namespace

std::string_view derive_job_status(const State& state, const Job& job, bool deleting_evals) {
  if (job.Type == job_type::kSystem || only_makes_children(job)) return job.Stop ? kJobDead : kJobRunning;
  bool any = deleting_evals;
  for (auto& a : state.allocs.by_job(job.Namespace, job.ID)) {
    any = true;
    if (!is_terminal(*a)) return kJobRunning;
  }
  for (auto& e : state.evals.by_job(job.Namespace, job.ID)) {
    any = true;
    if (!is_terminal(*e)) return kJobPending;
  }
  return any ? kJobDead : kJobPending;
}

void set_job_statuses(Txn& txn, const JobStatuses& jobs, bool deleting_evals) {
  for (auto& [key, force] : jobs) {
    auto job = txn.jobs()->get(key.first, key.second);
    if (!job) continue;
    auto status = force.empty() ? derive_job_status(txn.state(), *job, deleting_evals) : force;
    if (status == job->Status) continue;
    Job changed = *job;
    changed.Status = status;
    changed.ModifyIndex = txn.index();
    txn.jobs().upsert(std::move(changed));
    move_children_count(txn, *job, job->Status, status);
  }
}

Status upsert_job(Txn& txn, Job job, const JobSubmission* submission, bool keep_version) {
  if (!txn.namespaces()->get(job.Namespace))
    return invalid(fmt::format("job {} is in nonexistent namespace {}", go_quote(job.ID), go_quote(job.Namespace)));
  uint64_t index = txn.index();
  auto old = txn.jobs()->get(job.Namespace, job.ID);
  uint64_t given_version = job.Version;
  std::string_view old_status = old ? std::string_view(old->Status) : std::string_view();
  job.CreateIndex = old ? old->CreateIndex : index;
  job.ModifyIndex = index;
  if (!old) job.JobModifyIndex = index;
  if (old && !keep_version) {
    job.JobModifyIndex = index;
    if (job.Version <= old->Version) job.Version = old->Version + 1;
  }
  job.Status = derive_job_status(txn.state(), job, false);
  if (old && !keep_version && !submission) carry_submission(txn, job, given_version);
  move_children_count(txn, job, old_status, job.Status);
  extend_summary(txn, job);

  update_scaling_policies(txn, job);
  auto row = std::make_shared<const Job>(std::move(job));
  txn.job_versions().upsert(row);
  prune_versions(txn, *row);
  update_csi_plugins_of_job(txn, *row);
  store_submission(txn, *row, submission);
  txn.jobs().upsert(row);
  return {};
}

Status delete_job(Txn& txn, std::string_view ns, std::string_view id) {
  auto job = txn.jobs()->get(ns, id);
  if (!job) return not_found("job not found");
  move_children_count(txn, *job, job->Status, kJobDead);
  txn.jobs().erase(*job);
  for (auto& v : txn.job_versions()->by_job(ns, id)) txn.job_versions().erase(*v);
  remove_job_from_csi_plugins(txn, *job);
  if (auto s = txn.job_summaries()->get(ns, id)) txn.job_summaries().erase(*s);
  for (auto& s : txn.job_submissions()->by_job(ns, id)) txn.job_submissions().erase(*s);
  for (auto& p : txn.scaling_policies()->by_job(ns, id)) txn.scaling_policies().erase(*p);
  if (auto e = txn.scaling_events()->get(ns, id)) txn.scaling_events().erase(*e);
  return {};
}

Status deregister_job(Txn& txn, std::string_view ns, std::string_view id, bool purge, bool no_shutdown_delay) {
  if (no_shutdown_delay) {
    DesiredTransition transition;
    transition.NoShutdownDelay = true;
    for (auto& a : txn.allocs()->by_job(ns, id)) update_desired_transition(txn, a->ID, transition);
  }
  if (purge) {
    DROVER_CHECK(delete_job(txn, ns, id));
    delete_periodic_launch(txn, ns, id);
    return {};
  }
  auto job = txn.jobs()->get(ns, id);
  if (!job)
    return not_found(fmt::format("job {} in namespace {} doesn't exist to be deregistered", go_quote(id), go_quote(ns)));
  Job stopped = *job;
  stopped.Stop = true;
  return upsert_job(txn, std::move(stopped));
}

Status update_job_stability(Txn& txn, std::string_view ns, std::string_view id, uint64_t version, bool stable, bool as_current) {
  auto old = txn.job_versions()->get(ns, id, version);
  if (!old || old->Stable == stable) return {};
  auto current = txn.jobs()->get(ns, id);
  if (current && (current->Version == version || as_current)) {
    Job job = *old;
    job.Stable = stable;
    return upsert_job(txn, std::move(job), nullptr, true);
  }
  Job job = *old;
  job.Stable = stable;
  job.ModifyIndex = txn.index();
  txn.job_versions().upsert(std::move(job));
  return {};
}

void put_periodic_launch(Txn& txn, std::string_view ns, std::string_view id, Time launch) {
  auto old = txn.periodic_launches()->get(ns, id);
  PeriodicLaunch row;
  row.ID = id;
  row.Namespace = ns;
  row.Launch = launch;
  row.CreateIndex = old ? old->CreateIndex : txn.index();
  row.ModifyIndex = txn.index();
  txn.periodic_launches().upsert(std::move(row));
}

void delete_periodic_launch(Txn& txn, std::string_view ns, std::string_view id) {
  if (auto row = txn.periodic_launches()->get(ns, id)) txn.periodic_launches().erase(*row);
}

Status append_scaling_event(Txn& txn, std::string_view ns, std::string_view job, std::string_view group,
                            ScalingEvent event) {
  auto old = txn.scaling_events()->get(ns, job);
  JobScalingEvents row;
  if (old) row = *old;
  row.Namespace = ns;
  row.JobID = job;
  row.ModifyIndex = event.CreateIndex = txn.index();
  auto& events = row.ScalingEvents[group].vec();
  events.insert(events.begin(), std::move(event));
  if (events.size() > kScalingEventsKept) events.resize(kScalingEventsKept);
  txn.scaling_events().upsert(std::move(row));
  return {};
}

Ref<Job> shared_job(const State& state, const Ref<Job>& given) {
  auto row = given ? shared_job_row(state, *given) : nullptr;
  return row ? row : given;
}

}  // namespace drover::state
