#include <fmt/format.h>

#include "base/strings.h"
#include "bexpr/bexpr.h"
#include "model/status.h"
#include "state/alloc_ops.h"

namespace drover::state {
namespace {

void take_queued_counts(Txn& txn, const Evaluation& eval) {
  if (eval.QueuedAllocations.empty()) return;
  auto old = txn.job_summaries()->get(eval.Namespace, eval.JobID);
  if (!old) return;
  JobSummary summary = *old;
  bool changed = false;
  for (auto& [group, queued] : eval.QueuedAllocations) {
    auto* counts = summary.Summary.find(group);
    if (!counts || counts->Queued == queued) continue;
    counts->Queued = queued;
    changed = true;
  }
  if (!changed) return;
  summary.ModifyIndex = txn.index();
  txn.job_summaries().upsert(std::move(summary));
}

void cancel_blocked(Txn& txn, const Evaluation& done) {
  for (auto& blocked : txn.evals()->by_job_status(done.Namespace, done.JobID, eval_status::kBlocked)) {
    Evaluation canceled = *blocked;
    canceled.Status = eval_status::kCanceled;
    canceled.StatusDescription = fmt::format("evaluation \"{}\" successful", done.ID.str());
    canceled.ModifyIndex = txn.index();
    canceled.ModifyTime = done.ModifyTime;
    txn.evals().upsert(std::move(canceled));
  }
}

Status check_broker_paused(const State& state) {
  auto config = state.scheduler_config.get();
  if (config && config->PauseEvalBroker) return {};
  return invalid("eval broker is enabled; eval broker must be paused to delete evals");
}

// A failed allocation that its reschedule policy has still to act on.
bool waits_for_reschedule(const Allocation& a) {
  auto* group = a.Job ? find_group(*a.Job, a.TaskGroup) : nullptr;
  auto* policy = group ? group->ReschedulePolicy.get() : nullptr;
  if (!policy || (policy->Attempts == 0 && !policy->Unlimited)) return false;
  bool replaced = !a.NextAllocation.nil() && !policy->Unlimited && a.RescheduleTracker && !a.RescheduleTracker->Events.empty();
  return !replaced;
}

}  // namespace

Ref<Evaluation> put_eval(Txn& txn, Evaluation eval) {
  auto old = txn.evals()->get(eval.ID);
  eval.CreateIndex = old ? old->CreateIndex : txn.index();
  eval.ModifyIndex = txn.index();
  take_queued_counts(txn, eval);
  if (eval.Status == eval_status::kComplete && eval.FailedTGAllocs.empty()) cancel_blocked(txn, eval);
  auto row = std::make_shared<const Evaluation>(std::move(eval));
  txn.evals().upsert(row);
  return row;
}

void upsert_evals(Txn& txn, const List<Evaluation>& evals) {
  JobStatuses jobs;
  for (auto& e : evals) {
    put_eval(txn, e);
    jobs[{e.Namespace, e.JobID}] = "";
  }
  set_job_statuses(txn, jobs, false);
}

Status delete_evals(Txn& txn, const List<Uuid>& evals, const List<Uuid>& allocs, bool by_operator) {
  if (by_operator) DROVER_CHECK(check_broker_paused(txn.state()));
  JobStatuses jobs;
  for (auto& id : evals) {
    auto row = txn.evals()->get(id);
    if (!row) continue;
    txn.evals().erase(*row);
    jobs[{row->Namespace, row->JobID}] = "";
  }
  for (auto& id : allocs) {
    auto row = txn.allocs()->get(id);
    if (!row) continue;
    txn.allocs().erase(*row);
    jobs[{row->Namespace.str(), row->JobID.str()}] = "";
  }
  txn.bump(TableId::evals);
  txn.bump(TableId::allocs);
  set_job_statuses(txn, jobs, true);
  return {};
}

bool is_safe_to_delete(const State& state, const Evaluation& eval) {
  auto job = state.jobs.get(eval.Namespace, eval.JobID);
  if (!job || job->Stop || job->Status == "dead") return true;
  for (auto& a : state.allocs.by_eval(eval.ID)) {
    if (a->ClientStatus == alloc_client::kRunning || a->ClientStatus == alloc_client::kUnknown) return false;
    if (a->ClientStatus == alloc_client::kFailed && waits_for_reschedule(*a)) return false;
  }
  return true;
}

Result<uint64_t> delete_evals_by_filter(Txn& txn, std::string_view text, size_t limit) {
  DROVER_CHECK(check_broker_paused(txn.state()));
  DROVER_TRY(auto filter, bexpr::Filter::parse(text));
  List<Uuid> doomed;
  for (auto& e : txn.evals()->all()) {
    if (limit && doomed.size() >= limit) break;
    DROVER_TRY(bool selected, filter.matches(*e));
    if (selected && is_safe_to_delete(txn.state(), *e)) doomed.push_back(e->ID);
  }
  DROVER_CHECK(delete_evals(txn, doomed, {}, true));
  return doomed.size();
}

}  // namespace drover::state
