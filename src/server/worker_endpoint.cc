// Eval.*, Plan.Submit: what scheduler workers of any server ask of the leader (reference server-core 8.4, 10.1); and what
// garbage collection, which a worker anywhere runs, has removed.
//
// An evaluation that is out belongs to whoever has its token, and to nobody else: what comes with another token, such as
// that of a leader before this one, is refused and changes nothing.
#include <algorithm>

#include <fmt/format.h>

#include "model/requests.h"
#include "model/status.h"
#include "model/worker_rpc.h"
#include "scheduler/schedule.h"
#include "server/leader.h"
#include "server/root_keys.h"
#include "server/rpc.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr Duration kDequeueTimeout = 1s;   // where the caller names none
constexpr Duration kDequeueMax = 30s;

Error no_leader() { return {ErrorCode::kNoLeader, "No cluster leader"}; }

// A token as text; one that is none matches nothing.
Uuid token_of(const std::string& text) { return Uuid::parse(text).value_or(Uuid()); }

// The newest write that the evaluation's job may have had: the worker's snapshot must contain it.
uint64_t wait_index(const state::Snapshot& snap, const Evaluation& eval) {
  uint64_t index = eval.ModifyIndex;
  for (auto& e : snap.evals().by_job(eval.Namespace, eval.JobID)) index = std::max(index, e->ModifyIndex);
  return index;
}

Async<Status> eval_dequeue(Server& server, const rpc::EvalDequeueRequest& req, rpc::EvalDequeueResponse& resp) {
  if (req.Schedulers.empty()) co_return internal("dequeue requires at least one scheduler type");
  if (req.SchedulerVersion != scheduler::kSchedulerVersion)
    co_return internal(fmt::format("dequeue disallowed: calling scheduler version is {}; leader version is {}", req.SchedulerVersion,
                                   scheduler::kSchedulerVersion));
  auto* leader = server.leader();
  if (!leader) co_return no_leader();
  auto timeout = req.Timeout > Duration::zero() ? std::min(req.Timeout, kDequeueMax) : kDequeueTimeout;
  // A paused broker has nothing to give: the caller waits as if there were no work.
  auto delivery = co_await leader->dequeue({req.Schedulers.begin(), req.Schedulers.end()}, timeout);
  if (!delivery) co_return Status{};
  resp.WaitIndex = wait_index(server.snapshot(), *delivery->eval);
  resp.Token = delivery->token.str();
  resp.Eval = std::move(delivery->eval);
  resp.Index = server.snapshot().index();
  resp.KnownLeader = true;
  co_return Status{};
}

Async<Status> eval_ack(Server& server, const rpc::EvalAckRequest& req, GenericResponse&) {
  if (auto* leader = server.leader()) co_return leader->ack(req.EvalID, token_of(req.Token));
  co_return no_leader();
}

Async<Status> eval_nack(Server& server, const rpc::EvalAckRequest& req, GenericResponse&) {
  if (auto* leader = server.leader()) co_return leader->nack(req.EvalID, token_of(req.Token));
  co_return no_leader();
}

// The one evaluation of a request, whose owner (itself, or the one that it follows) is out with the request's token. Its
// answer is waited for anew.
Result<const Evaluation*> owned(Server& server, const rpc::EvalUpdateRequest& req, Uuid Evaluation::* owner, std::string_view verb) {
  if (req.Evals.size() != 1) return internal(fmt::format("only a single eval can be {}", verb));
  auto& eval = req.Evals[0];
  auto* leader = server.leader();
  if (!leader) return no_leader();
  DROVER_CHECK(leader->broker().outstanding_reset(eval.*owner, token_of(req.EvalToken), leader->now()));
  return &eval;
}

Async<Status> write(Server& server, const Evaluation& eval, uint64_t& index) {
  rpc::EvalUpdateRequest entry;
  entry.Evals.push_back(eval);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kEvalUpdate, entry));
  index = applied.index;
  co_return Status{};
}

Async<Status> eval_update(Server& server, const rpc::EvalUpdateRequest& req, GenericResponse& resp) {
  DROVER_CO_TRY(auto* eval, owned(server, req, &Evaluation::ID, "updated"));
  co_return co_await write(server, *eval, resp.Index);
}

Async<Status> eval_create(Server& server, const rpc::EvalUpdateRequest& req, GenericResponse& resp) {
  DROVER_CO_TRY(auto* eval, owned(server, req, &Evaluation::PreviousEval, "created"));
  if (server.snapshot().evals().get(eval->ID)) co_return internal("evaluation already exists");
  co_return co_await write(server, *eval, resp.Index);
}

Async<Status> eval_reblock(Server& server, const rpc::EvalUpdateRequest& req, GenericResponse&) {
  DROVER_CO_TRY(auto* eval, owned(server, req, &Evaluation::ID, "reblocked"));
  auto stored = server.snapshot().evals().get(eval->ID);
  if (!stored) co_return internal("evaluation does not exist");
  if (stored->Status != eval_status::kBlocked) co_return internal("evaluation not blocked");
  server.leader()->reblock(std::make_shared<Evaluation>(*eval), token_of(req.EvalToken));
  co_return Status{};
}

Async<Status> plan_submit(Server& server, const rpc::PlanRequest& req, rpc::PlanResponse& resp) {
  if (!req.Plan) co_return internal("cannot submit nil plan");
  auto* leader = server.leader();
  if (!leader) co_return no_leader();
  auto id = req.Plan->EvalID;
  auto token = token_of(req.Plan->EvalToken);
  // A plan may wait in the queue for longer than an evaluation may be out.
  DROVER_CO_CHECK(leader->broker().pause_nack_timeout(id, token));
  auto result = co_await leader->planner().submit(req.Plan);
  if (auto* still = server.leader()) still->resume_nack_timeout(id, token);
  DROVER_CO_TRY(auto granted, std::move(result));
  resp.Index = granted.AllocIndex;
  resp.Result = std::move(granted);
  co_return Status{};
}

// ---- garbage ---------------------------------------------------------------------------------------------------------
//
// A collector may be slow, or come back from a long pause: what it found is looked at again on the leader's state, and what
// has come to life since stays.

template <class Entry>
Async<Status> remove(Server& server, state::EntryType type, const Entry& entry, uint64_t& index) {
  DROVER_CO_TRY(auto applied, co_await server.apply(type, entry));
  index = applied.index;
  co_return Status{};
}

Async<Status> eval_reap(Server& server, const rpc::EvalReapRequest& req, GenericResponse& resp) {
  auto snap = server.snapshot();
  rpc::EvalReapRequest entry;
  for (auto& id : req.Evals)
    if (auto eval = snap.evals().get(id); eval && is_terminal(*eval)) entry.Evals.push_back(id);
  for (auto& id : req.Allocs)
    if (auto alloc = snap.allocs().get(id); alloc && is_terminal(*alloc)) entry.Allocs.push_back(id);
  if (entry.Evals.empty() && entry.Allocs.empty()) co_return Status{};
  co_return co_await remove(server, state::EntryType::kEvalDelete, entry, resp.Index);
}

Async<Status> deployment_reap(Server& server, const rpc::DeploymentDeleteRequest& req, GenericResponse& resp) {
  auto snap = server.snapshot();
  rpc::DeploymentDeleteRequest entry;
  for (auto& id : req.Deployments)
    if (auto d = snap.deployments().get(id); d && !is_active(*d)) entry.Deployments.push_back(id);
  if (entry.Deployments.empty()) co_return Status{};
  co_return co_await remove(server, state::EntryType::kDeploymentDelete, entry, resp.Index);
}

Async<Status> node_batch_deregister(Server& server, const rpc::NodeBatchDeregisterRequest& req, GenericResponse& resp) {
  if (req.NodeIDs.empty()) co_return internal("missing node IDs for client deregistration");
  auto snap = server.snapshot();
  rpc::NodeBatchDeregisterRequest entry;
  for (auto& text : req.NodeIDs) {
    auto id = Uuid::parse(text);
    auto node = id ? snap.nodes().get(*id) : nullptr;
    if (node && is_down(*node) && !snap.allocs().by_node_terminal(*id, false).any()) entry.NodeIDs.push_back(text);
  }
  if (entry.NodeIDs.empty()) co_return Status{};
  DROVER_CO_CHECK(co_await remove(server, state::EntryType::kNodeBatchDeregister, entry, resp.Index));
  if (auto* leader = server.leader())
    for (auto& text : entry.NodeIDs) leader->node_gone(*Uuid::parse(text));
  co_return Status{};
}

Async<Status> job_batch_deregister(Server& server, const rpc::JobBatchDeregisterRequest& req, GenericResponse& resp) {
  if (req.Jobs.empty()) co_return internal("given no jobs to deregister");
  auto snap = server.snapshot();
  rpc::JobBatchDeregisterRequest entry;
  for (auto& options : req.Jobs)
    if (auto job = snap.jobs().get(options.Namespace, options.ID); job && job->Status == "dead") entry.Jobs.push_back(options);
  if (entry.Jobs.empty()) co_return Status{};
  for (auto& eval : req.Evals) {
    bool kept = std::any_of(entry.Jobs.begin(), entry.Jobs.end(), [&](auto& j) { return j.Namespace == eval.Namespace && j.ID == eval.JobID; });
    if (kept) entry.Evals.push_back(eval);
  }
  co_return co_await remove(server, state::EntryType::kJobBatchDeregister, entry, resp.Index);
}

Async<Status> keyring_rekey(Server& server, const rpc::GenericWriteRequest&, GenericResponse&) {
  co_return co_await rekey_variables(server);
}

}  // namespace

void add_worker_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&eval_dequeue>("Eval.Dequeue", Where::kLeader));
  rows.push_back(rpc_row<&eval_ack>("Eval.Ack", Where::kLeader));
  rows.push_back(rpc_row<&eval_nack>("Eval.Nack", Where::kLeader));
  rows.push_back(rpc_row<&eval_update>("Eval.Update", Where::kLeader));
  rows.push_back(rpc_row<&eval_create>("Eval.Create", Where::kLeader));
  rows.push_back(rpc_row<&eval_reblock>("Eval.Reblock", Where::kLeader));
  rows.push_back(rpc_row<&plan_submit>("Plan.Submit", Where::kLeader));
  rows.push_back(rpc_row<&eval_reap>("Eval.Reap", Where::kLeader));
  rows.push_back(rpc_row<&deployment_reap>("Deployment.Reap", Where::kLeader));
  rows.push_back(rpc_row<&node_batch_deregister>("Node.BatchDeregister", Where::kLeader));
  rows.push_back(rpc_row<&job_batch_deregister>("Job.BatchDeregister", Where::kLeader));
  // Ours: the core job "variables-rekey" runs where the log is written.
  rows.push_back(rpc_row<&keyring_rekey>("Keyring.Rekey", Where::kLeader));
}

}  // namespace drover::server
