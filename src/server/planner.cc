#include "server/planner.h"

#include <set>

#include "base/log.h"
#include "model/raft_requests.h"
#include "model/status.h"
#include "scheduler/plan_apply.h"
#include "scheduler/snapshot_view.h"
#include "server/eval_log.h"
#include "server/identity.h"
#include "server/leader.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {

Planner::Planner(Server& server) : server_(server) {}

Planner::~Planner() {
  for (auto queue = std::move(queue_); auto& p : queue)
    p->done.set(Error(ErrorCode::kNoLeader, "plan queue flushed"));
}

Async<Result<PlanResult>> Planner::submit(Ref<Plan> plan) {
  if (!plan) co_return invalid("cannot submit nil plan");
  auto pending = std::make_shared<Pending>();
  pending->plan = std::move(plan);
  pending->order = ++submitted_;
  queue_.insert(pending);
  pump();
  co_return co_await pending->done;
}

void Planner::pump() {
  if (!applying_.done() || queue_.empty()) return;
  auto first = *queue_.begin();
  queue_.erase(queue_.begin());
  applying_ = Running(apply_one(std::move(first)));
}

namespace {

// Gives every placed allocation its identities. One that cannot be signed runs without.
void sign_placed(const Keyring& keyring, std::string_view key_id, rpc::ApplyPlanResultsRequest& req) {
  auto now = Time::from_unix_nanos(req.UpdatedAt);
  for (auto& a : req.AllocsUpdated) {
    auto job = a->Job ? a->Job : req.Job;
    if (!job) continue;
    auto signed_alloc = std::make_shared<Allocation>(*a);
    auto done = sign_identities(keyring, key_id, *job, now, *signed_alloc);
    if (done) a = std::move(signed_alloc);
    else log_error("nomad.planner", "failed to sign identities", {{"alloc_id", a->ID.str()}, {"error", done.error().message}});
  }
}

// The log entry of what was granted. Allocations that stop carry only what changes.
rpc::ApplyPlanResultsRequest entry_of(Server& server, const Plan& plan, const PlanResult& result, const state::Snapshot& snap) {
  rpc::ApplyPlanResultsRequest req;
  req.Job = plan.Job;
  req.EvalID = plan.EvalID;
  req.Deployment = result.Deployment;
  req.DeploymentUpdates = result.DeploymentUpdates;
  req.IneligibleNodes = result.IneligibleNodes;
  req.UpdatedAt = server.world().clock.now().unix_nanos;
  auto stamp = [&](const Ref<Allocation>& a, List<Ref<Allocation>>& out) {
    auto copy = std::make_shared<Allocation>(*a);
    if (!copy->CreateTime) copy->CreateTime = req.UpdatedAt;
    copy->ModifyTime = req.UpdatedAt;
    out.push_back(std::move(copy));
  };
  for (auto& [node, allocs] : result.NodeUpdate)
    for (auto& a : allocs) stamp(a, req.AllocsStopped);
  for (auto& [node, allocs] : result.NodeAllocation)
    for (auto& a : allocs) stamp(a, req.AllocsUpdated);
  if (auto key = snap.root_keys().active()) sign_placed(server.keyring(), key->KeyID, req);
  std::set<std::pair<std::string, std::string>> preempted;
  for (auto& [node, allocs] : result.NodePreemptions)
    for (auto& a : allocs) {
      stamp(a, req.AllocsPreempted);
      if (auto stored = snap.allocs().get(a->ID)) preempted.emplace(stored->Namespace.str(), stored->JobID.str());
    }
  for (auto& [ns, id] : preempted)
    if (auto job = snap.jobs().get(ns, id))
      req.PreemptionEvals.push_back(new_eval(server.world(), *job, eval_trigger::kPreemption));
  return req;
}

}  // namespace

Async<void> Planner::apply_one(std::shared_ptr<Pending> pending) {
  // The next plan is looked at from the loop, so that this coroutine is done by then.
  auto finish = [&](Result<PlanResult> r) {
    pending->done.set(std::move(r));
    server_.world().loop.post([this, &server = server_, term = server_.leader() ? server_.leader()->term() : 0] {
      if (server.leader() && server.leader()->term() == term) pump();
    });
  };
  auto& plan = *pending->plan;
  if (auto ready = co_await server_.wait_for_index(plan.SnapshotIndex, 10s); !ready) {
    finish(Error(std::move(ready).error()));
    co_return;
  }
  auto snap = server_.snapshot();
  auto judged = scheduler::evaluate_plan(*std::make_shared<const scheduler::SnapshotView>(snap), plan);
  for (auto& [node, why] : judged.rejections)
    log_warn("nomad.planner",
             "plan for node rejected, refer to https://www.nomadproject.io/s/port-plan-failure for more information",
             {{"node_id", node}, {"reason", why}, {"eval_id", plan.EvalID.str()}});
  auto result = std::move(judged.result);
  if (is_no_op(result)) {
    finish(std::move(result));
    co_return;
  }
  auto applied = co_await server_.apply(state::EntryType::kApplyPlanResults, entry_of(server_, plan, result, snap));
  if (!applied) {
    finish(Error(std::move(applied).error()));
    co_return;
  }
  result.AllocIndex = applied->index;
  if (result.RefreshIndex) result.RefreshIndex = std::max(result.RefreshIndex, result.AllocIndex);
  finish(std::move(result));
}

}  // namespace drover::server
