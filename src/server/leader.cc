#include "server/leader.h"

#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "codec/msgpack.h"
#include "model/rpc.h"
#include "model/status.h"
#include "server/autopilot.h"
#include "server/core_jobs.h"
#include "server/deployment_watcher.h"
#include "server/drainer.h"
#include "server/eval_log.h"
#include "server/first_objects.h"
#include "server/periodic.h"
#include "server/root_keys.h"
#include "server/raft_membership.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr size_t kCancelBatch = 728;  // evaluations in one entry, as the reference bounds it
constexpr Duration kCancelInterval = 5s;
constexpr Duration kUnblockFailedInterval = 1s;  // each job has its own pace
constexpr Duration kPruneInterval = 5min;
constexpr Duration kPruneAge = 15min;
constexpr Duration kBeat = 500ms;  // of the loop itself
constexpr std::string_view kLog = "nomad";

}  // namespace

Leader::Leader(Server& server, uint64_t term)
    : server_(server),
      term_(term),
      broker_(server.world().random,
              {.nack_timeout = server.config().eval_nack_timeout, .delivery_limit = server.config().eval_delivery_limit}),
      heartbeats_(server.world().random, server.config().heartbeats),
      planner_(plan_log(server)),
      periodic_(std::make_unique<PeriodicDispatcher>(server)) {}

Leader::~Leader() {
  // Waiting workers are told before what they wait for is gone.
  broker_.set_enabled(false);
  for (auto waiters = std::move(waiters_); auto& w : waiters) w->wake.set({});
}

Now Leader::now() const {
  auto& clock = server_.world().clock;
  return {clock.monotonic(), clock.now()};
}

// The reference begins a term with a barrier: indexes that clients see count it.
Async<Status> Leader::write_barrier() {
  if (barrier_written_) co_return Status{};
  MetricTimer timer("nomad.leader.barrier");
  std::string entry(1, static_cast<char>(static_cast<uint8_t>(state::EntryType::kBarrier) | state::kIgnoreUnknown));
  auto stamp = now().wall.unix_nanos;
  msgpack_encode(type_of<int64_t>(), &stamp, entry);
  DROVER_CO_TRY(auto r, co_await server_.propose(std::move(entry)));
  barrier_written_ = true;
  co_return Status{};
}

Async<Status> Leader::establish() {
  MetricTimer timer("nomad.leader.establish_leadership");
  DROVER_CO_CHECK(co_await write_barrier());
  DROVER_CO_CHECK(co_await write_first_objects(server_));
  auto config = server_.snapshot().scheduler_config().get();
  set_brokers_enabled(!config || !config->PauseEvalBroker);
  auto snap = server_.snapshot();
  for (auto& node : snap.nodes().all())
    if (!is_down(*node)) heartbeats_.give_failover_ttl(node->ID, now().mono);
  deployments_ = std::make_unique<DeploymentWatcher>(server_);
  drainer_ = std::make_unique<Drainer>(server_);
  drainer_->restore();
  periodic_->restore();
  ready_ = true;
  beat();
  members_ = std::make_unique<RaftMembership>(server_);
  autopilot_ = std::make_unique<Autopilot>(server_);
  duties_.start(reap_failed());
  duties_.start(reap_canceled());
  duties_.start(periodic_duties());
  arm_timer();
  co_return Status{};
}

void Leader::set_brokers_enabled(bool on) {
  if (broker_.enabled() == on) return;
  broker_.set_enabled(on);
  blocked_.set_enabled(on);
  if (on) restore_evals();
}

void Leader::restore_evals() {
  for (auto& eval : server_.snapshot().evals().all()) eval_changed(eval);
  serve_waiters();
}

void Leader::eval_changed(const Ref<Evaluation>& eval) {
  if (eval->Status == eval_status::kPending) {
    broker_.enqueue(eval, now());
  } else if (eval->Status == eval_status::kBlocked) {
    enqueue(blocked_.block(eval));
  } else if (eval->Status == eval_status::kComplete && eval->FailedTGAllocs.empty()) {
    blocked_.untrack(eval->Namespace, eval->JobID);
  }
}

void Leader::enqueue(std::vector<Unblocked> released) {
  for (auto& u : released) {
    // A released evaluation runs again as a pending one; the log still has it as blocked until the worker answers.
    broker_.enqueue(std::move(u.eval), now(), u.token);
  }
}

void Leader::on_effects(const state::Effects& effects, uint64_t index) {
  for (auto& eval : effects.evals) eval_changed(eval);
  for (auto& room : effects.capacity) {
    enqueue(blocked_.unblock(room.node_class, index));
    if (!room.quota.empty()) enqueue(blocked_.unblock_quota(room.quota, index));
    if (!room.node.nil()) enqueue(blocked_.unblock_node(room.node));
  }
  for (auto& quota : effects.quotas) enqueue(blocked_.unblock_quota(quota, index));
  for (auto& job : effects.periodic_add) periodic_->add(job);
  for (auto& [ns, id] : effects.periodic_remove) periodic_->remove(ns, id);
  serve_waiters();
  arm_timer();
}

void Leader::on_commit(const state::CommitInfo& commit) {
  for (auto& change : commit.changes) {
    if (change.table != state::TableId::scheduler_config || !ready_) continue;
    if (auto config = change.after_as<SchedulerConfiguration>()) set_brokers_enabled(!config->PauseEvalBroker);
  }
  if (deployments_) deployments_->on_commit(commit);
  if (drainer_) drainer_->on_commit(commit);
}

Async<std::optional<EvalBroker::Delivery>> Leader::dequeue(std::vector<std::string> types, Duration timeout) {
  if (auto d = broker_.dequeue(types, now())) {
    arm_timer();
    co_return d;
  }
  auto waiter = std::make_shared<Waiter>();
  waiter->types = std::move(types);
  waiter->patience = server_.world().loop.after(timeout, [wake = waiter->wake]() mutable { wake.set({}); });
  waiters_.push_back(waiter);
  // Ends with this flow, also when that is dropped while it waits.
  struct Watch {
    Leader& leader;
    std::weak_ptr<int> alive;
    WaiterRef waiter;
    bool answered = false;
    ~Watch() {
      if (!answered && alive.lock()) leader.forget(waiter);
    }
  } watch{*this, alive_, waiter};
  co_await waiter->wake;
  watch.answered = true;
  co_return std::move(waiter->delivery);
}

// Nobody waits there any more; an evaluation that was on its way goes to somebody else.
void Leader::forget(const WaiterRef& waiter) {
  std::erase(waiters_, waiter);
  if (!waiter->delivery) return;
  server_.world().loop.post([this, alive = std::weak_ptr<int>(alive_), d = *waiter->delivery] {
    if (alive.lock()) (void)nack(d.eval->ID, d.token);
  });
}

void Leader::serve_waiters() {
  for (size_t i = 0; i < waiters_.size();) {
    auto waiter = waiters_[i];
    if (!waiter->wake.ready()) waiter->delivery = broker_.dequeue(waiter->types, now());
    if (!waiter->wake.ready() && !waiter->delivery) {
      ++i;
      continue;
    }
    waiters_.erase(waiters_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!waiter->delivery) continue;
    waiter->patience.cancel();
    // Resumed from the loop, not from within a commit: the commit is not finished yet.
    server_.world().loop.post([wake = waiter->wake]() mutable { wake.set({}); });
  }
}

Status Leader::ack(const Uuid& eval_id, const Uuid& token) {
  DROVER_CHECK(broker_.ack(eval_id, token, now()));
  serve_waiters();
  arm_timer();
  return {};
}

Status Leader::nack(const Uuid& eval_id, const Uuid& token) {
  DROVER_CHECK(broker_.nack(eval_id, token, now()));
  serve_waiters();
  arm_timer();
  return {};
}

void Leader::resume_nack_timeout(const Uuid& eval_id, const Uuid& token) {
  (void)broker_.resume_nack_timeout(eval_id, token, now());
  arm_timer();
}

void Leader::reblock(Ref<Evaluation> eval, const Uuid& token) {
  enqueue(blocked_.block(std::move(eval), token));
  serve_waiters();
}

Duration Leader::node_heard(const Uuid& node) {
  auto ttl = heartbeats_.reset(node, now().mono);
  arm_timer();
  return ttl;
}

void Leader::node_gone(const Uuid& node) { heartbeats_.forget(node); }

void Leader::arm_timer() {
  if (!ready_) return;
  auto at = broker_.next_wake(now());
  if (auto h = heartbeats_.next_deadline(); h && (!at || *h < *at)) at = h;
  if (!at) {
    timer_.cancel();
    return;
  }
  timer_ = server_.world().loop.after(std::max(Duration::zero(), *at - now().mono), [this] { on_timer(); });
}

// A server that stood still must not blame its nodes for what it did not hear.
void Leader::awake() {
  if (auto gap = heartbeats_.awake(now().mono); gap > Duration::zero())
    log_warn("nomad.heartbeat", "this server stood still: its nodes are waited for as much longer", {{"for", format_duration(gap)}});
}

void Leader::beat() {
  awake();
  beat_ = server_.world().loop.after(kBeat, [this] { beat(); });
}

void Leader::on_timer() {
  awake();
  if (broker_.tick(now())) serve_waiters();
  auto expired = heartbeats_.take_expired(now().mono);
  if (!expired.empty()) duties_.start(expire_nodes(std::move(expired)));
  arm_timer();
}

Async<void> Leader::expire_nodes(std::vector<Uuid> nodes) {
  for (auto& id : nodes) {
    auto snap = server_.snapshot();
    auto node = snap.nodes().get(id);
    if (!node) continue;
    log_warn("nomad.heartbeat", "node TTL expired", {{"node_id", id.str()}});
    MetricTimer timer("nomad.heartbeat.invalidate");
    rpc::NodeUpdateStatusRequest req;
    req.Region = server_.config().region;
    req.NodeID = id.str();
    req.Status = tolerates_absence(snap, *node, server_.world().clock.now()) ? node_status::kDisconnected : node_status::kDown;
    req.NodeEvent.ensure().Message = "Node heartbeat missed";
    req.NodeEvent->Subsystem = "Cluster";
    req.NodeEvent->Timestamp = server_.world().clock.now();
    auto r = co_await server_.call(rpc::kNodeUpdateStatus, req);
    if (!r) {
      log_error("nomad.heartbeat", "update node status failed", {{"error", r.error().message}});
      // The node stays watched, so that the mark is not lost to a passing failure.
      heartbeats_.reset(id, now().mono);
    }
  }
  arm_timer();
}

Async<void> Leader::reap_failed() {
  const std::vector<std::string> failed{std::string(EvalBroker::kFailedQueue)};
  for (;;) {
    auto d = co_await dequeue(failed, 60s);
    if (!d) {
      co_await sleep_for(server_.world().loop, 1s);
      continue;
    }
    if (d->eval->Type != job_type::kCore) {
      auto [updated, followup] = failed_follow_up(*d->eval, server_.world());
      auto r = co_await write_evals(server_, {std::move(updated), std::move(followup)});
      if (!r) {
        log_error(kLog, "failed to update failed eval", {{"error", r.error().message}});
        continue;
      }
    }
    (void)ack(d->eval->ID, d->token);
  }
}

Async<void> Leader::reap_canceled() {
  for (;;) {
    co_await sleep_for(server_.world().loop, kCancelInterval);
    co_await cancel(broker_.take_cancelable(kCancelBatch), false);
    co_await cancel(blocked_.take_duplicates(), true);
  }
}

Async<void> Leader::cancel(std::vector<Ref<Evaluation>> evals, bool duplicates) {
  if (evals.empty()) co_return;
  std::vector<Evaluation> canceled;
  for (auto& e : evals) {
    auto current = server_.snapshot().evals().get(e->ID);
    if (!current) continue;
    Evaluation copy = *current;
    copy.Status = eval_status::kCanceled;
    copy.StatusDescription = duplicates ? "existing blocked evaluation exists for job \"" + e->JobID + "\""
                                        : "canceled after more recent eval was processed";
    canceled.push_back(std::move(copy));
  }
  auto r = co_await write_evals(server_, std::move(canceled));
  if (!r) log_warn(kLog, "failed to cancel evals", {{"error", r.error().message}});
}

void Leader::enqueue_core(std::string_view job) {
  broker_.enqueue(std::make_shared<Evaluation>(core_eval(job, server_.snapshot().latest_index(), server_.world())), now());
  serve_waiters();
}

Async<void> Leader::periodic_duties() {
  auto& config = server_.config();
  Monotonic next_gc = now().mono + config.gc.interval, next_unblock = now().mono + kUnblockFailedInterval,
            next_prune = now().mono + kPruneInterval, next_keys = now().mono + config.gc.root_key_interval;
  for (;;) {
    auto at = std::min({next_gc, next_unblock, next_prune, next_keys});
    co_await sleep_for(server_.world().loop, std::max(Duration::zero(), at - now().mono));
    auto t = now();
    if (t.mono >= next_gc) {
      for (auto job : kPeriodicCoreJobs) enqueue_core(job);
      next_gc = t.mono + config.gc.interval;
    }
    if (t.mono >= next_keys) {
      enqueue_core(kRootKeyJob);
      enqueue_core(kRekeyJob);
      next_keys = t.mono + config.gc.root_key_interval;
    }
    if (t.mono >= next_unblock) {
      enqueue(blocked_.unblock_failed(t.mono));
      serve_waiters();
      next_unblock = t.mono + kUnblockFailedInterval;
    }
    if (t.mono >= next_prune) {
      blocked_.prune(server_.snapshot().times().nearest_index(t.wall - kPruneAge));
      next_prune = t.mono + kPruneInterval;
    }
  }
}

}  // namespace drover::server
