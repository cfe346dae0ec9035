// Writes about evaluations, allocations, plans and deployments (reference server-core 6.7 to 6.9, 10.3).
#pragma once

#include "model/raft_requests.h"
#include "state/job_ops.h"
#include "state/store.h"

namespace drover::state {

// --- evaluations ---

// Creates or updates one evaluation: moves queued counts into the summary; success cancels the job's blocked ones.
// Returns the row as stored.
Ref<Evaluation> put_eval(Txn& txn, Evaluation eval);
// The same for several, then the status of their jobs.
void upsert_evals(Txn& txn, const List<Evaluation>& evals);
// By id; unknown ids are no error. An operator's deletion needs the eval broker to be paused.
Status delete_evals(Txn& txn, const List<Uuid>& evals, const List<Uuid>& allocs, bool by_operator);
// Those that `filter` selects and that are safe to delete, in order of creation, at most `limit`; returns how many.
Result<uint64_t> delete_evals_by_filter(Txn& txn, std::string_view filter, size_t limit);
// Whether an operator may delete it: nothing that still runs or is to be replaced depends on it.
bool is_safe_to_delete(const State& state, const Evaluation& eval);

// --- allocations ---

// As schedulers write them: new or replaced.
Status upsert_allocs(Txn& txn, std::vector<Allocation> allocs);
// As clients report them: only what the client owns is taken. Unknown ids are no error.
Status update_allocs_from_client(Txn& txn, const List<Allocation>& allocs);
// Merges the set fields; an unknown id is no error.
void update_desired_transition(Txn& txn, const Uuid& id, const DesiredTransition& transition);
// A stop or preemption as plans carry it, applied to the stored allocation.
Result<Allocation> denormalize(const State& state, const Allocation& diff);
Status apply_plan_results(Txn& txn, const rpc::ApplyPlanResultsRequest& plan);

// --- deployments ---

void upsert_deployment(Txn& txn, Deployment deployment);
Status update_deployment_status(Txn& txn, const DeploymentStatusUpdate& update);
// `groups` empty: all that have canaries.
Status promote_deployment(Txn& txn, const Uuid& id, bool all, const List<std::string>& groups);
Status set_alloc_health(Txn& txn, const Uuid& deployment, const List<std::string>& healthy,
                        const List<std::string>& unhealthy, Time timestamp);
void delete_deployments(Txn& txn, const List<Uuid>& ids);
// Accounts for an allocation that is about to be stored; may set its DeploymentStatus.ModifyIndex.
void update_deployment_with_alloc(Txn& txn, Allocation& alloc, const Allocation* before);

}  // namespace drover::state
