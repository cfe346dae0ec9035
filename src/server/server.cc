#include "server/server.h"

#include <algorithm>

#include "base/log.h"
#include "codec/reflect.h"
#include "raft/replica.h"
#include "server/alloc_update_batch.h"
#include "server/keyring.h"
#include "server/leader.h"
#include "server/membership.h"
#include "server/state_machine.h"
#include "server/worker.h"

namespace drover::server {
namespace {

constexpr Duration kHoldTimeout = 5s;         // how long a call waits for a leader
constexpr Duration kBlockingMax = 300s;
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

void set_meta(const TypeInfo& type, void* response, bool known_leader) {
  if (auto* f = type.find("KnownLeader")) *static_cast<bool*>(f->in(response)) = known_leader;
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
  membership_.reset();
  workers_.clear();
  establishing_.reset();
  alloc_updates_.reset();
  leader_.reset();
  replica_.reset();
}

Status Server::open() {
  DROVER_TRY(keyring_, Keyring::open(config_.in_memory || config_.data_dir.empty() ? "" : config_.data_dir + "/keystore"));
  store_ = std::make_unique<state::Store>();
  StateMachine::Hooks hooks;
  hooks.effects = [this](const state::Effects& effects, uint64_t index) {
    if (leader_) leader_->on_effects(effects, index);
  };
  hooks.fatal = [this](const Error& e) { parts_.fatal(e); };
  fsm_ = std::make_unique<StateMachine>(*store_, std::move(hooks));
  alloc_updates_ = std::make_unique<AllocUpdateBatch>(*this);
  store_->observe([this](const state::CommitInfo& commit) {
    if (leader_) leader_->on_commit(commit);
  });
  raft::Options options;
  options.self = {config_.node_id, config_.rpc_advertise};
  options.dir = config_.data_dir + "/raft";
  options.memory = config_.in_memory;
  options.election_ticks = static_cast<uint32_t>(options.election_ticks * config_.raft_multiplier);
  raft::Parts parts{.world = parts_.world, .fsm = *fsm_, .disk = parts_.disk};
  DROVER_TRY(replica_, raft::Replica::open(options, parts));
  if (!replica_->has_state() && config_.bootstrap_expect == 1) DROVER_CHECK(replica_->bootstrap({options.self}));
  if (parts_.network) {
    DROVER_TRY(membership_, Membership::create(parts_.world, *parts_.network, config_));
  }
  return {};
}

gossip::Serf* Server::serf() { return membership_ ? &membership_->serf() : nullptr; }

void Server::start() {
  started_ = world().clock.now();
  raft::Events events;
  events.leadership = [this](bool leads, uint64_t term) { on_leadership(leads, term); };
  events.fatal = [this](const Error& e) { parts_.fatal(e); };
  replica_->start(std::move(events));
  start_workers();
}

Async<void> Server::leave() {
  log_info(kLog, "server starting leave");
  auto in_configuration = [this] {
    auto members = replica_->configuration();
    return std::any_of(members.begin(), members.end(), [&](auto& m) { return m.id == config_.node_id; });
  };
  bool others = replica_->configuration().size() > 1;
  bool led = is_leader();
  if (led && others) {
    auto removed = co_await replica_->remove(config_.node_id);
    if (!removed) log_error(kLog, "failed to remove ourself as raft peer", {{"error", removed.error().message}});
  }
  if (auto* gossip = serf()) {
    auto left = co_await gossip->leave();
    if (!left) log_error(kLog, "failed to leave Serf cluster", {{"error", left.error().message}});
  }
  if (led || !others) co_return;
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
  }
  leader_.reset();
  membership_.reset();
}

void Server::on_leadership(bool leads, uint64_t term) {
  if (stopped_) return;
  establishing_.reset();
  leader_.reset();
  term_ = term;
  if (!leads) {
    log_info(kLog, "cluster leadership lost");
    return;
  }
  log_info(kLog, "cluster leadership acquired");
  leader_ = std::make_unique<Leader>(*this, term);
  establishing_ = Running(establish(term));
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
  workers_.clear();
  for (int i = 0; i < config_.num_schedulers; ++i)
    workers_.push_back(std::make_unique<Worker>(*this, config_.enabled_schedulers));
}

Async<Result<Server::Committed>> Server::propose(std::string entry) {
  DROVER_CO_TRY(auto applied, co_await replica_->propose(std::move(entry)));
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

Async<Status> Server::hold_until_ready() {
  auto deadline = world().clock.monotonic() + kHoldTimeout;
  while (!leader_ || !leader_->ready()) {
    if (stopped_ || world().clock.monotonic() >= deadline)
      co_return Error(ErrorCode::kNoLeader, is_leader() ? "Not ready to serve consistent reads" : "No cluster leader");
    co_await sleep_for(world().loop, 10ms);
  }
  co_return Status{};
}

Status Server::check_region(const TypeInfo& type, const void* request) const {
  auto* f = type.find("Region");
  if (!f || f->type().kind != Kind::kString) return {};
  auto& region = *static_cast<const std::string*>(f->in(request));
  if (region.empty() || region == config_.region) return {};
  return internal("No path to region");
}

Async<Status> Server::invoke(std::string_view method, const void* request, void* response) {
  auto* row = find_rpc(method);
  if (!row) co_return not_found("Unknown rpc method: \"" + std::string(method) + "\"");
  DROVER_CO_CHECK(check_region(row->request(), request));
  if (row->write) {
    if (row->where != Where::kLocal) DROVER_CO_CHECK(co_await hold_until_ready());
    co_return co_await row->write(*this, request, response);
  }
  co_return co_await read(*row, request, response);
}

Async<Status> Server::read(const RpcRow& row, const void* request, void* response) {
  auto& type = row.response();
  auto options = options_of(row.request(), request);
  if (row.where == Where::kLeader || (row.where == Where::kStale && !options.AllowStale))
    DROVER_CO_CHECK(co_await hold_until_ready());
  auto wait = options.MaxQueryTime <= Duration::zero() ? kBlockingMax : std::min(options.MaxQueryTime, kBlockingMax);
  auto deadline = world().clock.monotonic() + wait + world().random.jitter(wait / 16);
  for (;;) {
    auto watch = store_->watch();
    {
      auto snap = snapshot();
      ReadContext context{*this, snap, options.MinQueryIndex ? &watch : nullptr};
      type.reset(response);
      DROVER_CO_CHECK(row.read(context, request, response));
    }
    if (!options.MinQueryIndex || index_of(type, response) > options.MinQueryIndex) break;
    auto left = deadline - world().clock.monotonic();
    if (left <= Duration::zero() || !co_await watch.wait(world().loop, left)) break;
  }
  set_meta(type, response, !leader_address().empty());
  co_return Status{};
}

}  // namespace drover::server
