// Sorting the allocations of a group by what happened to them and to their nodes. Rules: reference scheduler 4.6-4.8.
#pragma once

#include <unordered_set>

#include "scheduler/reconcile.h"

namespace drover::scheduler {

using IdSet = std::unordered_set<Uuid>;

IdSet ids_of(const Allocs& allocs);
// Removes those whose id is in `ids`.
void remove(Allocs& from, const IdSet& ids);
void append(Allocs& to, const Allocs& more);

struct ByTaint {
  Allocs untainted, migrate, lost, disconnecting, reconnecting, ignore;
};
ByTaint filter_by_tainted(const Allocs& allocs, const TaintedNodes& tainted, bool supports_disconnected, Time now);

struct RescheduleLater {
  Ref<Allocation> alloc;
  Time at;
};
struct ByReschedule {
  Allocs untainted, now;
  std::vector<RescheduleLater> later;
};
struct RescheduleRules {
  bool batch = false;
  bool disconnecting = false;  // the allocations' client is out of reach: they count as failed now
  Time now;
  Uuid eval_id;
  const Deployment* deployment = nullptr;
};
ByReschedule filter_by_reschedulable(const Allocs& allocs, const RescheduleRules& rules);

// Batch: terminal allocations of older versions of the job, which are left alone. Removes them from `allocs`.
Allocs take_old_terminal(Allocs& allocs, const Job& job);

struct ByReconnect {
  Allocs reconnect;
  std::vector<Stop> stop;
};
// Decides between allocations that came back and those that replaced them.
ByReconnect reconcile_reconnecting(const Allocs& reconnecting, const Allocs& all, const Job& job);

}  // namespace drover::scheduler
