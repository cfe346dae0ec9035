#include "server/server.h"

#include <algorithm>

#include "base/log.h"
#include "base/metrics.h"
#include "base/turns.h"
#include "codec/reflect.h"
#include "model/worker_rpc.h"
#include "raft/disk.h"
#include "raft/replica.h"
#include "server/alloc_update_batch.h"
#include "server/keyring.h"
#include "server/keyring_replicator.h"
#include "server/bootstrap.h"
#include "server/cluster.h"
#include "server/dir_lock.h"
#include "server/event_broker.h"
#include "server/leader.h"
#include "server/membership.h"
#include "server/peers_file.h"
#include "server/raft_membership.h"
#include "server/state_hashes.h"
#include "server/state_machine.h"
#include "server/worker.h"

namespace drover::server {
namespace {

constexpr Duration kBlockingMax = 300s;
// Without a leader for 400 to 800 ms, times raft_multiplier, a server stands: a new leader within a second. Fine ticks, so that
// two servers seldom stand at once.
constexpr Duration kRaftTick = 25ms;
constexpr size_t kClusterTagSize = 8;  // of the cluster's id: enough to tell clusters apart
constexpr double kElectionTicks = 16, kHeartbeatTicks = 4;
constexpr int kMovedTries = 3;                // of a write whose leader was none any more
constexpr Duration kLeaveGrace = 5s, kLeavePoll = 50ms;
constexpr std::string_view kLog = "nomad";

// The embedded QueryOptions of any read request.
QueryOptions options_of(const TypeInfo& type, const void* request) {
  QueryOptions o;
  reflect_convert(type, request, type_of<QueryOptions>(), &o);
  return o;
}

uint64_t index_of(const TypeInfo& type, const void* response) {
  auto* f = type.find("Index");
  return f ? reflect_uint(f->type(), f->in(response)) : 0;
}

// How fresh an answer is: whether there is a leader, and how long ago it was heard.
void set_meta(const TypeInfo& type, void* response, bool known_leader, Duration last_contact) {
  if (auto* f = type.find("KnownLeader")) *static_cast<bool*>(f->in(response)) = known_leader;
  if (auto* f = type.find("LastContact"); f && f->type().kind == Kind::kDuration)
    *static_cast<Duration*>(f->in(response)) = std::max(Duration::zero(), last_contact);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(Config config, Parts parts) {
  std::unique_ptr<Server> s(new Server(std::move(config), std::move(parts)));
  DROVER_CHECK(s->open());
  return s;
}

Server::Server(Config config, Parts parts) : config_(std::move(config)), parts_(std::move(parts)) {}

Server::~Server() {
  // What refers to the others goes first.
  if (cluster_) cluster_->stop_listening();
  bootstrap_.reset();
  key_replicator_.reset();
  flows_.cancel();
  workers_.clear();
  establishing_.reset();
  alloc_updates_.reset();
  leader_.reset();
  membership_.reset();
  if (cluster_) cluster_->raft().attach(nullptr);
  replica_.reset();
}

Status Server::open() {
  auto& disk = parts_.disk ? *parts_.disk : raft::real_disk();
  DROVER_TRY(keyring_, Keyring::open(config_.in_memory || config_.data_dir.empty() ? "" : config_.data_dir + "/keystore", disk));
  store_ = std::make_unique<state::Store>();
  if (config_.enable_event_broker) {
    events_ = std::make_unique<EventBroker>(world().loop, config_.event_buffer_size);
    store_->tap([this](const state::RawCommit& commit) { events_->commit(commit); });
  }
  StateMachine::Hooks hooks;
  hooks.effects = [this](const state::Effects& effects, uint64_t index) {
    if (leader_) leader_->on_effects(effects, index);
  };
  hooks.fatal = [this](const Error& e) { parts_.fatal(e); };
  fsm_ = std::make_unique<StateMachine>(*store_, std::move(hooks));
  alloc_updates_ = std::make_unique<AllocUpdateBatch>(*this);
  state_hashes_ = std::make_unique<StateHashes>(*this);
  store_->observe([this](const state::CommitInfo& commit) {
    if (commit.replaced()) state_replaced();
    else if (leader_) leader_->on_commit(commit);
    state_hashes_->on_commit(commit);
    bool keys = commit.changes.empty() || std::any_of(commit.changes.begin(), commit.changes.end(), [](auto& change) {
                  return change.table == state::TableId::root_keys;
                });
    if (keys && key_replicator_) key_replicator_->look();
    bool cluster = commit.changes.empty() || std::any_of(commit.changes.begin(), commit.changes.end(), [](auto& change) {
                     return change.table == state::TableId::cluster_meta;
                   });
    if (cluster) cluster_known();
  });
  raft::Options options;
  options.self = {config_.node_id, config_.rpc_advertise};
  options.dir = config_.data_dir + "/raft";
  options.memory = config_.in_memory;
  options.tick = kRaftTick;
  options.snapshot_threshold = config_.raft_snapshot_threshold;
  options.snapshot_interval = config_.raft_snapshot_interval;
  options.trailing_logs = config_.raft_trailing_logs;
  options.election_ticks = static_cast<uint32_t>(kElectionTicks * config_.raft_multiplier);
  options.heartbeat_ticks = static_cast<uint32_t>(kHeartbeatTicks * config_.raft_multiplier);
  if (parts_.tune_raft) parts_.tune_raft(options);
  raft::Parts parts{.world = parts_.world, .fsm = *fsm_, .disk = parts_.disk, .log_thread = parts_.log_thread};
  if (parts_.network) {
    cluster_ = std::make_unique<Cluster>(*this, *parts_.network, parts_.tls);
    if (!options.memory) parts.transport = &cluster_->raft();
  }
  bool real_disk = !options.memory && !parts_.disk;
  if (real_disk) {
    DROVER_TRY(lock_, DirLock::take(options.dir));
    DROVER_TRY(options.recover, read_peers_file(options.dir));
    if (options.recover) {
      DROVER_CHECK(check_recovery(*options.recover, config_.node_id));
      DROVER_TRY(auto kept, keep_before_recovery(options.dir, world().clock.now()));
      log_info(kLog, "kept a copy of the raft state as it was before recovery", {{"path", kept}});
    }
  }
  DROVER_TRY(replica_, raft::Replica::open(options, parts));
  if (options.recover) DROVER_CHECK(remove_peers_file(options.dir));
  if (!replica_->has_state() && config_.bootstrap_expect == 1) DROVER_CHECK(replica_->bootstrap({options.self}));
  if (parts_.network) {
    DROVER_TRY(membership_, Membership::create(parts_.world, *parts_.network, config_, [this] { return own_cluster(); }));
    bootstrap_ = std::make_unique<Bootstrap>(*this);
    membership_->on_change([this](gossip::EventType type, const ServerParts& member) { member_changed(type, member); });
  }
  return {};
}

OwnCluster Server::own_cluster() const {
  OwnCluster own{.region = config_.region, .tag = {}, .members = {}, .names = {}};
  if (membership_) own.names = membership_->peers().names();
  if (auto meta = snapshot().cluster_meta().get()) own.tag = meta->ClusterID.substr(0, kClusterTagSize);
  for (auto& s : replica_->configuration()) own.members.insert(s.id);
  return own;
}

// Not from within the commit.
void Server::cluster_known() {
  if (!membership_ || stopped_) return;
  world().loop.post([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired() && !stopped_ && membership_) membership_->tell_cluster(own_cluster().tag);
  });
}

void Server::member_changed(gossip::EventType type, const ServerParts& member) {
  if (stopped_) return;
  // Who is gone may be the one that should have begun.
  if (member.region == config_.region) bootstrap_->check();
  if (!leader_ || !leader_->members()) return;
  // Gossip has forgotten a member that it reaps; all other news come with the member's status.
  leader_->members()->changed(member, type == gossip::EventType::kReap ? gossip::MemberStatus::kNone : member.status);
}

gossip::Serf* Server::serf() { return membership_ ? &membership_->serf() : nullptr; }

void Server::start() {
  started_ = world().clock.now();
  raft::Events events;
  events.leadership = [this](bool leads, uint64_t term) { on_leadership(leads, term); };
  events.leader = [this](const raft::LeaderInfo& info) {
    if (cluster_) cluster_->leader_calls().changed(info.id);
  };
  events.fatal = [this](const Error& e) { parts_.fatal(e); };
  replica_->start(std::move(events));
  if (cluster_) cluster_->raft().attach(replica_.get());
  if (cluster_ && parts_.rpc_listener) cluster_->listen(std::move(parts_.rpc_listener), config_.rpc_limits);
  if (bootstrap_) bootstrap_->check();
  if (cluster_) key_replicator_ = std::make_unique<KeyringReplicator>(*this);
  start_workers();
}

Async<void> Server::leave() {
  log_info(kLog, "server starting leave");
  auto in_configuration = [this] {
    auto members = replica_->configuration();
    return std::any_of(members.begin(), members.end(), [&](auto& m) { return m.id == config_.node_id; });
  };
  bool others = replica_->configuration().size() > 1;
  if (is_leader() && others) {
    auto removed = co_await replica_->remove(config_.node_id);
    // Leadership has moved; the new leader takes this server out.
    if (!removed && removed.error().code != ErrorCode::kNotLeader)
      log_error(kLog, "failed to remove ourself as raft peer", {{"error", removed.error().message}});
  }
  if (auto* gossip = serf()) {
    auto left = co_await gossip->leave();
    if (!left) log_error(kLog, "failed to leave Serf cluster", {{"error", left.error().message}});
  }
  if (!others) co_return;
  // The leader takes this server out when it sees it go.
  auto deadline = world().clock.monotonic() + kLeaveGrace;
  while (in_configuration() && world().clock.monotonic() < deadline) co_await sleep_for(world().loop, kLeavePoll);
  if (in_configuration()) log_warn(kLog, "failed to leave raft configuration gracefully, timeout");
}

Async<void> Server::shutdown() {
  stopped_ = true;
  workers_.clear();
  if (is_leader() && replica_->configuration().size() > 1) {
    auto moved = co_await replica_->transfer_leadership();
    if (!moved) log_warn(kLog, "leadership transfer failed", {{"error", moved.error().message}});
    // The answer came with a message, from within the flow of a connection that ends below.
    co_await sleep_for(world().loop, {});
  }
  establishing_.reset();  // it runs within the leader
  leader_.reset();
  bootstrap_.reset();
  key_replicator_.reset();
  if (cluster_) cluster_->stop_listening();
  flows_.cancel();
  membership_.reset();
}

void Server::on_leadership(bool leads, uint64_t term) {
  if (stopped_) return;
  establishing_.reset();
  if (leader_) {
    MetricTimer timer("nomad.leader.revoke_leadership");
    leader_.reset();
  }
  alloc_updates_->drop();
  term_ = term;
  if (!leads) {
    log_info(kLog, "cluster leadership lost");
    return;
  }
  log_info(kLog, "cluster leadership acquired");
  lead(term);
}

void Server::lead(uint64_t term) {
  establishing_.reset();
  leader_.reset();
  leader_ = std::make_unique<Leader>(*this, term);
  establishing_ = Running(establish(term));
}

// Not from within the commit: what the leader is made of may be what waits for it.
void Server::state_replaced() {
  ++states_;
  if (!leader_ || stopped_) return;
  world().loop.post([this, term = leader_->term(), alive = std::weak_ptr(alive_)] {
    if (alive.expired() || stopped_ || !leader_ || leader_->term() != term) return;
    log_info(kLog, "the state was replaced: the leader starts over");
    lead(term);
  });
}

Async<void> Server::establish(uint64_t term) {
  while (leader_ && leader_->term() == term) {
    auto done = co_await leader_->establish();
    if (done) co_return;
    log_error(kLog, "failed to establish leadership", {{"error", done.error().message}});
    co_await sleep_for(world().loop, 1s);
  }
}

bool Server::is_leader() const { return replica_->is_leader(); }

std::string Server::leader_address() const { return replica_->leader().address; }

Status Server::set_workers(int count, std::vector<std::string> types) {
  config_.num_schedulers = count;
  config_.enabled_schedulers = std::move(types);
  start_workers();
  return {};
}

void Server::start_workers() {
  for (auto& w : workers_)
    if (auto held = w->stop()) run_flow(hand_back(held->eval, std::move(held->token)));
  workers_.clear();
  for (int i = 0; i < config_.num_schedulers; ++i)
    workers_.push_back(std::make_unique<Worker>(*this, config_.enabled_schedulers, i));
}

// An evaluation whose worker was stopped goes to another one at once, not when its time is up.
Async<void> Server::hand_back(Uuid eval, std::string token) {
  rpc::EvalAckRequest req;
  req.Region = config_.region;
  req.EvalID = eval;
  req.Token = std::move(token);
  (void)co_await call<GenericResponse>("Eval.Nack", std::move(req));
}

bool Server::pauses_worker(int number) const {
  return leader_ && replica_->stats().num_peers > 0 && number < config_.num_schedulers * 3 / 4;
}

Async<Result<Server::Committed>> Server::propose(std::string entry, std::shared_ptr<const void> body) {
  DROVER_CO_TRY(auto applied, co_await replica_->propose(std::move(entry), std::move(body)));
  auto* outcome = std::any_cast<StateMachine::Answer>(&applied.outcome);
  DROVER_ASSERT(outcome, "the state machine answers every entry");
  // A refusal of the state is no fault of the request's form, whatever the state calls it.
  if (outcome->error) co_return internal(outcome->error->message);
  co_return Committed{applied.index, outcome->updated, std::move(outcome->variable), std::move(outcome->parts)};
}

Async<Status> Server::wait_for_index(uint64_t index, Duration timeout) {
  if (snapshot().index() >= index) co_return Status{};
  auto snap = co_await store_->snapshot_at(index, world().loop, timeout);
  if (!snap) co_return Error(std::move(snap).error());
  co_return Status{};
}

void Server::run_flow(Async<void> flow) {
  flows_.start(std::move(flow));
}

void Server::set_tls(RpcTls tls) {
  if (cluster_) cluster_->set_tls(std::move(tls));
}

Async<Status> Server::invoke(std::string_view method, const void* request, void* response) {
  auto* row = find_rpc(method);
  if (!row) co_return unknown_method(method);
  co_return co_await invoke(*row, request, response);
}

Async<Status> Server::invoke(const RpcRow& row, const void* request, void* response) {
  note_turn(row.method);
  for (int tries = 0;; ++tries) {
    DROVER_CO_TRY(bool answered, co_await forward(row, request, response));
    if (answered) co_return Status{};
    if (tries == 0 && !row.metrics->rate.empty()) metric_count(row.metrics->rate);
    MetricTimer timer(row.metrics->timer);
    if (row.read) co_return co_await read(row, request, response);
    auto status = co_await row.write(*this, request, response);
    // Leadership went between the look and the write: nothing was written, the next leader may.
    bool moved = !status && status.error().code == ErrorCode::kNotLeader && row.where != Where::kLocal;
    if (!moved || tries == kMovedTries) co_return status;
    row.response().reset(response);
  }
}

// The pool works on what it owns: the caller may be gone before it ends.
Async<Status> Server::read_in_pool(const RpcRow& row, const void* request, void* response, state::WatchSet* watch) {
  struct Work {
    state::Snapshot snap;
    state::WatchSet watch;
    std::shared_ptr<void> request, response;
  };
  auto work = std::make_shared<Work>(snapshot(), store_->watch(), row.make_request(), row.make_response());
  row.request().copy(work->request.get(), request);
  DROVER_CO_CHECK(co_await on_pool(world(), [this, &row, work, watched = watch != nullptr] {
    ReadContext context{*this, work->snap, watched ? &work->watch : nullptr};
    return row.read(context, work->request.get(), work->response.get());
  }));
  row.move_response(response, work->response.get());
  if (watch) *watch = std::move(work->watch);
  co_return Status{};
}

Async<Status> Server::read(const RpcRow& row, const void* request, void* response) {
  auto& type = row.response();
  auto options = options_of(row.request(), request);
  auto wait = options.MaxQueryTime <= Duration::zero() ? kBlockingMax : std::min(options.MaxQueryTime, kBlockingMax);
  auto deadline = world().clock.monotonic() + wait + world().random.jitter(wait / 16);
  auto states = states_;
  bool blocking = row.request().find("MinQueryIndex") && type.find("Index");
  for (bool late = false;;) {
    if (blocking) metric_count("nomad.rpc.query");
    auto watch = store_->watch();
    type.reset(response);
    if (row.on == On::kPool) {
      DROVER_CO_CHECK(co_await read_in_pool(row, request, response, options.MinQueryIndex ? &watch : nullptr));
    } else {
      note_turn(row.method);
      auto snap = snapshot();
      ReadContext context{*this, snap, options.MinQueryIndex ? &watch : nullptr};
      DROVER_CO_CHECK(row.read(context, request, response));
    }
    // The indexes of another state may be lower: the reader is told at once. An answer without an index is never waited for.
    bool other = states != states_;
    if (late || other || !options.MinQueryIndex || !blocking || index_of(type, response) > options.MinQueryIndex) break;
    auto left = deadline - world().clock.monotonic();
    if (left <= Duration::zero()) break;
    type.reset(response);  // a reader that waits holds no answer; it is made again when the time is up
    late = !co_await watch.wait(world().loop, left);
  }
  auto leader = replica_->leader();
  set_meta(type, response, !leader.address.empty(), leader.id == config_.node_id ? Duration::zero() : replica_->stats().last_contact);
  co_return Status{};
}

}  // namespace drover::server
