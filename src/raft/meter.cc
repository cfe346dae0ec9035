#include "raft/meter.h"

#include "base/metrics.h"
#include "raft/configuration.h"

namespace drover::raft {
namespace {

constexpr Duration kContactInterval = std::chrono::milliseconds(500);

}  // namespace

void Meter::sent(const std::string& peer, const dr_msg& m, Monotonic now) {
  auto& p = peers_[peer];
  if (m.kind == DR_MSG_APPEND) {
    if (m.n_entries > 0) metric_count("raft.replication.appendEntries.logs", static_cast<double>(m.n_entries), {{"peer_id", peer}});
    if (!p.append) p.append = {m.index + m.n_entries, now};
  } else if (m.kind == DR_MSG_HEARTBEAT && !p.heartbeat) {
    p.heartbeat = now;
  }
}

void Meter::heard(const std::string& peer, const dr_msg& m, Monotonic now) {
  auto& p = peers_[peer];
  p.heard = now;
  if (m.kind == DR_MSG_APPEND_RESP && p.append && (m.reject || m.index >= p.append->first)) {
    metric_sample("raft.replication.appendEntries.rpc", metric_milliseconds(now - p.append->second), {{"peer_id", peer}});
    p.append.reset();
  } else if (m.kind == DR_MSG_HEARTBEAT_RESP && p.heartbeat) {
    metric_sample("raft.replication.heartbeat", metric_milliseconds(now - *p.heartbeat), {{"peer_id", peer}});
    p.heartbeat.reset();
  }
}

void Meter::handled(const dr_msg& m, Duration took) {
  switch (m.kind) {
    case DR_MSG_APPEND: return metric_sample("raft.rpc.appendEntries", metric_milliseconds(took));
    case DR_MSG_HEARTBEAT: return metric_sample("raft.rpc.processHeartbeat", metric_milliseconds(took));
    case DR_MSG_VOTE:
    case DR_MSG_PREVOTE: return metric_sample("raft.rpc.requestVote", metric_milliseconds(took));
    default: return;
  }
}

void Meter::role(uint32_t was, uint32_t is, bool same_term) {
  auto stands = [](uint32_t role) { return role == DR_CANDIDATE || role == DR_PRECANDIDATE; };
  if (is == DR_LEADER) {
    peers_.clear();
    metric_count("raft.state.leader");
  } else if (stands(is) && !stands(was)) {
    metric_count("raft.state.candidate");
    if (was == DR_FOLLOWER) metric_count("raft.transition.heartbeat_timeout");
  } else if (is == DR_FOLLOWER) {
    metric_count("raft.state.follower");
    if (was == DR_LEADER && same_term) metric_count("raft.transition.leader_lease_timeout");
  }
}

void Meter::contacts(const Configuration& conf, uint64_t self, Monotonic now) {
  if (now < next_contacts_) return;
  next_contacts_ = now + kContactInterval;
  for (auto voter : conf.voters) {
    auto server = conf.servers.find(voter);
    auto peer = voter == self || server == conf.servers.end() ? peers_.end() : peers_.find(server->second.id);
    if (peer != peers_.end() && peer->second.heard != Monotonic{})
      metric_sample("raft.leader.lastContact", metric_milliseconds(now - peer->second.heard));
  }
}

void Meter::stored(bool leads, size_t entries, Duration took) {
  if (entries == 0) return;
  metric_sample(leads ? "raft.leader.dispatchLog" : "raft.rpc.appendEntries.storeLogs", metric_milliseconds(took));
  if (leads) metric_gauge("raft.leader.dispatchNumLogs", static_cast<double>(entries));
}

}  // namespace drover::raft
