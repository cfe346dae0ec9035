#include "server/job_register.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/admission.h"
#include "model/cron.h"
#include "model/job_diff.h"
#include "model/job_kind.h"
#include "model/raft_requests.h"
#include "model/status.h"
#include "scheduler/schedule.h"
#include "scheduler/snapshot_view.h"
#include "server/eval_log.h"
#include "server/lookup.h"
#include "server/server.h"
#include "state/fsm.h"
#include "state/job_ops.h"

namespace drover::server {
namespace {

Admission admit_here(Server& server, Job job) {
  auto snap = server.snapshot();
  AdmissionOptions options;
  options.default_priority = server.config().job_default_priority;
  options.max_priority = server.config().job_max_priority;
  if (auto config = snap.scheduler_config().get()) options.memory_oversubscription = config->MemoryOversubscriptionEnabled;
  std::vector<Ref<Namespace>> held;  // what find_namespace returned stays alive during the call
  options.find_namespace = [&](std::string_view name) -> const Namespace* {
    auto found = snap.namespaces().get(name);
    if (found) held.push_back(found);
    return found.get();
  };
  options.random = &server.world().random;
  return admit(std::move(job), options);
}

Status check_enforced_index(const rpc::JobRegisterRequest& req, const Job* existing) {
  if (!req.EnforceIndex) return {};
  auto text = [&](std::string_view why) { return internal(fmt::format("Enforcing job modify index {}: {}", req.JobModifyIndex, why)); };
  if (existing) {
    if (req.JobModifyIndex == 0) return text("job already exists");
    if (req.JobModifyIndex != existing->JobModifyIndex)
      return text(fmt::format("job exists with conflicting job modify index: {}", existing->JobModifyIndex));
  } else if (req.JobModifyIndex != 0) {
    return text("job does not exist");
  }
  return {};
}

Status check_transition(const Job* old, const Job& job) {
  if (job.Dispatched && !old) return internal("job can't be submitted with 'Dispatched' set");
  if (!old) return {};
  if (old->Type != job.Type)
    return internal(fmt::format("cannot update job from type {} to {}", go_quote(old->Type), go_quote(job.Type)));
  if (old->Periodic && !job.Periodic) return internal("cannot update periodic job to being non-periodic");
  if (!old->Periodic && job.Periodic) return internal("cannot update non-periodic job to being periodic");
  if (is_parameterized(*old) && !is_parameterized(job)) return internal("cannot update parameterized job to being non-parameterized");
  if (!is_parameterized(*old) && is_parameterized(job)) return internal("cannot update non-parameterized job to being parameterized");
  if (old->Dispatched != job.Dispatched) return internal("field 'Dispatched' is read-only");
  return {};
}

// Scaling policies keep their ids over the versions of a job.
void name_scaling_policies(Server& server, const Job* old, Job& job) {
  for (auto& g : job.TaskGroups) {
    if (!g.Scaling) continue;
    auto* before = old ? find_group(*old, g.Name) : nullptr;
    g.Scaling->ID = before && before->Scaling ? before->Scaling->ID : Uuid::generate(server.world().random).str();
  }
}

size_t submission_size(const JobSubmission& s) {
  size_t n = s.Source.size() + s.Variables.size();
  for (auto& [k, v] : s.VariableFlags) n += k.size() + v.size();
  return n;
}

// Sizes as the reference's warning writes them: powers of 1000.
std::string human_bytes(size_t n) {
  static constexpr const char* units[] = {"B", "kB", "MB", "GB"};
  double value = static_cast<double>(n);
  size_t unit = 0;
  while (value >= 1000 && unit < 3) value /= 1000, ++unit;
  return unit == 0 || value >= 10 ? fmt::format("{:.0f} {}", value, units[unit]) : fmt::format("{:.1f} {}", value, units[unit]);
}

Async<Status> job_register(Server& server, const rpc::JobRegisterRequest& req, JobRegisterResponse& resp) {
  co_return co_await register_job(server, req, resp);
}

Async<Status> job_validate(Server& server, const rpc::JobValidateRequest& req, JobValidateResponse& resp) {
  if (!req.Job) co_return internal("missing job for validation");
  auto admission = admit_here(server, *req.Job);
  if (admission.mutator_error) co_return *admission.mutator_error;
  resp.DriverConfigValidated = true;
  resp.Warnings = warnings_text(admission.warnings);
  if (admission.errors) {
    for (auto& e : admission.errors.items()) resp.ValidationErrors.push_back(e);
    resp.Error = admission.errors.text();
  }
  co_return Status{};
}

// ---- dry runs ------------------------------------------------------------------------------------------------------

// The state as it would be with the job in it.
Result<state::Snapshot> with_job(const state::Snapshot& snap, const Job* old, Job& job, Time now) {
  if (old && spec_equal(*old, job)) {
    job = *old;
    return snap;
  }
  uint64_t index = old ? old->JobModifyIndex + 1 : 100;
  state::Txn txn(snap, index, now);
  DROVER_CHECK(state::upsert_job(txn, job));
  auto what_if = txn.snapshot();
  if (auto stored = what_if.jobs().get(job.Namespace, job.ID)) job = *stored;
  return what_if;
}

Async<Status> job_plan(Server& server, const rpc::JobPlanRequest& req, JobPlanResponse& resp) {
  if (!req.Job) co_return internal("Job required for plan");
  auto admission = admit_here(server, *req.Job);
  if (admission.mutator_error) co_return *admission.mutator_error;
  if (admission.errors) co_return internal(admission.errors.text());
  resp.Warnings = warnings_text(admission.warnings);
  auto job = std::move(admission.job);
  auto now = server.world().clock.now();
  auto snap = server.snapshot();
  auto old = snap.jobs().get(job.Namespace, job.ID);
  name_scaling_policies(server, old.get(), job);
  DROVER_CO_TRY(auto what_if, with_job(snap, old.get(), job, now));
  auto eval = new_eval(server.world(), job, eval_trigger::kJobRegister);
  // Zero for a job that is new or stays as it is: there is no such version.
  eval.JobModifyIndex = old && !(*old == job) ? old->JobModifyIndex + 1 : 0;
  eval.AnnotatePlan = true;
  scheduler::Options options;
  options.supports_disconnected_clients = false;
  options.stopwatch = &server.world().clock;
  auto view = std::make_shared<const scheduler::SnapshotView>(what_if);
  auto seed = server.world().random.next();
  auto outcome = co_await on_pool(server.world(), [view, eval, options, now, seed] {
    return scheduler::schedule(view, eval, options, now, seed);
  });
  if (!outcome) co_return Error(std::move(outcome).error());
  resp.Annotations = outcome->Plan.Annotations;
  if (!outcome->failed_groups.empty()) resp.FailedTGAllocs = std::move(outcome->failed_groups);
  for (auto& e : outcome->create_evals) {
    touch(e, now);
    resp.CreatedEvals.push_back(std::move(e));
  }
  resp.JobModifyIndex = old ? old->JobModifyIndex : 0;
  resp.Index = resp.JobModifyIndex;
  if (req.Diff) {
    DROVER_CO_TRY(auto diff, diff_jobs(old.get(), &job, true));
    if (resp.Annotations) annotate_diff(diff, resp.Annotations->DesiredTGUpdates);
    resp.Diff = std::move(diff);
  }
  if (job.Periodic && job.Periodic->Enabled)
    if (auto next = next_launch(*job.Periodic, now)) resp.NextPeriodicLaunch = Value(format_launch(*next, job.Periodic->TimeZone));
  co_return Status{};
}

}  // namespace

bool spec_equal(Job a, Job b) {
  for (auto* j : {&a, &b}) {
    j->Status.clear();
    j->StatusDescription.clear();
    j->Stable = false;
    j->Version = j->CreateIndex = j->ModifyIndex = j->JobModifyIndex = 0;
    j->SubmitTime = 0;
    for (auto& g : j->TaskGroups) {
      if (g.Scaling) g.Scaling->CreateIndex = g.Scaling->ModifyIndex = 0;
      for (auto& t : g.Tasks)
        for (auto& p : t.ScalingPolicies) p.CreateIndex = p.ModifyIndex = 0;
    }
  }
  return a == b;
}

std::optional<Error> registration_refused(const state::Snapshot& snap) {
  auto config = snap.scheduler_config().get();
  if (config && !config->RejectJobRegistration) return {};
  return Error(ErrorCode::kPermissionDenied,
               "Job registration, dispatch, and scale are disabled by the scheduler configuration");
}

Async<Status> register_job(Server& server, rpc::JobRegisterRequest req, JobRegisterResponse& resp) {
  if (!req.Job) co_return internal("missing job for registration");
  auto ns = std::string(namespace_of(req.Namespace));
  if (req.Job->Namespace.empty()) req.Job->Namespace = ns;
  if (req.Job->Namespace != ns)
    co_return internal(fmt::format("mismatched request namespace in request: {}, {}", go_quote(ns), go_quote(req.Job->Namespace)));
  auto admission = admit_here(server, std::move(*req.Job));
  if (admission.mutator_error) co_return *admission.mutator_error;
  if (admission.errors) co_return internal(admission.errors.text());
  if (req.Submission) {
    auto size = submission_size(*req.Submission);
    if (size > server.config().job_max_source_size) {
      admission.warnings.push_back(fmt::format("job source size of {} exceeds maximum of {} and will be discarded", human_bytes(size),
                                               human_bytes(server.config().job_max_source_size)));
      req.Submission.reset();
    }
  }
  resp.Warnings = warnings_text(admission.warnings);
  auto job = std::move(admission.job);
  auto snap = server.snapshot();
  if (auto refused = registration_refused(snap)) co_return *refused;
  auto old = snap.jobs().get(ns, job.ID);
  DROVER_CO_CHECK(check_enforced_index(req, old.get()));
  DROVER_CO_CHECK(check_transition(old.get(), job));
  name_scaling_policies(server, old.get(), job);
  job.VaultToken.clear();
  job.ConsulToken.clear();
  if (req.PreserveCounts && old)
    for (auto& g : job.TaskGroups)
      if (auto* before = find_group(*old, g.Name)) g.Count = before->Count;
  job.SubmitTime = server.world().clock.now().unix_nanos;
  std::optional<Evaluation> eval;
  if (!only_makes_children(job)) {
    eval = new_eval(server.world(), job, eval_trigger::kJobRegister);
    if (req.EvalPriority > 0) eval->Priority = req.EvalPriority;
    resp.EvalID = eval->ID.str();
  }
  if (old && spec_equal(*old, job)) {
    resp.JobModifyIndex = resp.Index = old->JobModifyIndex;
    if (!eval) co_return Status{};
    eval->JobModifyIndex = old->JobModifyIndex;
    DROVER_CO_TRY(resp.EvalCreateIndex, co_await write_evals(server, {*eval}));
    resp.Index = resp.EvalCreateIndex;
    co_return Status{};
  }
  req.Namespace = ns;
  req.Job = std::move(job);
  if (eval) req.Eval = *eval;
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kJobRegister, req));
  resp.JobModifyIndex = resp.Index = applied.index;
  if (eval) resp.EvalCreateIndex = applied.index;
  co_return Status{};
}

void add_job_register_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&job_register>("Job.Register", Where::kLeader));
  rows.push_back(rpc_row<&job_validate>("Job.Validate", Where::kLeader));
  rows.push_back(rpc_row<&job_plan>("Job.Plan", Where::kLeader));
}

}  // namespace drover::server
