// Packets and streams: what is inside them, and what goes out.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "gossip/limits.h"
#include "gossip/memberlist.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";

double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

Endpoint source_or(const std::string& ip, uint16_t port, const Endpoint& from) {
  return !ip.empty() && port > 0 ? Endpoint{ip, port} : from;
}

}  // namespace

void Memberlist::bad(std::string_view why, std::string_view from) {
  ++bad_packets_;
  ++bad_unlogged_;
  if (bad_logged_ != Monotonic{} && now_ - bad_logged_ < 1s) return;
  bad_logged_ = now_;
  auto n = std::exchange(bad_unlogged_, 0);
  log_error(kLog, fmt::format("memberlist: {} from={}{}", why, from, n > 1 ? fmt::format(" ({} like it not shown)", n - 1) : ""));
}

void Memberlist::packet(std::string_view bytes, const Endpoint& from) {
  metric_count("memberlist.udp.received", static_cast<double>(bytes.size()));
  if (bytes.empty() || bytes.size() > kPacketMax) return bad("UDP packet too short or too long", endpoint_text(from));
  auto message = open_packet(p_.envelope, bytes);
  if (!message) return bad(message.error().message, endpoint_text(from));
  command(*message, from, 0);
}

void Memberlist::command(std::string_view message, const Endpoint& from, int depth) {
  if (message.empty()) return bad("missing message type byte", endpoint_text(from));
  if (depth > kNestingMax) return bad("message nested too deep", endpoint_text(from));
  auto type = static_cast<Wire>(static_cast<unsigned char>(message[0]));
  auto body = message.substr(1);
  auto decode = [&](auto& m) {
    if (from_pack(body, m)) return true;
    bad(fmt::format("Failed to decode message of type {}", static_cast<int>(type)), endpoint_text(from));
    return false;
  };
  switch (type) {
    case Wire::kCompound: {
      std::vector<std::string_view> parts;
      if (!split_compound(body, parts)) return bad("Failed to decode compound request", endpoint_text(from));
      for (auto part : parts) command(part, from, depth + 1);
      return;
    }
    case Wire::kCompress: {
      auto plain = inflate(body, kPacketInflatedMax);
      if (!plain) return bad("Failed to decompress payload", endpoint_text(from));
      return command(*plain, from, depth + 1);
    }
    case Wire::kPing: {
      Ping m;
      if (decode(m)) on_ping(m, from);
      return;
    }
    case Wire::kIndirectPing: {
      IndirectPing m;
      if (decode(m)) on_indirect_ping(m, from);
      return;
    }
    case Wire::kAck: {
      Ack m;
      if (decode(m)) on_ack(m);
      return;
    }
    case Wire::kNack: {
      Nack m;
      if (decode(m)) on_nack(m);
      return;
    }
    case Wire::kSuspect: {
      Accusation m;
      if (decode(m)) on_suspect(m);
      return;
    }
    case Wire::kDead: {
      Accusation m;
      if (decode(m)) on_dead(m);
      return;
    }
    case Wire::kAlive: {
      Alive m;
      if (!decode(m)) return;
      if (m.Port == 0) m.Port = p_.advertise.port;
      return on_alive(std::move(m), false);
    }
    case Wire::kUser: return p_.listener.user_message(body);
    default: return bad(fmt::format("msg type ({}) not supported", static_cast<int>(type)), endpoint_text(from));
  }
}

void Memberlist::on_ping(const Ping& m, const Endpoint& from) {
  if (!m.Node.empty() && m.Node != p_.name)
    return bad(fmt::format("Got ping for unexpected node '{}'", m.Node), endpoint_text(from));
  send(source_or(m.SourceAddr, m.SourcePort, from), to_message(Wire::kAck, Ack{m.SeqNo, p_.listener.ack_payload()}));
}

// Pings on behalf of another node, which could not reach the target itself.
void Memberlist::on_indirect_ping(const IndirectPing& m, const Endpoint& from) {
  if (acks_.size() >= kPendingAcksMax) return bad("too many indirect pings at a time", endpoint_text(from));
  auto asker = source_or(m.SourceAddr, m.SourcePort, from);
  uint32_t seq = ++seq_;
  PendingAck handler;
  handler.ack = [this, asker, asked = m.SeqNo](const Ack&) { send(asker, to_message(Wire::kAck, Ack{asked, {}})); };
  if (m.Nack) handler.late = [this, asker, asked = m.SeqNo] { send(asker, to_message(Wire::kNack, Nack{asked})); };
  await_ack(seq, p_.tuning.probe_timeout, std::move(handler));
  Ping ping{seq, m.Node, p_.advertise.ip, p_.advertise.port, p_.name};
  send({m.Target, m.Port ? m.Port : p_.advertise.port}, to_message(Wire::kPing, ping));
}

void Memberlist::await_ack(uint32_t seq, Duration limit, PendingAck handler) {
  handler.timer = p_.agenda.at(now_ + limit, [this, seq] {
    auto entry = acks_.extract(seq);
    if (entry && entry.mapped().late) entry.mapped().late();
  });
  acks_.insert_or_assign(seq, std::move(handler));
}

void Memberlist::on_ack(const Ack& m) {
  auto it = acks_.find(m.SeqNo);
  if (it == acks_.end()) return;
  auto handler = std::move(it->second);
  acks_.erase(it);
  p_.agenda.cancel(handler.timer);
  if (handler.ack) handler.ack(m);
}

void Memberlist::on_nack(const Nack& m) {
  auto it = acks_.find(m.SeqNo);
  if (it != acks_.end() && it->second.nack) it->second.nack();
}

// ---- sending ---------------------------------------------------------------------------------------------------------

std::vector<std::string> Memberlist::take_broadcasts(size_t limit) {
  auto out = broadcasts_.take(kCompoundEach, limit, transmits());
  size_t used = 0;
  for (auto& m : out) used += m.size() + kCompoundEach;
  size_t left = limit > used ? limit - used : 0;
  if (left <= kCompoundEach + kUserOverhead) return out;
  for (auto& m : p_.listener.user_broadcasts(kCompoundEach + kUserOverhead, left))
    out.push_back(static_cast<char>(Wire::kUser) + m);
  return out;
}

void Memberlist::send(const Endpoint& to, std::string message) {
  size_t taken = message.size() + kCompoundHeader + p_.envelope.overhead();
  auto size = static_cast<size_t>(p_.tuning.udp_buffer_size);
  std::vector<std::string> parts;
  if (size > taken) parts = take_broadcasts(size - taken);
  // A compound counts its parts in one byte and their sizes in two.
  if (parts.size() > 254) parts.resize(254);
  if (!parts.empty() && message.size() <= 0xffff) {
    parts.insert(parts.begin(), std::move(message));
    message = make_compound(parts);
  }
  send_raw(to, nullptr, std::move(message));
}

void Memberlist::send_raw(const Endpoint& to, const Node* node, std::string message) {
  bool crc = node && node->version(1) >= 5;
  auto sealed = seal_packet(p_.envelope, std::move(message), crc, p_.random);
  if (!sealed) return log_error(kLog, "memberlist: Encryption of message failed: " + sealed.error().message);
  metric_count("memberlist.udp.sent", static_cast<double>(sealed->size()));
  p_.effects.push_back(SendPacket{to, std::move(*sealed)});
}

void Memberlist::send_user(const Endpoint& to, std::string_view message) {
  if (to == p_.advertise) {
    // To itself without the network: its own advertised address may not lead back here.
    p_.agenda.at(now_, [this, m = std::string(message)] { p_.listener.user_message(m); });
    return;
  }
  send_raw(to, nullptr, static_cast<char>(Wire::kUser) + std::string(message));
}

// ---- streams ---------------------------------------------------------------------------------------------------------

std::string Memberlist::push_pull_message(bool join, Direction direction) {
  auto state = p_.listener.local_state(join);
  PushPullHeader header{static_cast<int64_t>(nodes_.size()), static_cast<int64_t>(state.size()), join};
  auto out = to_message(Wire::kPushPull, header);
  for (auto& n : nodes_)
    out += to_pack(PushNode{n->name, n->at.ip, n->at.port, n->meta, n->incarnation, static_cast<int64_t>(n->state), n->vsn});
  out += state;
  metric_gauge("memberlist.size.local", static_cast<double>(out.size()));
  count_nodes();
  auto sealed = seal_stream(p_.envelope, std::move(out), direction, p_.random);
  if (!sealed) log_error(kLog, "memberlist: Failed to encrypt local state: " + sealed.error().message);
  return sealed ? std::move(*sealed) : std::string();
}

void Memberlist::count_nodes() const {
  constexpr const char* kNames[] = {"alive", "suspect", "dead", "left"};
  size_t counts[std::size(kNames)] = {};
  for (auto& n : nodes_) ++counts[static_cast<size_t>(n->state)];
  for (size_t i = 0; i < std::size(kNames); ++i)
    metric_gauge("memberlist.node.instances", static_cast<double>(counts[i]), {{"node_state", kNames[i]}});
}

std::string Memberlist::stream_error(const std::string& text) {
  auto sealed = seal_stream(p_.envelope, to_message(Wire::kErr, ErrorReply{text}), Direction::kAnswer, p_.random);
  return sealed ? std::move(*sealed) : std::string();
}

std::string Memberlist::stream_message(StreamMessage m) {
  if (m.type == Wire::kUser) {
    p_.listener.user_message(m.user);
    return {};
  }
  if (m.type == Wire::kPing) {
    if (!m.ping.Node.empty() && m.ping.Node != p_.name) {
      bad(fmt::format("Got ping for unexpected node {}", m.ping.Node), "stream");
      return {};
    }
    auto sealed = seal_stream(p_.envelope, to_message(Wire::kAck, Ack{m.ping.SeqNo, {}}), Direction::kAnswer, p_.random);
    return sealed ? std::move(*sealed) : std::string();
  }
  if (m.type != Wire::kPushPull) {
    bad(fmt::format("Received invalid msgType ({})", static_cast<int>(m.type)), "stream");
    return {};
  }
  auto own = push_pull_message(m.join, Direction::kAnswer);
  if (auto merged = merge(m); !merged)
    log_error(kLog, "memberlist: Failed push/pull merge: " + merged.error().message);
  return own;
}

uint64_t Memberlist::exchange(Pending pending, const Endpoint& at, std::string message, Duration timeout) {
  uint64_t id = ++exchange_ids_;
  pending.began = now_;
  exchanges_.emplace(id, std::move(pending));
  metric_count("memberlist.tcp.connect");
  metric_count("memberlist.tcp.sent", static_cast<double>(message.size()));
  p_.effects.push_back(Exchange{id, at, std::move(message), timeout});
  return id;
}

void Memberlist::push_pull_with(const Endpoint& at, bool join, Done done) {
  Pending pending;
  pending.join = join;
  pending.done = std::move(done);
  exchange(std::move(pending), at, push_pull_message(join, Direction::kOpening), p_.tuning.tcp_timeout);
}

void Memberlist::join(const Endpoint& at, Done done) { push_pull_with(at, true, std::move(done)); }

void Memberlist::exchange_done(uint64_t id, Result<StreamMessage> reply) {
  auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  auto pending = std::move(it->second);
  exchanges_.erase(it);
  if (pending.kind == Pending::kPing) {
    if (reply && reply->type == Wire::kAck && reply->ack.SeqNo == pending.seq && probe_ && probe_->seq == pending.seq)
      probe_->tcp_answered = true;
    return;
  }
  metric_sample("memberlist.pushPullNode", milliseconds(now_ - pending.began));
  Status outcome;
  if (!reply) outcome = std::move(reply).error();
  else if (reply->type == Wire::kErr) outcome = internal("remote error: " + reply->error);
  else if (reply->type != Wire::kPushPull)
    outcome = internal(fmt::format("received invalid msgType ({}), expected pushPullMsg (6)", static_cast<int>(reply->type)));
  else outcome = merge(*reply);
  if (pending.done) pending.done(std::move(outcome));
}

Status Memberlist::merge(const StreamMessage& m) {
  DROVER_CHECK(verify_versions(m.nodes));
  if (m.join)
    for (auto& r : m.nodes) {
      Node node{.name = r.Name, .at = {r.Addr, r.Port}, .meta = r.Meta};
      if (r.Vsn.size() >= 6) node.vsn = r.Vsn.substr(0, 6);
      node.state = static_cast<NodeState>(std::clamp<int64_t>(r.State, 0, 3));
      DROVER_CHECK(p_.listener.admit(node));
    }
  for (auto& r : m.nodes) {
    auto state = static_cast<NodeState>(std::clamp<int64_t>(r.State, 0, 3));
    uint16_t port = r.Port ? r.Port : p_.advertise.port;
    if (state == NodeState::kAlive) on_alive(Alive{r.Incarnation, r.Name, r.Addr, port, r.Meta, r.Vsn}, false);
    else if (state == NodeState::kLeft) on_dead(Accusation{r.Incarnation, r.Name, r.Name});
    else on_suspect(Accusation{r.Incarnation, r.Name, p_.name});  // another's "dead" is reason to doubt, not to bury
  }
  if (!m.user.empty()) p_.listener.merge_state(m.user, m.join);
  return {};
}

// All of both sides must speak a version that all of both sides understand.
Status Memberlist::verify_versions(const std::vector<PushNode>& remote) const {
  struct Range {
    uint8_t low = 0, high = std::numeric_limits<uint8_t>::max();
    void add(uint8_t min, uint8_t max) { low = std::max(low, min), high = std::min(high, max); }
    bool has(uint8_t v) const { return v >= low && v <= high; }
  } protocol, delegate;
  auto byte = [](const std::string& s, size_t i) { return static_cast<uint8_t>(s[i]); };
  for (auto& r : remote) {
    if (r.State != 0 || r.Vsn.size() < 5) continue;
    protocol.add(byte(r.Vsn, 0), byte(r.Vsn, 1));
    delegate.add(byte(r.Vsn, 3), byte(r.Vsn, 4));
  }
  for (auto& n : nodes_) {
    if (n->state != NodeState::kAlive) continue;
    protocol.add(n->version(0), n->version(1));
    delegate.add(n->version(3), n->version(4));
  }
  auto check = [&](const std::string& name, uint8_t pcur, uint8_t dcur) -> Status {
    if (!protocol.has(pcur))
      return invalid(fmt::format("Node '{}' protocol version ({}) is incompatible: [{}, {}]", name, pcur, protocol.low, protocol.high));
    if (!delegate.has(dcur))
      return invalid(fmt::format("Node '{}' delegate protocol version ({}) is incompatible: [{}, {}]", name, dcur,
                                 delegate.low, delegate.high));
    return {};
  };
  for (auto& r : remote) {
    bool told = r.Vsn.size() >= 6;
    DROVER_CHECK(check(r.Name, told ? byte(r.Vsn, 2) : 0, told ? byte(r.Vsn, 5) : 0));
  }
  for (auto& n : nodes_) DROVER_CHECK(check(n->name, n->version(2), n->version(5)));
  return {};
}

}  // namespace drover::gossip
