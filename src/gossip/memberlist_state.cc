// What is believed of each node, and how messages change it.
#include <cmath>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "gossip/limits.h"
#include "gossip/memberlist.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";

Duration suspicion_timeout(int mult, size_t n, Duration interval) {
  double scale = std::max(1.0, std::log10(std::max(1.0, static_cast<double>(n))));
  return mult * static_cast<int64_t>(scale * 1000) * interval / 1000;
}

// From `most` without any confirmation down to `least` with all that are wanted, by the logarithm.
Duration suspicion_left(int confirmed, int wanted, Duration elapsed, Duration least, Duration most) {
  double part = std::log(confirmed + 1.0) / std::log(wanted + 1.0);
  auto timeout = most - Duration(static_cast<int64_t>(part * static_cast<double>((most - least).count())));
  return std::max(timeout, least) - elapsed;
}

std::string version_bytes() {
  return {kProtocolMin, kProtocolMax, kProtocolCur, kDelegateMin, kDelegateMax, kDelegateCur};
}

}  // namespace

const Node* Memberlist::find(std::string_view name) const {
  auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? nullptr : it->second;
}

size_t Memberlist::live() const {
  size_t n = 0;
  for (auto& node : nodes_) n += !node->gone();
  return n;
}

template <class M>
void Memberlist::spread(const std::string& node, Wire type, const M& m, Broadcasts::Finished sent) {
  broadcasts_.add(node, to_message(type, m), std::move(sent));
}

uint32_t Memberlist::next_incarnation(uint32_t above) {
  incarnation_ = std::max(incarnation_ + 1, above + 1);
  return incarnation_;
}

Alive Memberlist::own_alive() {
  return {next_incarnation(incarnation_), p_.name, p_.advertise.ip, p_.advertise.port, p_.listener.local_meta(), version_bytes()};
}

void Memberlist::refute(Node& self, uint32_t accused) {
  self.incarnation = next_incarnation(accused);
  change_health(+1);  // asked to refute: this node is perhaps not well
  spread(self.name, Wire::kAlive, Alive{self.incarnation, self.name, self.at.ip, self.at.port, self.meta, self.vsn});
}

void Memberlist::clear_suspicion(const std::string& node) {
  auto it = suspicions_.find(node);
  if (it == suspicions_.end()) return;
  p_.agenda.cancel(it->second.timer);
  suspicions_.erase(it);
}

// ---- alive -----------------------------------------------------------------------------------------------------------

Node* Memberlist::admit_new(const Alive& m) {
  if (nodes_.size() >= kNodesMax) {
    bad(fmt::format("Ignoring an alive message for '{}': {} nodes are known already", m.Node, kNodesMax), "alive");
    return nullptr;
  }
  auto node = std::make_unique<Node>(Node{.name = m.Node, .at = {m.Addr, m.Port}, .meta = m.Meta});
  if (m.Vsn.size() >= 6) node->vsn = m.Vsn.substr(0, 6);
  auto* raw = node.get();
  by_name_[m.Node] = raw;
  // At a random place of the round, so that a newcomer is not always probed last.
  size_t at = nodes_.empty() ? 0 : p_.random.below(nodes_.size());
  nodes_.push_back(std::move(node));
  std::swap(nodes_[at], nodes_.back());
  return raw;
}

// Whether a node of this name may be at another address now. One that still answers keeps its name, and one that does not
// keeps it from others until it is forgotten.
bool Memberlist::may_move(const Node& node, const Alive& m) {
  if (node.name == p_.name || node.state == NodeState::kAlive) return false;
  if (node.state == NodeState::kLeft) return true;
  // Older news are of the place where it was.
  return m.Incarnation > node.incarnation && p_.listener.same_node(node, m.Meta);
}

// What the others remember of this node's last run. They are told where it is now, as the newer news, until they take it; they do
// when nobody answers at the old place.
void Memberlist::claim_name(Node& self, const Alive& m) {
  if (std::exchange(claiming_, true)) return;
  log_info(kLog, fmt::format("memberlist: the pool knows {} at {} still; it comes here when nobody answers there", self.name,
                             endpoint_text({m.Addr, m.Port})));
  if (m.Incarnation >= self.incarnation) self.incarnation = next_incarnation(m.Incarnation);
  p_.agenda.at(now_ + p_.tuning.probe_interval, [this] {
    claiming_ = false;
    if (!stopped_ && !leaving_) push_pull_once();
  });
}

// Whether the message may stand.
bool Memberlist::accept_address(Node& node, const Alive& m, bool& moved) {
  Endpoint other{m.Addr, m.Port};
  if (node.at == other) return true;
  if (may_move(node, m)) {
    log_info(kLog, fmt::format("memberlist: Updating address for left or failed node {} from {} to {}", node.name,
                               endpoint_text(node.at), endpoint_text(other)));
    moved = true;
    return true;
  }
  if (node.name == p_.name && p_.listener.same_node(node, m.Meta)) {
    claim_name(node, m);
    return false;
  }
  log_error(kLog, fmt::format("memberlist: Conflicting address for {}. Mine: {} Theirs: {} Old state: {}", node.name,
                              endpoint_text(node.at), endpoint_text(other), static_cast<int>(node.state)));
  p_.listener.conflict(node, other);
  return false;
}

void Memberlist::on_alive(Alive m, bool own, Broadcasts::Finished sent) {
  bool self = m.Node == p_.name;
  if (self && leaving_) return;
  if (m.Node.empty() || m.Node.size() > kNameMax || m.Meta.size() > kMetaMax || (m.Addr.size() != 4 && m.Addr.size() != 16))
    return bad(fmt::format("Ignoring an alive message for '{}': malformed name, address or tags", m.Node.substr(0, 64)), "alive");
  if (m.Vsn.size() >= 3) {
    auto min = static_cast<uint8_t>(m.Vsn[0]), max = static_cast<uint8_t>(m.Vsn[1]), cur = static_cast<uint8_t>(m.Vsn[2]);
    if (min == 0 || max == 0 || min > max)
      return bad(fmt::format("Ignoring an alive message for '{}' ({}) because protocol version(s) are wrong: {} <= {} <= {} should be >0",
                             m.Node, endpoint_text({m.Addr, m.Port}), min, cur, max), "alive");
  }
  if (!self) {
    if (m.Vsn.size() < 6)
      return bad(fmt::format("ignoring alive message for '{}' ({}) because Vsn is not present", m.Node, endpoint_text({m.Addr, m.Port})), "alive");
    Node peer{.name = m.Node, .at = {m.Addr, m.Port}, .meta = m.Meta, .vsn = m.Vsn.substr(0, 6)};
    peer.state = NodeState::kAlive;
    if (auto admitted = p_.listener.admit(peer); !admitted)
      return bad(fmt::format("ignoring alive message for '{}': {}", m.Node, admitted.error().message), "alive");
  }
  auto* node = find(m.Node);
  bool moved = false;
  if (!node) node = admit_new(m);
  else if (!accept_address(*node, m, moved)) return;
  if (!node) return;
  // News of another node must be newer than what is known; of this one, not older.
  if (!self && !moved && m.Incarnation <= node->incarnation) return;
  if (self && m.Incarnation < node->incarnation) return;
  clear_suspicion(m.Node);
  auto old_state = node->state;
  auto old_meta = node->meta;
  if (self && !own) {
    if (m.Incarnation == node->incarnation && m.Meta == node->meta && m.Vsn == node->vsn) return;
    log_warn(kLog, fmt::format("memberlist: Refuting an alive message for '{}' ({})", m.Node, endpoint_text({m.Addr, m.Port})));
    return refute(*node, m.Incarnation);
  }
  spread(m.Node, Wire::kAlive, m, std::move(sent));
  if (m.Vsn.size() >= 6) node->vsn = m.Vsn.substr(0, 6);
  node->incarnation = m.Incarnation;
  node->meta = std::move(m.Meta);
  node->at = {std::move(m.Addr), m.Port};
  if (node->state != NodeState::kAlive) {
    node->state = NodeState::kAlive;
    node->changed = now_;
  }
  metric_count("memberlist.msg.alive");
  if (old_state == NodeState::kDead || old_state == NodeState::kLeft) p_.listener.joined(*node);
  else if (moved || old_meta != node->meta) p_.listener.updated(*node);
}

// ---- suspect ---------------------------------------------------------------------------------------------------------

bool Memberlist::confirm(Suspicion& s, const std::string& node, const std::string& from) {
  if (s.confirmed >= s.wanted || !s.from.insert(from).second) return false;
  ++s.confirmed;
  auto left = suspicion_left(s.confirmed, s.wanted, now_ - s.start, s.least, s.most);
  p_.agenda.cancel(s.timer);
  s.timer = p_.agenda.at(now_ + std::max(left, Duration::zero()), [this, node, since = s.start] { suspicion_ends(node, since); });
  return true;
}

void Memberlist::on_suspect(const Accusation& m) {
  auto* node = find(m.Node);
  if (!node || m.Incarnation < node->incarnation) return;
  if (auto it = suspicions_.find(m.Node); it != suspicions_.end()) {
    // A confirmation that is new here is passed on, so that several accusers can add up everywhere.
    if (confirm(it->second, m.Node, m.From)) spread(m.Node, Wire::kSuspect, m);
    return;
  }
  if (node->state != NodeState::kAlive) return;
  if (m.Node == p_.name) {
    log_warn(kLog, fmt::format("memberlist: Refuting a suspect message (from: {})", m.From));
    return refute(*node, m.Incarnation);
  }
  spread(m.Node, Wire::kSuspect, m);
  metric_count("memberlist.msg.suspect");
  node->incarnation = m.Incarnation;
  node->state = NodeState::kSuspect;
  node->changed = now_;
  start_suspicion(*node, m.From);
}

void Memberlist::start_suspicion(const Node& node, const std::string& from) {
  // Two probe intervals less than the nominal time: the others' rounds are not in step with this one's.
  int wanted = p_.tuning.suspicion_mult - 2;
  if (static_cast<int64_t>(nodes_.size()) - 2 < wanted) wanted = 0;  // too few to confirm: neither this node nor that one counts
  Suspicion s;
  s.wanted = wanted;
  s.least = suspicion_timeout(p_.tuning.suspicion_mult, nodes_.size(), p_.tuning.probe_interval);
  s.most = s.least * p_.tuning.suspicion_max_mult;
  s.start = now_;
  s.from.insert(from);
  s.timer = p_.agenda.at(now_ + (wanted < 1 ? s.least : s.most), [this, name = node.name, since = now_] { suspicion_ends(name, since); });
  suspicions_.insert_or_assign(node.name, std::move(s));
}

void Memberlist::suspicion_ends(const std::string& name, Monotonic since) {
  auto it = suspicions_.find(name);
  auto* node = find(name);
  if (it == suspicions_.end() || !node || node->state != NodeState::kSuspect || node->changed != since) return;
  if (it->second.wanted > 0 && it->second.confirmed < it->second.wanted) metric_count("memberlist.degraded.timeout");
  log_info(kLog, fmt::format("memberlist: Marking {} as failed, suspect timeout reached ({} peer confirmations)", name, it->second.confirmed));
  on_dead(Accusation{node->incarnation, name, p_.name});
}

// ---- dead ------------------------------------------------------------------------------------------------------------

void Memberlist::on_dead(const Accusation& m, Broadcasts::Finished sent) {
  auto* node = find(m.Node);
  if (!node || m.Incarnation < node->incarnation) return;
  clear_suspicion(node->name);
  if (node->gone()) return;
  if (m.Node == p_.name && !leaving_) {
    log_warn(kLog, fmt::format("memberlist: Refuting a dead message (from: {})", m.From));
    return refute(*node, m.Incarnation);
  }
  spread(m.Node, Wire::kDead, m, std::move(sent));
  metric_count("memberlist.msg.dead");
  node->incarnation = m.Incarnation;
  node->state = m.Node == m.From ? NodeState::kLeft : NodeState::kDead;
  node->changed = now_;
  p_.listener.left(*node);
}

// ---- own news --------------------------------------------------------------------------------------------------------

void Memberlist::start(Monotonic now) {
  set_now(now);
  on_alive(own_alive(), true);
  // At random offsets, so that nodes started together do not stay in step.
  every(p_.tuning.probe_interval, &Memberlist::tick_probe, p_.tuning.probe_interval + p_.random.jitter(p_.tuning.probe_interval));
  every(p_.tuning.gossip_interval, &Memberlist::tick_gossip, p_.tuning.gossip_interval + p_.random.jitter(p_.tuning.gossip_interval));
  auto first = p_.random.jitter(p_.tuning.push_pull_interval);
  p_.agenda.at(now_ + first + p_.tuning.push_pull_interval, [this] { tick_push_pull(); });
}

void Memberlist::stop() { stopped_ = true; }

// Begins to spread something, and tells `done` when that has happened often enough, or nobody is there to hear it, or
// `timeout` has passed.
void Memberlist::wait_for_spread(Duration timeout, std::string late, Done done, std::move_only_function<void(Broadcasts::Finished)> begin) {
  struct Wait {
    Done done;
    Agenda::Id timer = 0;
  };
  auto wait = std::make_shared<Wait>(Wait{std::move(done)});
  auto finish = [this, wait](Status s) {
    p_.agenda.cancel(wait->timer);
    if (auto done = std::exchange(wait->done, {})) done(std::move(s));
  };
  begin([finish] { finish({}); });
  bool heard = false;
  for (auto& n : nodes_) heard |= !n->gone() && n->name != p_.name;
  if (!heard) return finish({});
  if (wait->done) wait->timer = p_.agenda.at(now_ + timeout, [finish, late] { finish(Error(ErrorCode::kTimeout, late)); });
}

void Memberlist::update(Duration timeout, Done done) {
  wait_for_spread(timeout, "timeout waiting for update broadcast", std::move(done),
                  [this](auto sent) { on_alive(own_alive(), true, std::move(sent)); });
}

void Memberlist::leave(Duration timeout, Done done) {
  if (std::exchange(leaving_, true)) return done({});
  wait_for_spread(timeout, "timeout waiting for leave broadcast", std::move(done), [this](auto sent) {
    on_dead(Accusation{self().incarnation, p_.name, p_.name}, std::move(sent));
  });
}

}  // namespace drover::gossip
