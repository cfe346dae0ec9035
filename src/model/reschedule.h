// When a failed allocation may be replaced, and what a lost or disconnected client means for its allocations.
// Formulas: reference scheduler 12, 4.6, 4.9. `now` is always passed in.
#pragma once

#include <optional>

#include "base/time.h"
#include "model/alloc.h"

namespace drover {

// The policy of the allocation's own group, by its own job; null when it has none.
const ReschedulePolicy* reschedule_policy(const Allocation& a);

// The latest time at which one of its tasks finished; the allocation's last change when none is known.
Time last_event_time(const Allocation& a);

// The delay before the next replacement, by the policy's delay function over the delays used so far.
Duration next_reschedule_delay(const Allocation& a);

// How often it was replaced within the policy's interval, and how often it may be; zeros where attempts are not counted.
struct RescheduleCount {
  int64_t attempted = 0, limit = 0;
};
RescheduleCount reschedule_count(const Allocation& a);

struct RescheduleTime {
  Time at;
  bool eligible = false;  // the policy still allows an attempt
};
// For an allocation that failed by itself.
RescheduleTime next_reschedule_time(const Allocation& a);
// For an allocation that counts as failed from `fail_time` on (its client disconnected).
RescheduleTime next_reschedule_time_at(const Allocation& a, Time fail_time);

// Whether the policy allows one more attempt now (servers ask when a client reports a failure).
bool reschedule_eligible(const Allocation& a, const ReschedulePolicy* policy, Time fail_time);
// The same, for failed allocations that the servers still want.
bool should_reschedule(const Allocation& a, const ReschedulePolicy* policy, Time fail_time);

// The tracker that the replacement of `previous` carries: past events that still count, and this one.
RescheduleTracker next_reschedule_tracker(const Allocation& previous, Time now);

// max_client_disconnect of its group, by its own job.
std::optional<Duration> max_client_disconnect(const Allocation& a);
// now + max_client_disconnect; now when unset.
Time disconnect_timeout(const Allocation& a, Time now);
// Client status unknown for max_client_disconnect or longer.
bool is_expired(const Allocation& a, Time now);
// Its last recorded client status is `unknown`: the server has not dealt with its return yet.
bool needs_to_reconnect(const Allocation& a);
// The group stops its allocations some time after their client was lost.
bool should_client_stop(const Allocation& a);
// When a client that lost its servers has stopped the allocation for certain.
Time wait_client_stop(const Allocation& a, Time now);

}  // namespace drover
