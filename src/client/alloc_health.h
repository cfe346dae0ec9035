// Is an allocation healthy? The judgement that deployments and drains wait for, as a pure watcher (reference client,
// section 17.2). Feed it states, check results and time; it answers once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "client/coordinator.h"
#include "model/alloc.h"

namespace drover::client {

struct HealthParams {
  Duration min_healthy_time = std::chrono::seconds(10);
  Duration healthy_deadline = std::chrono::minutes(5);
  bool use_checks = false;
};

// Whether and how the allocation is to be watched; nullopt: it is not (no service job, judged already, manual, no update
// block in a deployment). `group_has_checks`: something will report on checks.
std::optional<HealthParams> health_params(const Allocation& alloc, bool group_has_checks);

struct HealthVerdict {
  bool healthy = false;
  bool by_alloc = false;                                     // it failed as a whole: no task is to blame
  std::vector<std::pair<std::string, std::string>> reasons;  // task, message of its "Alloc Unhealthy" event
};

class HealthWatch {
 public:
  HealthWatch(HealthParams params, std::vector<AllocTask> tasks, Time now)
      : params_(params), tasks_(std::move(tasks)), deadline_(now + params.healthy_deadline) {}

  // Call on every change of the states and when wake_at() has come. Nothing more to say after a verdict.
  std::optional<HealthVerdict> observe(const Map<TaskState>& states, bool alloc_failed, Time now);
  // Whether all checks pass now; false until the first call.
  void checks(bool passing, Time now);
  std::optional<Time> wake_at() const;

 private:
  std::optional<HealthVerdict> failure(const Map<TaskState>& states) const;
  HealthVerdict late(const Map<TaskState>& states) const;
  bool tasks_healthy(Time now) const { return started_ && now >= *started_ + params_.min_healthy_time; }
  bool checks_healthy(Time now) const {
    return !params_.use_checks || (passing_since_ && now >= *passing_since_ + params_.min_healthy_time);
  }

  HealthParams params_;
  std::vector<AllocTask> tasks_;
  Time deadline_;
  std::optional<Time> started_;        // the latest start, while nothing is pending
  std::optional<Time> passing_since_;
  bool done_ = false;
};

}  // namespace drover::client
