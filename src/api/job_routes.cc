// /v1/jobs, /v1/job/..., /v1/validate/job (reference http-api section 9).
#include <algorithm>

#include <fmt/format.h>

#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/snappy.h"
#include "base/strings.h"
#include "codec/reflect.h"
#include "jobspec/jobspec.h"
#include "model/api_requests.h"
#include "model/canonicalize.h"
#include "model/feature_requests.h"
#include "model/rpc_requests.h"

namespace drover::api {
namespace {

// ---- registration and its relatives --------------------------------------------------------------------------------

// Region and namespace of a job body (section 9.2): the body's region beats the query's; the chosen ones are written
// into the job.
void settle_scope(Call& call, api::Job& job, std::string body_region, std::string body_namespace, drover::WriteRequest& write) {
  std::string region = !body_region.empty()                 ? body_region
                       : !call.query.get("region").empty()  ? std::string(call.query.get("region"))
                       : job.Region && !job.Region->empty() ? *job.Region
                                                            : "";
  if (region.empty() || region == "global") region = call.agent.region();
  // A job of several regions is the global region's, and goes to one of its own.
  if (!job.Multiregion) {
    job.Region = region;
  } else {
    job.Region = "global";
    auto& regions = job.Multiregion->Regions;
    bool own = std::any_of(regions.begin(), regions.end(), [&](auto& r) { return r.Name == region; });
    if (!regions.empty() && !own) region = regions[0].Name;
  }
  std::string ns = !call.query.get("namespace").empty()             ? std::string(call.query.get("namespace"))
                   : !body_namespace.empty()                        ? body_namespace
                   : job.Namespace && !job.Namespace->empty()       ? *job.Namespace
                                                                    : "default";
  job.Namespace = ns;
  write.Region = region;
  write.Namespace = ns;
  write.AuthToken = call.token();
}

bool unnamed(const api::Job& job) { return !job.ID; }

Async<Result<Reply>> register_job(Call& call, std::string_view path_id) {
  JobRegisterRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (!body.Job) co_return invalid("Job must be specified");
  if (unnamed(*body.Job)) co_return invalid("Job ID hasn't been provided");
  if (!path_id.empty() && *body.Job->ID != path_id) co_return invalid("Job ID does not match name");
  if (body.EvalPriority < 0 || body.EvalPriority > 100)
    co_return invalid("Eval priority must be between 1 and 100 inclusively");
  if (body.Job->Type.value_or("") == "system")
    for (auto& g : body.Job->TaskGroups)
      if (g.Scaling) co_return invalid("Task groups with job type system do not support scaling blocks");
  rpc::JobRegisterRequest req;
  settle_scope(call, *body.Job, body.Region, body.Namespace, req);
  if (req.AuthToken.empty()) req.AuthToken = body.SecretID;
  req.Job = job_from_api(std::move(*body.Job));
  req.EnforceIndex = body.EnforceIndex;
  req.JobModifyIndex = body.JobModifyIndex;
  req.PolicyOverride = body.PolicyOverride;
  req.PreserveCounts = body.PreserveCounts;
  req.EvalPriority = body.EvalPriority;
  if (body.Submission) req.Submission = convert<drover::JobSubmission>(*body.Submission);
  auto resp = co_await call.rpc<JobRegisterResponse>("Job.Register", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_index(resp->Index);
  co_return call.json(*resp);
}

Async<Result<Reply>> plan_job(Call& call, std::string_view id) {
  if (!call.is_write()) co_return method_error();
  JobPlanRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (!body.Job) co_return invalid("Job must be specified");
  if (unnamed(*body.Job)) co_return invalid("Job must have a valid ID");
  if (*body.Job->ID != id) co_return invalid("Job ID does not match");
  rpc::JobPlanRequest req;
  settle_scope(call, *body.Job, body.Region, body.Namespace, req);
  req.Job = job_from_api(std::move(*body.Job));
  req.Diff = body.Diff;
  req.PolicyOverride = body.PolicyOverride;
  auto resp = co_await call.rpc<JobPlanResponse>("Job.Plan", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_index(resp->Index);
  co_return call.json(*resp);
}

Async<Result<Reply>> validate_job(Call& call) {
  if (!call.is_write()) co_return method_error();
  JobValidateRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (!body.Job) co_return invalid("Job must be specified");
  if (body.Job->Namespace == "") co_return internal("mismatched request namespace in request: \"default\", \"\"");
  rpc::JobValidateRequest req;
  req.Job = job_from_api(std::move(*body.Job));
  call.parse_write(req);
  req.Namespace = req.Job->Namespace;
  auto resp = co_await call.rpc<JobValidateResponse>("Job.Validate", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(*resp);
}

Async<Result<Reply>> parse_job(Call& call) {
  if (!call.is_write()) co_return method_error();
  JobsParseRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (body.JobHCL.empty()) co_return invalid("Job spec is empty");
  jobspec::ParseOptions options;
  options.path = "input.hcl";
  options.text = body.JobHCL;
  options.var_content = body.Variables;
  options.strict = false;
  auto job = body.HCLv1 ? jobspec::parse_hcl1(body.JobHCL) : jobspec::parse(options);
  if (!job) co_return invalid(body.HCLv1 ? job.error().message : "Failed to parse job: " + job.error().message);
  if (body.Canonicalize) canonicalize(*job);
  co_return call.json(*job);
}

// Payloads are kept compressed and shown plain.
drover::Job with_plain_payload(drover::Job job) {
  if (auto plain = snappy_decode(job.Payload.data)) job.Payload.data = std::move(*plain);
  return job;
}

// ---- one job -------------------------------------------------------------------------------------------------------

// Apart from the coroutine, whose frame a copy of a job would make larger for as long as it waits.
[[gnu::noinline]] Reply reply_with_payload(Call& call, const drover::Job& job) { return call.json(with_plain_payload(job)); }

Async<Result<Reply>> get_job(Call& call, std::string_view id) {
  rpc::JobSpecificRequest req;
  req.JobID = id;
  auto resp = co_await call.read<rpc::SingleJobResponse>("Job.GetJob", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (!resp->Job) co_return not_found("job not found");
  if (resp->Job->Payload.empty()) co_return call.json(*resp->Job);
  co_return reply_with_payload(call, *resp->Job);
}

Async<Result<Reply>> delete_job(Call& call, std::string_view id) {
  rpc::JobDeregisterRequest req;
  req.JobID = id;
  DROVER_CO_TRY(req.Purge, call.flag("purge"));
  DROVER_CO_TRY(req.Global, call.flag("global"));
  DROVER_CO_TRY(auto priority, call.number("eval_priority"));
  req.EvalPriority = priority.value_or(0);
  // Clients that want no other priority say 0.
  if (priority && (*priority < 0 || *priority > 100)) co_return invalid("Eval priority must be between 1 and 100 inclusively");
  auto no_delay = call.flag("no_shutdown_delay");
  if (!no_delay) {
    // The reference's text has a stray letter here, which clients have seen for years.
    co_return internal(replace_all(no_delay.error().message, "\"no_shutdown_delay\"", "\"no_shutdown_delay\"q"));
  }
  req.NoShutdownDelay = *no_delay;
  call.parse_write(req);
  auto resp = co_await call.rpc<JobDeregisterResponse>("Job.Deregister", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_index(resp->Index);
  co_return call.json(*resp);
}

rpc::JobSpecificRequest about(Call& call, std::string_view id, bool with_all = false) {
  rpc::JobSpecificRequest req;
  req.JobID = id;
  // Here a value that is no boolean counts as false.
  if (with_all) req.All = parse_bool(call.query.get("all")).value_or(false);
  return req;
}

Async<Result<Reply>> job_allocations(Call& call, std::string_view id) {
  if (!call.is("GET")) co_return method_error();
  co_return co_await reply_member<rpc::JobAllocationsResponse>(call, "Job.Allocations", about(call, id, true),
                                                              &rpc::JobAllocationsResponse::Allocations);
}

Async<Result<Reply>> job_evaluations(Call& call, std::string_view id) {
  if (!call.is("GET")) co_return method_error();
  co_return co_await reply_member<rpc::JobEvaluationsResponse>(call, "Job.Evaluations", about(call, id),
                                                              &rpc::JobEvaluationsResponse::Evaluations);
}

Async<Result<Reply>> job_deployments(Call& call, std::string_view id) {
  if (!call.is("GET")) co_return method_error();
  co_return co_await reply_member<rpc::DeploymentListResponse>(call, "Job.Deployments", about(call, id, true),
                                                              &rpc::DeploymentListResponse::Deployments);
}

Async<Result<Reply>> job_deployment(Call& call, std::string_view id) {
  if (!call.is("GET")) co_return method_error();
  co_return co_await reply_member<rpc::SingleDeploymentResponse>(call, "Job.LatestDeployment", about(call, id),
                                                              &rpc::SingleDeploymentResponse::Deployment);
}

Async<Result<Reply>> job_summary(Call& call, std::string_view id) {
  auto resp = co_await call.read<rpc::JobSummaryResponse>("Job.Summary", about(call, id));
  if (!resp) co_return Error(std::move(resp).error());
  if (!resp->JobSummary) co_return not_found("job not found");
  co_return call.json(*resp->JobSummary);
}

Async<Result<Reply>> job_versions(Call& call, std::string_view id) {
  rpc::JobVersionsRequest req;
  req.JobID = id;
  DROVER_CO_TRY(req.Diffs, call.flag("diffs"));
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto resp = co_await call.rpc<JobVersionsResponse>("Job.GetJobVersions", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_meta(convert<QueryMeta>(*resp));
  if (resp->Versions.empty()) co_return not_found("job versions not found");
  co_return call.json(*resp);
}

Async<Result<Reply>> job_submission(Call& call, std::string_view id) {
  rpc::JobSubmissionRequest req;
  req.JobID = id;
  auto version = parse_uint(call.query.get("version"));
  if (!version) co_return invalid("Unable to parse job submission version parameter");
  req.Version = *version;
  if (!call.is("GET")) co_return method_error();
  auto resp = co_await call.read<rpc::JobSubmissionResponse>("Job.GetJobSubmission", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (!resp->Submission) co_return not_found("job source not found");
  co_return call.json(*resp->Submission);
}

Async<Result<Reply>> job_services(Call& call, std::string_view id) {
  if (!call.is("GET")) co_return method_error();
  auto resp = co_await call.read<rpc::ServiceRegistrationsResponse>("Job.GetServiceRegistrations", about(call, id));
  if (!resp) co_return Error(std::move(resp).error());
  if (resp->Services.is_nil()) co_return not_found("job not found");
  co_return call.json(resp->Services);
}

Async<Result<Reply>> job_scale(Call& call, std::string_view id) {
  if (call.is("GET")) {
    auto resp = co_await call.read<rpc::JobScaleStatusResponse>("Job.ScaleStatus", about(call, id));
    if (!resp) co_return Error(std::move(resp).error());
    if (!resp->JobScaleStatus) co_return not_found("job not found");
    co_return call.json(*resp->JobScaleStatus);
  }
  if (!call.is_write()) co_return method_error();
  ScalingRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  rpc::JobScaleRequest req = convert<rpc::JobScaleRequest>(body);
  auto target_namespace = body.Target.get_or("Namespace");
  if (auto target = body.Target.get_or("Job"); !target.empty() && target != id)
    co_return invalid("job ID in payload did not match URL");
  call.parse_write(req);
  if (!target_namespace.empty() && target_namespace != req.Namespace)
    co_return invalid("namespace in payload did not match header");
  req.JobID = id;
  auto resp = co_await call.rpc<JobRegisterResponse>("Job.Scale", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_index(resp->Index);
  co_return call.json(*resp);
}

Async<Result<Reply>> job_evaluate(Call& call, std::string_view id) {
  if (!call.is_write()) co_return method_error();
  JobEvaluateRequest req;
  if (call.has_body()) {
    auto decoded = co_await call.body(req);
    if (!decoded) co_return Error(std::move(decoded).error());
    if (req.JobID.empty()) co_return invalid("Job ID must be specified");
    if (req.JobID != id) co_return invalid("JobID not same as job name");
  }
  req.JobID = id;
  auto write = convert<drover::WriteRequest>(req);
  call.parse_write(write);
  reflect_convert(type_of<drover::WriteRequest>(), &write, type_of<JobEvaluateRequest>(), &req);
  auto resp = co_await call.rpc<JobRegisterResponse>("Job.Evaluate", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_index(resp->Index);
  co_return call.json(*resp);
}

// Body, ids and scope of revert and stable.
template <class Request>
Async<Status> decode_versioned(Call& call, std::string_view id, Request& req) {
  DROVER_CO_CHECK(co_await call.body(req));
  if (req.JobID.empty()) co_return invalid("JobID must be specified");
  if (req.JobID != id) co_return invalid("Job ID does not match");
  auto write = convert<drover::WriteRequest>(req);
  call.parse_write(write);
  reflect_convert(type_of<drover::WriteRequest>(), &write, type_of<Request>(), &req);
  co_return Status{};
}

Async<Result<Reply>> job_revert(Call& call, std::string_view id) {
  if (!call.is_write()) co_return method_error();
  JobRevertRequest req;
  auto decoded = co_await decode_versioned(call, id, req);
  if (!decoded) co_return Error(std::move(decoded).error());
  auto resp = co_await call.rpc<JobRegisterResponse>("Job.Revert", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_meta({.Index = resp->Index});
  co_return call.json(*resp);
}

Async<Result<Reply>> job_stable(Call& call, std::string_view id) {
  if (!call.is_write()) co_return method_error();
  JobStabilityRequest req;
  auto decoded = co_await decode_versioned(call, id, req);
  if (!decoded) co_return Error(std::move(decoded).error());
  auto resp = co_await call.rpc<JobStabilityResponse>("Job.Stable", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_index(resp->Index);
  co_return call.json(*resp);
}

Async<Result<Reply>> job_dispatch(Call& call, std::string_view id) {
  if (!call.is_write()) co_return method_error();
  JobDispatchRequest req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (!req.JobID.empty() && req.JobID != id) co_return invalid("Job ID does not match");
  req.JobID = id;
  co_return co_await reply_write<JobDispatchResponse>(call, "Job.Dispatch", std::move(req));
}

Async<Result<Reply>> periodic_force(Call& call, std::string_view id) {
  if (!call.is_write()) co_return method_error();
  rpc::PeriodicForceRequest req;
  req.JobID = id;
  co_return co_await reply_write<PeriodicForceResponse>(call, "Periodic.Force", std::move(req));
}

// Suffixes in the order in which the reference tests them: an id that ends in one cannot be read.
struct JobSuffix {
  std::string_view suffix;
  Async<Result<Reply>> (*handle)(Call&, std::string_view id);
};
constexpr JobSuffix kSuffixes[] = {
    {"/evaluate", job_evaluate},       {"/allocations", job_allocations}, {"/evaluations", job_evaluations},
    {"/periodic/force", periodic_force},     {"/plan", plan_job},               {"/summary", job_summary},
    {"/dispatch", job_dispatch},           {"/versions", job_versions},
    {"/revert", job_revert},           {"/deployments", job_deployments}, {"/deployment", job_deployment},
    {"/stable", job_stable},           {"/scale", job_scale},             {"/services", job_services},
    {"/submission", job_submission},
};

Async<Result<Reply>> one_job(Call& call) {
  std::string_view path = call.rest;
  for (auto& s : kSuffixes)
    if (path.ends_with(s.suffix)) return s.handle(call, path.substr(0, path.size() - s.suffix.size()));
  if (call.is("GET")) return get_job(call, path);
  if (call.is_write()) return register_job(call, path);
  if (call.is("DELETE")) return delete_job(call, path);
  return at_once(method_error());
}

Async<Result<Reply>> list_jobs(Call& call) {
  rpc::JobListRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  DROVER_CO_TRY(bool meta, call.flag("meta"));
  req.Fields.ensure().Meta = meta;
  co_return co_await reply_member<rpc::JobListResponse>(call, "Job.List", std::move(req), &rpc::JobListResponse::Jobs);
}

Async<Result<Reply>> all_jobs(Call& call) {
  if (call.is_write()) return register_job(call, "");
  return call.is("GET") ? list_jobs(call) : at_once(method_error());
}

}  // namespace

void add_job_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/jobs", all_jobs});
  routes.push_back({"/v1/jobs/parse", parse_job});
  routes.push_back({"/v1/job/", one_job});
  routes.push_back({"/v1/validate/job", validate_job});
}

}  // namespace drover::api
