#include "model/reschedule.h"

#include <algorithm>
#include <span>

#include "model/status.h"

namespace drover {
namespace {

constexpr size_t kKeptUnlimitedEvents = 5;
constexpr Duration kDefaultKillTimeout = 5s;

const TaskGroup* group_of(const Allocation& a) { return a.Job ? find_group(*a.Job, a.TaskGroup) : nullptr; }

std::span<const RescheduleEvent> events_of(const Allocation& a) {
  if (!a.RescheduleTracker) return {};
  auto& events = a.RescheduleTracker->Events;
  return {events.begin(), events.size()};
}

Duration fibonacci_delay(std::span<const RescheduleEvent> events, const ReschedulePolicy& policy) {
  if (events.size() < 2) return policy.Delay;
  auto last = events.back().Delay, before = events[events.size() - 2].Delay;
  // After a reset the series starts over: it does not add the cap that it was reset from.
  if (before == policy.MaxDelay && last == policy.Delay) return last;
  return last + before;
}

int64_t attempts_within(const Allocation& a, Duration interval, Time fail_time) {
  auto events = events_of(a);
  return std::count_if(events.begin(), events.end(), [&](auto& e) {
    return fail_time - Time::from_unix_nanos(e.RescheduleTime) < interval;
  });
}

}  // namespace

const ReschedulePolicy* reschedule_policy(const Allocation& a) {
  auto* group = group_of(a);
  return group ? group->ReschedulePolicy.get() : nullptr;
}

Time last_event_time(const Allocation& a) {
  Time latest;
  for (auto& [name, state] : a.TaskStates) latest = std::max(latest, state.FinishedAt);
  return latest.unset() ? Time::from_unix_nanos(a.ModifyTime) : latest;
}

Duration next_reschedule_delay(const Allocation& a) {
  auto* policy = reschedule_policy(a);
  if (!policy) return Duration::zero();
  auto events = events_of(a);
  if (events.empty()) return policy->Delay;
  Duration delay;
  if (policy->DelayFunction == "exponential") {
    delay = events.back().Delay * 2;
  } else if (policy->DelayFunction == "fibonacci") {
    delay = fibonacci_delay(events, *policy);
  } else {
    return policy->Delay;
  }
  if (policy->MaxDelay > Duration::zero() && delay > policy->MaxDelay) {
    // It ran for longer than the cap since the last replacement: it is well again, the series starts over.
    auto since = last_event_time(a) - Time::from_unix_nanos(events.back().RescheduleTime);
    return since > policy->MaxDelay ? policy->Delay : policy->MaxDelay;
  }
  return delay;
}

RescheduleCount reschedule_count(const Allocation& a) {
  auto* policy = reschedule_policy(a);
  if (!policy || policy->Attempts <= 0) return {};
  return {attempts_within(a, policy->Interval, last_event_time(a)), policy->Attempts};
}

RescheduleTime next_reschedule_time_at(const Allocation& a, Time fail_time) {
  auto* policy = reschedule_policy(a);
  if (!policy || fail_time.unset()) return {};
  auto delay = next_reschedule_delay(a);
  RescheduleTime next{fail_time + delay};
  next.eligible = policy->Unlimited || (policy->Attempts > 0 && !a.RescheduleTracker);
  if (policy->Attempts > 0 && !events_of(a).empty())
    next.eligible = attempts_within(a, policy->Interval, fail_time) < policy->Attempts && delay < policy->Interval;
  return next;
}

RescheduleTime next_reschedule_time(const Allocation& a) {
  if (a.DesiredStatus == alloc_desired::kStop || a.ClientStatus != alloc_client::kFailed) return {};
  return next_reschedule_time_at(a, last_event_time(a));
}

bool reschedule_eligible(const Allocation& a, const ReschedulePolicy* policy, Time fail_time) {
  if (!policy) return false;
  if (policy->Unlimited) return true;
  if (policy->Attempts <= 0) return false;
  return attempts_within(a, policy->Interval, fail_time) < policy->Attempts;
}

bool should_reschedule(const Allocation& a, const ReschedulePolicy* policy, Time fail_time) {
  if (is_server_terminal(a) || a.ClientStatus != alloc_client::kFailed) return false;
  return reschedule_eligible(a, policy, fail_time);
}

RescheduleTracker next_reschedule_tracker(const Allocation& previous, Time now) {
  RescheduleTracker tracker;
  auto* policy = reschedule_policy(previous);
  auto events = events_of(previous);
  if (policy && policy->Attempts > 0) {
    for (auto& e : events)
      if (policy->Interval > Duration::zero() &&
          now - Time::from_unix_nanos(e.RescheduleTime) <= policy->Interval)
        tracker.Events.push_back(e);
  } else {
    auto keep = std::min(events.size(), kKeptUnlimitedEvents);
    for (auto& e : events.last(keep)) tracker.Events.push_back(e);
  }
  tracker.Events.push_back({.RescheduleTime = now.unix_nanos,
                            .PrevAllocID = previous.ID,
                            .PrevNodeID = previous.NodeID,
                            .Delay = next_reschedule_delay(previous)});
  return tracker;
}

std::optional<Duration> max_client_disconnect(const Allocation& a) {
  auto* group = group_of(a);
  return group ? group->MaxClientDisconnect : std::nullopt;
}

Time disconnect_timeout(const Allocation& a, Time now) {
  return now + max_client_disconnect(a).value_or(Duration::zero());
}

bool is_expired(const Allocation& a, Time now) {
  if (a.ClientStatus != alloc_client::kUnknown) return false;
  auto window = max_client_disconnect(a);
  if (!window) return false;
  Time since;
  for (auto& s : a.AllocStates)
    if (s.Field == kAllocStateClientStatus && s.Value == alloc_client::kUnknown) since = s.Time;
  return since.unset() || now >= since + *window;
}

bool needs_to_reconnect(const Allocation& a) {
  for (size_t i = a.AllocStates.size(); i-- > 0;)
    if (a.AllocStates[i].Field == kAllocStateClientStatus)
      return a.AllocStates[i].Value == alloc_client::kUnknown;
  return false;
}

bool should_client_stop(const Allocation& a) {
  auto* group = group_of(a);
  return group && group->StopAfterClientDisconnect.value_or(Duration::zero()) != Duration::zero();
}

Time wait_client_stop(const Allocation& a, Time now) {
  auto* group = group_of(a);
  if (!group) return now;
  Time lost = now;
  for (auto& s : a.AllocStates)
    if (s.Field == kAllocStateClientStatus && s.Value == alloc_client::kLost) {
      lost = s.Time;
      break;
    }
  Duration kill = kDefaultKillTimeout;
  for (auto& task : group->Tasks) kill = std::max(kill, task.KillTimeout);
  return lost + group->StopAfterClientDisconnect.value_or(Duration::zero()) + kill;
}

}  // namespace drover
