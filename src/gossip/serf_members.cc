// Members: what the membership protocol reports, and the intents that say why a member is gone.
#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "gossip/serf_core.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";

}  // namespace

std::string SerfCore::local_meta() { return encode_tags(tags_); }

Member SerfCore::member_of(const Node& n, MemberStatus status) const {
  return {n.name, ip_text(n.at.ip), n.at.port, decode_tags(n.meta), status,
          n.version(0), n.version(1), n.version(2), n.version(3), n.version(4), n.version(5)};
}

void SerfCore::take_node(MemberState& m, const Node& n) {
  m.member = member_of(n, m.member.status);
  m.ip = n.at.ip;
}

void SerfCore::emit(EventType type, const Member& member) {
  if (auto* s = parts_.snapshot) {
    if (type == EventType::kJoin) s->member_alive(member.name, endpoint_text({members_.find(member.name)->second.ip, member.port}));
    if (type == EventType::kLeave || type == EventType::kFailed) s->member_gone(member.name);
    s->clocks(clock_.time() - 1, 0, 0);
  }
  Event e;
  e.type = type;
  e.member = member;
  effects_.push_back(Emit{std::move(e)});
}

Status SerfCore::admit(const Node& n) {
  if (!config_.admit) return {};
  if (n.at.ip.size() != 4 && n.at.ip.size() != 16)
    return invalid(fmt::format("IP byte length is invalid: {} bytes is not either 4 or 16", n.at.ip.size()));
  if (n.meta.size() > kMetaMax) return invalid(fmt::format("Encoded length of tags exceeds limit of {} bytes", kMetaMax));
  auto status = n.state == NodeState::kLeft ? MemberStatus::kLeft : n.state == NodeState::kDead ? MemberStatus::kFailed : MemberStatus::kNone;
  return config_.admit(member_of(n, status));
}

void SerfCore::joined(const Node& n) {
  auto [it, fresh] = members_.try_emplace(n.name);
  auto& m = it->second;
  if (fresh) {
    m.member.status = MemberStatus::kAlive;
    if (auto intent = intents_.find(n.name); intent != intents_.end()) {
      m.status_ltime = intent->second.ltime;
      if (intent->second.type == SerfWire::kLeave) m.member.status = MemberStatus::kLeaving;
    }
  } else {
    if (m.member.status == MemberStatus::kFailed && list_->now() - m.gone_at < tuning_.flap_timeout) metric_count("serf.member.flap");
    m.member.status = MemberStatus::kAlive;
  }
  take_node(m, n);
  metric_count("serf.member.join");
  log_info(kLog, fmt::format("serf: EventMemberJoin: {} {}", m.member.name, m.member.addr));
  emit(EventType::kJoin, m.member);
}

void SerfCore::left(const Node& n) {
  auto it = members_.find(n.name);
  if (it == members_.end()) return;
  auto& m = it->second;
  bool intended = m.member.status == MemberStatus::kLeaving;
  if (!intended && m.member.status != MemberStatus::kAlive) {
    log_warn(kLog, fmt::format("serf: Bad state when leave: {}", static_cast<int>(m.member.status)));
    return;
  }
  m.member.status = intended ? MemberStatus::kLeft : MemberStatus::kFailed;
  m.gone_at = list_->now();
  metric_count(intended ? "serf.member.left" : "serf.member.failed");
  log_info(kLog, fmt::format("serf: {}: {} {}", intended ? "EventMemberLeave" : "EventMemberFailed", m.member.name, m.member.addr));
  emit(intended ? EventType::kLeave : EventType::kFailed, m.member);
}

void SerfCore::updated(const Node& n) {
  auto it = members_.find(n.name);
  if (it == members_.end()) return;
  take_node(it->second, n);
  metric_count("serf.member.update");
  log_info(kLog, fmt::format("serf: EventMemberUpdate: {}", n.name));
  emit(EventType::kUpdate, it->second.member);
}

// ---- intents ---------------------------------------------------------------------------------------------------------

bool SerfCore::remember_intent(const std::string& node, SerfWire type, uint64_t ltime) {
  auto it = intents_.find(node);
  if (it != intents_.end() && ltime <= it->second.ltime) return false;
  if (it == intents_.end() && (intents_.size() >= kIntentsMax || node.size() > kNameMax)) return false;
  intents_[node] = {type, list_->now(), ltime};
  return true;
}

bool SerfCore::on_leave_intent(const LeaveIntent& m) {
  clock_.witness(m.LTime);
  auto it = members_.find(m.Node);
  if (it == members_.end()) return remember_intent(m.Node, SerfWire::kLeave, m.LTime);
  auto& s = it->second;
  if (m.LTime <= s.status_ltime) return false;
  if (m.Node == name_ && state_ == State::kAlive) {
    // An old leave of this very node, or somebody's force-leave: it is here.
    log_debug(kLog, "serf: Refuting an older leave intent");
    agenda_.at(list_->now(), [this] { announce_join(list_->now()); });
    return false;
  }
  s.status_ltime = m.LTime;
  switch (s.member.status) {
    case MemberStatus::kAlive: s.member.status = MemberStatus::kLeaving; break;
    case MemberStatus::kFailed:
      s.member.status = MemberStatus::kLeft;
      log_info(kLog, fmt::format("serf: EventMemberLeave (forced): {} {}", s.member.name, s.member.addr));
      emit(EventType::kLeave, s.member);
      break;
    case MemberStatus::kLeaving:
    case MemberStatus::kLeft: break;
    case MemberStatus::kNone: return false;
  }
  if (m.Prune) prune(m.Node);
  return true;
}

bool SerfCore::on_join_intent(const JoinIntent& m) {
  clock_.witness(m.LTime);
  auto it = members_.find(m.Node);
  if (it == members_.end()) return remember_intent(m.Node, SerfWire::kJoin, m.LTime);
  auto& s = it->second;
  if (m.LTime <= s.status_ltime) return false;
  s.status_ltime = m.LTime;
  // Still here: the leave was an older one, or was taken back.
  if (s.member.status == MemberStatus::kLeaving) s.member.status = MemberStatus::kAlive;
  return true;
}

// Forgets a member that was told to go. One that is just leaving has time to do so.
void SerfCore::prune(const std::string& name) {
  auto it = members_.find(name);
  if (it == members_.end()) return;
  if (it->second.member.status == MemberStatus::kLeaving) {
    agenda_.at(list_->now() + tuning_.broadcast_timeout + tuning_.leave_propagate_delay, [this, name] {
      auto it = members_.find(name);
      if (it == members_.end() || it->second.member.status == MemberStatus::kAlive) return;
      log_info(kLog, fmt::format("serf: EventMemberReap (forced): {} {}", name, it->second.member.addr));
      erase(name);
    });
    return;
  }
  log_info(kLog, fmt::format("serf: EventMemberReap (forced): {} {}", name, it->second.member.addr));
  erase(name);
}

void SerfCore::erase(const std::string& name) {
  auto node = members_.extract(name);
  if (!node) return;
  coordinates_.forget(name);
  emit(EventType::kReap, node.mapped().member);
}

// ---- by the clock ----------------------------------------------------------------------------------------------------

void SerfCore::reap() {
  auto now = list_->now();
  std::vector<std::string> old;
  for (auto& [name, m] : members_) {
    auto s = m.member.status;
    if ((s == MemberStatus::kFailed && now - m.gone_at > tuning_.reconnect_timeout) ||
        (s == MemberStatus::kLeft && now - m.gone_at > tuning_.tombstone_timeout))
      old.push_back(name);
  }
  for (auto& name : old) {
    log_info(kLog, "serf: EventMemberReap: " + name);
    erase(name);
  }
  std::erase_if(intents_, [&](auto& e) { return now - e.second.seen > tuning_.recent_intent_timeout; });
}

// Tries one failed member, so often that all of the pool together try each failed one about once an interval.
void SerfCore::reconnect() {
  std::vector<const MemberState*> failed;
  size_t live = 0;
  for (auto& [name, m] : members_) {
    if (m.member.status == MemberStatus::kFailed) failed.push_back(&m);
    live += m.member.status == MemberStatus::kAlive || m.member.status == MemberStatus::kLeaving;
  }
  if (failed.empty() || state_ != State::kAlive) return;
  if (parts_.random.below(std::max<size_t>(live, 1)) >= failed.size()) {
    log_debug(kLog, "serf: forgoing reconnect for random throttling");
    return;
  }
  auto& one = *failed[parts_.random.below(failed.size())];
  Endpoint at{one.ip, one.member.port};
  log_info(kLog, fmt::format("serf: attempting reconnect to {} {}", one.member.name, endpoint_text(at)));
  list_->join(at, [](Status) {});
}

bool SerfCore::has_live_members() const {
  return std::any_of(members_.begin(), members_.end(), [&](auto& e) {
    return e.first != name_ && e.second.member.status == MemberStatus::kAlive;
  });
}

// ---- two nodes of one name -------------------------------------------------------------------------------------------

void SerfCore::conflict(const Node& known, const Endpoint& other) {
  if (known.name != name_) {
    log_warn(kLog, fmt::format("serf: Name conflict for '{}' both {} and {} are claiming", known.name, endpoint_text(known.at), endpoint_text(other)));
    return;
  }
  log_error(kLog, fmt::format("serf: Node name conflicts with another node at {}. Names must be unique! (Resolution enabled: {})",
                              endpoint_text(other), config_.resolve_name_conflicts));
  if (config_.resolve_name_conflicts && !resolving_) resolve_conflict();
}

bool SerfCore::same_node(const Node& known, std::string_view meta) {
  if (config_.identity_tag.empty()) return false;
  auto tags = decode_tags(known.meta);
  auto* id = tags.find(config_.identity_tag);
  return id && !id->empty() && decode_tags(meta).get_or(config_.identity_tag) == *id;
}

// Asks all whom they know by this name. The one whom fewer than half know stops.
void SerfCore::resolve_conflict() {
  resolving_ = true;
  struct Votes {
    size_t all = 0, mine = 0;
  };
  auto votes = std::make_shared<Votes>();
  auto started = query("_serf_conflict", name_, {}, list_->now(), [this, votes](const NodeResponse& r) {
    WireMember m;
    if (r.payload.empty() || r.payload[0] != static_cast<char>(SerfWire::kConflictResponse) || !from_pack(std::string_view(r.payload).substr(1), m)) {
      log_error(kLog, "serf: Failed to decode conflict query response");
      return;
    }
    ++votes->all;
    votes->mine += Endpoint{m.Addr, m.Port} == list_->self().at;
  }, [this, votes] {
    resolving_ = false;
    if (votes->mine >= votes->all / 2 + 1) {
      log_info(kLog, fmt::format("serf: majority in name conflict resolution [{} / {}]", votes->mine, votes->all));
      return;
    }
    log_warn(kLog, fmt::format("serf: minority in name conflict resolution, quiting [{} / {}]", votes->mine, votes->all));
    shutdown();
    effects_.push_back(StopAll{});
  });
  if (started) return;
  resolving_ = false;
  log_error(kLog, "serf: Failed to start name resolution query: " + started.error().message);
}

}  // namespace drover::gossip
