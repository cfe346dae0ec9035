// Serf's own messages: what arrives inside user messages and push/pulls, user events, queries and their answers.
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "gossip/serf_core.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr std::string_view kInternalPrefix = "_serf_";

}  // namespace

void SerfCore::user_message(std::string_view bytes) {
  if (bytes.empty() || state_ == State::kShutdown) return;
  metric_sample("serf.msgs.received", static_cast<double>(bytes.size()));
  auto type = static_cast<SerfWire>(static_cast<unsigned char>(bytes[0]));
  auto body = bytes.substr(1);
  auto decode = [&](auto& m, std::string_view what) {
    if (from_pack(body, m)) return true;
    list_->bad(fmt::format("serf: Error decoding {} message", what), "user message");
    return false;
  };
  Broadcasts* again = nullptr;  // where to pass it on
  switch (type) {
    case SerfWire::kLeave: {
      LeaveIntent m;
      if (decode(m, "leave") && on_leave_intent(m)) again = &intents_out_;
      break;
    }
    case SerfWire::kJoin: {
      JoinIntent m;
      if (decode(m, "join") && on_join_intent(m)) again = &intents_out_;
      break;
    }
    case SerfWire::kUserEvent: {
      UserEvent m;
      if (decode(m, "user event") && on_user_event(m)) again = &events_out_;
      break;
    }
    case SerfWire::kQuery: {
      Query m;
      if (decode(m, "query") && on_query(m)) again = &queries_out_;
      break;
    }
    case SerfWire::kQueryResponse: {
      QueryResponse m;
      if (decode(m, "query response")) on_query_response(m);
      break;
    }
    case SerfWire::kRelay: on_relay(body); break;
    default: list_->bad(fmt::format("serf: Received message of unknown type: {}", static_cast<int>(type)), "user message");
  }
  if (again) again->add({}, std::string(bytes));
}

std::vector<std::string> SerfCore::user_broadcasts(size_t overhead, size_t limit) {
  int times = retransmit_limit(config_.tuning.retransmit_mult, members_.size());
  std::vector<std::string> out;
  size_t used = 0;
  for (auto* queue : {&intents_out_, &queries_out_, &events_out_}) {
    if (limit <= used) break;
    for (auto& m : queue->take(overhead, limit - used, times)) {
      used += overhead + m.size();
      metric_sample("serf.msgs.sent", static_cast<double>(m.size()));
      out.push_back(std::move(m));
    }
  }
  return out;
}

std::string SerfCore::local_state(bool) {
  SerfPushPull m;
  m.LTime = clock_.time();
  m.EventLTime = event_clock_.time();
  m.QueryLTime = query_clock_.time();
  for (auto& [name, s] : members_) {
    m.StatusLTimes.emplace_back(name, s.status_ltime);
    if (s.member.status == MemberStatus::kLeft) m.LeftMembers.push_back(name);
  }
  for (auto& e : events_)
    if (e.LTime > 0) m.Events.push_back(e);
  return to_message(SerfWire::kPushPull, m);
}

void SerfCore::merge_state(std::string_view bytes, bool) {
  SerfPushPull m;
  if (bytes.empty() || bytes[0] != static_cast<char>(SerfWire::kPushPull) || !from_pack(bytes.substr(1), m))
    return list_->bad("serf: Failed to decode remote state", "push/pull");
  // What the other side has seen, and not the time it would give next.
  if (m.LTime > 0) clock_.witness(m.LTime - 1);
  if (m.EventLTime > 0) event_clock_.witness(m.EventLTime - 1);
  if (m.QueryLTime > 0) query_clock_.witness(m.QueryLTime - 1);
  std::set<std::string_view> left(m.LeftMembers.begin(), m.LeftMembers.end());
  for (auto& [name, ltime] : m.StatusLTimes) {
    if (left.contains(name)) on_leave_intent({ltime + 1, name, false});
    else on_join_intent({ltime, name});
  }
  for (auto& slot : m.Events)
    for (auto& e : slot.Events) on_user_event({slot.LTime, e.Name, e.Payload, false});
}

// ---- coordinates -----------------------------------------------------------------------------------------------------

std::string SerfCore::ack_payload() { return kCoordinateVersion + to_pack(coordinates_.own()); }

void SerfCore::ping_complete(const Node& node, Duration rtt, std::string_view payload) {
  if (payload.empty()) return;
  Coordinate other;
  if (payload[0] != kCoordinateVersion || !from_pack(payload.substr(1), other))
    return list_->bad("serf: Failed to decode coordinate from ping", node.name);
  auto before = coordinates_.own();
  if (!coordinates_.update(node.name, other, rtt)) return metric_count("serf.coordinate.rejected");
  metric_sample("serf.coordinate.adjustment-ms", Coordinates::distance(before, coordinates_.own()) * 1000);
}

// ---- user events -----------------------------------------------------------------------------------------------------

Status SerfCore::user_event(const std::string& name, const std::string& payload, bool coalesce, Monotonic now) {
  tick(now);
  auto limit = std::min(tuning_.user_event_size_limit, kUserEventMax);
  if (name.size() + payload.size() > limit)
    return invalid(fmt::format("user event exceeds configured limit of {} bytes before encoding", limit));
  UserEvent m{event_clock_.time(), name, payload, coalesce};
  auto raw = to_message(SerfWire::kUserEvent, m);
  if (raw.size() > limit) return invalid(fmt::format("encoded user event exceeds configured limit of {} bytes after encoding", limit));
  event_clock_.increment();
  on_user_event(m);
  events_out_.add({}, std::move(raw));
  return {};
}

bool SerfCore::on_user_event(const UserEvent& m) {
  event_clock_.witness(m.LTime);
  if (m.LTime == 0 || m.LTime < event_min_) return false;
  auto time = event_clock_.time();
  if (time > kEventBuffer && m.LTime < time - kEventBuffer) {
    log_warn(kLog, fmt::format("serf: received old event {} from time {} (current: {})", m.Name, m.LTime, time));
    return false;
  }
  auto& slot = events_[m.LTime % kEventBuffer];
  if (slot.LTime != m.LTime) slot = {m.LTime, {}};
  UserEventItem item{m.Name, m.Payload};
  if (slot.Events.size() >= kPerTimeMax || item.Name.size() + item.Payload.size() > kUserEventMax) return false;
  if (std::find(slot.Events.begin(), slot.Events.end(), item) != slot.Events.end()) return false;
  slot.Events.push_back(std::move(item));
  metric_count("serf.events");
  metric_count("serf.events." + m.Name);
  if (parts_.snapshot) parts_.snapshot->clocks(0, m.LTime, 0);
  Event e;
  e.type = EventType::kUser;
  e.name = m.Name;
  e.payload = m.Payload;
  e.ltime = m.LTime;
  effects_.push_back(Emit{std::move(e)});
  return true;
}

// ---- queries ---------------------------------------------------------------------------------------------------------

Duration SerfCore::default_query_timeout() const {
  auto scale = static_cast<int64_t>(std::ceil(std::log10(static_cast<double>(list_->live()) + 1)));
  return config_.tuning.gossip_interval * tuning_.query_timeout_mult * scale;
}

Status SerfCore::query(const std::string& name, const std::string& payload, QueryParams params, Monotonic now,
                       OnResponse on_response, std::move_only_function<void()> done) {
  tick(now);
  if (own_queries_.size() >= kQueriesMax) return invalid("too many queries at a time");
  Query m;
  m.LTime = query_clock_.time();
  m.ID = static_cast<uint32_t>(parts_.random.next() >> 33);
  auto& self = list_->self().at;
  m.Addr = self.ip;
  m.Port = self.port;
  m.SourceNode = name_;
  m.RelayFactor = params.relay_factor;
  m.Timeout = params.timeout > Duration::zero() ? params.timeout : default_query_timeout();
  m.Name = name;
  m.Payload = payload;
  if (!params.nodes.empty()) m.Filters.push_back(to_message(FilterType::kNode, params.nodes));
  for (auto& [tag, expr] : params.tags) m.Filters.push_back(to_message(FilterType::kTag, TagFilter{tag, expr}));
  auto raw = to_message(SerfWire::kQuery, m);
  if (raw.size() > tuning_.query_size_limit) return invalid(fmt::format("query exceeds limit of {} bytes", tuning_.query_size_limit));
  own_queries_.insert_or_assign(m.LTime, OwnQuery{m.ID, {}, std::move(on_response), std::move(done)});
  agenda_.at(list_->now() + m.Timeout, [this, ltime = m.LTime, id = m.ID] {
    auto it = own_queries_.find(ltime);
    if (it == own_queries_.end() || it->second.id != id) return;
    auto done = std::move(it->second.done);
    own_queries_.erase(it);
    if (done) done();
  });
  on_query(m);
  queries_out_.add({}, std::move(raw));
  return {};
}

bool SerfCore::wanted(const std::vector<std::string>& filters) const {
  for (auto& f : filters) {
    if (f.empty()) return false;
    auto body = std::string_view(f).substr(1);
    if (f[0] == static_cast<char>(FilterType::kNode)) {
      std::vector<std::string> nodes;
      if (!from_pack(body, nodes) || std::find(nodes.begin(), nodes.end(), name_) == nodes.end()) return false;
    } else if (f[0] == static_cast<char>(FilterType::kTag)) {
      TagFilter t;
      if (!from_pack(body, t)) return false;
      RE2::Options quiet;
      quiet.set_log_errors(false);
      RE2 expr(t.Expr, quiet);
      if (!expr.ok() || !RE2::PartialMatch(tags_.get_or(t.Tag), expr)) return false;
    } else {
      log_warn(kLog, fmt::format("serf: query has unrecognized filter type: {}", static_cast<int>(f[0])));
      return false;
    }
  }
  return true;
}

bool SerfCore::on_query(const Query& m) {
  query_clock_.witness(m.LTime);
  if (m.LTime < query_min_) return false;
  auto time = query_clock_.time();
  if (time > kQueryBuffer && m.LTime < time - kQueryBuffer) {
    log_warn(kLog, fmt::format("serf: received old query {} from time {} (current: {})", m.Name, m.LTime, time));
    return false;
  }
  auto& slot = queries_[m.LTime % kQueryBuffer];
  if (slot.ltime != m.LTime) slot = {m.LTime, {}};
  if (slot.ids.size() >= kPerTimeMax || std::find(slot.ids.begin(), slot.ids.end(), m.ID) != slot.ids.end()) return false;
  slot.ids.push_back(m.ID);
  metric_count("serf.queries");
  if (parts_.snapshot) parts_.snapshot->clocks(0, 0, m.LTime);
  bool again = !(m.Flags & kQueryNoBroadcast);
  if (!wanted(m.Filters)) return again;
  if (m.Flags & kQueryAck) {
    QueryResponse ack{m.LTime, m.ID, name_, kQueryAck, {}};
    list_->send_user({m.Addr, m.Port}, to_message(SerfWire::kQueryResponse, ack));
    relay(m.RelayFactor, {m.Addr, m.Port}, m.SourceNode, ack);
  }
  if (m.Name.starts_with(kInternalPrefix)) internal_query(m, std::string_view(m.Name).substr(kInternalPrefix.size()));
  return again;
}

void SerfCore::internal_query(const Query& m, std::string_view what) {
  if (what == "ping") return;  // the ack says it all
  if (what == "conflict") {
    if (m.Payload == name_) return;  // the one in question has no vote
    auto it = members_.find(m.Payload);
    if (it == members_.end()) return respond(m, std::string(1, static_cast<char>(SerfWire::kConflictResponse)) + '\xc0');
    auto& s = it->second.member;
    WireMember out{s.name, it->second.ip, s.port, {}, static_cast<int64_t>(s.status), s.protocol_min, s.protocol_max,
                   s.protocol_cur, s.delegate_min, s.delegate_max, s.delegate_cur};
    for (auto& [k, v] : s.tags) out.Tags.emplace_back(k, v);
    return respond(m, to_message(SerfWire::kConflictResponse, out));
  }
  if (what == "install-key" || what == "use-key" || what == "remove-key" || what == "list-keys") return answer_keys(m, what);
  log_warn(kLog, fmt::format("serf: Unhandled internal query '{}'", what));
}

void SerfCore::respond(const Query& m, const std::string& payload) {
  QueryResponse response{m.LTime, m.ID, name_, 0, payload};
  auto raw = to_message(SerfWire::kQueryResponse, response);
  if (raw.size() > tuning_.query_response_size_limit)
    return log_error(kLog, fmt::format("serf: Failed to respond to query: response exceeds limit of {} bytes", tuning_.query_response_size_limit));
  list_->send_user({m.Addr, m.Port}, raw);
  relay(m.RelayFactor, {m.Addr, m.Port}, m.SourceNode, response);
}

// Sends the answer by way of others too, in case the direct one is lost.
void SerfCore::relay(uint8_t factor, const Endpoint& to, const std::string& node, const QueryResponse& response) {
  if (factor == 0 || members_.size() < size_t{factor} + 1) return;
  RelayHeader header{{to.ip, to.port, {}}, node};
  auto raw = to_message(SerfWire::kRelay, header) + to_message(SerfWire::kQueryResponse, response);
  if (raw.size() > tuning_.query_response_size_limit) return;
  std::vector<const MemberState*> others;
  for (auto& [name, m] : members_)
    if (name != name_ && m.member.status == MemberStatus::kAlive && m.member.protocol_max >= 5) others.push_back(&m);
  for (size_t i = 0; i < others.size() && i < factor; ++i) {
    std::swap(others[i], others[i + parts_.random.below(others.size() - i)]);
    list_->send_user({others[i]->ip, others[i]->member.port}, raw);
  }
}

void SerfCore::on_relay(std::string_view body) {
  PackReader r(body);
  RelayHeader header;
  detail::unpack(r, header);
  auto& to = header.DestAddr;
  if (!r.ok() || (to.IP.size() != 4 && to.IP.size() != 16) || to.Port < 1 || to.Port > 65535)
    return list_->bad("serf: Error decoding relay header", "user message");
  list_->send_user({to.IP, static_cast<uint16_t>(to.Port)}, r.rest());
}

void SerfCore::on_query_response(const QueryResponse& m) {
  auto it = own_queries_.find(m.LTime);
  if (it == own_queries_.end() || it->second.id != m.ID) {
    log_debug(kLog, fmt::format("serf: reply for non-running query (LTime: {}, ID: {}) From: {}", m.LTime, m.ID, m.From));
    return;
  }
  if (m.Flags & kQueryAck) return;
  auto& q = it->second;
  if (q.answered.size() >= kNodesMax || !q.answered.insert(m.From).second) return;
  if (auto tell = q.on_response) tell({m.From, m.Payload});  // a copy: the callback may end the query
}

}  // namespace drover::gossip
