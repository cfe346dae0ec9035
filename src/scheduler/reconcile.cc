#include "scheduler/reconcile.h"

#include <algorithm>
#include <limits>

#include "model/reschedule.h"
#include "model/status.h"
#include "scheduler/name_index.h"
#include "scheduler/reconcile_filter.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

// Delayed evaluations that are due within this time of each other are one.
constexpr Duration kFollowupBatch = 5s;

bool is_old(const Job* a, const Job& b) { return !a || a->Version != b.Version || a->CreateIndex != b.CreateIndex; }

class Reconciler {
 public:
  Reconciler(ReconcileInput input, Random& random) : in_(std::move(input)), random_(random) {
    if (in_.deployment) {
      current_ = *in_.deployment;
      has_current_ = true;
    }
    // Lowest index first wherever an order matters; ids settle the rest.
    std::sort(in_.allocs.begin(), in_.allocs.end(), [](auto& a, auto& b) {
      auto ia = alloc_index(*a), ib = alloc_index(*b);
      return ia != ib ? ia < ib : a->ID < b->ID;
    });
    if (in_.job)
      for (auto& g : in_.job->TaskGroups) groups_[g.Name];
    for (auto& a : in_.allocs) groups_[a->TaskGroup.str()].push_back(a);
  }

  ReconcileResult run() {
    cancel_unneeded_deployments();
    if (is_stopped(in_.job)) {
      for (auto& [name, allocs] : groups_) stop_group(name, allocs);
      return finish();
    }
    if (has_current_) {
      namespace s = deployment_status;
      paused_ = current_.Status == s::kPaused || current_.Status == s::kPending || current_.Status == s::kInitializing;
      failed_ = current_.Status == s::kFailed;
    }
    bool complete = true;
    for (auto& [name, allocs] : groups_) complete = compute_group(name, allocs) && complete;
    finish_deployment(complete);
    return finish();
  }

 private:
  // What one group goes through; the sets shrink and grow as the steps go on.
  struct Group {
    const TaskGroup* tg = nullptr;
    DesiredUpdates* desired = nullptr;
    DeploymentState* state = nullptr;
    DeploymentState fresh;       // the state if the deployment has none
    bool existing = false;       // the deployment has one
    Allocs all, untainted, migrate, lost, disconnecting, canaries;
    Allocs reschedule_now;
    IdSet disconnect_ids;
    std::unordered_map<Uuid, Uuid> lost_later;  // alloc -> the evaluation that replaces it later
    Allocs destructive, inplace;
    bool requires_canaries = false;
    std::vector<Placement> place;
  };

  // --- deployments ---

  void update_deployment(std::string_view status, std::string_view description) {
    result_.deployment_updates.push_back({current_.ID, std::string(status), std::string(description)});
  }

  void cancel_unneeded_deployments() {
    if (!has_current_) return;
    std::string_view why;
    if (is_stopped(in_.job)) {
      why = text::kDeploymentStoppedJob;
    } else if (current_.JobCreateIndex != in_.job->CreateIndex || current_.JobVersion != in_.job->Version) {
      why = text::kDeploymentNewerJob;
    }
    if (why.empty() && current_.Status != deployment_status::kSuccessful) return;
    if (!why.empty() && is_active(current_)) update_deployment(deployment_status::kCancelled, why);
    old_ = std::move(current_);
    has_old_ = true;
    has_current_ = false;
  }

  void finish_deployment(bool complete) {
    if (!has_current_) return;
    namespace s = deployment_status;
    if (created_) {
      if (requires_promotion(current_))
        current_.StatusDescription =
            has_auto_promote(current_) ? text::kDeploymentAutoPromotion : text::kDeploymentNeedsPromotion;
      result_.deployment = current_;
    } else if (current_.Status == s::kInitializing) {
      // Known to the state, but not yet told to wait for its peers.
      result_.deployment = current_;
      update_deployment(s::kPending, text::kDeploymentPending);
    }
    if (!complete) return;
    if (in_.job->Multiregion && current_.Status != s::kUnblocking && current_.Status != s::kSuccessful) {
      update_deployment(s::kBlocked, text::kDeploymentBlocked);
    } else {
      update_deployment(s::kSuccessful, text::kDeploymentSuccessful);
    }
  }

  void create_deployment(Group& g) {
    if (g.existing || is_empty(g.tg->Update.get()) || g.state->DesiredTotal == 0) return;
    bool had_running = std::any_of(g.all.begin(), g.all.end(), [&](auto& a) { return !is_old(a->Job.get(), *in_.job); });
    if (had_running && g.destructive.empty() && result_.inplace.empty()) return;
    if (!has_current_) {
      auto& job = *in_.job;
      current_ = {};
      current_.ID = Uuid::generate(random_);
      current_.Namespace = job.Namespace;
      current_.JobID = job.ID;
      current_.JobVersion = job.Version;
      current_.JobModifyIndex = job.ModifyIndex;
      current_.JobSpecModifyIndex = job.JobModifyIndex;
      current_.JobCreateIndex = job.CreateIndex;
      current_.IsMultiregion = static_cast<bool>(job.Multiregion);
      current_.EvalPriority = in_.eval_priority;
      current_.Status = deployment_status::kRunning;
      current_.StatusDescription = text::kDeploymentRunning;
      // Regions of one job start in turn.
      if (job.Multiregion && !in_.batch && !job.Periodic && !job.ParameterizedJob) {
        current_.Status = deployment_status::kInitializing;
        current_.StatusDescription = text::kDeploymentPending;
        paused_ = true;
      }
      has_current_ = created_ = true;
    }
    current_.TaskGroups[g.tg->Name] = *g.state;
  }

  // --- small steps ---

  void stop(const Ref<Allocation>& a, std::string_view client_status, std::string_view description,
            const Uuid& followup = {}) {
    result_.stop.push_back({a, std::string(client_status), description, followup});
  }

  void stop_all(const Allocs& allocs, std::string_view client_status, std::string_view description) {
    for (auto& a : allocs) stop(a, client_status, description);
  }

  ByTaint taint(const Allocs& allocs) const {
    return filter_by_tainted(allocs, in_.tainted, in_.supports_disconnected_clients, in_.now);
  }

  RescheduleRules rules(bool disconnecting) const {
    return {in_.batch, disconnecting, in_.now, in_.eval_id, has_current_ ? &current_ : nullptr};
  }

  Evaluation followup(std::string_view trigger, std::string_view description, Time at) {
    Evaluation e;
    e.ID = Uuid::generate(random_);
    e.Namespace = in_.job->Namespace;
    e.Priority = in_.eval_priority;
    e.Type = in_.job->Type;
    e.TriggeredBy = trigger;
    e.JobID = in_.job->ID;
    e.JobModifyIndex = in_.job->ModifyIndex;
    e.Status = eval_status::kPending;
    e.StatusDescription = description;
    e.WaitUntil = at;
    return e;
  }

  // One evaluation for each batch of allocations that are due together.
  std::unordered_map<Uuid, Uuid> followups(std::vector<RescheduleLater> due, std::string_view trigger,
                                           std::string_view description) {
    std::unordered_map<Uuid, Uuid> eval_of;
    std::stable_sort(due.begin(), due.end(), [](auto& a, auto& b) { return a.at < b.at; });
    Time start;
    for (auto& d : due) {
      if (eval_of.empty() || d.at - start >= kFollowupBatch) {
        start = d.at;
        result_.followups.push_back(followup(trigger, description, d.at));
      }
      eval_of[d.alloc->ID] = result_.followups.back().ID;
    }
    return eval_of;
  }

  // Everything of a stopped job, or of a group that the job no longer has.
  void stop_group(const std::string& name, Allocs allocs) {
    auto& desired = result_.desired[name];
    std::erase_if(allocs, [](auto& a) { return is_terminal(*a); });
    desired.Stop = allocs.size();
    auto sets = taint(allocs);
    for (auto* set : {&sets.untainted, &sets.migrate, &sets.disconnecting, &sets.reconnecting})
      stop_all(*set, {}, text::kNotNeeded);
    for (auto& a : sets.ignore)
      if (a->ClientStatus == alloc_client::kUnknown) stop(a, {}, text::kNotNeeded);
    stop_all(sets.lost, alloc_client::kLost, text::kLost);
  }

  // --- one group ---

  bool compute_group(const std::string& name, const Allocs& allocs) {
    auto* tg = find_group(*in_.job, name);
    if (!tg) {
      stop_group(name, allocs);
      return true;
    }
    Group g;
    g.tg = tg;
    g.desired = &result_.desired[name];
    g.all = allocs;
    init_state(g);
    if (in_.batch) g.desired->Ignore += take_old_terminal(g.all, *in_.job).size();
    cancel_unneeded_canaries(g);
    auto later = sort_allocs(g);
    auto names = name_index(g);
    compute_stops(g, names);
    compute_updates(g);
    if (canarying(g)) remove(g.untainted, ids_of(g.canaries));
    compute_canaries(g, names);
    auto limit = under_provisioned_by(g);
    if (g.lost_later.empty()) {
      compute_placements(g, names);
      if (!g.existing) g.state->DesiredTotal += static_cast<int64_t>(g.place.size());
    }
    compute_replacements(g, limit);
    compute_destructive(g, limit);
    compute_migrations(g);
    create_deployment(g);
    return is_complete(g, later);
  }

  bool canarying(const Group& g) const { return g.state->DesiredCanaries != 0 && !g.state->Promoted; }
  bool place_ready(const Group& g) const { return !paused_ && !failed_ && !canarying(g); }

  void init_state(Group& g) {
    if (has_current_)
      if (auto* state = current_.TaskGroups.find(g.tg->Name)) {
        g.state = state;
        g.existing = true;
        return;
      }
    g.state = &g.fresh;
    if (auto* update = g.tg->Update.get(); !is_empty(update)) {
      g.fresh.AutoRevert = update->AutoRevert;
      g.fresh.AutoPromote = update->AutoPromote;
      g.fresh.ProgressDeadline = update->ProgressDeadline;
    }
  }

  // Canaries of an older or failed deployment go; those of the current one are set apart.
  void cancel_unneeded_canaries(Group& g) {
    IdSet unneeded;
    auto collect = [&](const Deployment& d) {
      for (auto& [name, state] : d.TaskGroups)
        if (!state.Promoted) unneeded.insert(state.PlacedCanaries.begin(), state.PlacedCanaries.end());
    };
    if (has_old_) collect(old_);
    if (has_current_ && failed_) collect(current_);
    Allocs going;
    for (auto& a : g.all)
      if (unneeded.contains(a->ID)) going.push_back(a);
    stop_all(going, {}, text::kNotNeeded);
    g.desired->Stop += going.size();
    remove(g.all, ids_of(going));

    if (!has_current_) return;
    IdSet placed;
    for (auto& [name, state] : current_.TaskGroups) placed.insert(state.PlacedCanaries.begin(), state.PlacedCanaries.end());
    Allocs canaries;
    for (auto& a : g.all)
      if (placed.contains(a->ID)) canaries.push_back(a);
    auto sets = taint(canaries);
    stop_all(sets.migrate, {}, text::kMigrating);
    stop_all(sets.lost, alloc_client::kLost, text::kLost);
    remove(g.all, ids_of(sets.migrate));
    remove(g.all, ids_of(sets.lost));
    g.canaries = std::move(sets.untainted);
  }

  // Fills the sets; returns how many wait for a later replacement.
  size_t sort_allocs(Group& g) {
    auto sets = taint(g.all);
    g.untainted = std::move(sets.untainted);
    g.migrate = std::move(sets.migrate);
    g.lost = std::move(sets.lost);
    g.disconnecting = std::move(sets.disconnecting);
    g.desired->Ignore += sets.ignore.size();
    reconnect(g, std::move(sets.reconnecting));

    auto by = filter_by_reschedulable(g.untainted, rules(false));
    g.untainted = std::move(by.untainted);
    g.reschedule_now = std::move(by.now);
    append(g.reschedule_now, filter_by_reschedulable(g.disconnecting, rules(true)).now);

    std::vector<RescheduleLater> lost_later;
    for (auto& a : g.lost)
      if (should_client_stop(*a))
        if (auto at = wait_client_stop(*a, in_.now); at > in_.now) lost_later.push_back({a, at});
    g.lost_later = followups(std::move(lost_later), eval_trigger::kAllocFailure, text::kFollowupReschedule);

    disconnect(g);
    for (auto& [id, eval] : followups(by.later, eval_trigger::kAllocFailure, text::kFollowupReschedule))
      followup_of_[id] = eval;
    for (auto& l : by.later) {
      auto updated = std::make_shared<Allocation>(*l.alloc);
      updated->FollowupEvalID = followup_of_[l.alloc->ID];
      result_.attribute_updates.push_back(std::move(updated));
    }
    return by.later.size();
  }

  void reconnect(Group& g, Allocs reconnecting) {
    if (reconnecting.empty()) return;
    auto by = reconcile_reconnecting(reconnecting, g.all, *in_.job);
    IdSet stopped;
    for (auto& s : by.stop) stopped.insert(s.alloc->ID);
    g.desired->Stop += by.stop.size();
    for (auto& s : by.stop) result_.stop.push_back(std::move(s));
    for (auto* set : {&g.untainted, &g.migrate, &g.lost, &g.disconnecting}) remove(*set, stopped);
    for (auto& a : by.reconnect) {
      auto updated = std::make_shared<Allocation>(*a);
      updated->AllocStates.push_back({kAllocStateClientStatus, a->ClientStatus, in_.now});
      result_.reconnect_updates.push_back(std::move(updated));
    }
    append(g.untainted, by.reconnect);
  }

  // Allocations whose client is out of reach but may come back: unknown until their time is over.
  void disconnect(Group& g) {
    std::vector<RescheduleLater> timeouts;
    for (auto& a : g.disconnecting) {
      auto at = disconnect_timeout(*a, in_.now);
      if (at <= in_.now) return;  // no time to wait: nothing to come back to
      timeouts.push_back({a, at});
    }
    auto eval_of = followups(timeouts, eval_trigger::kMaxDisconnectTimeout, text::kFollowupDisconnect);
    for (auto& a : g.disconnecting) {
      auto updated = std::make_shared<Allocation>(*a);
      updated->ClientStatus = alloc_client::kUnknown;
      updated->ClientDescription = text::kUnknown;
      updated->AllocStates.push_back({kAllocStateClientStatus, alloc_client::kUnknown, in_.now});
      updated->FollowupEvalID = eval_of[a->ID];
      g.disconnect_ids.insert(a->ID);
      result_.disconnect_updates.push_back(std::move(updated));
    }
  }

  NameIndex name_index(const Group& g) const {
    Allocs used = g.untainted;
    append(used, g.migrate);
    append(used, g.reschedule_now);
    append(used, g.lost);
    return {in_.job->ID, g.tg->Name, g.tg->Count, used};
  }

  // --- stop ---

  // Stops what is lost, and as many as there are too many. Removes them from the sets.
  void compute_stops(Group& g, NameIndex& names) {
    IdSet gone;
    for (auto& a : g.lost) {
      auto it = g.lost_later.find(a->ID);
      stop(a, alloc_client::kLost, text::kLost, it == g.lost_later.end() ? Uuid{} : it->second);
    }
    auto stopped = g.lost.size();
    Allocs victims = g.untainted;
    if (canarying(g)) remove(victims, ids_of(g.canaries));
    auto excess = static_cast<int64_t>(victims.size() + g.migrate.size()) - g.tg->Count;
    std::erase_if(victims, [](auto& a) { return is_terminal(*a); });
    auto take = [&](const Ref<Allocation>& a) {
      stop(a, {}, text::kNotNeeded);
      gone.insert(a->ID);
      names.free(alloc_index(*a));
      ++stopped;
      --excess;
    };
    if (excess > 0) pick_victims(g, names, victims, gone, excess, take);
    g.desired->Stop += stopped;
    remove(g.untainted, gone);
    remove(g.migrate, gone);
  }

  template <class Take>
  void pick_victims(Group& g, NameIndex& names, const Allocs& victims, const IdSet& gone, int64_t& excess, Take&& take) {
    // Promoted canaries take the place of those of the same name.
    if (!canarying(g) && !g.canaries.empty()) {
      std::set<std::string_view> canary_names;
      for (auto& a : g.canaries) canary_names.insert(a->Name);
      auto canary_ids = ids_of(g.canaries);
      for (auto& a : victims)
        if (excess > 0 && !canary_ids.contains(a->ID) && canary_names.contains(a->Name)) take(a);
    }
    if (excess > 0 && !g.migrate.empty()) {
      auto high = NameIndex(in_.job->ID, g.tg->Name, g.tg->Count, g.migrate).highest(static_cast<size_t>(excess));
      for (auto& a : Allocs(g.migrate))
        if (excess > 0 && high.contains(a->Name.str())) take(a);
    }
    if (excess > 0) {
      auto high = names.highest(static_cast<size_t>(excess));
      for (auto& a : victims)
        if (excess > 0 && !gone.contains(a->ID) && high.contains(a->Name.str())) take(a);
    }
    for (auto& a : victims)
      if (excess > 0 && !gone.contains(a->ID)) take(a);
  }

  // --- update ---

  void compute_updates(Group& g) {
    uint64_t ignored = 0;
    for (auto& a : g.untainted) {
      auto decision = in_.decide(a, *g.tg);
      switch (decision.kind) {
        case UpdateDecision::Kind::kIgnore: ++ignored; break;
        case UpdateDecision::Kind::kDestructive: g.destructive.push_back(a); break;
        case UpdateDecision::Kind::kInPlace:
          g.inplace.push_back(a);
          result_.inplace.push_back(std::move(decision.updated));
          break;
      }
    }
    g.desired->Ignore += ignored;
    g.desired->InPlaceUpdate += g.inplace.size();
    if (!g.existing) g.state->DesiredTotal += static_cast<int64_t>(g.destructive.size() + g.inplace.size());
  }

  void compute_canaries(Group& g, NameIndex& names) {
    auto* update = g.tg->Update.get();
    g.requires_canaries = update && !g.destructive.empty() &&
                          static_cast<int64_t>(g.canaries.size()) < update->Canary && !g.state->Promoted;
    if (!g.requires_canaries) return;
    g.state->DesiredCanaries = update->Canary;
    if (paused_ || failed_) return;
    auto n = static_cast<size_t>(update->Canary) - g.canaries.size();
    g.desired->Canary += n;
    for (auto& name : names.next_canaries(n, g.canaries, g.destructive)) {
      Placement p;
      p.name = std::move(name);
      p.canary = true;
      p.group = g.tg;
      result_.place.push_back(std::move(p));
    }
  }

  // How many may be replaced now without hurting the deployment.
  int64_t under_provisioned_by(const Group& g) const {
    if (is_empty(g.tg->Update.get()) || g.destructive.size() + g.migrate.size() == 0) return g.tg->Count;
    int64_t limit = g.tg->Update->MaxParallel;
    if (!has_current_) return limit;
    if (paused_ || failed_ || canarying(g)) return 0;
    for (auto& a : g.untainted) {
      if (a->DeploymentID != current_.ID) continue;
      if (is_unhealthy(*a)) return 0;
      if (!is_healthy(*a)) --limit;
    }
    return std::max<int64_t>(0, limit);
  }

  // --- place ---

  Placement replacement_of(const Group& g, const Ref<Allocation>& a) const {
    Placement p;
    p.name = a->Name.str();
    p.group = g.tg;
    p.previous = a;
    p.canary = is_canary(*a);
    p.downgrade = canarying(g) && !p.canary;
    p.min_job_version = a->Job ? a->Job->Version : 0;
    return p;
  }

  void compute_placements(Group& g, NameIndex& names) {
    for (auto& a : g.reschedule_now) {
      auto p = replacement_of(g, a);
      p.reschedule = true;
      g.place.push_back(std::move(p));
    }
    auto have = static_cast<int64_t>(g.untainted.size() + g.migrate.size() + g.reschedule_now.size());
    for (auto& a : g.lost) {
      if (have >= g.tg->Count) break;
      auto p = replacement_of(g, a);
      p.lost = true;
      g.place.push_back(std::move(p));
      ++have;
    }
    if (have >= g.tg->Count) return;
    for (auto& name : names.next(static_cast<size_t>(g.tg->Count - have))) {
      Placement p;
      p.name = std::move(name);
      p.group = g.tg;
      p.downgrade = canarying(g);
      g.place.push_back(std::move(p));
    }
  }

  // Decides which placements may happen now, and stops what they replace.
  void compute_replacements(Group& g, int64_t& limit) {
    auto place = [&](const Placement& p) {
      result_.place.push_back(p);
      ++g.desired->Place;
    };
    auto stop_failed = [&](const Ref<Allocation>& a) {
      if (g.disconnect_ids.contains(a->ID)) return;  // it may come back
      stop(a, {}, text::kRescheduled);
      ++g.desired->Stop;
    };
    if (place_ready(g)) {
      for (auto& p : g.place) place(p);
      // When lost allocations put every placement off, failed ones keep their slot until then.
      if (g.lost_later.empty())
        for (auto& a : g.reschedule_now) stop_failed(a);
      limit -= std::min(static_cast<int64_t>(g.place.size()), limit);
      return;
    }
    // While the deployment stands still, only what was running before is made whole.
    for (auto& p : g.place) {
      if (p.lost) place(p);
      if (!p.reschedule) continue;
      bool of_failed = failed_ && has_current_ && p.previous->DeploymentID == current_.ID;
      if (of_failed) continue;
      place(p);
      stop_failed(p.previous);
    }
  }

  void compute_destructive(Group& g, int64_t limit) {
    auto all = static_cast<int64_t>(g.destructive.size());
    auto n = place_ready(g) ? std::min(all, limit) : 0;
    g.desired->DestructiveUpdate += static_cast<uint64_t>(n);
    g.desired->Ignore += static_cast<uint64_t>(all - n);
    for (int64_t i = 0; i < n; ++i) {
      auto& a = g.destructive[static_cast<size_t>(i)];
      result_.destructive.push_back({a->Name.str(), g.tg, a});
    }
  }

  // The drainer paces these by asking for few at a time.
  void compute_migrations(Group& g) {
    g.desired->Migrate += g.migrate.size();
    for (auto& a : g.migrate) {
      stop(a, {}, text::kMigrating);
      result_.place.push_back(replacement_of(g, a));
    }
  }

  bool is_complete(const Group& g, size_t later) const {
    if (g.destructive.size() + g.inplace.size() + g.place.size() + g.migrate.size() + g.reschedule_now.size() + later)
      return false;
    if (g.requires_canaries || !has_current_) return false;
    auto* state = current_.TaskGroups.find(g.tg->Name);
    if (!state) return true;
    return state->HealthyAllocs >= std::max(state->DesiredTotal, state->DesiredCanaries) &&
           (state->DesiredCanaries == 0 || state->Promoted);
  }

  ReconcileResult finish() { return std::move(result_); }

  ReconcileInput in_;
  Random& random_;
  ReconcileResult result_;
  std::map<std::string, Allocs> groups_;
  Deployment current_, old_;
  bool has_current_ = false, has_old_ = false, created_ = false;
  bool paused_ = false, failed_ = false;
  std::unordered_map<Uuid, Uuid> followup_of_;
};

}  // namespace

ReconcileResult reconcile(ReconcileInput input, Random& random) { return Reconciler(std::move(input), random).run(); }

}  // namespace drover::scheduler
