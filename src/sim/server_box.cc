#include "sim/server_box.h"

#include "gossip/serf.h"
#include "net/stream.h"
#include "raft/offline.h"
#include "raft/replica.h"
#include "server/leader.h"

namespace drover::sim {

using namespace std::chrono_literals;

ServerBox::ServerBox(Region& region, int number)
    : region_(region),
      number_(number),
      ip_(fmt::format("10.0.0.{}", number)),
      host_(region.sim, region.options.seed * 1000 + static_cast<uint64_t>(number), region.clock_rate()),
      network_(region.network.host(ip_, host_.loop)),
      disk_(region.sim.loop, host_.dice) {
  disk_.thread.delay_min = region.scenario.disk_delay_min;
  disk_.thread.delay_max = region.scenario.disk_delay_max;
  if (region.options.plant == Plant::kLyingDisk) disk_.disk.lie();
  auto& c = config_;
  c.node_name = fmt::format("s{}", number);
  c.node_id = Uuid::generate(host_.dice.random()).str();
  c.data_dir = "/server";
  c.revision = "";  // it is gossiped: a seed would be another run in every commit
  c.dev_mode = true;  // gossip keeps no file
  bool first = number <= region.scenario.servers;
  c.bootstrap_expect = first ? region.scenario.servers : 0;
  c.rpc_advertise = ip_ + ":4647";
  c.serf_address = ip_;
  c.num_schedulers = 1;
  c.default_scheduler_config.SchedulerAlgorithm = "binpack";
  c.default_scheduler_config.PreemptionConfig.SystemSchedulerEnabled = true;
  c.autopilot.CleanupDeadServers = true;
  c.autopilot.LastContactThreshold = 200ms;
  c.autopilot.MaxTrailingLogs = 250;
  c.autopilot.ServerStabilizationTime = 10s;
}

ServerBox::~ServerBox() { stop(); }

bool ServerBox::leads() const { return server_ && !paused() && server_->leader() && server_->leader()->ready(); }

void ServerBox::boot() {
  if (up()) return;
  life_++;
  region_.network.power_on(ip_);
  auto listener = network_.listen(net::Address::tcp(ip_, 4647));
  if (!listener) return region_.violation(fmt::format("server {}: {}", number_, listener.error().message));
  server::Parts parts{.world = host_.world, .disk = &disk_.disk, .log_thread = &disk_.thread, .network = &network_,
                      .rpc_listener = std::move(*listener)};
  parts.fatal = [this](const Error& e) { failed(e); };
  parts.tune_raft = [this](raft::Options& o) {
    o.inline_sync = false;
    o.segment = region_.scenario.segment;
    o.snapshot_chunk = region_.scenario.snapshot_chunk;
    o.snapshot_threshold = region_.scenario.snapshot_threshold;
    o.snapshot_interval = 5s;
    o.trailing_logs = region_.scenario.trailing_logs;
    if (alone_) o.recover = {{config_.node_id, config_.rpc_advertise}};
  };
  auto made = server::Server::create(config_, std::move(parts));
  if (!made) {
    region_.trace.event("server {} does not start: {}", number_, made.error().message);
    if (region_.calm || made.error().code == ErrorCode::kCorrupt)
      return region_.violation(fmt::format("server {} does not start: {}", number_, made.error().message));
    return boot_soon(2s);
  }
  server_ = std::move(*made);
  alone_ = false;
  region_.trace.event("server {} boots at {}", number_, server_->snapshot().index());
  region_.oracle.restored(number_, server_->snapshot());
  server_->store().observe([this](const state::CommitInfo& commit) {
    if (commit.changes.empty() && commit.entry_type == 0xff) region_.oracle.restored(number_, commit.after);
    else region_.oracle.committed(number_, commit);
  });
  seen_term_ = 0;
  was_ready_ = false;
  server_->start();
  joining_ = Running(join_flow());
}

// As an agent with `retry_join`.
Async<void> ServerBox::join_flow() {
  std::vector<std::string> others;
  for (auto& s : region_.servers)
    if (s.get() != this) others.push_back(s->ip());
  for (;;) {
    auto joined = co_await server_->serf()->join(others);
    if (joined.count > 0) co_return;
    co_await sleep_for(host_.loop, 3s);
  }
}

void ServerBox::failed(const Error& error) {
  region_.trace.event("server {} stops: {}", number_, error.message);
  if (region_.calm || error.code == ErrorCode::kCorrupt) region_.violation(fmt::format("server {} stops: {}", number_, error.message));
  later(region_.sim.loop, 0s, [this, life = life_] {
    if (life != life_ || !up()) return;
    kill();
    boot_soon(3s);
  });
}

void ServerBox::stop() {
  flows_.cancel();
  joining_.reset();
  server_.reset();
  host_.loop.forget();
  disk_.kill();
}

void ServerBox::kill() {
  if (!up()) return;
  region_.trace.event("server {} is killed", number_);
  stop();
}

void ServerBox::lose_power() {
  if (!up()) return;
  region_.trace.event("server {} loses power", number_);
  region_.network.power_off(ip_);
  disk_.lose_power();
  stop();
  disk_.disk.crash(host_.dice.random());
}

std::pair<uint64_t, uint64_t> ServerBox::log_end() {
  std::pair<uint64_t, uint64_t> end;
  auto log = raft::OfflineLog::open(config_.data_dir + "/raft", disk_.disk);
  if (!log) {
    region_.trace.event("server {}: {}", number_, log.error().message);
    return end;
  }
  for (auto& s : log->snapshots()) end = std::max(end, std::pair(s.meta.term, s.index()));
  auto read = log->read([&](const raft::OfflineEntry& e) {
    end = std::max(end, std::pair(e.term, e.index));
    return true;
  });
  if (!read) region_.violation(fmt::format("server {}: {}", number_, read.error().message));
  return end;
}

void ServerBox::replace() {
  region_.trace.event("server {} is replaced", number_);
  disk_.disk.fail_on("");
  disk_.disk.fill("");
  disk_.thread.hang(false);
  (void)disk_.disk.remove_all("/server");
  config_.node_id = Uuid::generate(host_.dice.random()).str();
  config_.bootstrap_expect = 0;
}

void ServerBox::boot_soon(Duration within) {
  later(region_.sim.loop, region_.dice.between(Duration(1ms), within), [this] { boot(); });
}

void ServerBox::run(std::function<Async<void>(server::Server&)> make) {
  host_.loop.post([this, make = std::move(make)] {
    if (server_) flows_.start(make(*server_));
  });
}

void ServerBox::look() {
  if (!server_) return;
  auto* leader = server_->leader();
  if (!leader) {
    was_ready_ = false;
    return;
  }
  if (leader->term() != seen_term_) {
    seen_term_ = leader->term();
    region_.trace.event("server {} leads term {}", number_, seen_term_);
    region_.oracle.leads(number_, seen_term_, server_->snapshot().index());
  }
}

}  // namespace drover::sim
