// What the owner asks for: proposals, consistent reads, barriers, membership, leadership transfer.
#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "raft/bytes.h"
#include "raft/crc32c.h"
#include "raft/driver.h"

namespace drover::raft {
namespace {

constexpr size_t kMaxProposeBatch = 4096;
constexpr uint64_t kMaxProposeBytes = 8u << 20;
constexpr size_t kTinyEntry = 64;
constexpr size_t kMaxReadGroups = 4;        // outstanding confirmations; later reads share the next one
constexpr uint64_t kRestoreChunk = 1u << 20;
constexpr int kHandoverElections = 2;  // election timeouts between tries to give leadership away
constexpr int kHungElections = 4;  // a write that takes as long as so many elections will not end
constexpr int kSilentElections = 2;  // after which a voter would have stood
constexpr Duration kCatchUp = std::chrono::minutes(2);
enum : uint32_t { kAddVoter = 0, kRemove = 1, kAddLearner = 2 };

}  // namespace

Error Driver::not_leader() const { return {ErrorCode::kNotLeader, "node is not the leader"}; }

// Why nothing can be asked of this server now, if so.
std::optional<Error> Driver::refusal() const {
  if (dead_) return Error(ErrorCode::kCancelled, "raft is already shutdown");
  if (!started_ || st_.role != DR_LEADER) return not_leader();
  return std::nullopt;
}

void Driver::schedule_flush() {
  if (!std::exchange(flush_scheduled_, true)) post(&Driver::flush);
}

// Once per turn of the loop: everything asked for in between goes into the log, and over the network, together.
void Driver::flush() {
  flush_scheduled_ = false;
  if (dead_) return;
  flush_proposals();
  flush_reads();
  pump();
  tell_commit();
}

// A commit index rides on the next entries when there are some by now: those who waited for the commit have proposed again.
// Else it goes out by itself.
void Driver::tell_commit() {
  if (dead_ || st_.role != DR_LEADER || st_.commit <= told_commit_) return;
  told_commit_ = st_.commit;
  bool all = std::all_of(conf_.servers.begin(), conf_.servers.end(), [&](auto& s) { return s.first == self_ || told_[s.first] >= st_.commit; });
  if (all) return;
  engine_.tell_commit();
  pump();
}

// ---- proposals

Async<Result<Applied>> Driver::propose(uint8_t tag, std::string entry, std::shared_ptr<const void> body) {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  // A new leader's own entries are tiny: the reserve is for them, or a restart on a full disk could not even serve reads.
  if (auto room = log_->room(); !room && (entry.size() > kTinyEntry || log_->stats().stalled)) co_return std::move(room).error();
  if (transfer_to_ != 0) co_return Error(ErrorCode::kUnavailable, "leadership transfer in progress");
  if (entry.empty()) co_return invalid("an entry of the raft log cannot be empty");
  if (entry.size() > options_.max_entry) {
    co_return Error(ErrorCode::kTooLarge, "the raft entry has " + format_ibytes(entry.size()) + ", more than the limit of " +
                                              format_ibytes(options_.max_entry));
  }
  if (in_flight_ + entry.size() > options_.max_in_flight) {
    co_return Error(ErrorCode::kUnavailable, "too many bytes in flight in the raft log: the limit is " + format_ibytes(options_.max_in_flight));
  }
  metric_count("raft.apply");
  Waiter<Applied> waiter;
  in_flight_ += entry.size();
  proposals_.push_back({tag, std::move(entry), std::move(body), waiter});
  schedule_flush();
  co_return co_await waiter;
}

void Driver::flush_proposals() {
  auto proposals = std::move(proposals_);
  proposals_.clear();
  std::vector<dr_bytes> batch;
  for (size_t i = 0; i < proposals.size();) {
    uint8_t tag = proposals[i].tag;
    uint64_t size = 0;
    batch.clear();
    for (size_t k = i; k < proposals.size() && proposals[k].tag == tag && batch.size() < kMaxProposeBatch && size < kMaxProposeBytes; k++) {
      batch.push_back(bytes(proposals[k].entry));
      size += proposals[k].entry.size();
    }
    uint64_t first = 0, term = 0;
    int32_t rc = dr_propose(engine_.get(), tag, batch.data(), batch.size(), &first, &term);
    for (size_t k = 0; k < batch.size(); k++) {
      auto& p = proposals[i + k];
      if (rc == DR_OK) {
        pending_.push_back({first + k, term, p.entry.size(), std::move(p.body), p.waiter, now()});
        continue;
      }
      in_flight_ -= std::min<uint64_t>(in_flight_, p.entry.size());
      Error e = rc == DR_NOT_LEADER ? not_leader() : Error(ErrorCode::kUnavailable, "leadership transfer in progress");
      later([w = p.waiter, e]() mutable { w.set(e); });
    }
    i += batch.size();
  }
}

Async<Result<Applied>> Driver::restore_state(std::unique_ptr<SnapshotReader> state, uint64_t min_index) {
  auto self = shared_from_this();
  if (restore_running_) co_return Error(ErrorCode::kConflict, "a restore is already under way");
  restore_running_ = true;
  metric_count("raft.restore");
  MetricTimer timer("raft.restoreUserSnapshot");
  struct Reset {
    bool& flag;
    ~Reset() { flag = false; }
  } reset{restore_running_};

  uint64_t id = parts_.world.random.next(), offset = 0;
  uint32_t crc = 0;
  std::string data(kRestoreChunk, '\0');
  for (;;) {
    size_t have = 0;
    bool last = false;
    while (have < data.size() && !last) {
      DROVER_CO_TRY(size_t got, state->read(data.data() + have, data.size() - have));
      have += got;
      last = got == 0;
    }
    crc = crc32c(crc, data.data(), have);
    std::string entry;
    ByteWriter w(entry);
    w.put(id);
    w.put(offset);
    w.put(static_cast<uint8_t>(last));
    w.put(min_index);
    w.put(crc);
    w.raw(std::string_view(data).substr(0, have));
    offset += have;
    auto applied = co_await propose(kTagRestore, std::move(entry));
    if (!applied || last) co_return applied;
    auto* status = std::any_cast<Status>(&applied->outcome);
    if (status && !*status) co_return applied;
  }
}

// ---- consistent reads

Async<Result<uint64_t>> Driver::read_index() {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  metric_count("raft.verify_leader");
  Waiter<uint64_t> waiter;
  next_reads_.push_back(waiter);
  schedule_flush();
  co_return co_await waiter;
}

void Driver::flush_reads() {
  if (next_reads_.empty() || reads_.size() >= kMaxReadGroups) return;
  ReadGroup group;
  ByteWriter w(group.ctx);
  w.put(boot_);
  w.put(++read_counter_);
  int32_t rc = dr_read_index(engine_.get(), bytes(group.ctx));
  if (rc == DR_UNAVAILABLE) return;  // asked again when this term's no-op is applied
  group.waiters = std::move(next_reads_);
  next_reads_.clear();
  if (rc != DR_OK) {
    for (auto& p : group.waiters) later([p, e = not_leader()]() mutable { p.set(e); });
    return;
  }
  group.sent = group.born = now();
  reads_.push_back(std::move(group));
}

// An answer may be lost. Asked again with a new context: a late answer to the old one proves nothing about now.
void Driver::retry_reads() {
  Duration timeout = options_.tick * options_.election_ticks;
  for (auto it = reads_.begin(); it != reads_.end();) {
    auto& g = *it;
    if (g.index != 0 || now() - g.sent < timeout) {
      ++it;
      continue;
    }
    if (now() - g.born > options_.request_timeout) {
      for (auto& p : g.waiters) {
        later([p]() mutable { p.set(Error(ErrorCode::kTimeout, "timed out confirming leadership with a majority of the servers")); });
      }
      it = reads_.erase(it);
      continue;
    }
    g.ctx.clear();
    ByteWriter w(g.ctx);
    w.put(boot_);
    w.put(++read_counter_);
    g.sent = now();
    static_cast<void>(dr_read_index(engine_.get(), bytes(g.ctx)));  // refused: asked again at the next timeout
    ++it;
  }
}

void Driver::settle_reads() {
  bool freed = false;
  std::erase_if(reads_, [&](ReadGroup& g) {
    if (g.index == 0 || g.index > applied_) return false;
    for (auto& p : g.waiters) later([p, index = applied_ + index_offset_]() mutable { p.set(index); });
    return freed = true;
  });
  if (freed && !next_reads_.empty()) schedule_flush();
}

Async<Status> Driver::barrier() {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  metric_count("raft.barrier");
  flush_proposals();
  post(&Driver::pump);
  uint64_t last = engine_.status().last;
  if (last <= applied_) co_return Status();
  Promise<Status> waiter;
  barriers_.push_back({last, waiter});
  co_return co_await waiter;
}

// ---- membership

const Server* Driver::find(std::string_view id) const {
  auto it = conf_.servers.find(peer_id(id));
  return it != conf_.servers.end() && it->second.id == id ? &it->second : nullptr;
}

Status Driver::check_new_server(const Server& s) const {
  if (s.id.empty()) return invalid("empty ID in configuration");
  if (s.address.empty()) return invalid("empty address in configuration: " + s.id);
  if (options_.memory) return invalid("a server whose log is in memory cannot have peers");
  auto it = conf_.servers.find(peer_id(s.id));
  if (it != conf_.servers.end() && it->second.id != s.id) {
    return Error(ErrorCode::kConflict, "server id " + s.id + " collides with " + it->second.id + "; give it another id");
  }
  return {};
}

// One change at a time; the engine refuses a second before the first is applied, so they queue here.
Async<Status> Driver::change(uint32_t kind, Server server) {
  if (auto e = refusal()) co_return *e;
  ConfOp op;
  op.changes.push_back({kind, 0, peer_id(server.id)});
  if (kind != kRemove) {
    ByteWriter w(op.ctx);
    encode_server(w, server);
  }
  op.deadline = now() + options_.request_timeout;
  Promise<Status> waiter = op.waiter;
  conf_ops_.push_back(std::move(op));
  run_conf_ops();
  post(&Driver::pump);
  co_return co_await waiter;
}

void Driver::run_conf_ops() {
  while (!conf_ops_.empty() && conf_ops_.front().index == 0) {
    auto& op = conf_ops_.front();
    int32_t rc = dr_propose_conf(engine_.get(), op.changes.data(), op.changes.size(), 0, bytes(op.ctx), &op.index);
    if (rc == DR_OK) return;
    op.index = 0;
    Error e;
    if (rc == DR_CONF_PENDING || rc == DR_DROPPED) {
      if (now() < op.deadline) return;  // tried again at the next tick and after the next change
      e = Error(ErrorCode::kTimeout, "timed out enqueuing operation");
    } else if (rc == DR_NOT_LEADER) {
      e = not_leader();
    } else {
      e = invalid("the configuration change was refused");
    }
    later([w = op.waiter, e]() mutable { w.set(e); });
    conf_ops_.pop_front();
  }
}

void Driver::conf_op_applied(uint64_t index, int32_t rc) {
  if (conf_ops_.empty() || conf_ops_.front().index != index) return;
  Status status;
  if (rc != DR_OK) status = invalid("the configuration change would leave no voter");
  later([w = conf_ops_.front().waiter, status]() mutable { w.set(status); });
  conf_ops_.pop_front();
}

Async<Status> Driver::add_learner(Server server) {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  DROVER_CO_CHECK(check_new_server(server));
  const Server* there = find(server.id);
  if (there && there->address == server.address) co_return Status();
  bool voter = there && conf_.is_voter(peer_id(server.id));
  co_return co_await change(voter ? kAddVoter : kAddLearner, std::move(server));
}

Async<Status> Driver::add_voter(Server server) {
  auto self = shared_from_this();
  std::string id = server.id;
  DROVER_CO_CHECK(co_await add_learner(std::move(server)));
  co_return co_await promote(std::move(id));
}

Async<Status> Driver::promote(std::string id) {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  const Server* there = find(id);
  if (!there) co_return not_found("id \"" + id + "\" was not found in the Raft configuration");
  if (conf_.is_voter(peer_id(id))) co_return Status();
  // A learner that is promoted before it has the log would hold up commits.
  uint64_t target = st_.commit;
  Monotonic deadline = now() + kCatchUp;
  for (dr_progress_t p{}; !engine_.progress(peer_id(id), p) || p.matched < target;) {
    if (now() > deadline) co_return Error(ErrorCode::kTimeout, "server " + id + " did not catch up with the log in " + format_duration(kCatchUp));
    co_await sleep_for(parts_.world.loop, options_.tick);
    if (auto e = refusal()) co_return *e;
  }
  there = find(id);
  if (!there) co_return not_found("id \"" + id + "\" was not found in the Raft configuration");
  co_return co_await change(kAddVoter, *there);
}

Async<Status> Driver::demote(std::string id) {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  const Server* there = find(id);
  if (!there) co_return not_found("id \"" + id + "\" was not found in the Raft configuration");
  if (!conf_.is_voter(peer_id(id))) co_return Status();
  if (peer_id(id) == self_) co_return invalid("the leader cannot be demoted; transfer leadership first");
  co_return co_await change(kAddLearner, *there);
}

Async<Status> Driver::remove(std::string id) {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  const Server* there = find(id);
  if (!there) co_return not_found("id \"" + id + "\" was not found in the Raft configuration");
  if (peer_id(id) != self_) co_return co_await change(kRemove, *there);
  if (conf_.voters.size() <= 1) co_return invalid("the only voter cannot be removed");
  DROVER_CO_CHECK(co_await transfer_leadership({}));
  co_return Error(ErrorCode::kNotLeader, "leadership was transferred before removing this server; ask the new leader");
}

// The voter that has most of the log, of those that are heard and not left out; 0: none.
uint64_t Driver::best_peer(const std::set<uint64_t>& except) {
  uint64_t to = 0, best = 0;
  for (uint64_t v : conf_.voters) {
    dr_progress_t p{};
    if (v == self_ || except.contains(v) || !engine_.progress(v, p) || !p.active) continue;
    if (to == 0 || p.matched > best) {
      to = v;
      best = p.matched;
    }
  }
  return to;
}

// Gives leadership to the best peer that was not tried yet: others may ail as this server does, and either do not take it
// or give it back. Once all were tried it begins anew, after `pause`.
void Driver::hand_over(std::string_view why, Duration pause) {
  if (st_.role != DR_LEADER || conf_.only(self_) || transfer_to_ != 0 || now() < next_handover_) return;
  auto to = best_peer(handed_to_);
  if (to == 0) {
    handed_to_.clear();
    next_handover_ = now() + pause;
    return;
  }
  handed_to_.insert(to);
  next_handover_ = now() + options_.tick * options_.election_ticks * kHandoverElections;
  log_warn("raft", why, {{"to", conf_.servers.at(to).id}});
  // Not transfer_leadership: what waits to be proposed would only wait for the disk as well.
  transfer_to_ = to;
  dr_transfer_leader(engine_.get(), to);
}

// A leader whose disk takes nothing any more goes on to be heard, so nobody else would stand; but it applies nothing.
bool Driver::disk_hangs() {
  Duration patience = options_.tick * options_.election_ticks * kHungElections;
  return !writes_.empty() && !writes_.front().durable && now() - writes_.front().since >= patience;
}

Async<Status> Driver::transfer_leadership(std::string id) {
  auto self = shared_from_this();
  if (auto e = refusal()) co_return *e;
  uint64_t to = 0;
  if (!id.empty()) {
    if (!find(id)) co_return not_found("id \"" + id + "\" was not found in the Raft configuration");
    to = peer_id(id);
    if (!conf_.is_voter(to)) co_return invalid("server " + id + " is not a voter");
  } else {
    to = best_peer();
    if (to == 0) co_return Error(ErrorCode::kUnavailable, "cannot find peer");
  }
  if (to == self_) co_return Status();
  if (transfer_to_ != 0 && transfer_to_ != to) co_return Error(ErrorCode::kUnavailable, "leadership transfer in progress");
  flush_proposals();
  transfer_to_ = to;
  dr_transfer_leader(engine_.get(), to);
  Promise<Status> waiter;
  transfers_.push_back(waiter);
  post(&Driver::pump);
  co_return co_await waiter;
}

// ---- what is asked about this server

Role Driver::role() const {
  if (dead_) return Role::kShutdown;
  if (st_.role == DR_LEADER) return Role::kLeader;
  return st_.role == DR_FOLLOWER ? Role::kFollower : Role::kCandidate;
}

// A server without a vote never stands, so the engine names the leader that it heard last for ever.
uint64_t Driver::known_leader() const {
  bool silent = st_.role != DR_LEADER && !conf_.is_voter(self_) && now() - last_contact_ > kSilentElections * options_.election_ticks * options_.tick;
  return silent ? 0 : st_.leader;
}

LeaderInfo Driver::leader() const {
  uint64_t leader = known_leader();
  auto it = conf_.servers.find(leader);
  if (dead_ || leader == 0 || it == conf_.servers.end()) return {};
  return {it->second.id, it->second.address};
}

Stats Driver::stats() {
  Stats s;
  s.role = role();
  s.term = st_.term;
  s.last_log_index = st_.last + index_offset_;
  s.last_log_term = engine_ ? engine_.term(st_.last) : 0;
  s.commit_index = st_.commit + index_offset_;
  s.applied_index = applied_ + index_offset_;
  s.fsm_pending = st_.commit - std::min(st_.commit, applied_);
  if (snapshot_) {
    s.last_snapshot_index = snapshot_->index + snapshot_->index_offset;
    s.last_snapshot_term = snapshot_->term;
  }
  s.configuration_index = conf_index_ + index_offset_;
  s.configuration = conf_.list();
  for (uint64_t v : conf_.voters) s.num_peers += v != self_;
  if (st_.role == DR_LEADER) {
    s.last_contact = Duration::zero();
  } else if (last_contact_ != Monotonic{}) {
    s.last_contact = now() - last_contact_;
  }
  if (log_) {
    LogStats log = log_->stats();
    s.log_bytes = log.bytes;
    s.syncs = log.syncs;
    s.sync_time = log.sync_time;
  }
  s.in_flight_bytes = in_flight_;
  return s;
}

}  // namespace drover::raft
