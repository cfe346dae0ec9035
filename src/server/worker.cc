#include "server/worker.h"

#include <algorithm>

#include "base/log.h"
#include "model/raft_requests.h"
#include "model/status.h"
#include "scheduler/fleet.h"
#include "scheduler/snapshot_view.h"
#include "server/core_jobs.h"
#include "server/eval_log.h"
#include "server/leader.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr Duration kDequeueTimeout = 500ms;
constexpr Duration kSnapshotTimeout = 5s;
constexpr std::string_view kLog = "worker";

// The newest write that the evaluation's job may have had: the worker's snapshot must contain it.
uint64_t wait_index(const state::Snapshot& snap, const Evaluation& eval) {
  uint64_t index = eval.ModifyIndex;
  for (auto& e : snap.evals().by_job(eval.Namespace, eval.JobID)) index = std::max(index, e->ModifyIndex);
  return index;
}

}  // namespace

Worker::Worker(Server& server, std::vector<std::string> types)
    : server_(server),
      id_(Uuid::generate(server.world().random).str()),
      types_(std::move(types)),
      started_(server.world().clock.now()),
      fleet_(std::make_shared<scheduler::Fleet>()) {
  // Started from the loop: the constructor's caller is not ready for what a worker does.
  server_.world().loop.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.lock()) running_ = Running(run());
  });
}

Worker::~Worker() = default;

Async<void> Worker::run() {
  auto& loop = server_.world().loop;
  for (;;) {
    workload_ = "WaitingToDequeue";
    auto* leader = server_.leader();
    if (!leader || !leader->ready()) {
      co_await sleep_for(loop, kDequeueTimeout / 10);
      continue;
    }
    auto delivery = co_await leader->dequeue(types_, kDequeueTimeout);
    if (!delivery) {
      // A paused broker answers at once; do not spin.
      if (!server_.leader() || !server_.leader()->broker().enabled()) co_await sleep_for(loop, kDequeueTimeout / 10);
      continue;
    }
    workload_ = "Scheduling";
    bool done = co_await process(delivery->eval, delivery->token, wait_index(server_.snapshot(), *delivery->eval));
    if (auto* still = server_.leader()) {
      auto answered = done ? still->ack(delivery->eval->ID, delivery->token) : still->nack(delivery->eval->ID, delivery->token);
      if (!answered) log_debug(kLog, "evaluation could not be answered", {{"eval_id", delivery->eval->ID.str()}, {"error", answered.error().message}});
    }
  }
}

Async<bool> Worker::process(Ref<Evaluation> eval, Uuid token, uint64_t index) {
  auto at = co_await server_.store().snapshot_at(index, server_.world().loop, kSnapshotTimeout);
  if (!at) {
    log_warn(kLog, "timed out waiting for Raft index", {{"eval_id", eval->ID.str()}});
    co_return false;
  }
  if (eval->Type == job_type::kCore) {
    auto ran = co_await run_core_job(server_, *eval);
    if (!ran) log_error("core.sched", "garbage collection failed", {{"job", eval->JobID}, {"error", ran.error().message}});
    co_return ran.has_value();
  }
  co_return co_await schedule(std::move(eval), token, *at);
}

Async<Result<scheduler::Step>> Worker::step(std::shared_ptr<scheduler::EvalProcess> process, state::Snapshot snap,
                                            std::shared_ptr<const PlanResult> result) {
  auto view = std::make_shared<const scheduler::SnapshotView>(snap);
  snapshot_index_ = snap.index();
  // The pass may outlive this worker: it owns what it works on.
  auto& clock = server_.world().clock;
  auto started = clock.monotonic();
  auto next = co_await on_pool(server_.world(), [process, view, now = server_.world().clock.now(), fleet = fleet_, result] {
    return result ? process->result(*result, view, fleet.get(), now) : process->start(view, fleet.get(), now);
  });
  if (next) {
    int64_t placements = 1;
    for (auto& [node, allocs] : next->Plan.NodeAllocation) placements += static_cast<int64_t>(allocs.size());
    placement_time_ = std::max(Duration(1), (clock.monotonic() - started) / placements);
  }
  co_return next;
}

Async<bool> Worker::schedule(Ref<Evaluation> eval, Uuid token, state::Snapshot snap) {
  scheduler::Options options;
  options.allocation_time = placement_time_;
  auto process = std::make_shared<scheduler::EvalProcess>(*eval, options, server_.world().random.next());
  auto next = co_await step(process, snap, nullptr);
  for (;;) {
    if (!next) {
      log_error(kLog, "failed to process evaluation", {{"eval_id", eval->ID.str()}, {"error", next.error().message}});
      co_return false;
    }
    if (!co_await write_created(std::move(next->create_evals))) co_return false;
    if (next->kind != scheduler::Step::Kind::kSubmit) break;
    auto result = co_await submit(std::move(next->Plan), *eval, token);
    if (!result) {
      log_debug(kLog, "plan was not committed", {{"eval_id", eval->ID.str()}, {"error", result.error().message}});
      co_return false;
    }
    // What was just committed must be seen by the next pass.
    auto want = std::max(result->RefreshIndex, result->AllocIndex);
    auto fresh = co_await server_.store().snapshot_at(std::max(want, snap.index()), server_.world().loop, kSnapshotTimeout);
    if (!fresh) co_return false;
    if (want) snap = *fresh;
    next = co_await step(process, snap, std::make_shared<const PlanResult>(std::move(*result)));
  }
  auto updated = std::move(next->eval);
  updated.SnapshotIndex = snapshot_index_;
  auto* leader = server_.leader();
  if (!leader) co_return false;
  if (next->kind == scheduler::Step::Kind::kReblock) {
    // Still blocked: only a changed number of queued allocations is news for the log.
    if (updated.QueuedAllocations != eval->QueuedAllocations && !co_await write_created({updated})) co_return false;
    leader = server_.leader();
    if (!leader) co_return false;
    leader->reblock(std::make_shared<Evaluation>(std::move(updated)), token);
    co_return true;
  }
  std::vector<Evaluation> final_state;
  final_state.push_back(std::move(updated));
  co_return (co_await write_evals(server_, std::move(final_state))).has_value();
}

Async<bool> Worker::write_created(std::vector<Evaluation> created) {
  for (auto& e : created) e.SnapshotIndex = snapshot_index_;
  auto written = co_await write_evals(server_, std::move(created));
  if (!written) log_error(kLog, "failed to write evaluations", {{"error", written.error().message}});
  co_return written.has_value();
}

Async<Result<PlanResult>> Worker::submit(Plan plan, const Evaluation& eval, Uuid token) {
  workload_ = "Submitting";
  plan.EvalToken = token.str();
  plan.SnapshotIndex = snapshot_index_;
  auto* leader = server_.leader();
  if (!leader) co_return Error(ErrorCode::kNoLeader, "No cluster leader");
  // A plan may wait in the queue for longer than an evaluation may be out.
  DROVER_CO_CHECK(leader->broker().pause_nack_timeout(eval.ID, token));
  auto result = co_await leader->planner().submit(std::make_shared<Plan>(std::move(plan)));
  if (auto* still = server_.leader()) (void)still->broker().resume_nack_timeout(eval.ID, token, still->now());
  workload_ = "Scheduling";
  co_return result;
}

}  // namespace drover::server
