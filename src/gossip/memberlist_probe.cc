// What happens by the clock: probing one node after another, gossip, push/pull.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "gossip/limits.h"
#include "gossip/memberlist.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";

Duration push_pull_scale(Duration interval, size_t n) {
  if (n <= kPushPullScaleThreshold) return interval;
  double steps = std::ceil(std::log2(static_cast<double>(n)) - std::log2(static_cast<double>(kPushPullScaleThreshold))) + 1;
  return interval * static_cast<int64_t>(steps);
}

}  // namespace

void Memberlist::every(Duration interval, void (Memberlist::*what)(), Duration first) {
  p_.agenda.at(now_ + first, [=, this] {
    if (stopped_) return;
    (this->*what)();
    every(interval, what, interval);
  });
}

std::vector<Node*> Memberlist::random_nodes(size_t k, const std::function<bool(const Node&)>& take) {
  std::vector<Node*> out;
  for (auto& n : nodes_)
    if (take(*n)) out.push_back(n.get());
  for (size_t i = 0; i < out.size() && i < k; ++i) std::swap(out[i], out[i + p_.random.below(out.size() - i)]);
  if (out.size() > k) out.resize(k);
  return out;
}

void Memberlist::change_health(int delta) {
  int before = health_;
  health_ = std::clamp(health_ + delta, 0, p_.tuning.awareness_max - 1);
  if (health_ != before) metric_gauge("memberlist.health.score", health_);
}

// ---- probing ---------------------------------------------------------------------------------------------------------

void Memberlist::tick_probe() {
  // A probe takes longer than the interval while this node is not well; the round then waits for it.
  if (probe_) probe_due_ = true;
  else probe_next();
}

void Memberlist::probe_next() {
  for (size_t looked = 0; looked < nodes_.size();) {
    if (probe_index_ >= nodes_.size()) {
      forget_dead();
      for (size_t i = nodes_.size(); i > 1; --i) std::swap(nodes_[i - 1], nodes_[p_.random.below(i)]);
      probe_index_ = 0;
      ++looked;
      continue;
    }
    auto& node = *nodes_[probe_index_++];
    if (node.name == p_.name || node.gone()) {
      ++looked;
      continue;
    }
    return probe(node);
  }
}

void Memberlist::forget_dead() {
  std::erase_if(nodes_, [&](auto& n) {
    bool old = n->gone() && n->name != p_.name && now_ - n->changed > p_.tuning.gossip_to_the_dead;
    if (old) by_name_.erase(n->name);
    return old;
  });
}

void Memberlist::probe(Node& node) {
  auto interval = p_.tuning.probe_interval * (health_ + 1);
  if (health_ > 0) metric_count("memberlist.degraded.probe");
  probe_ = std::make_unique<Probe>();
  auto& probe = *probe_;
  probe.seq = ++seq_;
  probe.node = node.name;
  probe.sent = now_;
  probe.deadline = now_ + interval;
  PendingAck handler;
  handler.ack = [this, seq = probe.seq](const Ack& ack) {
    if (!probe_ || probe_->seq != seq) return;
    auto* target = find(probe_->node);
    if (target && !probe_->indirect) p_.listener.ping_complete(*target, now_ - probe_->sent, ack.Payload);
    probe_ends(true, -1);
  };
  handler.nack = [this, seq = probe.seq] {
    if (probe_ && probe_->seq == seq) ++probe_->nacks;
  };
  await_ack(probe.seq, interval, std::move(handler));
  auto ping = to_message(Wire::kPing, Ping{probe.seq, node.name, p_.advertise.ip, p_.advertise.port, p_.name});
  if (node.state == NodeState::kAlive) {
    send(node.at, std::move(ping));
  } else {
    // Let it know at once that it is suspected, so that it can refute.
    auto suspect = to_message(Wire::kSuspect, Accusation{node.incarnation, node.name, p_.name});
    send_raw(node.at, &node, make_compound({std::move(ping), std::move(suspect)}));
  }
  probe.timers.push_back(p_.agenda.at(now_ + std::min(p_.tuning.probe_timeout, interval), [this] { probe_late(); }));
  probe.timers.push_back(p_.agenda.at(probe.deadline, [this] { probe_failed(); }));
}

// No direct answer: others try, and so does a stream.
void Memberlist::probe_late() {
  auto& probe = *probe_;
  probe.indirect = true;
  auto* node = find(probe.node);
  if (!node) return;
  log_debug(kLog, fmt::format("memberlist: Failed UDP ping: {} (timeout reached)", node->name));
  IndirectPing ask{probe.seq, node->at.ip, node->at.port, node->name, false, p_.advertise.ip, p_.advertise.port, p_.name};
  auto peers = random_nodes(static_cast<size_t>(p_.tuning.indirect_checks), [&](const Node& n) {
    return n.name != p_.name && n.name != node->name && n.state == NodeState::kAlive;
  });
  for (auto* peer : peers) {
    ask.Nack = peer->version(1) >= 4;
    probe.nacks_expected += ask.Nack;
    send(peer->at, to_message(Wire::kIndirectPing, ask));
  }
  if (!p_.tuning.tcp_pings || node->version(1) < 3 || probe.deadline <= now_) return;
  auto sealed = seal_stream(p_.envelope, to_message(Wire::kPing, Ping{probe.seq, node->name, p_.advertise.ip, p_.advertise.port, p_.name}),
                            Direction::kOpening, p_.random);
  if (!sealed) return;
  Pending pending;
  pending.kind = Pending::kPing;
  pending.seq = probe.seq;
  exchange(std::move(pending), node->at, std::move(*sealed), probe.deadline - now_);
}

void Memberlist::probe_failed() {
  auto& probe = *probe_;
  if (probe.tcp_answered) {
    log_warn(kLog, fmt::format("memberlist: Was able to connect to {} over TCP but UDP probes failed, network may be misconfigured", probe.node));
    return probe_ends(true, -1);
  }
  // Nobody answered for the target: where those asked did not even say so, this node is the one that is not well.
  int delta = probe.nacks_expected > 0 ? std::max(0, probe.nacks_expected - probe.nacks) : 1;
  probe_ends(false, delta);
}

void Memberlist::probe_ends(bool answered, int health_delta) {
  auto probe = std::move(probe_);
  metric_sample("memberlist.probeNode", std::chrono::duration<double, std::milli>(now_ - probe->sent).count());
  for (auto id : probe->timers) p_.agenda.cancel(id);
  change_health(health_delta);
  if (!answered)
    if (auto* node = find(probe->node); node && !node->gone()) {
      log_info(kLog, fmt::format("memberlist: Suspect {} has failed, no acks received", probe->node));
      on_suspect(Accusation{node->incarnation, node->name, p_.name});
    }
  if (std::exchange(probe_due_, false) && !stopped_) probe_next();
}

// ---- gossip and push/pull --------------------------------------------------------------------------------------------

void Memberlist::tick_gossip() {
  MetricTimer timer("memberlist.gossip");
  auto targets = random_nodes(static_cast<size_t>(p_.tuning.gossip_nodes), [&](const Node& n) {
    if (n.name == p_.name || n.state == NodeState::kLeft) return false;
    return n.state != NodeState::kDead || now_ - n.changed <= p_.tuning.gossip_to_the_dead;
  });
  size_t room = static_cast<size_t>(p_.tuning.udp_buffer_size) - kCompoundHeader - p_.envelope.overhead();
  for (auto* node : targets) {
    auto messages = take_broadcasts(room);
    if (messages.empty()) return;
    for (size_t at = 0; at < messages.size(); at += 255) {
      std::vector<std::string> part(messages.begin() + static_cast<ptrdiff_t>(at),
                                    messages.begin() + static_cast<ptrdiff_t>(std::min(at + 255, messages.size())));
      send_raw(node->at, node, part.size() == 1 ? std::move(part[0]) : make_compound(part));
    }
  }
}

void Memberlist::push_pull_once() {
  auto one = random_nodes(1, [&](const Node& n) { return n.name != p_.name && n.state == NodeState::kAlive; });
  if (!one.empty())
    push_pull_with(one[0]->at, false, [name = one[0]->name](Status s) {
      if (!s) log_error(kLog, fmt::format("memberlist: Push/Pull with {} failed: {}", name, s.error().message));
    });
}

void Memberlist::tick_push_pull() {
  if (stopped_) return;
  push_pull_once();
  p_.agenda.at(now_ + push_pull_scale(p_.tuning.push_pull_interval, nodes_.size()), [this] { tick_push_pull(); });
}

}  // namespace drover::gossip
