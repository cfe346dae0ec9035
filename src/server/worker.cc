#include "server/worker.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/metrics.h"
#include "model/requests.h"
#include "model/reschedule.h"
#include "model/status.h"
#include "model/worker_rpc.h"
#include "scheduler/fleet.h"
#include "scheduler/snapshot_view.h"
#include "server/core_jobs.h"
#include "server/eval_log.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr Duration kDequeueTimeout = 500ms;
constexpr Duration kSnapshotTimeout = 5s;
constexpr Duration kCatchUpTimeout = 50s;     // after which this server's log is not waited for any longer
constexpr Duration kPausePoll = 100ms;
// Pauses after errors, four times as long after each. A server without a leader is asked for five seconds already, so the
// pause between two dequeues stays short: work starts soon after a leader is found.
constexpr Duration kDequeuePause = 20ms, kDequeuePauseMax = 1s;
constexpr Duration kAskPause = 500ms, kAskPauseMax = 10s;
constexpr Duration kWrongVersionPause = 30s;
constexpr Duration kQuietStart = 10s;         // no leader is no news while a server starts
constexpr std::string_view kLog = "worker";

Duration pause_after(int failures, Duration base, Duration most) {
  for (; failures > 0 && base < most; --failures) base *= 4;
  return std::min(base, most);
}

}  // namespace

Worker::Worker(Server& server, std::vector<std::string> types, int number)
    : server_(server),
      id_(Uuid::generate(server.world().random).str()),
      types_(std::move(types)),
      number_(number),
      started_(server.world().clock.now()),
      fleet_(std::make_shared<scheduler::Fleet>()) {
  // Started from the loop: the constructor's caller is not ready for what a worker does.
  server_.world().loop.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.lock()) running_ = Running(run());
  });
}

Worker::~Worker() = default;

std::optional<Worker::Held> Worker::stop() {
  alive_.reset();
  running_.reset();
  return std::exchange(held_, {});
}

Async<void> Worker::run() {
  for (;;) {
    co_await wait_while_paused();
    Ref<Evaluation> eval;
    uint64_t wait_index = 0;
    held_ = co_await take(eval, wait_index);
    if (!held_) continue;
    bool behind = false;
    bool done = false;
    workload_ = "WaitingForRaft";
    {
      MetricTimer timer("nomad.worker.wait_for_index");
      behind = !co_await server_.store().snapshot_at(wait_index, server_.world().loop, kSnapshotTimeout);
    }
    if (behind) {
      log_warn(kLog, "timed out waiting for Raft index", {{"eval_id", eval->ID.str()}, {"index", std::to_string(wait_index)}});
    } else {
      workload_ = "Scheduling";
      auto name = "nomad.worker.invoke_scheduler." + eval->Type;
      MetricTimer timer(name);
      done = co_await process(eval, held_->token, wait_index);
    }
    co_await send(done, *held_);
    held_.reset();
    // A server that has fallen behind would only fail the next evaluation too.
    if (behind) (void)co_await server_.store().snapshot_at(wait_index, server_.world().loop, kCatchUpTimeout);
  }
}

Async<void> Worker::wait_while_paused() {
  while (server_.pauses_worker(number_)) {
    paused_ = true;
    workload_ = "Paused";
    co_await sleep_for(server_.world().loop, kPausePoll);
  }
  paused_ = false;
}

Async<std::optional<Worker::Held>> Worker::take(Ref<Evaluation>& eval, uint64_t& wait_index) {
  workload_ = "WaitingToDequeue";
  auto& world = server_.world();
  rpc::EvalDequeueRequest req;
  req.Region = server_.config().region;
  req.Schedulers = types_;
  req.Timeout = kDequeueTimeout;
  req.SchedulerVersion = scheduler::kSchedulerVersion;
  Result<rpc::EvalDequeueResponse> got = Error();
  {
    MetricTimer timer("nomad.worker.dequeue_eval");
    got = co_await server_.call<rpc::EvalDequeueResponse>("Eval.Dequeue", std::move(req));
  }
  if (got) {
    failures_ = 0;
    if (!got->Eval) co_return std::nullopt;
    log_debug(kLog, "dequeued evaluation", {{"eval_id", got->Eval->ID.str()}, {"type", got->Eval->Type}, {"job_id", got->Eval->JobID}});
    eval = std::move(got->Eval);
    wait_index = std::max(got->WaitIndex, eval->ModifyIndex);
    co_return Held{eval->ID, std::move(got->Token)};
  }
  workload_ = "Backoff";
  bool wrong_version = got.error().message.find("calling scheduler version is") != std::string::npos;
  if (world.clock.now() - started_ > kQuietStart)
    log_error(kLog, "failed to dequeue evaluation", {{"worker_id", id_}, {"error", got.error().message}});
  co_await sleep_for(world.loop, wrong_version ? kWrongVersionPause : pause_after(failures_++, kDequeuePause, kDequeuePauseMax));
  co_return std::nullopt;
}

Async<void> Worker::send(bool done, Held held) {
  rpc::EvalAckRequest req;
  req.Region = server_.config().region;
  req.EvalID = held.eval;
  req.Token = held.token;
  MetricTimer timer("nomad.worker.send_ack");
  auto sent = co_await server_.call<GenericResponse>(done ? "Eval.Ack" : "Eval.Nack", std::move(req));
  if (!sent) log_debug(kLog, "evaluation could not be answered", {{"eval_id", held.eval.str()}, {"error", sent.error().message}});
}

template <class Response, class Request>
Async<Result<Response>> Worker::ask(std::string_view method, Request request) {
  request.Region = server_.config().region;
  for (int failures = 0;; ++failures) {
    auto answer = co_await server_.call<Response>(method, request);
    // No leader has heard of it. With a new one the token is worth nothing any more, and it says so.
    if (answer || answer.error().code != ErrorCode::kNoLeader) co_return answer;
    workload_ = "Backoff";
    co_await sleep_for(server_.world().loop, pause_after(failures, kAskPause, kAskPauseMax));
    workload_ = "Scheduling";
  }
}

Async<bool> Worker::process(Ref<Evaluation> eval, std::string token, uint64_t index) {
  if (eval->Type == job_type::kCore) {
    auto ran = co_await run_core_job(server_, *eval);
    if (!ran) log_error("core.sched", "garbage collection failed", {{"job", eval->JobID}, {"error", ran.error().message}});
    co_return ran.has_value();
  }
  co_return co_await schedule(std::move(eval), std::move(token), server_.snapshot());
}

Async<Result<scheduler::Step>> Worker::step(std::shared_ptr<scheduler::EvalProcess> process, state::Snapshot snap,
                                            std::shared_ptr<const PlanResult> result) {
  auto view = std::make_shared<const scheduler::SnapshotView>(snap);
  snapshot_index_ = snap.index();
  // The pass may outlive this worker: it owns what it works on.
  co_return co_await on_pool(server_.world(), [process, view, now = server_.world().clock.now(), fleet = fleet_, result] {
    return result ? process->result(*result, view, fleet.get(), now) : process->start(view, fleet.get(), now);
  });
}

namespace {

// Allocations of the plan that are replaced later, by evaluations made with it.
void measure_reschedules(const scheduler::Step& step) {
  if (step.create_evals.empty()) return;
  std::map<Uuid, Time> until;
  for (auto& eval : step.create_evals)
    if (!eval.WaitUntil.unset()) until.emplace(eval.ID, eval.WaitUntil);
  if (until.empty()) return;
  for (auto& [node, allocs] : step.Plan.NodeAllocation) {
    for (auto& alloc : allocs) {
      auto it = until.find(alloc->FollowupEvalID);
      if (it == until.end()) continue;
      MetricLabels labels{{"alloc_id", alloc->ID.str()}, {"job", std::string(alloc->JobID.view())},
                          {"namespace", std::string(alloc->Namespace.view())}, {"task_group", std::string(alloc->TaskGroup.view())},
                          {"followup_eval_id", it->first.str()}};
      auto count = reschedule_count(*alloc);
      metric_gauge("scheduler.allocs.reschedule.wait_until", static_cast<double>(it->second.unix_nanos / 1'000'000'000), labels);
      metric_gauge("scheduler.allocs.reschedule.attempted", static_cast<double>(count.attempted), labels);
      metric_gauge("scheduler.allocs.reschedule.limit", static_cast<double>(count.limit), labels);
    }
  }
}

}  // namespace

Async<bool> Worker::schedule(Ref<Evaluation> eval, std::string token, state::Snapshot snap) {
  scheduler::Options options;
  options.stopwatch = &server_.world().clock;
  auto process = std::make_shared<scheduler::EvalProcess>(*eval, options, server_.world().random.next());
  auto next = co_await step(process, snap, nullptr);
  for (;;) {
    if (!next) {
      log_error(kLog, "failed to process evaluation", {{"eval_id", eval->ID.str()}, {"error", next.error().message}});
      co_return false;
    }
    measure_reschedules(*next);
    for (auto& created : next->create_evals)
      if (!co_await write_eval("Eval.Create", std::move(created), token)) co_return false;
    if (next->kind != scheduler::Step::Kind::kSubmit) break;
    auto result = co_await submit(std::move(next->Plan), token);
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
  if (next->kind != scheduler::Step::Kind::kReblock) co_return co_await write_eval("Eval.Update", std::move(updated), token);
  // Still blocked: only a changed number of queued allocations is news for the log.
  if (updated.QueuedAllocations != eval->QueuedAllocations && !co_await write_eval("Eval.Update", updated, token)) co_return false;
  co_return co_await write_eval("Eval.Reblock", std::move(updated), token);
}

Async<bool> Worker::write_eval(std::string_view method, Evaluation eval, std::string token) {
  eval.SnapshotIndex = snapshot_index_;
  touch(eval, server_.world().clock.now());
  rpc::EvalUpdateRequest req;
  req.EvalToken = std::move(token);
  auto id = eval.ID;
  req.Evals.push_back(std::move(eval));
  MetricTimer timer(method == "Eval.Create" ? "nomad.worker.create_eval" : method == "Eval.Reblock" ? "nomad.worker.reblock_eval" : "nomad.worker.update_eval");
  auto written = co_await ask<GenericResponse>(method, std::move(req));
  if (!written) log_error(kLog, "failed to write evaluation", {{"eval_id", id.str()}, {"rpc", std::string(method)}, {"error", written.error().message}});
  co_return written.has_value();
}

Async<Result<PlanResult>> Worker::submit(Plan plan, std::string token) {
  workload_ = "Submitting";
  plan.EvalToken = std::move(token);
  plan.SnapshotIndex = snapshot_index_;
  rpc::PlanRequest req;
  req.Plan = std::make_shared<const Plan>(std::move(plan));
  MetricTimer timer("nomad.worker.submit_plan");
  auto answer = co_await ask<rpc::PlanResponse>("Plan.Submit", std::move(req));
  workload_ = "Scheduling";
  if (!answer) co_return Error(std::move(answer).error());
  if (!answer->Result) co_return internal("missing result");
  co_return std::move(*answer->Result);
}

}  // namespace drover::server
