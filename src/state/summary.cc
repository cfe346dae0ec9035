// Job summaries: counters per group that follow the allocations (reference server-core 6.6).
#include <fmt/format.h>

#include "base/strings.h"
#include "model/job_kind.h"
#include "model/status.h"
#include "state/job_ops.h"

namespace drover::state {
namespace {

int64_t* bin_of(TaskGroupSummary& s, std::string_view client_status) {
  namespace c = alloc_client;
  if (client_status == c::kPending) return &s.Starting;
  if (client_status == c::kRunning) return &s.Running;
  if (client_status == c::kComplete) return &s.Complete;
  if (client_status == c::kFailed) return &s.Failed;
  if (client_status == c::kLost) return &s.Lost;
  return client_status == c::kUnknown ? &s.Unknown : nullptr;
}

// Failed and complete are counts of what ever happened: they only grow.
bool leaves_its_bin(std::string_view client_status) {
  return client_status != alloc_client::kFailed && client_status != alloc_client::kComplete;
}

// What waits for room, as the blocked evaluation says; `queued` may know better.
void count_queued(Txn& txn, const Job& job, const QueuedFn& queued, JobSummary& summary) {
  if (queued) {
    for (auto& [group, n] : queued(txn.snapshot(), job)) summary.Summary[group].Queued = n;
    return;
  }
  for (auto& eval : txn.evals()->by_job_status(job.Namespace, job.ID, "blocked"))
    for (auto& [group, n] : eval->QueuedAllocations)
      if (auto* counts = summary.Summary.find(group)) counts->Queued = n;
}

void count_groups(Txn& txn, const Job& job, const QueuedFn& queued, JobSummary& summary) {
  for (auto& group : job.TaskGroups) summary.Summary[group.Name] = {};
  for (auto& alloc : txn.allocs()->by_job(job.Namespace, job.ID)) {
    if (!alloc->Job || alloc->Job->CreateIndex != job.CreateIndex) continue;
    if (auto* bin = bin_of(summary.Summary[alloc->TaskGroup], alloc->ClientStatus)) ++*bin;
  }
  count_queued(txn, job, queued, summary);
}

}  // namespace

Status update_summary_with_alloc(Txn& txn, const Allocation& alloc, const Allocation* before) {
  if (!alloc.Job) return {};
  auto old = txn.job_summaries()->get(alloc.Namespace, alloc.JobID);
  if (!old) {
    if (!txn.jobs()->get(alloc.Namespace, alloc.JobID)) return {};
    return internal(fmt::format("job summary for job {} in namespace {} is not present", go_quote(alloc.JobID),
                                go_quote(alloc.Namespace)));
  }
  if (old->CreateIndex != alloc.Job->CreateIndex) return {};  // purged and registered again since
  if (!old->Summary.contains(alloc.TaskGroup)) return {};
  JobSummary summary = *old;
  auto& group = summary.Summary[alloc.TaskGroup];
  if (!before) {
    if (alloc.ClientStatus != alloc_client::kPending) return {};
    ++group.Starting;
    if (group.Queued > 0) --group.Queued;
  } else {
    if (before->ClientStatus == alloc.ClientStatus) return {};
    if (auto* bin = bin_of(group, alloc.ClientStatus)) ++*bin;
    if (leaves_its_bin(before->ClientStatus))
      if (auto* bin = bin_of(group, before->ClientStatus); bin && *bin > 0) --*bin;
  }
  summary.ModifyIndex = txn.index();
  txn.job_summaries().upsert(std::move(summary));
  return {};
}

void reconcile_summaries(Txn& txn, const QueuedFn& queued) {
  std::map<std::pair<std::string, std::string>, JobChildrenSummary> children;
  for (auto& job : txn.jobs()->all()) {
    if (job->ParentID.empty()) continue;
    auto& c = children[{job->Namespace, job->ParentID}];
    if (job->Status == "pending") ++c.Pending;
    else if (job->Status == "running") ++c.Running;
    else ++c.Dead;
  }
  for (auto& job : txn.jobs()->all()) {
    auto old = txn.job_summaries()->get(job->Namespace, job->ID);
    JobSummary summary;
    summary.JobID = job->ID;
    summary.Namespace = job->Namespace;
    summary.CreateIndex = old ? old->CreateIndex : job->CreateIndex;
    summary.Summary = Map<TaskGroupSummary>::empty_map();
    if (only_makes_children(*job)) {  // runs nothing itself
      summary.Children.emplace() = children[{job->Namespace, job->ID}];
      summary.ModifyIndex = old ? old->ModifyIndex : 0;
      if (!old || summary == *old) continue;
    } else {
      count_groups(txn, *job, queued, summary);
    }
    summary.ModifyIndex = txn.index();
    txn.job_summaries().upsert(std::move(summary));
  }
}

}  // namespace drover::state
