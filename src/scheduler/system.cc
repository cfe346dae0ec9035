// The system and sysbatch schedulers: one allocation of each group on every fitting node. Rules: reference scheduler 3.
#include <algorithm>

#include "model/status.h"
#include "scheduler/explain_group.h"
#include "scheduler/pass.h"
#include "scheduler/system_diff.h"
#include "scheduler/tasks_updated.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

class SystemPass {
 public:
  SystemPass(const StateView& state, Fleet& fleet, const Evaluation& eval, const Options& options, Time now,
             uint64_t seed, const Carried& carried)
      : job_(state.job(eval.Namespace, eval.JobID)),
        context_(state, fleet, eval, job_, options, now, seed),
        stack_(context_, Stack::Kind::kSystem),
        carried_(carried) {}

  PassResult run() {
    auto& eval = context_.eval;
    result_.queued = Map<int64_t>::empty_map();
    if (!is_stopped(job_.get())) {
      auto ready = ready_nodes(context_.fleet, *job_);
      rows_ = std::move(ready.rows);
      nodes_available_ = std::move(ready.by_datacenter);
      stack_.set_job(job_);
    }
    auto allocs = context_.state.allocs_by_job(eval.Namespace, eval.JobID);
    stack_.set_existing(allocs);
    compute(allocs);

    result_.submit = !context_.plan.is_no_op() || eval.AnnotatePlan;
    if (result_.submit && limit_reached_ && !carried_.rolling_created) {
      auto next = rolling_eval();
      result_.next_eval = next.ID;
      result_.create_evals.push_back(std::move(next));
    }
    result_.escaped = context_.eligibility.has_escaped();
    result_.class_eligibility = context_.eligibility.classes(context_.fleet.classes());
    result_.Plan = context_.plan.finish();
    return std::move(result_);
  }

 private:
  SystemDiff diff(const Allocs& allocs) {
    SystemDiffInput in;
    in.job = job_.get();
    in.stopped = is_stopped(job_.get());
    in.tainted = tainted_nodes(context_.state, allocs);
    in.supports_disconnected_clients = context_.options.supports_disconnected_clients;
    in.now = context_.now;
    stop_lost(context_, allocs, in.tainted);
    for (auto& a : allocs) (is_terminal(*a) ? in.terminal : in.live).push_back(a);
    for (auto row : rows_) {
      auto& id = context_.fleet.node(row)->ID;
      in.eligible.insert(id);
      in.nodes.push_back(id);
    }
    auto& fleet = context_.fleet;
    for (auto row : fleet.by_id())
      if (!fleet.ready().test(row)) in.not_ready.insert(fleet.node(row)->ID);
    return diff_system(in);
  }

  void compute(const Allocs& allocs) {
    auto d = diff(allocs);
    auto& plan = context_.plan;
    auto now = context_.now;
    for (auto& c : d.stop) plan.stop(c.alloc, text::kNotNeeded, {}, now);
    for (auto& c : d.migrate) plan.stop(c.alloc, text::kNodeTainted, {}, now);
    for (auto& c : d.lost) plan.stop(c.alloc, text::kLost, alloc_client::kLost, now);
    for (auto& c : d.disconnecting) plan.place(c.alloc);

    auto updates = std::move(d.update);
    std::move(d.reconnecting.begin(), d.reconnecting.end(), std::back_inserter(updates));
    std::vector<SystemChange> destructive;
    for (auto& u : updates) {
      if (update_in_place(u)) {
        ++in_place_[u.group->Name];
      } else {
        destructive.push_back(std::move(u));
      }
    }
    if (context_.eval.AnnotatePlan) annotate(d, destructive);
    evict_and_place(d, destructive);
    place_all(d.place);
  }

  // True when nothing has to be replaced.
  bool update_in_place(const SystemChange& u) {
    auto& a = *u.alloc;
    if (!a.Job || !u.group) return false;
    auto key = std::pair(a.Job.get(), u.group->Name);
    auto it = updated_.find(key);
    if (it == updated_.end()) it = updated_.emplace(key, tasks_updated(*job_, *a.Job, u.group->Name).has_value()).first;
    if (it->second) return false;
    if (is_terminal(a)) return true;
    auto decision = try_in_place(context_, stack_, *job_, u.alloc, *u.group, false);
    if (decision.kind != UpdateDecision::Kind::kInPlace) return false;
    context_.plan.place(std::move(decision.updated));
    return true;
  }

  void annotate(const SystemDiff& d, const std::vector<SystemChange>& destructive) {
    auto& desired = context_.plan.head().Annotations.ensure().DesiredTGUpdates;
    desired.vec();
    for (auto& p : d.place) ++desired[p.group->Name].Place;
    auto count = [&](const std::vector<SystemChange>& list, uint64_t DesiredUpdates::* member) {
      for (auto& c : list) ++(desired[c.group ? c.group->Name : c.alloc->TaskGroup.str()].*member);
    };
    count(d.stop, &DesiredUpdates::Stop);
    count(d.ignore, &DesiredUpdates::Ignore);
    count(d.migrate, &DesiredUpdates::Migrate);
    count(destructive, &DesiredUpdates::DestructiveUpdate);
    for (auto& [group, n] : in_place_) desired[group].InPlaceUpdate = n;
  }

  // Replaces as many as the job's update block allows at a time.
  void evict_and_place(SystemDiff& d, const std::vector<SystemChange>& destructive) {
    auto limit = destructive.size();
    if (job_ && !job_->Stop && job_->Update.Stagger > Duration::zero() && job_->Update.MaxParallel > 0)
      limit = static_cast<size_t>(job_->Update.MaxParallel);
    limit_reached_ = destructive.size() > limit;
    for (size_t i = 0; i < std::min(limit, destructive.size()); ++i) {
      auto& u = destructive[i];
      context_.plan.stop(u.alloc, text::kUpdating, {}, context_.now);
      d.place.push_back({u.name, u.group, u.alloc->NodeID, u.alloc});
    }
  }

  void place_all(const std::vector<SystemPlacement>& placements) {
    if (is_stopped(job_.get())) return;
    if (placements.empty()) {
      for (auto& group : job_->TaskGroups) result_.queued[group.Name] = 0;
      return;
    }
    for (auto& p : placements) ++result_.queued[p.group->Name];
    std::unordered_set<uint32_t> ready(rows_.begin(), rows_.end());
    for (auto& p : placements) {
      auto row = context_.fleet.row(p.node);
      if (row != kNoRow && ready.contains(row)) place_one(p, row);
    }
    if (!context_.options.explain) return;
    for (auto& [group, metric] : result_.failed)
      if (auto* tg = find_group(*job_, group))
        result_.explanation.push_back(
            explain_group(context_, stack_.state_of(*tg), rows_, metric.CoalescedFailures + 1));
  }

  void place_one(const SystemPlacement& p, uint32_t row) {
    auto& group = *p.group;
    SelectOptions options;
    options.alloc_name = p.name;
    options.preempt = context_.preemption_enabled();
    Stopwatch stopwatch(context_.options);
    auto selection = stack_.select_row(group, row, options);
    auto& metric = stack_.metric();
    metric.AllocationTime = stopwatch.elapsed();
    if (!selection) return metric.NodesFiltered > 0 ? filtered(group, metric) : exhausted(group, row, metric);
    metric.NodesAvailable = nodes_available_;
    auto alloc = make_alloc(context_, *job_, group, *selection, p.name, std::move(metric));
    if (p.previous) alloc->PreviousAllocation = p.previous->ID;
    preempt_allocs(context_, *selection, *alloc);
    context_.plan.place(std::move(alloc));
  }

  // A node that the job is not meant for is no failure; only a group that is meant for none is.
  void filtered(const TaskGroup& group, const AllocMetric& metric) {
    auto& queued = result_.queued[group.Name];
    --queued;
    auto [it, first] = filtered_.try_emplace(group.Name, metric);
    auto& all = it->second;
    if (!first) add_filtered(all, metric);
    if (queued <= 0) result_.failed.set(group.Name, all);
    if (auto& annotations = context_.plan.head().Annotations)
      if (auto* desired = annotations->DesiredTGUpdates.find(group.Name); desired)
        --desired->Place;  // below zero, as unsigned numbers go, where an update was to be placed: the reference's answer
  }

  static void add_filtered(AllocMetric& all, const AllocMetric& metric) {
    all.NodesEvaluated += metric.NodesEvaluated;
    all.NodesFiltered += metric.NodesFiltered;
    all.ClassFiltered.vec();  // an empty map rather than none
    for (auto& [cls, n] : metric.ClassFiltered) all.ClassFiltered[cls] += n;
    all.ConstraintFiltered.vec();
    for (auto& [reason, n] : metric.ConstraintFiltered) all.ConstraintFiltered[reason] += n;
    all.AllocationTime += metric.AllocationTime;
  }

  void exhausted(const TaskGroup& group, uint32_t row, AllocMetric& metric) {
    if (auto* failed = result_.failed.find(group.Name)) {
      ++failed->CoalescedFailures;
      add_exhausted_resources(*failed, group);
      return;
    }
    metric.NodesAvailable = nodes_available_;
    add_exhausted_resources(metric, group);
    result_.failed.set(group.Name, metric);
    // It waits for this very node.
    auto blocked = blocked_eval(context_, result_.failed);
    blocked.NodeID = context_.fleet.node(row)->ID;
    result_.create_evals.push_back(std::move(blocked));
  }

  Evaluation rolling_eval() {
    auto& eval = context_.eval;
    Evaluation next;
    next.ID = context_.new_id();
    next.Namespace = eval.Namespace;
    next.Priority = eval.Priority;
    next.Type = eval.Type;
    next.TriggeredBy = eval_trigger::kRollingUpdate;
    next.JobID = eval.JobID;
    next.JobModifyIndex = eval.JobModifyIndex;
    next.Status = eval_status::kPending;
    next.Wait = job_->Update.Stagger;
    next.PreviousEval = eval.ID;
    return next;
  }

  const Ref<Job> job_;
  Context context_;
  Stack stack_;
  const Carried carried_;
  std::vector<uint32_t> rows_;
  Map<int64_t> nodes_available_;
  std::map<std::pair<const Job*, std::string>, bool> updated_;
  std::map<std::string, uint64_t> in_place_;
  std::map<std::string, AllocMetric> filtered_;
  bool limit_reached_ = false;
  PassResult result_;
};

}  // namespace

PassResult run_system(const StateView& state, Fleet& fleet, const Evaluation& eval, const Options& options, Time now,
                      uint64_t seed, const Carried& carried) {
  return SystemPass(state, fleet, eval, options, now, seed, carried).run();
}

}  // namespace drover::scheduler
