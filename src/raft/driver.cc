#include "raft/driver.h"

#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "raft/disk.h"
#include "raft/file_log.h"
#include "raft/work_thread.h"

namespace drover::raft {
namespace {

constexpr uint64_t kMaxCommittedBytes = 4u << 20;  // handed out in one ready
constexpr uint32_t kMaxInflightMessages = 256;
constexpr Duration kHandoverPause = std::chrono::seconds(30);  // once a leader with a full disk has tried all others
constexpr int kAloneTickFactor = 10;  // a server without peers has little to time

}  // namespace

Driver::Driver(Options options, Parts parts)
    : options_(std::move(options)),
      parts_(parts),
      self_(peer_id(options_.self.id)),
      disk_(parts.disk ? *parts.disk : real_disk()),
      boot_(parts.world.random.next()) {}

Driver::~Driver() { stop(); }

Status Driver::open() {
  if (options_.self.id.empty()) return invalid("a raft server needs an id");
  DROVER_CHECK(recover());
  // Not all servers of a cluster at one time.
  next_snapshot_check_ = now() + options_.snapshot_interval + parts_.world.random.jitter(options_.snapshot_interval);
  draw_snapshot_bytes();
  return {};
}

// The newest snapshot that can be read, restored into the state machine.
Result<std::optional<SnapshotMeta>> Driver::restore_newest() {
  for (auto& meta : snapshots_->list()) {
    if (meta.initial) return std::optional(meta);
    auto reader = snapshots_->open_state(meta);
    Status status = reader ? parts_.fsm.restore(**reader) : Status(Error(reader.error()));
    if (status) return std::optional(meta);
    Error error = std::move(status).error().with_context("restoring snapshot " + std::to_string(meta.index));
    if (error.code != ErrorCode::kCorrupt && error.code != ErrorCode::kIo) return error;
    log_error("raft.snapshot", "a snapshot is not readable; trying an older one", {{"error", error.message}});
  }
  return std::optional<SnapshotMeta>();
}

Status Driver::recover() {
  RecoveredLog log;
  std::optional<SnapshotMeta> meta;
  if (options_.memory) {
    log_ = std::make_unique<MemoryLog>();
    return create_engine(log, meta);
  }
  DROVER_TRY(snapshots_, SnapshotStore::open(options_.dir + "/snapshots", disk_));
  auto all = snapshots_->list();
  FileLogOptions file{options_.dir + "/log", options_.segment, options_.inline_sync};
  if (!all.empty() && all.back().index > options_.trailing_logs) file.keep_from = all.back().index - options_.trailing_logs;
  Pool* thread = parts_.log_thread;
  if (!thread) {
    own_thread_ = std::make_unique<WorkThread>("raft-log");
    thread = own_thread_.get();
  }
  DROVER_TRY(log_, FileLog::open(file, disk_, parts_.world, *thread, log));
  DROVER_TRY(meta, restore_newest());

  uint64_t base = meta ? meta->index : 0;
  if (log.snapshot_index > base) {
    return Error(ErrorCode::kCorrupt, "the raft log goes on from snapshot " + std::to_string(log.snapshot_index) +
                                          ", which is not in " + options_.dir + "/snapshots or not readable; the newest that is, ends at " +
                                          std::to_string(base) + repair_advice(options_.dir));
  }
  if (log.last != 0 && log.first > base + 1) {
    return Error(ErrorCode::kCorrupt, "the raft log begins at index " + std::to_string(log.first) + " but the newest readable snapshot in " +
                                          options_.dir + "/snapshots ends at " + std::to_string(base) + repair_advice(options_.dir));
  }
  if (options_.recover) DROVER_CHECK(recover_configuration(log, meta));
  return create_engine(log, meta);
}

// Takes everything in the log as committed and writes it down as a snapshot with the given configuration. What other
// servers did not have of it is kept, what they had and this one lacks is lost: an operator's last resort.
Status Driver::recover_configuration(const RecoveredLog& log, std::optional<SnapshotMeta>& meta) {
  if (!meta) return invalid("refused to recover cluster with no initial state, this is probably an operator error");
  index_offset_ = meta->index_offset;
  uint64_t last = meta->index, term = meta->term;
  Error failed(ErrorCode::kInternal, "");
  bool ok = true;
  while (ok && log.last > last) {
    DROVER_CHECK(log_->read(last + 1, log.last + 1, kMaxCommittedBytes, [&](const dr_entry& e) {
      if (!ok) return;
      last = e.index;
      term = e.term;
      std::string_view data = view(e.data);
      if (data.empty()) abandon_restore();
      if (e.kind != DR_ENTRY_NORMAL || data.empty()) return;
      if (data[0] == kTagUser) {
        parts_.fsm.apply(e.index + index_offset_, data.substr(1));
        return;
      }
      uint64_t min_index = 0;
      std::string why;
      auto gathered = gather_chunk(data.substr(1), min_index, why);
      if (gathered && *gathered == Gathered::kComplete) {
        auto status = restore_gathered();
        if (status && e.index + index_offset_ <= min_index) index_offset_ = min_index + 1 - e.index;
        abandon_restore();
      }
      if (!gathered) {
        failed = gathered.error();
        ok = false;
      }
    }));
  }
  abandon_restore();
  if (!ok) return failed;
  parts_.fsm.applied_batch();

  SnapshotMeta next;
  next.index = next.configuration_index = last;
  next.term = term;
  next.index_offset = index_offset_;
  next.configuration = Configuration::of(*options_.recover);
  if (next.configuration.voters.empty()) return invalid("need at least one voter in configuration");
  next.created_ms = parts_.world.clock.now().unix_nanos / 1'000'000;
  DROVER_TRY(auto writer, snapshots_->create(next));
  auto source = parts_.fsm.snapshot();
  DROVER_CHECK(source->write(*writer));
  DROVER_TRY(meta, writer->finish());
  log_warn("raft", "recovered the configuration by hand", {{"index", std::to_string(last)}, {"servers", std::to_string(options_.recover->size())}});
  return {};
}

dr_config Driver::engine_config() const {
  dr_config config{};
  config.id = self_;
  config.election_tick = options_.election_ticks;
  config.heartbeat_tick = options_.heartbeat_ticks;
  config.max_msg_bytes = options_.max_message;
  config.max_inflight_msgs = kMaxInflightMessages;
  config.pre_vote = config.check_quorum = config.batch_append = config.skip_bcast_commit = 1;
  config.max_uncommitted_bytes = ~0ull;  // in_flight_ is the limit
  config.max_committed_bytes = kMaxCommittedBytes;
  return config;
}

dr_hooks Driver::engine_hooks() {
  dr_hooks hooks{};
  hooks.ctx = this;
  hooks.entries = [](void* ctx, uint64_t lo, uint64_t hi, uint64_t max, void* to, dr_entry_sink sink) -> int32_t {
    auto status = static_cast<Driver*>(ctx)->log_->read(lo, hi, max, [&](const dr_entry& e) { sink(to, &e); });
    if (status) return 0;
    log_error("raft.log", "reading the log back failed; the process ends", {{"error", status.error().message}});
    return 1;
  };
  hooks.snapshot = [](void* ctx, uint64_t at_least, uint64_t to, dr_snapshot* out) -> int32_t {
    return static_cast<Driver*>(ctx)->snapshot_hook(at_least, to, out);
  };
  hooks.rand = [](void* ctx, uint32_t lo, uint32_t hi) -> uint32_t {
    return lo + static_cast<uint32_t>(static_cast<Driver*>(ctx)->parts_.world.random.below(hi - lo));
  };
  hooks.log = [](void*, int32_t level, const char* text, size_t n) {
    constexpr LogLevel kLevels[] = {LogLevel::kError, LogLevel::kError, LogLevel::kError, LogLevel::kWarn,
                                    LogLevel::kDebug, LogLevel::kTrace, LogLevel::kTrace};
    drover::log(kLevels[std::clamp(level, 0, 6)], "raft.engine", {text, n});
  };
  return hooks;
}

Status Driver::create_engine(const RecoveredLog& log, const std::optional<SnapshotMeta>& meta) {
  uint64_t base = meta ? meta->index : 0, base_term = meta ? meta->term : 0;
  dr_init init{};
  init.hs = log.hs;
  if (init.hs.term < base_term) init.hs = {base_term, 0, base};  // a snapshot was installed, its record not yet written
  init.applied = init.trunc_index = init.last_index = base;
  init.trunc_term = base_term;

  std::vector<dr_term_run> runs = log.runs;
  auto term_at = [&](uint64_t index) {
    uint64_t term = 0;
    for (auto& r : runs) {
      if (r.first <= index) term = r.term;
    }
    return term;
  };
  bool continues = log.last != 0 && log.last >= base && (log.first == base + 1 || term_at(base) == base_term);
  if (continues) {
    init.last_index = log.last;
    if (log.first <= base) {
      init.trunc_index = log.first;
      init.trunc_term = term_at(log.first);
    }
  } else {
    runs.clear();
  }
  init.runs = runs.data();
  init.n_runs = runs.size();

  if (meta) {
    conf_ = meta->configuration;
    conf_index_ = meta->configuration_index;
    metric_gauge("raft.peers", static_cast<double>(conf_.servers.size()));
    index_offset_ = meta->index_offset;
    snapshot_ = *meta;
    snapshot_bytes_ = meta->encode();
  }
  init.conf = conf_.view();
  applied_ = base;
  applied_term_ = base_term;
  has_state_ = meta.has_value() || log.any;

  if (!engine_.create(engine_config(), init, engine_hooks())) return internal("the consensus engine refused its configuration");
  hs_ = init.hs;
  hs_.commit = std::min(std::max(hs_.commit, init.applied), init.last_index);
  st_ = engine_.status();

  if (log.last != 0 && !continues) {
    // The log ends before the snapshot or is of another history: it must not be found before what comes next.
    LogRecord record;
    record.hs = hs_;
    record.snapshot_index = base;
    record.snapshot_term = base_term;
    DROVER_TRY(bool durable, log_->append(std::move(record), [weak = weak_from_this()](Status status) {
      if (auto self = weak.lock(); self && !status) self->fail(status.error());
    }));
    static_cast<void>(durable);
  }
  return {};
}

bool Driver::has_state() const { return has_state_; }

Status Driver::bootstrap(const std::vector<Server>& servers) {
  if (has_state_) return Error(ErrorCode::kConflict, "bootstrap only works on new clusters");
  Configuration conf = Configuration::of(servers);
  if (conf.servers.size() != servers.size()) return invalid("found duplicate ID in configuration");
  if (conf.voters.empty()) return invalid("need at least one voter in configuration");
  if (options_.memory && !conf.only(self_)) return invalid("a server whose log is in memory cannot have peers");
  SnapshotMeta meta;
  meta.index = meta.term = meta.configuration_index = 1;
  meta.configuration = conf;
  meta.initial = true;
  meta.created_ms = parts_.world.clock.now().unix_nanos / 1'000'000;
  if (snapshots_) {
    DROVER_TRY(auto writer, snapshots_->create(meta));
    DROVER_TRY(meta, writer->finish());
  }
  DROVER_CHECK(create_engine(RecoveredLog{}, meta));
  pump();
  return {};
}

void Driver::start(Events events) {
  events_ = std::move(events);
  started_ = true;
  metric_count("raft.state.follower");
  arm_tick();
  // The first work is done on the loop's own turn, so that no event comes from inside this call.
  post(&Driver::pump);
}

void Driver::stop() {
  stopped_ = true;
  if (std::exchange(dead_, true) && !log_) return;
  tick_timer_.cancel();
  {
    std::lock_guard lock(lifeline_->mutex);
    lifeline_->alive = false;
  }
  log_.reset();
  own_thread_.reset();
  fail_requests({ErrorCode::kCancelled, "raft is already shutdown"});
  auto after = std::move(after_);
  after_.clear();
  for (auto& fn : after) fn();
}

void Driver::event(std::move_only_function<void()> fn) {
  later([this, fn = std::move(fn)]() mutable {
    if (!stopped_) fn();
  });
}

void Driver::post(void (Driver::*fn)()) {
  parts_.world.loop.post([weak = weak_from_this(), fn] {
    if (auto self = weak.lock()) ((*self).*fn)();
  });
}

void Driver::arm_tick() {
  Duration period = options_.tick;
  if (conf_.only(self_) && st_.role == DR_LEADER) period *= kAloneTickFactor;
  tick_timer_ = parts_.world.loop.after(period, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->on_tick();
  });
}

void Driver::on_tick() {
  if (dead_) return;
  engine_.tick();
  retry_reads();
  if (st_.role == DR_LEADER) meter_.contacts(conf_, self_, now());
  tick_transfers();
  if (now() >= next_snapshot_check_) {
    next_snapshot_check_ = now() + options_.snapshot_interval + parts_.world.random.jitter(options_.snapshot_interval);
    if (applied_ >= (snapshot_ ? snapshot_->index : 0) + options_.snapshot_threshold) want_snapshot_ = true;
  }
  run_conf_ops();
  if (!log_->room()) on_full_disk();
  else if (disk_hangs()) hand_over("the disk hangs: handing leadership over", {});
  else if (now() >= next_handover_) handed_to_.clear();
  arm_tick();
  pump();
}

// Nothing new is accepted meanwhile. What waits for the disk may still be committed, later: those who wait for it are
// told that its outcome is open. Another server may have more room.
void Driver::on_full_disk() {
  if (log_->stats().stalled) {
    Error error(ErrorCode::kTimeout, log_->room().error().message + "; whether this takes effect is open");
    for (auto& p : std::exchange(pending_, {})) {
      in_flight_ -= std::min(in_flight_, p.size);
      later([w = p.waiter, error]() mutable { w.set(error); });
    }
  }
  hand_over("the disk is full: handing leadership over", kHandoverPause);
}

// Lets the engine run until it is at rest, then hands out answers and events.
void Driver::pump() {
  if (pumping_ || dead_ || !started_) return;
  auto self = shared_from_this();
  pumping_ = true;
  refresh();
  for (bool progress = true; progress && !dead_;) {
    progress = false;
    dr_ready_t r;
    while (!dead_ && engine_.ready(r)) {
      handle_ready(r);
      progress = true;
    }
    if (dead_) break;
    if (installing_ > 0 && !applying_) drain_writes();  // an install that waited for a batch to end
    progress |= run_apply();
    progress |= campaign_alone();
    refresh();
  }
  if (!dead_) {
    settle_reads();
    maybe_snapshot();
    if (log_->keeps_entries()) engine_.trim_cache_to(options_.cached_tail);
    if (st_.role == DR_LEADER && st_.commit > told_commit_) schedule_flush();
  }
  pumping_ = false;
  settle();
}

void Driver::handle_ready(const dr_ready_t& r) {
  for (size_t i = 0; i < r.n_msgs; i++) emit(r.msgs[i], nullptr);
  if (r.has_hs) hs_ = r.hs;
  Write w;
  w.number = r.number;
  for (size_t i = 0; i < r.n_persisted_msgs; i++) emit(r.persisted_msgs[i], &w.messages);
  for (size_t i = 0; i < r.n_committed; i++) {
    auto& e = r.committed[i];
    committed_.push_back({e.index, e.term, e.kind, std::string(view(e.data))});
  }
  if (r.n_committed > 0) measure_commit(r.committed[r.n_committed - 1].index);
  for (size_t i = 0; i < r.n_reads; i++) {
    for (auto& group : reads_) {
      if (group.ctx == view(r.reads[i].ctx)) group.index = r.reads[i].index;
    }
  }
  Result<bool> durable = true;
  if (r.must_sync || r.n_entries > 0 || r.snapshot) {
    has_state_ = true;
    LogRecord record;
    record.hs = hs_;
    record.entries = r.entries;
    record.n_entries = r.n_entries;
    record.has_peers = !conf_.only(self_);
    if (r.snapshot) {
      auto meta = SnapshotMeta::decode(view(r.snapshot->data));
      DROVER_ASSERT(meta, "only checked descriptors are handed to the engine");
      w.install = std::make_shared<const SnapshotMeta>(std::move(*meta));
      record.snapshot_index = r.snapshot->index;
      record.snapshot_term = r.snapshot->term;
      record.before = [store = snapshots_, m = w.install] { return store->install_incoming(*m); };
      installing_++;
      snapshot_epoch_++;
      committed_.clear();
    }
    durable = log_->append(std::move(record), [weak = weak_from_this(), n = r.number](Status status) {
      if (auto self = weak.lock()) self->written(n, status);
    });
  }
  w.durable = durable && *durable;
  w.since = now();
  w.entries = r.n_entries;
  writes_.push_back(std::move(w));
  engine_.advance();
  if (!durable) return fail(durable.error());
  refresh();
  drain_writes();
}

void Driver::written(uint64_t number, const Status& status) {
  if (dead_) return;
  if (!status) return fail(status.error());
  for (auto& w : writes_) {
    if (w.durable) continue;
    DROVER_ASSERT(w.number == number, "writes complete in order");
    w.durable = true;
    break;
  }
  drain_writes();
  pump();
}

// Readies end in order: their messages leave, the engine hears of it. One with a snapshot ends when the state machine
// has it.
void Driver::drain_writes() {
  uint64_t last = 0;
  while (!writes_.empty() && writes_.front().durable && !writes_.front().install) {
    for (auto& m : writes_.front().messages) send(m.to, std::move(m.bytes));
    Meter::stored(st_.role == DR_LEADER, writes_.front().entries, now() - writes_.front().since);
    last = writes_.front().number;
    writes_.pop_front();
  }
  if (last != 0) engine_.persisted(last);
  if (!writes_.empty() && writes_.front().durable) begin_install();
}

void Driver::refresh() {
  dr_status_t was = st_;
  st_ = engine_.status();
  bool was_leader = was.role == DR_LEADER, leads = st_.role == DR_LEADER;
  if (was.role != st_.role) meter_.role(was.role, st_.role, was.term == st_.term);
  if (was_leader && (!leads || was.term != st_.term)) lost_leadership();
  if (leads && (!was_leader || was.term != st_.term)) became_leader();
  if (uint64_t leader = known_leader(); leader != announced_leader_) {
    announced_leader_ = leader;
    if (events_.leader) event([this, info = this->leader()] { events_.leader(info); });
  }
}

// Of what was proposed here: from its entry into the log until it is committed.
void Driver::measure_commit(uint64_t index) {
  if (st_.role != DR_LEADER || pending_.empty()) return;
  auto at = std::upper_bound(pending_.begin(), pending_.end(), measured_commit_, [](uint64_t i, auto& p) { return i < p.index; });
  size_t logs = 0;
  for (; at != pending_.end() && at->index <= index; ++at, ++logs) metric_sample("raft.commitTime", metric_milliseconds(now() - at->since));
  if (logs > 0) metric_gauge("raft.commitNumLogs", static_cast<double>(logs));
  measured_commit_ = index;
}

void Driver::became_leader() {
  log_info("raft", "entering leader state", {{"term", std::to_string(st_.term)}, {"last_index", std::to_string(st_.last)}});
  arm_tick();
}

void Driver::lost_leadership() {
  log_info("raft", "no longer the leader", {{"term", std::to_string(st_.term)}});
  for (auto& [to, s] : std::exchange(sending_, {})) log_debug("raft.snapshot", "sending stopped", {{"peer", std::to_string(to)}});
  for (auto& t : transfers_) later([t]() mutable { t.set(Status()); });
  transfers_.clear();
  transfer_to_ = 0;
  fail_requests({ErrorCode::kTimeout, "leadership lost while committing log"});
  if (std::exchange(announced_, false) && events_.leadership) {
    event([this, term = st_.term] { events_.leadership(false, term); });
  }
  arm_tick();
}

// The only voter need not wait for an election timeout.
bool Driver::campaign_alone() {
  if (st_.role == DR_LEADER || !conf_.only(self_) || !committed_.empty() || applying_ || !writes_.empty()) return false;
  engine_.campaign();
  refresh();
  return st_.role == DR_LEADER;
}

void Driver::fail(const Error& error) {
  if (std::exchange(dead_, true)) return;
  log_error("raft", "replication stopped", {{"error", error.message}});
  tick_timer_.cancel();
  fail_requests({ErrorCode::kUnavailable, "raft stopped: " + error.message});
  if (events_.fatal) event([this, error] { events_.fatal(error); });
  if (!pumping_) settle();
}

// Fails what was appended with `error`, and what was not with "not the leader".
void Driver::fail_requests(const Error& error) {
  Error refused = error.code == ErrorCode::kTimeout ? not_leader() : error;
  auto fail_all = [&](auto& promises, const Error& e) {
    for (auto& p : promises) later([p, e]() mutable { p.set(e); });
    promises.clear();
  };
  for (auto& p : proposals_) later([w = p.waiter, refused]() mutable { w.set(refused); });
  for (auto& p : pending_) later([w = p.waiter, error]() mutable { w.set(error); });
  for (auto& b : barriers_) later([w = b.waiter, error]() mutable { w.set(error); });
  for (auto& op : conf_ops_) later([w = op.waiter, e = op.index ? error : refused]() mutable { w.set(e); });
  for (auto& g : reads_) fail_all(g.waiters, refused);
  fail_all(next_reads_, refused);
  if (dead_) {
    fail_all(transfers_, error);
    fail_all(snapshot_waiters_, error);
  }
  proposals_.clear();
  pending_.clear();
  barriers_.clear();
  conf_ops_.clear();
  reads_.clear();
  in_flight_ = 0;
}

// Answers resume their waiters, which may call back or let go of the replica.
void Driver::settle() {
  auto self = shared_from_this();
  while (!after_.empty()) {
    auto batch = std::move(after_);
    after_.clear();
    for (auto& fn : batch) fn();
  }
}

}  // namespace drover::raft
