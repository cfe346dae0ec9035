// The service and batch schedulers. Rules: reference scheduler 2.
#include <algorithm>

#include "model/reschedule.h"
#include "model/status.h"
#include "scheduler/explain_group.h"
#include "scheduler/name_index.h"
#include "scheduler/pass.h"
#include "scheduler/tasks_updated.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

class GenericPass {
 public:
  GenericPass(const StateView& state, Fleet& fleet, const Evaluation& eval, const Options& options, Time now,
              uint64_t seed, const Carried& carried)
      : job_(state.job(eval.Namespace, eval.JobID)),
        batch_(eval.Type == job_type::kBatch),
        context_(state, fleet, eval, job_, options, now, seed),
        stack_(context_, batch_ ? Stack::Kind::kBatch : Stack::Kind::kService),
        carried_(carried) {}

  PassResult run() {
    auto& eval = context_.eval;
    result_.queued = Map<int64_t>::empty_map();
    if (!batch_) deployment_ = context_.state.latest_deployment(eval.Namespace, eval.JobID);
    allocs_ = context_.state.allocs_by_job(eval.Namespace, eval.JobID);
    stack_.set_existing(allocs_);
    if (!is_stopped(job_.get())) stack_.set_job(job_);

    auto changes = reconcile_job();
    apply(changes);
    place_all(changes);

    // An evaluation that was itself delayed is the follow-up; it makes no further ones.
    bool delay = !changes.followups.empty() && eval.WaitUntil.unset();
    if (eval.Status != eval_status::kBlocked && !result_.failed.empty() && !carried_.blocked_created && !delay) {
      auto blocked = blocked_eval(context_, result_.failed);
      result_.blocked_eval = blocked.ID;
      result_.create_evals.push_back(std::move(blocked));
    }
    result_.submit = !context_.plan.is_no_op() || eval.AnnotatePlan;
    if (result_.submit && delay)
      for (auto& f : changes.followups) {
        f.PreviousEval = eval.ID;
        result_.create_evals.push_back(std::move(f));
      }
    result_.escaped = context_.eligibility.has_escaped();
    result_.class_eligibility = context_.eligibility.classes(context_.fleet.classes());
    result_.deployment = current_deployment() ? current_deployment()->ID : Uuid{};
    result_.Plan = context_.plan.finish();
    return std::move(result_);
  }

 private:
  const Deployment* current_deployment() const { return created_ ? created_.get() : deployment_.get(); }

  ReconcileResult reconcile_job() {
    auto& eval = context_.eval;
    ReconcileInput in;
    in.job = job_.get();
    in.ns = eval.Namespace;
    in.job_id = eval.JobID;
    in.batch = batch_;
    in.deployment = deployment_;
    in.allocs = allocs_;
    in.tainted = tainted_nodes(context_.state, allocs_);
    in.eval_id = eval.ID;
    in.eval_priority = eval.Priority;
    in.supports_disconnected_clients = context_.options.supports_disconnected_clients;
    in.now = context_.now;
    in.decide = [this](const Ref<Allocation>& a, const TaskGroup& group) { return decide(a, group); };
    stop_lost(context_, allocs_, in.tainted);
    return reconcile(std::move(in), context_.random);
  }

  UpdateDecision decide(const Ref<Allocation>& a, const TaskGroup& group) {
    using Kind = UpdateDecision::Kind;
    if (!a->Job) return {Kind::kDestructive, nullptr};
    if (a->Job->JobModifyIndex == job_->JobModifyIndex) return {Kind::kIgnore, nullptr};
    auto key = std::pair(a->Job.get(), group.Name);
    auto it = updated_.find(key);
    if (it == updated_.end()) it = updated_.emplace(key, tasks_updated(*job_, *a->Job, group.Name).has_value()).first;
    if (it->second) return {Kind::kDestructive, nullptr};
    if (is_terminal(*a)) return {Kind::kIgnore, nullptr};
    return try_in_place(context_, stack_, *job_, a, group, true);
  }

  // Everything that needs no node.
  void apply(ReconcileResult& changes) {
    auto& plan = context_.plan;
    if (context_.eval.AnnotatePlan) plan.head().Annotations.ensure().DesiredTGUpdates = changes.desired;
    plan.head().Deployment = changes.deployment;
    plan.head().DeploymentUpdates = changes.deployment_updates;
    created_ = changes.deployment;
    for (auto& s : changes.stop) plan.stop(s.alloc, s.description, s.client_status, context_.now, s.followup_eval);
    for (auto& a : changes.disconnect_updates) {
      auto updated = std::make_shared<Allocation>(*a);
      updated->Resources = nullptr;
      plan.place(std::move(updated));
    }
    // One that came back and is updated in place is one change, not two.
    std::unordered_map<Uuid, Ref<Allocation>> reconnected;
    for (auto& a : changes.reconnect_updates) reconnected.emplace(a->ID, a);
    for (auto& a : changes.inplace)
      if (auto it = reconnected.find(a->ID); it != reconnected.end()) {
        auto updated = std::make_shared<Allocation>(*a);
        updated->AllocStates = it->second->AllocStates;
        a = std::move(updated);
        reconnected.erase(it);
      }
    for (auto& a : changes.reconnect_updates)
      if (reconnected.contains(a->ID)) plan.place(a);
    auto deployment = current_deployment() ? current_deployment()->ID : Uuid{};
    for (auto& a : changes.inplace) {
      if (a->DeploymentID == deployment) {
        plan.place(a);
        continue;
      }
      auto updated = std::make_shared<Allocation>(*a);
      updated->DeploymentID = deployment;
      updated->DeploymentStatus = nullptr;
      plan.place(std::move(updated));
    }
    for (auto& a : changes.attribute_updates) plan.place(a);
  }

  void place_all(ReconcileResult& changes) {
    if (changes.place.empty() && changes.destructive.empty()) {
      if (job_)
        for (auto& group : job_->TaskGroups) result_.queued[group.Name] = 0;
      return;
    }
    for (auto& d : changes.destructive) ++result_.queued[d.group->Name];
    for (auto& p : changes.place) ++result_.queued[p.group->Name];
    auto ready = ready_nodes(context_.fleet, *job_);
    nodes_available_ = std::move(ready.by_datacenter);
    stack_.set_nodes(std::move(ready.rows));
    // Replacements first: what they free is there for the others.
    for (auto& d : changes.destructive) {
      Placement p;
      p.name = d.name;
      p.group = d.group;
      p.previous = d.alloc;
      place_one(p, true);
    }
    for (auto& p : changes.place) place_one(p, false);
    if (context_.options.explain)
      for (auto& [group, metric] : result_.failed)
        if (auto* tg = find_group(*job_, group))
          result_.explanation.push_back(
              explain_group(context_, stack_.state_of(*tg), stack_.nodes(), metric.CoalescedFailures + 1));
  }

  struct Older {
    Uuid deployment;
    Ref<Job> job;
  };
  // The last version of the job that was promoted for this group.
  std::optional<Older> older_job(const Placement& p) const {
    auto& state = context_.state;
    auto deployments = state.deployments_by_job(job_->Namespace, job_->ID);
    std::sort(deployments.begin(), deployments.end(), [](auto& a, auto& b) { return a->JobVersion > b->JobVersion; });
    Older found;
    for (auto& d : deployments) {
      auto* group = d->TaskGroups.find(p.group->Name);
      if (!group || !(group->Promoted || group->DesiredCanaries == 0)) continue;
      found = {d->ID, state.job_version(job_->Namespace, job_->ID, d->JobVersion)};
      break;
    }
    if (found.deployment.nil()) {
      // Nothing was ever promoted: without an update block the version that ran before is as good.
      auto job = state.job_version(job_->Namespace, job_->ID, p.min_job_version);
      if (job && is_empty(&job->Update)) found.job = std::move(job);
    }
    if (!found.job || found.job->Version < p.min_job_version || !find_group(*found.job, p.group->Name))
      return std::nullopt;
    return found;
  }

  SelectOptions options_for(const Placement& p) const {
    SelectOptions options;
    options.alloc_name = p.name;
    auto* previous = p.previous.get();
    if (!previous) return options;
    if (previous->ClientStatus == alloc_client::kFailed) options.penalty_nodes.push_back(previous->NodeID);
    if (previous->RescheduleTracker)
      for (auto& e : previous->RescheduleTracker->Events) options.penalty_nodes.push_back(e.PrevNodeID);
    auto* disk = p.group->EphemeralDisk.get();
    if (disk && (disk->Sticky || disk->Migrate)) {
      auto row = context_.fleet.row(previous->NodeID);
      if (row != kNoRow && is_ready(*context_.fleet.node(row))) options.preferred = row;
    }
    return options;
  }

  void place_one(const Placement& p, bool destructive) {
    if (auto* failed = result_.failed.find(p.group->Name)) {
      ++failed->CoalescedFailures;
      add_exhausted_resources(*failed, *p.group);
      return;
    }
    auto* group = p.group;
    auto deployment = current_deployment() && is_active(*current_deployment()) ? current_deployment()->ID : Uuid{};
    std::optional<Older> older;
    if (p.downgrade) older = older_job(p);
    if (older) {
      group = find_group(*older->job, p.group->Name);
      deployment = older->deployment;
      stack_.set_job(older->job);
    }
    if (destructive) context_.plan.stop(p.previous, text::kUpdating, {}, context_.now);
    auto options = options_for(p);
    Stopwatch stopwatch(context_.options);
    auto selection = stack_.select(*group, options);
    if (!selection && context_.preemption_enabled()) {
      options.preempt = true;
      selection = stack_.select(*group, options);
    }
    auto& metric = stack_.metric();
    metric.NodesAvailable = nodes_available_;
    metric.AllocationTime = stopwatch.elapsed();
    if (older) stack_.set_job(job_);
    if (!selection) {
      add_exhausted_resources(metric, *group);
      result_.failed.set(p.group->Name, metric);
      if (destructive) context_.plan.pop_stop(p.previous);
      return;
    }
    auto alloc = make_alloc(context_, older ? *older->job : *job_, *group, *selection, p.name, std::move(metric));
    alloc->DeploymentID = deployment;
    if (older) alloc->Job = older->job;
    if (p.previous) inherit(*alloc, p);
    if (p.canary && current_deployment()) alloc->DeploymentStatus.ensure().Canary = true;
    preempt_allocs(context_, *selection, *alloc);
    context_.plan.place(std::move(alloc));
  }

  // What a replacement takes over from what it replaces.
  void inherit(Allocation& alloc, const Placement& p) {
    auto& previous = *p.previous;
    alloc.PreviousAllocation = previous.ID;
    if (p.reschedule) alloc.RescheduleTracker = next_reschedule_tracker(previous, context_.now);
    // A remote task's handle goes on with the new allocation; nothing runs twice.
    if (is_client_terminal(previous) || !(p.lost || wants_migrate(previous))) return;
    for (auto& [name, state] : previous.TaskStates)
      if (state.TaskHandle && alloc.AllocatedResources->Tasks.contains(name))
        alloc.TaskStates[name].TaskHandle = state.TaskHandle;
  }

  const Ref<Job> job_;
  const bool batch_;
  Context context_;
  Stack stack_;
  const Carried carried_;
  Ref<Deployment> deployment_;
  Box<Deployment> created_;
  Allocs allocs_;
  Map<int64_t> nodes_available_;
  std::map<std::pair<const Job*, std::string>, bool> updated_;
  PassResult result_;
};

}  // namespace

PassResult run_generic(const StateView& state, Fleet& fleet, const Evaluation& eval, const Options& options, Time now,
                       uint64_t seed, const Carried& carried) {
  return GenericPass(state, fleet, eval, options, now, seed, carried).run();
}

}  // namespace drover::scheduler
