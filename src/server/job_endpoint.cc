// Job.*: reads, and the simple writes. Registration is in job_register.cc.
#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/job_diff.h"
#include "model/job_kind.h"
#include "model/raft_requests.h"
#include "model/reschedule.h"
#include "model/status.h"
#include "server/eval_log.h"
#include "server/job_register.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/stubs.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

// ---- reads ---------------------------------------------------------------------------------------------------------

Status job_get(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::SingleJobResponse& resp) {
  resp.Job = c.snap.jobs().get(namespace_of(req.Namespace), req.JobID, c.watch);
  resp.Index = resp.Job ? resp.Job->ModifyIndex : c.snap.table_index(state::TableId::jobs);
  return {};
}

Status job_list(ReadContext& c, const rpc::JobListRequest& req, rpc::JobListResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  bool meta = req.Fields && req.Fields->Meta;
  resp.Jobs = List<JobListStub>::empty_list();
  auto rows = ns == kAllNamespaces ? c.snap.jobs().all(c.watch) : c.snap.jobs().by_prefix(ns, req.Prefix, c.watch);
  auto token = [](const Job& j) { return j.Namespace + "." + j.ID; };
  auto take = [&](const Ref<Job>& j) {
    auto summary = c.snap.job_summaries().get(j->Namespace, j->ID, c.watch);
    resp.Jobs.push_back(job_stub(*j, summary.get(), meta));
  };
  // The prefix of an id over all namespaces is no run of keys.
  auto select = [&](const Job& j) { return j.ID.starts_with(req.Prefix); };
  DROVER_TRY(resp.NextToken, paginate(std::move(rows), req, token, take, select));
  resp.Index = std::max(c.snap.table_index(state::TableId::jobs), c.snap.table_index(state::TableId::job_summaries));
  return {};
}

Status job_versions(ReadContext& c, const rpc::JobVersionsRequest& req, JobVersionsResponse& resp) {
  for (auto& v : c.snap.job_versions().by_job(namespace_of(req.Namespace), req.JobID, c.watch)) resp.Versions.push_back(*v);
  resp.Index = resp.Versions.empty() ? c.snap.table_index(state::TableId::job_versions) : resp.Versions.front().ModifyIndex;
  if (!req.Diffs) return {};
  for (size_t i = 0; i + 1 < resp.Versions.size(); ++i) {
    DROVER_TRY(auto diff, diff_jobs(&resp.Versions[i + 1], &resp.Versions[i], true));
    resp.Diffs.push_back(std::move(diff));
  }
  return {};
}

// Rows of this job's present incarnation, or of every one with `all`.
bool of_incarnation(const Job* job, bool all, const Job* row_job) {
  return all || !job || !row_job || row_job->CreateIndex == job->CreateIndex;
}

Status job_allocations(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::JobAllocationsResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  auto job = c.snap.jobs().get(ns, req.JobID);
  resp.Allocations = List<AllocListStub>::empty_list();
  for (auto& a : c.snap.allocs().by_job(ns, req.JobID, c.watch))
    if (of_incarnation(job.get(), req.All, a->Job.get())) resp.Allocations.push_back(alloc_stub(*a));
  resp.Index = c.snap.table_index(state::TableId::allocs);
  return {};
}

Status job_evaluations(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::JobEvaluationsResponse& resp) {
  resp.Evaluations = List<Ref<Evaluation>>::empty_list();
  for (auto& e : c.snap.evals().by_job(namespace_of(req.Namespace), req.JobID, c.watch)) resp.Evaluations.push_back(e);
  resp.Index = c.snap.table_index(state::TableId::evals);
  return {};
}

Status job_deployments(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::DeploymentListResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  auto job = c.snap.jobs().get(ns, req.JobID);
  resp.Deployments = List<Ref<Deployment>>::empty_list();
  for (auto& d : c.snap.deployments().by_job(ns, req.JobID, c.watch))
    if (req.All || !job || d->JobCreateIndex == job->CreateIndex) resp.Deployments.push_back(d);
  resp.Index = c.snap.table_index(state::TableId::deployments);
  return {};
}

Status job_latest_deployment(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::SingleDeploymentResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  auto job = c.snap.jobs().get(ns, req.JobID);
  auto latest = c.snap.deployments().latest_by_job(ns, req.JobID, c.watch);
  if (latest && (!job || latest->JobCreateIndex == job->CreateIndex)) resp.Deployment = latest;
  resp.Index = c.snap.table_index(state::TableId::deployments);
  return {};
}

Status job_summary(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::JobSummaryResponse& resp) {
  resp.JobSummary = c.snap.job_summaries().get(namespace_of(req.Namespace), req.JobID, c.watch);
  resp.Index = resp.JobSummary ? resp.JobSummary->ModifyIndex : c.snap.table_index(state::TableId::job_summaries);
  return {};
}

Status job_submission(ReadContext& c, const rpc::JobSubmissionRequest& req, rpc::JobSubmissionResponse& resp) {
  resp.Submission = c.snap.job_submissions().get(namespace_of(req.Namespace), req.JobID, req.Version, c.watch);
  if (resp.Submission) resp.Index = resp.Submission->JobModifyIndex;
  return {};
}

Status job_services(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::ServiceRegistrationsResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  resp.Index = c.snap.table_index(state::TableId::services);
  // A null list: there is no such job.
  if (!c.snap.jobs().get(ns, req.JobID, c.watch)) return {};
  resp.Services = List<Ref<ServiceRegistration>>::empty_list();
  for (auto& s : c.snap.services().by_job(ns, req.JobID, c.watch)) resp.Services.push_back(s);
  resp.Index = std::max<uint64_t>(1, c.snap.table_index(state::TableId::services));
  return {};
}

Status job_scale_status(ReadContext& c, const rpc::JobSpecificRequest& req, rpc::JobScaleStatusResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  auto job = c.snap.jobs().get(ns, req.JobID, c.watch);
  resp.Index = c.snap.table_index(state::TableId::jobs);
  if (!job) return {};
  auto& status = resp.JobScaleStatus.ensure();
  status.JobID = job->ID;
  status.Namespace = job->Namespace;
  status.JobCreateIndex = job->CreateIndex;
  status.JobModifyIndex = job->ModifyIndex;
  status.JobStopped = job->Stop;
  auto events = c.snap.scaling_events().get(ns, req.JobID, c.watch);
  for (auto& g : job->TaskGroups) {
    auto& s = status.TaskGroups[g.Name];
    s.Desired = g.Count;
    if (events)
      if (auto* of_group = events->ScalingEvents.find(g.Name)) s.Events = *of_group;
  }
  for (auto& a : c.snap.allocs().by_job(ns, req.JobID, c.watch)) {
    auto* s = status.TaskGroups.find(a->TaskGroup.view());
    if (!s || is_terminal(*a) || !of_incarnation(job.get(), false, a->Job.get())) continue;
    if (is_canary(*a)) continue;
    ++s->Placed;
    if (a->ClientStatus == alloc_client::kRunning) ++s->Running;
    if (is_healthy(*a)) ++s->Healthy;
    if (is_unhealthy(*a)) ++s->Unhealthy;
  }
  resp.Index = std::max({job->ModifyIndex, c.snap.table_index(state::TableId::allocs), c.snap.table_index(state::TableId::scaling_events)});
  return {};
}

// ---- writes --------------------------------------------------------------------------------------------------------

Async<Status> job_deregister(Server& server, const rpc::JobDeregisterRequest& req, JobDeregisterResponse& resp) {
  if (req.JobID.empty()) co_return internal("missing job ID for deregistering");
  auto ns = namespace_of(req.Namespace);
  auto job = server.snapshot().jobs().get(ns, req.JobID);
  if (!job) co_return Status{};
  rpc::JobDeregisterRequest entry = req;
  entry.Namespace = ns;
  if (!only_makes_children(*job)) {
    auto priority = req.EvalPriority > 0 ? req.EvalPriority : job->Priority;
    // Of type service whatever the job's: the stop of a batch job must be looked at like that of a service.
    entry.Eval = new_eval(server.world(), ns, req.JobID, job_type::kService, priority, eval_trigger::kJobDeregister);
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kJobDeregister, entry));
  resp.JobModifyIndex = resp.EvalCreateIndex = resp.Index = applied.index;
  if (entry.Eval) resp.EvalID = entry.Eval->ID.str();
  co_return Status{};
}

Async<Status> job_evaluate(Server& server, const JobEvaluateRequest& req, JobRegisterResponse& resp) {
  if (req.JobID.empty()) co_return internal("missing job ID for evaluation");
  auto ns = namespace_of(req.Namespace);
  auto snap = server.snapshot();
  auto job = snap.jobs().get(ns, req.JobID);
  if (!job) co_return internal("job not found");
  if (job->Periodic) co_return internal("can't evaluate periodic job");
  if (is_parameterized(*job)) co_return internal("can't evaluate parameterized job");
  rpc::AllocUpdateDesiredTransitionRequest entry;
  if (req.EvalOptions.ForceReschedule) {
    for (auto& a : snap.allocs().by_job(ns, req.JobID)) {
      auto* group = find_group(*job, a->TaskGroup.view());
      bool enabled = group && group->ReschedulePolicy && (group->ReschedulePolicy->Unlimited || group->ReschedulePolicy->Attempts > 0);
      bool forced = a->DesiredTransition.ForceReschedule.value_or(false);
      if (a->ClientStatus != alloc_client::kFailed || !a->NextAllocation.nil() || !enabled || forced) continue;
      entry.Allocs[a->ID.str()].ForceReschedule = true;
    }
  }
  auto eval = new_eval(server.world(), *job, eval_trigger::kJobRegister);
  eval.JobModifyIndex = job->ModifyIndex;
  entry.Evals.push_back(eval);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kAllocUpdateDesiredTransition, entry));
  resp.EvalID = eval.ID.str();
  resp.EvalCreateIndex = resp.Index = applied.index;
  resp.JobModifyIndex = job->ModifyIndex;
  co_return Status{};
}

Async<Status> job_stable(Server& server, const JobStabilityRequest& req, JobStabilityResponse& resp) {
  if (req.JobID.empty()) co_return internal("missing job ID for marking job as stable");
  JobStabilityRequest entry = req;
  entry.Namespace = namespace_of(req.Namespace);
  if (!server.snapshot().job_versions().get(entry.Namespace, req.JobID, req.JobVersion))
    co_return internal(fmt::format("job {} in namespace {} at version {} not found", go_quote(req.JobID), go_quote(entry.Namespace), req.JobVersion));
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kJobStability, entry));
  resp.Index = applied.index;
  co_return Status{};
}

Async<Status> job_revert(Server& server, const JobRevertRequest& req, JobRegisterResponse& resp) {
  if (req.JobID.empty()) co_return internal("missing job ID for revert");
  auto ns = namespace_of(req.Namespace);
  auto snap = server.snapshot();
  auto current = snap.jobs().get(ns, req.JobID);
  if (!current) co_return internal(fmt::format("job {} not found", go_quote(req.JobID)));
  if (req.JobVersion == current->Version) co_return internal("can't revert to current version");
  auto version = snap.job_versions().get(ns, req.JobID, req.JobVersion);
  if (!version)
    co_return internal(fmt::format("job {} in namespace {} at version {} not found", go_quote(req.JobID), go_quote(ns), req.JobVersion));
  if (req.EnforcePriorVersion && *req.EnforcePriorVersion != current->Version)
    co_return internal(fmt::format("Current job has version {}; enforcing version {}", current->Version, *req.EnforcePriorVersion));
  rpc::JobRegisterRequest again;
  again.Namespace = ns;
  again.Region = req.Region;
  again.Job = *version;
  again.Job->VaultToken = req.VaultToken;
  again.Job->ConsulToken = req.ConsulToken;
  if (auto source = snap.job_submissions().get(ns, req.JobID, req.JobVersion)) again.Submission = *source;
  co_return co_await register_job(server, std::move(again), resp);
}

Error coded(ErrorCode code, std::string text) { return {code, std::move(text)}; }

// The group that a scaling request is about; errors in the reference's order and words.
Result<TaskGroup*> scale_target(const rpc::JobScaleRequest& req, Job& job) {
  auto group = req.Target.get_or("Group");
  if (job.Type == job_type::kSystem) return invalid("cannot scale jobs of type \"system\"");
  for (auto& g : job.TaskGroups)
    if (g.Name == group) return &g;
  return invalid(fmt::format("task group {} specified for scaling does not exist in job", go_quote(group)));
}

Async<Status> job_scale(Server& server, const rpc::JobScaleRequest& req, JobRegisterResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  if (req.Target.get_or("Group").empty()) co_return invalid("missing task group name for scaling action");
  if (req.Count && *req.Count < 0) co_return invalid("scaling action count can't be negative");
  if (req.Error && req.Count) co_return invalid("scaling action should not contain count if error is true");
  auto snap = server.snapshot();
  if (auto refused = registration_refused(snap)) co_return *refused;
  auto stored = snap.jobs().get(ns, req.JobID);
  if (!stored) co_return coded(ErrorCode::kNotFound, fmt::format("job {} not found", go_quote(req.JobID)));
  Job job = *stored;
  DROVER_CO_TRY(auto* group, scale_target(req, job));
  ScalingEvent event;
  event.Time = server.world().clock.now().unix_nanos;
  event.PreviousCount = group->Count;
  event.Count = req.Count;
  event.Message = req.Message;
  event.Error = req.Error;
  event.Meta = req.Meta;
  resp.JobModifyIndex = stored->ModifyIndex;
  resp.Index = stored->ModifyIndex;
  if (req.Count) {
    if (group->Scaling && *req.Count < group->Scaling->Min)
      co_return invalid(fmt::format("group count was less than scaling policy minimum: {} < {}", *req.Count, group->Scaling->Min));
    if (group->Scaling && *req.Count > group->Scaling->Max)
      co_return invalid(fmt::format("group count was greater than scaling policy maximum: {} > {}", *req.Count, group->Scaling->Max));
    auto latest = snap.deployments().latest_by_job(ns, req.JobID);
    if (latest && is_active(*latest) && latest->JobCreateIndex == stored->CreateIndex)
      co_return invalid("job scaling blocked due to active deployment");
    group->Count = *req.Count;
    rpc::JobRegisterRequest entry;
    entry.Namespace = ns;
    entry.Job = job;
    DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kJobRegister, entry));
    resp.JobModifyIndex = resp.Index = applied.index;
    if (!only_makes_children(job)) {
      auto eval = new_eval(server.world(), job, eval_trigger::kJobScaling);
      eval.JobModifyIndex = applied.index;
      resp.EvalID = eval.ID.str();
      event.EvalID = eval.ID.str();
      DROVER_CO_TRY(resp.EvalCreateIndex, co_await write_evals(server, {std::move(eval)}));
      resp.Index = resp.EvalCreateIndex;
    }
  }
  rpc::ScalingEventRequest entry;
  entry.Namespace = ns;
  entry.JobID = req.JobID;
  entry.TaskGroup = group->Name;
  entry.ScalingEvent = std::move(event);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kScalingEventRegister, entry));
  resp.Index = applied.index;
  resp.KnownLeader = true;
  co_return Status{};
}

}  // namespace

void add_job_rows(std::vector<RpcRow>& rows) {
  add_job_register_rows(rows);
  rows.push_back(rpc_row<&job_get>("Job.GetJob", Where::kStale));
  rows.push_back(rpc_row<&job_list>("Job.List", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&job_versions>("Job.GetJobVersions", Where::kStale));
  rows.push_back(rpc_row<&job_submission>("Job.GetJobSubmission", Where::kStale));
  rows.push_back(rpc_row<&job_allocations>("Job.Allocations", Where::kStale, On::kPool));
  rows.push_back(rpc_row<&job_evaluations>("Job.Evaluations", Where::kStale));
  rows.push_back(rpc_row<&job_deployments>("Job.Deployments", Where::kStale));
  rows.push_back(rpc_row<&job_latest_deployment>("Job.LatestDeployment", Where::kStale));
  rows.push_back(rpc_row<&job_summary>("Job.Summary", Where::kStale));
  rows.push_back(rpc_row<&job_services>("Job.GetServiceRegistrations", Where::kStale));
  rows.push_back(rpc_row<&job_scale_status>("Job.ScaleStatus", Where::kStale));
  rows.push_back(rpc_row<&job_deregister>("Job.Deregister", Where::kLeader));
  rows.push_back(rpc_row<&job_evaluate>("Job.Evaluate", Where::kLeader));
  rows.push_back(rpc_row<&job_stable>("Job.Stable", Where::kLeader));
  rows.push_back(rpc_row<&job_revert>("Job.Revert", Where::kLeader));
  rows.push_back(rpc_row<&job_scale>("Job.Scale", Where::kLeader));
}

}  // namespace drover::server
