#include "server/autopilot.h"

#include <algorithm>
#include <list>

#include <fmt/format.h>

#include "base/cancel.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "codec/msgpack.h"
#include "gossip/serf.h"
#include "net/address.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/membership.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr Duration kPollInterval = 2s;
constexpr Duration kActInterval = 10s;
constexpr std::string_view kLog = "nomad.autopilot";

bool is_alive(gossip::MemberStatus s) { return s == gossip::MemberStatus::kAlive || s == gossip::MemberStatus::kLeaving; }

}  // namespace

Duration parse_last_contact(std::string_view text) {
  if (text == "0") return Duration::zero();
  auto d = parse_duration(text);
  return d ? *d : Duration(-1);
}

bool is_healthy(const ServerFacts& s, const ServerFacts& leader, const AutopilotConfig& config) {
  if (!is_alive(s.serf) || !s.stats || !leader.stats) return false;
  auto contact = s.leader ? Duration::zero() : parse_last_contact(s.stats->LastContact);
  return contact >= Duration::zero() && contact <= config.LastContactThreshold && s.stats->LastTerm == leader.stats->LastTerm &&
         s.stats->LastIndex + config.MaxTrailingLogs >= leader.stats->LastIndex;
}

DeadServers dead_servers(const std::vector<ServerFacts>& servers, const AutopilotConfig& config) {
  DeadServers out;
  if (!config.CleanupDeadServers) return out;
  size_t voters = static_cast<size_t>(std::count_if(servers.begin(), servers.end(), [](auto& s) { return s.voter; }));
  size_t spare = voters > 0 ? (voters - 1) / 2 : 0;
  auto take_voter = [&] {
    if (spare == 0 || voters <= 1 || voters - 1 < config.MinQuorum) return false;
    --spare;
    --voters;
    return true;
  };
  // In this order: what gossip has forgotten, then what has failed; those without a vote first.
  for (bool forgotten : {true, false})
    for (bool voter : {false, true})
      for (auto& s : servers) {
        bool is_forgotten = s.serf == gossip::MemberStatus::kNone;
        if (s.leader || !s.configured || s.voter != voter || is_forgotten != forgotten || is_alive(s.serf)) continue;
        if (voter && !take_voter()) continue;
        if (forgotten) out.remove.push_back(s.id);
        else out.force_leave.push_back(s.name);
      }
  return out;
}

Autopilot::Autopilot(Server& server) : server_(server), began_(server.world().clock.monotonic()), running_(run()) {}
Autopilot::~Autopilot() = default;

AutopilotConfig Autopilot::config() const {
  auto stored = server_.snapshot().autopilot_config().get();
  return stored ? *stored : server_.config().autopilot;
}

std::vector<ServerFacts> Autopilot::gather() const {
  std::vector<ServerFacts> out;
  auto own = std::string(server_.node_id());
  for (auto& s : server_.replica().configuration()) {
    auto& f = out.emplace_back();
    f.id = s.id;
    f.address = s.address;
    f.configured = true;
    f.voter = s.suffrage == raft::Suffrage::kVoter;
    f.leader = s.id == own;
    if (f.leader && !server_.serf()) {
      f.name = server_.config().node_name + "." + server_.config().region;
      f.build = server_.config().build;
      f.serf = gossip::MemberStatus::kAlive;
    }
  }
  if (!server_.serf()) return out;
  for (auto& m : server_.serf()->members()) {
    auto parts = server_parts(m);
    if (!parts || parts->region != server_.config().region) continue;
    auto it = std::find_if(out.begin(), out.end(), [&](auto& f) { return f.id == parts->id; });
    if (it == out.end()) continue;  // not in the configuration: nothing to judge yet
    if (is_alive(it->serf)) continue;  // it was renamed, and this is its old name
    it->name = m.name;
    it->build = parts->build;
    it->never_votes = parts->non_voter;
    it->serf = m.status;
  }
  return out;
}

Async<void> Autopilot::ask(ServerFacts& f) {
  if (f.leader) {
    auto s = server_.replica().stats();
    f.stats = rpc::RaftStats{"0", s.last_log_term, s.last_log_index};
    co_return;
  }
  auto address = net::Address::parse(f.address);
  if (!is_alive(f.serf) || !server_.cluster() || !address) co_return;
  rpc::GenericRequest request;
  request.Region = server_.config().region;
  auto body = co_await with_timeout(server_.world().loop, kPollInterval,
                                    server_.cluster()->pool().call(*address, request.Region, "Status.RaftStats", to_msgpack(request)),
                                    Error(ErrorCode::kTimeout, "i/o timeout"));
  if (!body) {
    log_warn(kLog, "error getting server health", {{"server", f.name}, {"error", body.error().message}});
    co_return;
  }
  if (auto stats = from_msgpack<rpc::RaftStats>(*body)) f.stats = std::move(*stats);
}

Async<void> Autopilot::poll() {
  auto facts = gather();
  // The leader last: its log grows while the others answer.
  std::stable_partition(facts.begin(), facts.end(), [](auto& f) { return !f.leader; });
  std::list<Running> asking;
  // All are counted before the first is asked: of one that is known to be dead the answer is there at once.
  size_t left = static_cast<size_t>(std::count_if(facts.begin(), facts.end(), [](auto& f) { return !f.leader; }));
  Promise<bool> all;
  auto one = [](Autopilot& self, ServerFacts& f, size_t& left, Promise<bool> all) -> Async<void> {
    co_await self.ask(f);
    if (--left == 0) all.set_from_any_thread(self.server_.world().loop, true);
  };
  for (auto& f : facts)
    if (!f.leader) asking.emplace_back(one(*this, f, left, all));
  if (left) co_await all;
  for (auto& f : facts)
    if (f.leader) co_await ask(f);
  servers_ = std::move(facts);
  judge();
}

void Autopilot::judge() {
  auto leader = std::find_if(servers_.begin(), servers_.end(), [](auto& s) { return s.leader; });
  if (leader == servers_.end()) return;
  auto config = this->config();
  auto now = server_.world().clock.now();
  std::map<std::string, Known> next;
  for (auto& s : servers_) {
    bool healthy = is_healthy(s, *leader, config);
    auto it = known_.find(s.id);
    next[s.id] = {healthy, it != known_.end() && it->second.healthy == healthy ? it->second.since : now};
  }
  known_ = std::move(next);
  auto reply = health();
  metric_gauge("nomad.autopilot.healthy", reply.Healthy ? 1 : 0);
  metric_gauge("nomad.autopilot.failure_tolerance", static_cast<double>(reply.FailureTolerance));
}

rpc::OperatorHealthReply Autopilot::health() const {
  rpc::OperatorHealthReply out;
  out.Healthy = true;
  int64_t voters = 0, healthy_voters = 0;
  for (auto& s : servers_) {
    auto& h = out.Servers.emplace_back();
    auto& known = known_.at(s.id);
    h.ID = s.id;
    h.Name = s.name.empty() ? "(unknown)" : s.name;
    h.Address = s.address;
    h.SerfStatus = static_cast<int64_t>(s.serf);
    h.Version = s.build;
    h.Leader = s.leader;
    h.Voter = s.voter;
    h.Healthy = known.healthy;
    h.StableSince = known.since;
    if (s.stats) {
      h.LastContact = s.leader ? Duration::zero() : parse_last_contact(s.stats->LastContact);
      h.LastTerm = s.stats->LastTerm;
      h.LastIndex = s.stats->LastIndex;
    }
    out.Healthy &= h.Healthy;
    voters += s.voter;
    healthy_voters += s.voter && h.Healthy;
  }
  out.FailureTolerance = std::max<int64_t>(0, healthy_voters - (voters / 2 + 1));
  return out;
}

Async<void> Autopilot::promote() {
  auto config = this->config();
  // A leader that is new itself cannot know for how long the others have been well.
  bool settled = server_.world().clock.monotonic() - began_ >= config.ServerStabilizationTime;
  auto needed = settled ? config.ServerStabilizationTime : Duration::zero();
  auto now = server_.world().clock.now();
  for (auto& s : std::vector(servers_)) {
    auto it = known_.find(s.id);
    if (s.voter || s.never_votes || it == known_.end() || !it->second.healthy || now - it->second.since < needed) continue;
    log_info(kLog, "promoting server", {{"id", s.id}, {"address", s.address}, {"name", s.name}});
    auto promoted = co_await server_.replica().promote(s.id);
    if (!promoted) log_error(kLog, "failed to promote server", {{"id", s.id}, {"error", promoted.error().message}});
  }
}

Async<void> Autopilot::clean_up() {
  auto dead = dead_servers(servers_, config());
  for (auto& id : dead.remove) {
    log_info(kLog, "removing stale server", {{"id", id}});
    auto gone = co_await server_.replica().remove(id);
    if (!gone) log_error(kLog, "failed to remove server", {{"id", id}, {"error", gone.error().message}});
  }
  // Gossip knows no terms: one that leads no more must not tell it who is gone.
  if (!dead.force_leave.empty() && !co_await server_.replica().read_index()) co_return;
  for (auto& name : dead.force_leave) {
    log_info(kLog, "removing failed server", {{"name", name}});
    if (auto left = co_await server_.serf()->force_leave(name, false); !left)
      log_error(kLog, "failed to remove server", {{"name", name}, {"error", left.error().message}});
  }
}

Async<void> Autopilot::look() {
  co_await poll();
  co_await promote();
  co_await clean_up();
}

Async<void> Autopilot::run() {
  auto next_act = server_.world().clock.monotonic() + kActInterval;
  for (;;) {
    co_await poll();
    co_await sleep_for(server_.world().loop, kPollInterval);
    if (server_.world().clock.monotonic() < next_act) continue;
    co_await promote();
    co_await clean_up();
    next_act = server_.world().clock.monotonic() + kActInterval;
  }
}

}  // namespace drover::server
