// Restart policy of one task, as a pure decision (reference client, section 15).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/job.h"

namespace drover::client {

// What has to be remembered between two decisions; persisted with the task.
struct RestartState {
  int64_t count = 0;   // restarts in the running interval
  Time start;          // of the interval; unset until the first decision
};

// How a run of the task ended.
struct RunOutcome {
  enum class Kind : unsigned char {
    kKilled,         // somebody asked for it
    kRestartAsked,   // a user, a template or a new token: never counts
    kCheckRestart,   // a health check asked: counts
    kStartError,     // a prestart hook or the driver's start failed
    kExit,
  };
  Kind kind = Kind::kExit;
  bool recoverable = false;  // of a start error
  bool successful = false;   // of an exit
};

struct RestartVerdict {
  enum class Kind : unsigned char { kKilled, kRestart, kTerminated, kNotRestarting };
  Kind kind = Kind::kTerminated;
  Duration delay{};
  std::string reason;
};

// Whether exit 0 leads to another run: services and system jobs, and sidecars among lifecycle tasks.
bool restart_on_success(std::string_view job_type, const Task& task);

// The task's policy, or the group's.
RestartPolicy restart_policy(const TaskGroup& group, const Task& task);

// `jitter` is any random number: up to a quarter is added to the policy's delay.
RestartVerdict next_restart(RestartState& state, const RestartPolicy& policy, bool on_success, const RunOutcome& outcome,
                            Time now, uint64_t jitter);

}  // namespace drover::client
