#include "scheduler/reconcile_filter.h"

#include <algorithm>

#include "model/reschedule.h"
#include "model/status.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

// A replacement that is due this soon is made at once.
constexpr Duration kRescheduleWindow = 1s;

bool older(const Job* a, const Job& b) { return a && (a->Version < b.Version || a->CreateIndex < b.CreateIndex); }

}  // namespace

IdSet ids_of(const Allocs& allocs) {
  IdSet ids;
  for (auto& a : allocs) ids.insert(a->ID);
  return ids;
}

void remove(Allocs& from, const IdSet& ids) {
  if (!ids.empty()) std::erase_if(from, [&](auto& a) { return ids.contains(a->ID); });
}

void append(Allocs& to, const Allocs& more) { to.insert(to.end(), more.begin(), more.end()); }

// --- by taint ---

namespace {

Allocs& taint_set(ByTaint& sets, const Allocation& a, const TaintedNodes& tainted, bool server_supports, Time now) {
  auto it = tainted.find(a.NodeID);
  bool is_tainted = it != tainted.end();
  const Node* node = is_tainted ? it->second.get() : nullptr;
  bool disconnected = node && node->Status == node_status::kDisconnected;
  bool supports = server_supports && max_client_disconnect(a).has_value();
  bool run = a.DesiredStatus == alloc_desired::kRun, failed = a.ClientStatus == alloc_client::kFailed,
       unknown = a.ClientStatus == alloc_client::kUnknown, running = a.ClientStatus == alloc_client::kRunning;
  bool reconnect = supports && (unknown || running || failed) && needs_to_reconnect(a);
  auto back = [&]() -> Allocs& { return is_expired(a, now) ? sets.lost : sets.reconnecting; };

  if (reconnect && run && failed) return sets.reconnecting;
  if (disconnected) {
    // A terminal allocation has nothing left to lose.
    if (!supports) return is_terminal(a) ? sets.untainted : sets.lost;
    if (running) return sets.disconnecting;
    if (a.ClientStatus == alloc_client::kPending) return sets.lost;
  }
  if (node && node->Status == node_status::kReady && reconnect) return back();
  if (is_terminal(a) && !reconnect) return sets.untainted;
  if (wants_migrate(a)) return sets.migrate;
  if (supports && is_expired(a, now)) return sets.lost;
  if (supports && unknown && run) return sets.ignore;
  if (reconnect && failed && a.DesiredStatus == alloc_desired::kStop) return sets.ignore;
  if (!is_tainted) return reconnect ? back() : sets.untainted;
  return !node || is_down(*node) ? sets.lost : sets.untainted;
}

}  // namespace

ByTaint filter_by_tainted(const Allocs& allocs, const TaintedNodes& tainted, bool supports_disconnected, Time now) {
  ByTaint sets;
  for (auto& a : allocs) taint_set(sets, *a, tainted, supports_disconnected, now).push_back(a);
  return sets;
}

// --- by reschedule ---

namespace {

enum class Slot { kUntainted, kIgnored, kCandidate };

// Whether an allocation holds its slot, has given it up, or is a candidate for replacement.
Slot slot_of(const Allocation& a, bool batch) {
  if (batch) {
    if (a.DesiredStatus == alloc_desired::kStop) return ran_successfully(a) ? Slot::kUntainted : Slot::kIgnored;
    if (a.DesiredStatus == alloc_desired::kEvict) return Slot::kIgnored;
    return a.ClientStatus == alloc_client::kFailed ? Slot::kCandidate : Slot::kUntainted;
  }
  if (is_server_terminal(a)) return Slot::kIgnored;
  if (a.ClientStatus == alloc_client::kComplete || a.ClientStatus == alloc_client::kLost) return Slot::kIgnored;
  return Slot::kCandidate;
}

struct When {
  bool now = false, later = false;
  Time at;
};

When when_to_reschedule(const Allocation& a, const RescheduleRules& rules) {
  auto* d = rules.deployment;
  // A running deployment decides by itself what becomes of its failures.
  if (d && is_active(*d) && a.DeploymentID == d->ID && !a.DesiredTransition.Reschedule.value_or(false)) return {};
  if (a.DesiredTransition.ForceReschedule.value_or(false)) return {.now = true};
  auto next = rules.disconnecting ? next_reschedule_time_at(a, rules.now) : next_reschedule_time(a);
  if (!next.eligible) return {};
  if (a.FollowupEvalID == rules.eval_id || next.at - rules.now <= kRescheduleWindow) return {.now = true, .at = next.at};
  return {.later = a.FollowupEvalID.nil(), .at = next.at};
}

}  // namespace

ByReschedule filter_by_reschedulable(const Allocs& allocs, const RescheduleRules& rules) {
  ByReschedule sets;
  for (auto& a : allocs) {
    if (rules.disconnecting && a->ClientStatus == alloc_client::kUnknown) continue;
    if (a->NextAllocation && is_terminal(*a)) continue;  // already replaced
    auto slot = slot_of(*a, rules.batch);
    if (slot == Slot::kUntainted && !rules.disconnecting) sets.untainted.push_back(a);
    if (slot != Slot::kCandidate) continue;
    if (rules.disconnecting) {
      sets.now.push_back(a);
      continue;
    }
    auto when = when_to_reschedule(*a, rules);
    (when.now ? sets.now : sets.untainted).push_back(a);
    if (when.later) sets.later.push_back({a, when.at});
  }
  return sets;
}

Allocs take_old_terminal(Allocs& allocs, const Job& job) {
  Allocs old;
  std::erase_if(allocs, [&](auto& a) {
    bool take = older(a->Job.get(), job) && is_terminal(*a);
    if (take) old.push_back(a);
    return take;
  });
  return old;
}

// --- reconnecting ---

namespace {

std::optional<double> top_score(const Allocation& a) {
  if (!a.Metrics || a.Metrics->ScoreMetaData.empty()) return std::nullopt;
  return a.Metrics->ScoreMetaData[0].NormScore;
}

bool newer_job(const Allocation& a, const Allocation& than) {
  return a.Job && than.Job && (a.Job->Version > than.Job->Version || a.Job->CreateIndex > than.Job->CreateIndex);
}

// Whether the replacement is kept and the original, though back, stops.
bool keep_replacement(const Allocation& original, const Allocation& replacement) {
  if (newer_job(replacement, original)) return true;
  auto own = top_score(original), other = top_score(replacement);
  bool better = other && (!own || *other > *own);
  bool running = replacement.ClientStatus == alloc_client::kRunning || original.ClientStatus != alloc_client::kRunning;
  return better && running;
}

bool cannot_stay(const Allocation& a, const Job& job) {
  auto& t = a.DesiredTransition;
  return a.DesiredStatus != alloc_desired::kRun || t.Migrate.value_or(false) || t.Reschedule.value_or(false) ||
         t.ForceReschedule.value_or(false) || older(a.Job.get(), job);
}

}  // namespace

ByReconnect reconcile_reconnecting(const Allocs& reconnecting, const Allocs& all, const Job& job) {
  ByReconnect result;
  IdSet stopped;
  auto stop = [&](const Ref<Allocation>& a, std::string_view client_status, std::string_view description) {
    if (stopped.insert(a->ID).second) result.stop.push_back({a, std::string(client_status), description, {}});
  };
  for (auto& a : reconnecting) {
    if (!is_server_terminal(*a) && a->ClientStatus == alloc_client::kFailed) {
      stop(a, alloc_client::kFailed, text::kRescheduled);
      continue;
    }
    if (cannot_stay(*a, job)) {
      stop(a, {}, text::kNotNeeded);
      continue;
    }
    for (auto& other : all) {
      if (other->ID == a->ID || other->Name != a->Name || other->CreateIndex <= a->CreateIndex) continue;
      if (is_server_terminal(*other)) continue;
      if (keep_replacement(*a, *other)) {
        stop(a, {}, text::kNotNeeded);
      } else {
        stop(other, {}, text::kReconnected);
      }
    }
  }
  for (auto& a : reconnecting)
    if (!stopped.contains(a->ID)) result.reconnect.push_back(a);
  return result;
}

}  // namespace drover::scheduler
