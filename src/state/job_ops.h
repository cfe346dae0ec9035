// Writes about jobs, their versions, summaries and status (reference server-core 6.4 to 6.6).
#pragma once

#include <map>

#include "state/store.h"

namespace drover::state {

inline constexpr size_t kJobVersionsKept = 6;
inline constexpr size_t kScalingEventsKept = 20;

// Creates a job or a new version of it. keep_version: a change of the stored version itself (its Stable flag).
// `submission` is the source text, stored with the new version; without one, that of job.Version is carried over.
Status upsert_job(Txn& txn, Job job, const JobSubmission* submission = nullptr, bool keep_version = false);
// Purge: the job and all that is kept about it. Allocations, evaluations and deployments are left to collection.
Status delete_job(Txn& txn, std::string_view ns, std::string_view id);
// Deregisters: purges, or registers a version with Stop set.
Status deregister_job(Txn& txn, std::string_view ns, std::string_view id, bool purge, bool no_shutdown_delay);
// Sets Stable on one stored version; a missing version is no error. Only the current version's row in `jobs` follows.
// `as_current`: what an operator's call does in the reference, where the version that changes becomes the job again.
Status update_job_stability(Txn& txn, std::string_view ns, std::string_view id, uint64_t version, bool stable,
                            bool as_current = false);

// What the status of a job follows from. `deleting_evals`: a job without work left is dead, not pending.
std::string_view derive_job_status(const State& state, const Job& job, bool deleting_evals);

// (namespace, id) -> status to force, or "" to derive it.
using JobStatuses = std::map<std::pair<std::string, std::string>, std::string_view>;
void set_job_statuses(Txn& txn, const JobStatuses& jobs, bool deleting_evals);

// Accounts for an allocation that was stored (`before` null: it is new).
Status update_summary_with_alloc(Txn& txn, const Allocation& alloc, const Allocation* before);
// Rebuilds every summary from the allocations. `queued(state, job)` tells what a scheduler would queue now, by group.
using QueuedFn = std::function<Map<int64_t>(const Snapshot&, const Job&)>;
void reconcile_summaries(Txn& txn, const QueuedFn& queued);

void put_periodic_launch(Txn& txn, std::string_view ns, std::string_view id, Time launch);
void delete_periodic_launch(Txn& txn, std::string_view ns, std::string_view id);
Status append_scaling_event(Txn& txn, std::string_view ns, std::string_view job, std::string_view group, ScalingEvent event);

// The stored job that the four fields Namespace, ID, Version and CreateIndex name, so that versions are shared;
// `given` itself when the state does not have it.
Ref<Job> shared_job(const State& state, const Ref<Job>& given);

}  // namespace drover::state
