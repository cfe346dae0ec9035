// The well-known strings of the domain, and the judgements that everybody makes about an allocation, a node, a job or
// a deployment: "is it finished?", "may it take work?". One function for one judgement; nobody compares these strings
// by hand. Facts: reference scheduler 1.5, enums 1-5.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/alloc.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/node.h"

namespace drover {

namespace job_type {
inline constexpr std::string_view kService = "service", kBatch = "batch", kSystem = "system", kSysbatch = "sysbatch",
                                  kCore = "_core";
}
namespace alloc_desired {
inline constexpr std::string_view kRun = "run", kStop = "stop", kEvict = "evict";
}
namespace alloc_client {
inline constexpr std::string_view kPending = "pending", kRunning = "running", kComplete = "complete",
                                  kFailed = "failed", kLost = "lost", kUnknown = "unknown";
}
namespace task_state {
inline constexpr std::string_view kPending = "pending", kRunning = "running", kDead = "dead";
}
namespace eval_status {
inline constexpr std::string_view kBlocked = "blocked", kPending = "pending", kComplete = "complete",
                                  kFailed = "failed", kCanceled = "canceled";
}
namespace node_status {
inline constexpr std::string_view kInit = "initializing", kReady = "ready", kDown = "down",
                                  kDisconnected = "disconnected";
}
namespace node_eligibility {
inline constexpr std::string_view kEligible = "eligible", kIneligible = "ineligible";
}
namespace deployment_status {
inline constexpr std::string_view kRunning = "running", kPaused = "paused", kFailed = "failed",
                                  kSuccessful = "successful", kCancelled = "cancelled",
                                  kInitializing = "initializing", kPending = "pending", kBlocked = "blocked",
                                  kUnblocking = "unblocking";
}
namespace eval_trigger {
inline constexpr std::string_view kJobRegister = "job-register", kJobDeregister = "job-deregister",
                                  kPeriodicJob = "periodic-job", kNodeDrain = "node-drain",
                                  kNodeUpdate = "node-update", kAllocStop = "alloc-stop", kScheduled = "scheduled",
                                  kRollingUpdate = "rolling-update", kDeploymentWatcher = "deployment-watcher",
                                  kFailedFollowUp = "failed-follow-up", kMaxPlans = "max-plan-attempts",
                                  kAllocFailure = "alloc-failure", kQueuedAllocs = "queued-allocs",
                                  kPreemption = "preemption", kJobScaling = "job-scaling",
                                  kMaxDisconnectTimeout = "max-disconnect-timeout", kReconnect = "reconnect";
}
// AllocState.Field
inline constexpr uint8_t kAllocStateClientStatus = 0;

// --- allocations ---

// The servers want it gone (desired stop or evict).
bool is_server_terminal(const Allocation& a);
// The client is done with it (complete, failed or lost). `unknown` is not terminal.
bool is_client_terminal(const Allocation& a);
// Either of the two.
bool is_terminal(const Allocation& a);
// At least one task state, and every one dead without failure.
bool ran_successfully(const Allocation& a);
// The drainer asked for it to move.
bool wants_migrate(const Allocation& a);
bool is_canary(const Allocation& a);
bool is_healthy(const Allocation& a);
bool is_unhealthy(const Allocation& a);
// The number in "job.group[7]"; 0 when the name has none.
uint64_t alloc_index(std::string_view name, size_t job_id_size, size_t group_size);
uint64_t alloc_index(const Allocation& a);
// The last number in brackets of any name ("volume[3]" suffix of per_alloc volumes): "[3]", or "".
std::string_view alloc_suffix(std::string_view name);

// --- evaluations ---

// complete, failed or canceled.
bool is_terminal(const Evaluation& e);

// --- nodes ---

// Status ready, not draining, eligible.
bool is_ready(const Node& n);
// Status down: a node that will not come back by itself.
bool is_down(const Node& n);

// --- jobs ---

// Missing (purged) or stopped.
bool is_stopped(const Job* job);
const TaskGroup* find_group(const Job& job, std::string_view name);
const Task* find_task(const TaskGroup& group, std::string_view name);
// No update block, or one with max_parallel 0: neither a deployment nor a limit.
bool is_empty(const UpdateStrategy* update);

// --- deployments ---

// Still going: running, paused, blocked, unblocking, initializing, pending.
bool is_active(const Deployment& d);
// Some group wants canaries and is not promoted yet, and the deployment runs.
bool requires_promotion(const Deployment& d);
bool has_auto_promote(const Deployment& d);

}  // namespace drover
