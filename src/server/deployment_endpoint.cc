// Deployment.*: reads, and what operators may do to a deployment (reference server-workflows 4.3).
#include <fmt/format.h>

#include "base/strings.h"
#include "model/raft_requests.h"
#include "model/rpc_requests.h"
#include "model/status.h"
#include "server/deployment_rules.h"
#include "server/deployment_writes.h"
#include "server/eval_log.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/stubs.h"
#include "state/fsm.h"

namespace drover::server {

Evaluation deployment_eval(Server& server, const Deployment& d) {
  auto job = server.snapshot().jobs().get(d.Namespace, d.JobID);
  auto priority = d.EvalPriority ? d.EvalPriority : job ? job->Priority : server.config().job_default_priority;
  auto e = new_eval(server.world(), d.Namespace, d.JobID, job ? job->Type : std::string(job_type::kService), priority,
                    eval_trigger::kDeploymentWatcher);
  e.DeploymentID = d.ID;
  return e;
}

namespace {

void answer(DeploymentUpdateResponse* response, uint64_t index, const Evaluation* eval) {
  if (!response) return;
  response->DeploymentModifyIndex = response->Index = index;
  if (!eval) return;
  response->EvalID = eval->ID.str();
  response->EvalCreateIndex = index;
}

Async<Status> write_status(Server& server, const Deployment& d, std::string_view status, std::string description,
                           bool with_eval, std::optional<Job> job, DeploymentUpdateResponse* response) {
  rpc::DeploymentStatusUpdateRequest entry;
  auto& update = entry.DeploymentUpdate.ensure();
  update.DeploymentID = d.ID;
  update.Status = status;
  update.StatusDescription = std::move(description);
  if (with_eval) entry.Eval = deployment_eval(server, d);
  if (job) {
    if (response) response->RevertedJobVersion = job->Version;
    job->SubmitTime = server.world().clock.now().unix_nanos;
    entry.Job = std::move(*job);
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kDeploymentStatusUpdate, entry));
  answer(response, applied.index, entry.Eval.get());
  co_return Status{};
}

}  // namespace

Async<Status> fail_deployment(Server& server, const Deployment& d, std::string description, bool rollback,
                              DeploymentUpdateResponse* response) {
  Rollback back;
  if (rollback) back = plan_rollback(server.snapshot(), d);
  co_return co_await write_status(server, d, deployment_status::kFailed, description + back.suffix, true, std::move(back.job),
                                  response);
}

Async<Status> promote_deployment(Server& server, const Deployment& d, bool all, List<std::string> groups,
                                 DeploymentUpdateResponse* response) {
  rpc::ApplyDeploymentPromoteRequest entry;
  entry.DeploymentID = d.ID.str();
  entry.All = all;
  entry.Groups = std::move(groups);
  entry.Eval = deployment_eval(server, d);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kDeploymentPromote, entry));
  answer(response, applied.index, entry.Eval.get());
  co_return Status{};
}

Async<Status> continue_deployment(Server& server, const Deployment& d, std::vector<Uuid> replace) {
  rpc::AllocUpdateDesiredTransitionRequest entry;
  for (auto& id : replace) entry.Allocs[id.str()].Reschedule = true;
  entry.Evals.push_back(deployment_eval(server, d));
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kAllocUpdateDesiredTransition, entry));
  co_return Status{};
}

namespace {

// The deployment that a request names, still active; else the reference's error with `verb` in it.
Result<Ref<Deployment>> active_deployment(Server& server, const std::string& id_text, std::string_view refusal) {
  if (id_text.empty()) return internal("missing deployment ID");
  DROVER_TRY(auto id, parse_id(id_text, "deployment lookup failed"));
  auto d = server.snapshot().deployments().get(id);
  if (!d) return internal("deployment not found");
  if (!is_active(*d)) return internal(std::string(refusal));
  return d;
}

Async<Status> deployment_fail(Server& server, const rpc::DeploymentFailRequest& req, DeploymentUpdateResponse& resp) {
  DROVER_CO_TRY(auto d, active_deployment(server, req.DeploymentID, "can't fail terminal deployment"));
  bool rollback = false;
  for (auto& [name, group] : d->TaskGroups) rollback = rollback || group.AutoRevert;
  co_return co_await fail_deployment(server, *d, "Deployment marked as failed", rollback, &resp);
}

Async<Status> deployment_pause(Server& server, const DeploymentPauseRequest& req, DeploymentUpdateResponse& resp) {
  DROVER_CO_TRY(auto d, active_deployment(server, req.DeploymentID,
                                          req.Pause ? "can't pause terminal deployment" : "can't resume terminal deployment"));
  if (req.Pause)
    co_return co_await write_status(server, *d, deployment_status::kPaused, "Deployment is paused", false, {}, &resp);
  co_return co_await write_status(server, *d, deployment_status::kRunning, "Deployment is running", true, {}, &resp);
}

Async<Status> deployment_promote(Server& server, const DeploymentPromoteRequest& req, DeploymentUpdateResponse& resp) {
  DROVER_CO_TRY(auto d, active_deployment(server, req.DeploymentID, "can't promote terminal deployment"));
  co_return co_await promote_deployment(server, *d, req.All, req.Groups, &resp);
}

Async<Status> deployment_unblock(Server& server, const DeploymentUnblockRequest& req, DeploymentUpdateResponse& resp) {
  DROVER_CO_TRY(auto d, active_deployment(server, req.DeploymentID, "can't unblock terminal deployment"));
  co_return Status{};  // only deployments over several regions are ever blocked
}

// A malformed id, where the log would not meet another error first.
Status check_alloc_ids(const state::Snapshot& snap, const DeploymentAllocHealthRequest& req, const Uuid& deployment) {
  for (auto* ids : {&req.HealthyAllocationIDs, &req.UnhealthyAllocationIDs})
    for (auto& text : *ids) {
      DROVER_TRY(auto id, parse_id(text, fmt::format("alloc {} lookup failed", go_quote(text))));
      auto a = snap.allocs().get(id);
      if (!a || a->DeploymentID != deployment) return {};
    }
  return {};
}

Async<Status> deployment_alloc_health(Server& server, const DeploymentAllocHealthRequest& req, DeploymentUpdateResponse& resp) {
  if (req.DeploymentID.empty()) co_return internal("missing deployment ID");
  if (req.HealthyAllocationIDs.empty() && req.UnhealthyAllocationIDs.empty())
    co_return internal("must specify at least one healthy/unhealthy allocation ID");
  DROVER_CO_TRY(auto d, active_deployment(server, req.DeploymentID, "can't set health of allocations for a terminal deployment"));
  DROVER_CO_CHECK(check_alloc_ids(server.snapshot(), req, d->ID));
  rpc::ApplyDeploymentAllocHealthRequest entry;
  entry.DeploymentID = req.DeploymentID;
  entry.HealthyAllocationIDs = req.HealthyAllocationIDs;
  entry.UnhealthyAllocationIDs = req.UnhealthyAllocationIDs;
  entry.Timestamp = server.world().clock.now();
  entry.Eval = deployment_eval(server, *d);
  if (!req.UnhealthyAllocationIDs.empty()) {
    auto snap = server.snapshot();
    bool rollback = false;
    for (auto& text : req.UnhealthyAllocationIDs) {
      auto id = Uuid::parse(text);
      auto a = id ? snap.allocs().get(*id) : nullptr;
      auto* group = a ? d->TaskGroups.find(a->TaskGroup.view()) : nullptr;
      rollback = rollback || (group && group->AutoRevert);
    }
    Rollback back;
    if (rollback) back = plan_rollback(snap, *d, false);
    auto& update = entry.DeploymentUpdate.ensure();
    update.DeploymentID = d->ID;
    update.Status = deployment_status::kFailed;
    update.StatusDescription = "Failed due to unhealthy allocations" + back.suffix;
    if (back.job) {
      resp.RevertedJobVersion = back.job->Version;
      entry.Job = std::move(*back.job);
    }
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kDeploymentAllocHealth, entry));
  answer(&resp, applied.index, entry.Eval.get());
  co_return Status{};
}

Status deployment_get(ReadContext& c, const rpc::DeploymentSpecificRequest& req, rpc::SingleDeploymentResponse& resp) {
  if (req.DeploymentID.empty()) return internal("missing deployment ID");
  DROVER_TRY(auto id, parse_id(req.DeploymentID, "deployment lookup failed"));
  resp.Deployment = c.snap.deployments().get(id, c.watch);
  resp.Index = resp.Deployment ? resp.Deployment->ModifyIndex : c.snap.table_index(state::TableId::deployments);
  return {};
}

Status deployment_list(ReadContext& c, const rpc::DeploymentListRequest& req, rpc::DeploymentListResponse& resp) {
  auto dir = req.Reverse ? state::Dir::kReverse : state::Dir::kForward;
  auto ns = namespace_of(req.Namespace);
  resp.Deployments = List<Ref<Deployment>>::empty_list();
  resp.Index = c.snap.table_index(state::TableId::deployments);
  auto take = [&](const Ref<Deployment>& d) { resp.Deployments.push_back(d); };
  auto select = [&](const Deployment& d) { return ns == kAllNamespaces || d.Namespace == ns; };
  if (!req.Prefix.empty()) {
    DROVER_TRY(auto prefix, parse_prefix(req.Prefix, ""));
    DROVER_TRY(resp.NextToken, paginate(c.snap.deployments().by_prefix(prefix, c.watch, dir), req,
                                        [](const Deployment& d) { return d.ID.str(); }, take, select));
    return {};
  }
  auto rows = ns == kAllNamespaces ? c.snap.deployments().all(c.watch, dir) : c.snap.deployments().by_namespace(ns, c.watch, dir);
  DROVER_TRY(resp.NextToken, paginate(std::move(rows), req, [](const Deployment& d) { return create_token(d.CreateIndex, d.ID); },
                                      take, select));
  return {};
}

Status deployment_allocations(ReadContext& c, const rpc::DeploymentSpecificRequest& req, rpc::AllocListResponse& resp) {
  DROVER_TRY(auto id, parse_id(req.DeploymentID, ""));
  resp.Allocations = List<AllocListStub>::empty_list();
  for (auto& a : c.snap.allocs().by_deployment(id, c.watch)) resp.Allocations.push_back(alloc_stub(*a));
  resp.Index = c.snap.table_index(state::TableId::allocs);
  return {};
}

}  // namespace

void add_deployment_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&deployment_get>("Deployment.GetDeployment", Where::kStale));
  rows.push_back(rpc_row<&deployment_list>("Deployment.List", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&deployment_allocations>("Deployment.Allocations", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&deployment_fail>("Deployment.Fail", Where::kLeader));
  rows.push_back(rpc_row<&deployment_pause>("Deployment.Pause", Where::kLeader));
  rows.push_back(rpc_row<&deployment_promote>("Deployment.Promote", Where::kLeader));
  rows.push_back(rpc_row<&deployment_unblock>("Deployment.Unblock", Where::kLeader));
  rows.push_back(rpc_row<&deployment_alloc_health>("Deployment.SetAllocHealth", Where::kLeader));
}

}  // namespace drover::server
