#include "scheduler/schedule.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "model/status.h"
#include "scheduler/fleet.h"
#include "scheduler/pass.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

enum Family : unsigned { kService = 1, kBatch = 2, kSystem = 4, kSysbatch = 8 };
constexpr unsigned kGeneric = kService | kBatch, kAll = kGeneric | kSystem | kSysbatch;

struct TypeRow {
  std::string_view type;
  Family family;
  int max_attempts;
  PassResult (*run)(const StateView&, Fleet&, const Evaluation&, const Options&, Time, uint64_t, const Carried&);
};
constexpr TypeRow kTypes[] = {{job_type::kService, kService, kMaxServiceAttempts, run_generic},
                              {job_type::kBatch, kBatch, kMaxBatchAttempts, run_generic},
                              {job_type::kSystem, kSystem, kMaxServiceAttempts, run_system},
                              {job_type::kSysbatch, kSysbatch, kMaxBatchAttempts, run_system}};

// Which evaluations a family takes, by what caused them.
constexpr std::pair<std::string_view, unsigned> kTriggers[] = {
    {eval_trigger::kJobRegister, kAll},
    {eval_trigger::kJobDeregister, kAll},
    {eval_trigger::kPeriodicJob, kGeneric | kSysbatch},
    {eval_trigger::kNodeDrain, kAll},
    {eval_trigger::kNodeUpdate, kAll},
    {eval_trigger::kAllocStop, kAll},
    {eval_trigger::kRollingUpdate, kAll},
    {eval_trigger::kDeploymentWatcher, kAll},
    {eval_trigger::kFailedFollowUp, kAll},
    {eval_trigger::kMaxPlans, kGeneric},
    {eval_trigger::kAllocFailure, kGeneric},
    {eval_trigger::kQueuedAllocs, kAll},
    {eval_trigger::kPreemption, kAll},
    {eval_trigger::kJobScaling, kAll},
    {eval_trigger::kMaxDisconnectTimeout, kGeneric},
    {eval_trigger::kReconnect, kAll},
};

const TypeRow* find_type(std::string_view type) {
  auto it = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& r) { return r.type == type; });
  return it == std::end(kTypes) ? nullptr : it;
}

bool takes(const TypeRow& type, std::string_view trigger) {
  auto it = std::find_if(std::begin(kTriggers), std::end(kTriggers), [&](auto& t) { return t.first == trigger; });
  return it != std::end(kTriggers) && (it->second & type.family);
}

bool made_progress(const PlanResult& r) {
  return !r.NodeUpdate.empty() || !r.NodeAllocation.empty() || r.Deployment || !r.DeploymentUpdates.empty();
}

// New allocations that were committed are no longer waited for.
void settle_queued(Map<int64_t>& queued, const Map<List<Ref<Allocation>>>& committed) {
  for (auto& [node, allocs] : committed)
    for (auto& a : allocs) {
      if (a->CreateIndex != a->ModifyIndex) continue;
      if (auto* n = queued.find(a->TaskGroup)) --*n;
    }
}

}  // namespace

uint64_t default_seed(const Uuid& eval, uint64_t index) {
  // As the reference: the last eight characters of the id as text, mixed with the index.
  auto text = eval.str();
  uint64_t seed = 0;
  for (size_t i = text.size() >= 8 ? text.size() - 8 : 0; i < text.size(); ++i)
    seed = seed << 8 | static_cast<unsigned char>(text[i]);
  return (seed ^ index) >> 2;
}

struct EvalProcess::Impl {
  Evaluation eval;
  Options options;
  uint64_t seed;
  const TypeRow* type = nullptr;
  int attempts = 0;
  uint64_t passes = 0;
  Carried carried;
  Uuid blocked_eval, next_eval;
  PassResult pass;
  ::drover::Plan submitted;  // what the last pass asked for
  std::unique_ptr<Fleet> own_fleet;

  // A pass after a refusal looks at the nodes in another order, and gives its allocations other ids. The seeds must not lie on
  // one sequence of the generator: its seeds that differ by its step give one sequence, shifted, with the ids of the pass before.
  uint64_t pass_seed(uint64_t pass) const {
    if (pass == 0) return seed;
    SeededRandom of_seed(seed);
    return SeededRandom(of_seed.next() + pass).next();
  }

  Evaluation with_status(std::string_view status, std::string_view description) const {
    auto e = eval;
    e.Status = status;
    e.StatusDescription = description;
    e.DeploymentID = pass.deployment;
    e.FailedTGAllocs = pass.failed;
    if (next_eval) e.NextEval = next_eval;
    if (blocked_eval) e.BlockedEval = blocked_eval;
    if (!pass.queued.is_nil()) e.QueuedAllocations = pass.queued;
    return e;
  }

  Result<Step> run(const std::shared_ptr<const StateView>& state, Fleet* fleet, Time now) {
    if (!fleet) {
      if (!own_fleet) own_fleet = std::make_unique<Fleet>();
      fleet = own_fleet.get();
    }
    fleet->sync(state);
    pass = type->run(*state, *fleet, eval, options, now, pass_seed(passes++), carried);
    if (pass.blocked_eval) {
      blocked_eval = pass.blocked_eval;
      carried.blocked_created = true;
    }
    if (pass.next_eval) {
      next_eval = pass.next_eval;
      carried.rolling_created = true;
    }
    if (!pass.submit) return finish();
    Step step;
    step.kind = Step::Kind::kSubmit;
    step.create_evals = std::move(pass.create_evals);
    step.Plan = std::move(pass.Plan);
    // What will be compared with the result; cheap, the allocations are shared.
    submitted.NodeAllocation = step.Plan.NodeAllocation;
    step.eval = eval;
    step.explanation = pass.explanation;
    return step;
  }

  Step finish() {
    Step step;
    step.create_evals = std::move(pass.create_evals);
    step.explanation = std::move(pass.explanation);
    bool generic = type->family & kGeneric;
    if (generic && eval.Status == eval_status::kBlocked && !pass.failed.empty()) {
      step.kind = Step::Kind::kReblock;
      step.eval = eval;
      step.eval.EscapedComputedClass = pass.escaped;
      step.eval.ClassEligibility = pass.class_eligibility;
      step.eval.QuotaLimitReached.clear();
      return step;
    }
    step.eval = with_status(eval_status::kComplete, "");
    return step;
  }

  Result<Step> result(const PlanResult& result, const std::shared_ptr<const StateView>& state, Fleet* fleet, Time now) {
    settle_queued(pass.queued, result.NodeAllocation);
    bool refreshed = result.RefreshIndex != 0, full = full_commit(submitted, result).full;
    if (!refreshed && full) return finish();
    if (!refreshed) return internal("missing state refresh after partial commit");
    attempts = made_progress(result) ? 0 : attempts + 1;
    if (attempts < type->max_attempts) return run(state, fleet, now);
    return give_up();
  }

  Step give_up() {
    Step step;
    if (type->family & kGeneric) {
      // It is tried again when anything changes.
      Evaluation b;
      SeededRandom random(pass_seed(passes));
      b.ID = Uuid::generate(random);
      b.Namespace = eval.Namespace;
      b.Priority = eval.Priority;
      b.Type = eval.Type;
      b.TriggeredBy = eval_trigger::kMaxPlans;
      b.JobID = eval.JobID;
      b.JobModifyIndex = eval.JobModifyIndex;
      b.Status = eval_status::kBlocked;
      b.StatusDescription = text::kBlockedMaxPlans;
      b.PreviousEval = eval.ID;
      b.FailedTGAllocs = pass.failed;
      b.EscapedComputedClass = pass.escaped;
      if (!pass.escaped) b.ClassEligibility = pass.class_eligibility;
      blocked_eval = b.ID;
      step.create_evals.push_back(std::move(b));
    }
    step.eval = with_status(eval_status::kFailed, fmt::format("maximum attempts reached ({})", type->max_attempts));
    return step;
  }
};

EvalProcess::EvalProcess(Evaluation eval, Options options, uint64_t seed) : impl_(std::make_unique<Impl>()) {
  impl_->eval = std::move(eval);
  impl_->options = options;
  impl_->seed = seed;
}
EvalProcess::~EvalProcess() = default;
EvalProcess::EvalProcess(EvalProcess&&) noexcept = default;

Result<Step> EvalProcess::start(const std::shared_ptr<const StateView>& state, Fleet* fleet, Time now) {
  auto& eval = impl_->eval;
  impl_->type = find_type(eval.Type);
  if (!impl_->type) return invalid(fmt::format("unknown scheduler '{}'", eval.Type));
  if (!takes(*impl_->type, eval.TriggeredBy)) {
    Step step;
    step.eval = impl_->with_status(
        eval_status::kFailed, fmt::format("scheduler cannot handle '{}' evaluation reason", eval.TriggeredBy));
    return step;
  }
  return impl_->run(state, fleet, now);
}

Result<Step> EvalProcess::result(const PlanResult& result, const std::shared_ptr<const StateView>& state, Fleet* fleet,
                                 Time now) {
  return impl_->result(result, state, fleet, now);
}

Result<Outcome> schedule(const std::shared_ptr<const StateView>& state, const Evaluation& eval, const Options& options,
                         Time now, uint64_t seed, Fleet* fleet) {
  EvalProcess process(eval, options, seed);
  DROVER_TRY(auto step, process.start(state, fleet, now));
  Outcome out;
  out.explanation = step.explanation;
  out.create_evals = std::move(step.create_evals);
  if (step.kind == Step::Kind::kSubmit) {
    out.submit = true;
    out.Plan = std::move(step.Plan);
    PlanResult granted;
    granted.NodeUpdate = out.Plan.NodeUpdate;
    granted.NodeAllocation = out.Plan.NodeAllocation;
    granted.Deployment = out.Plan.Deployment;
    granted.DeploymentUpdates = out.Plan.DeploymentUpdates;
    DROVER_TRY(step, process.result(granted, state, fleet, now));
  }
  out.reblock = step.kind == Step::Kind::kReblock;
  out.queued = step.eval.QueuedAllocations;
  out.failed_groups = step.eval.FailedTGAllocs;
  out.eval = std::move(step.eval);
  return out;
}

}  // namespace drover::scheduler
