// Snapshots of the own state, and the installation of another's.
#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "raft/driver.h"

namespace drover::raft {
namespace {

constexpr uint64_t kMemoryLogKeeps = 256;          // entries, in memory mode

}  // namespace

// Entries are counted by the owner's threshold, and by their bytes: a few large ones (plans) take as long to apply again
// after a restart as many small ones. As much log as the state itself is large, within the options' bounds, keeps both
// the writing of snapshots and a restart in proportion to the state. Servers draw different values, so that not all of
// a cluster take theirs at one time.
void Driver::draw_snapshot_bytes() {
  uint64_t state = snapshot_ ? snapshot_->size : 0;
  uint64_t bytes = std::clamp(state, options_.snapshot_bytes_min, options_.snapshot_bytes_max);
  snapshot_after_ = bytes + parts_.world.random.below(bytes / 2 + 1);
}

Async<Status> Driver::take_snapshot() {
  auto self = shared_from_this();
  if (dead_) co_return Error(ErrorCode::kCancelled, "raft is already shutdown");
  if (options_.memory) co_return invalid("a server whose log is in memory takes no snapshots");
  if (snapshot_ && snapshot_->index == applied_) co_return Status();
  Promise<Status> waiter;
  snapshot_waiters_.push_back(waiter);
  want_snapshot_ = true;
  post(&Driver::pump);
  co_return co_await waiter;
}

void Driver::set_snapshot_policy(uint64_t threshold, Duration interval, uint64_t trailing) {
  options_.snapshot_threshold = threshold;
  options_.snapshot_interval = interval;
  options_.trailing_logs = trailing;
  next_snapshot_check_ = now() + interval + parts_.world.random.jitter(interval);
}

void Driver::maybe_snapshot() {
  if (options_.memory) {
    if (applied_ > st_.first + 2 * kMemoryLogKeeps) engine_.compact(std::min(applied_, st_.persisted) - kMemoryLogKeeps);
    return;
  }
  if (taking_snapshot_ || applying_ || installing_ > 0 || gathering_) return;
  uint64_t base = snapshot_ ? snapshot_->index : 0;
  if (applied_ <= base) {
    if (std::exchange(want_snapshot_, false)) end_snapshot_waiters({});
    return;
  }
  if (want_snapshot_ || applied_bytes_ > snapshot_after_) begin_snapshot();
}

// The view is taken in the state machine's turn, so it is the state at applied_; the pool streams it.
void Driver::begin_snapshot() {
  want_snapshot_ = false;
  taking_snapshot_ = true;
  applied_bytes_ = 0;
  SnapshotMeta meta;
  meta.index = applied_;
  meta.term = applied_term_;
  meta.index_offset = index_offset_;
  meta.configuration = conf_;
  meta.configuration_index = conf_index_;
  meta.created_ms = parts_.world.clock.now().unix_nanos / 1'000'000;
  on_executor(
      [this] {
        MetricTimer timer("raft.fsm.snapshot");
        return parts_.fsm.snapshot();
      },
              [meta, epoch = snapshot_epoch_](Driver& d, std::unique_ptr<SnapshotSource> source) {
                d.parts_.world.pool.run([weak = d.weak_from_this(), &loop = d.parts_.world.loop, store = d.snapshots_, meta, epoch,
                                         source = std::move(source)] {
                  auto write = [&]() -> Result<SnapshotMeta> {
                    MetricTimer whole("raft.snapshot.takeSnapshot");
                    Result<std::unique_ptr<SnapshotStore::Writer>> writer = Error();
                    {
                      MetricTimer timer("raft.snapshot.create");
                      writer = store->create(meta);
                    }
                    if (!writer) return std::move(writer).error();
                    MetricTimer timer("raft.snapshot.persist");
                    DROVER_CHECK(source->write(**writer));
                    return (*writer)->finish();
                  };
                  loop.post([weak, epoch, result = write()]() mutable {
                    auto self = weak.lock();
                    if (!self || self->dead_) return;
                    self->taking_snapshot_ = false;
                    if (epoch != self->snapshot_epoch_) result = Error(ErrorCode::kCancelled, "a newer snapshot was installed");
                    self->snapshot_taken(std::move(result));
                    self->pump();
                  });
                });
              });
}

// A failure costs nothing but disk: the log stays. It is tried again at the next interval.
void Driver::snapshot_taken(Result<SnapshotMeta> result) {
  if (!result) {
    log_error("raft.snapshot", "failed to take snapshot", {{"error", result.error().message}});
    return end_snapshot_waiters(Error(std::move(result).error()));
  }
  log_info("raft.snapshot", "took a snapshot", {{"index", std::to_string(result->index)}, {"size", std::to_string(result->size)}});
  snapshot_ = std::move(*result);
  snapshot_bytes_ = snapshot_->encode();
  draw_snapshot_bytes();
  compact_to(snapshot_->index);
  end_snapshot_waiters({});
}

void Driver::end_snapshot_waiters(const Status& status) {
  for (auto& w : snapshot_waiters_) later([w, status]() mutable { w.set(status); });
  snapshot_waiters_.clear();
}

// Keeps what a slow follower may want: so many entries, or bytes, whichever is less, and what comes after a snapshot
// that is on its way.
void Driver::compact_to(uint64_t snapshot_index) {
  uint64_t keep = snapshot_index > options_.trailing_logs ? snapshot_index - options_.trailing_logs + 1 : 1;
  keep = std::min(std::max(keep, log_->first_within(options_.trailing_bytes)), snapshot_index + 1);
  for (auto& [to, s] : sending_) keep = std::min(keep, s.meta.index + 1);
  uint64_t upto = std::min({keep - 1, applied_, st_.persisted});
  if (upto < st_.first || !engine_.compact(upto)) return;
  log_->compact(upto);
  refresh();
}

int32_t Driver::snapshot_hook(uint64_t at_least, uint64_t to, dr_snapshot* out) {
  // The receiver must find itself in the configuration, or it would not know whom to answer.
  if (!snapshot_ || snapshot_->index < at_least || !snapshot_->configuration.has(to)) {
    want_snapshot_ = true;
    return 1;
  }
  *out = {snapshot_->index, snapshot_->term, snapshot_->configuration.view(),
          {reinterpret_cast<const uint8_t*>(snapshot_bytes_.data()), snapshot_bytes_.size()}};
  return 0;
}

// The front write is a durable snapshot: file and log have it. Now the state machine.
void Driver::begin_install() {
  if (install_running_ || applying_) return;  // batch_applied comes back here by way of pump
  install_running_ = true;
  auto meta = writes_.front().install;
  if (meta->initial) return installed({});
  load_state([store = snapshots_, meta] { return store->open_state(*meta); },
             [](Driver& d, Status status) { d.installed(std::move(status)); });
}

void Driver::load_state(OpenState open, StateLoaded done) {
  applying_ = true;
  parts_.world.pool.run([life = lifeline_, weak = weak_from_this(), &loop = parts_.world.loop, &fsm = parts_.fsm,
                         open = std::move(open), done = std::move(done)]() mutable {
    std::lock_guard lock(life->mutex);  // the state machine stays until this is over
    if (!life->alive) return;
    auto load = [&]() -> Result<StateMachine::Swap> {
      DROVER_TRY(auto reader, open());
      auto began = std::chrono::steady_clock::now();
      auto loaded = fsm.load(*reader);
      auto took = metric_milliseconds(std::chrono::steady_clock::now() - began);
      metric_sample("raft.fsm.restore", took);
      metric_gauge("raft.fsm.lastRestoreDuration", took);
      return loaded;
    };
    loop.post([weak, swap = load(), done = std::move(done)]() mutable {
      auto self = weak.lock();
      if (!self || self->dead_) return;
      self->applying_ = false;
      self->swap_state(std::move(swap), std::move(done));
      self->pump();
    });
  });
}

void Driver::swap_state(Result<StateMachine::Swap> swap, StateLoaded done) {
  if (!swap) return done(*this, std::move(swap).error());
  on_executor(
      [&fsm = parts_.fsm, swap = std::move(*swap)]() mutable {
        auto before = swap();
        fsm.applied_batch();
        return before;
      },
      [done = std::move(done)](Driver& d, std::shared_ptr<const void> before) mutable {
        d.parts_.world.pool.run([before = std::move(before)] {});  // letting go of a large state takes its time
        done(d, {});
      });
}

void Driver::installed(Status status) {
  if (!status) return fail(std::move(status).error().with_context("installing a snapshot"));
  Write w = std::move(writes_.front());
  writes_.pop_front();
  install_running_ = false;
  installing_--;
  abandon_restore();
  snapshot_ = *w.install;
  snapshot_bytes_ = snapshot_->encode();
  conf_ = snapshot_->configuration;
  conf_index_ = snapshot_->configuration_index;
  index_offset_ = snapshot_->index_offset;
  applied_ = snapshot_->index;
  applied_term_ = snapshot_->term;
  applied_bytes_ = 0;
  draw_snapshot_bytes();
  metric_sample("raft.rpc.installSnapshot", metric_milliseconds(now() - w.since));
  log_info("raft.snapshot", "installed a snapshot", {{"index", std::to_string(applied_)}});
  for (auto& m : w.messages) send(m.to, std::move(m.bytes));
  engine_.persisted(w.number);
  engine_.applied(applied_);
  if (events_.configuration) event([this] { events_.configuration(); });
  drain_writes();
}

}  // namespace drover::raft
