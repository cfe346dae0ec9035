#include "gossip/serf_core.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr char kTagMagic = '\xff';

}  // namespace

std::string encode_tags(const Map<std::string>& tags) {
  std::string out(1, kTagMagic);
  PackWriter w(out);
  w.map(tags.size());
  for (auto& [k, v] : tags) w.raw(k), w.raw(v);
  return out;
}

Map<std::string> decode_tags(std::string_view bytes) {
  auto tags = Map<std::string>::empty_map();
  if (bytes.empty() || bytes[0] != kTagMagic) {
    tags["role"] = bytes;
    return tags;
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!from_pack(bytes.substr(1), pairs)) log_error(kLog, "serf: Failed to decode tags");
  for (auto& [k, v] : pairs) tags[k] = std::move(v);
  return tags;
}

SerfCore::SerfCore(const Config& config, SerfCoreParts parts)
    : name_(config.node_name), tuning_(config.serf), tags_(config.tags), config_(config), parts_(std::move(parts)),
      coordinates_(parts_.random), events_(kEventBuffer), queries_(kQueryBuffer) {}

SerfCore::~SerfCore() = default;

Result<std::unique_ptr<SerfCore>> SerfCore::create(const Config& config, SerfCoreParts parts) {
  if (config.node_name.empty() || config.node_name.size() > kNameMax) return invalid("Node name is empty or too long");
  if (encode_tags(config.tags).size() > kMetaMax) return invalid(fmt::format("Encoded length of tags exceeds limit of {} bytes", kMetaMax));
  if (config.label.size() > kLabelMax) return invalid(fmt::format("could not use \"{}\" as a label: too long", config.label));
  auto ip = parse_ip(config.advertise_addr);
  if (!ip) return invalid(fmt::format("failed to parse advertise address \"{}\"", config.advertise_addr));
  std::unique_ptr<SerfCore> core(new SerfCore(config, std::move(parts)));
  for (auto& key : config.keys) DROVER_CHECK(core->keyring_.add(key));
  core->envelope_ = {config.label, &core->keyring_, config.tuning.compression};
  MemberlistParts list{.name = config.node_name, .advertise = {*ip, config.advertise_port}, .tuning = config.tuning,
                       .envelope = core->envelope_, .random = core->parts_.random, .agenda = core->agenda_,
                       .effects = core->effects_, .listener = *core};
  core->list_ = std::make_unique<Memberlist>(std::move(list));
  return core;
}

template <class F>
void SerfCore::every(Duration interval, F what) {
  agenda_.at(list_->now() + interval, [=, this] {
    if (state_ == State::kShutdown) return;
    (this->*what)();
    every(interval, what);
  });
}

void SerfCore::start(Monotonic now) {
  // From 1 on: 0 means "no time" on the wire.
  for (auto* c : {&clock_, &event_clock_, &query_clock_}) c->increment();
  if (auto* s = parts_.snapshot) {
    clock_.witness(s->clock());
    event_clock_.witness(s->event_clock());
    query_clock_.witness(s->query_clock());
    event_min_ = s->event_clock() + 1;
    query_min_ = s->query_clock() + 1;
  }
  if (public_ip(*parse_ip(config_.advertise_addr)) && keyring_.empty())
    log_warn(kLog, "memberlist: Binding to public address without encryption!");
  list_->start(now);
  every(tuning_.reap_interval, &SerfCore::reap);
  every(tuning_.reconnect_interval, &SerfCore::reconnect);
  every(tuning_.queue_check_interval, &SerfCore::check_queues);
}

void SerfCore::tick(Monotonic now) {
  list_->set_now(now);
  agenda_.run(now);
}

void SerfCore::packet(std::string_view bytes, const Endpoint& from, Monotonic now) {
  tick(now);
  list_->packet(bytes, from);
}

std::string SerfCore::stream_message(StreamMessage message, Monotonic now) {
  tick(now);
  return list_->stream_message(std::move(message));
}

void SerfCore::exchange_done(uint64_t id, Result<StreamMessage> reply, Monotonic now) {
  tick(now);
  list_->exchange_done(id, std::move(reply));
}

void SerfCore::complete(Done& done, Status status) {
  if (!done) return;
  effects_.push_back(Complete{[d = std::move(done), s = std::move(status)]() mutable { d(std::move(s)); }});
}

// ---- orders ----------------------------------------------------------------------------------------------------------

void SerfCore::join(const Endpoint& at, Monotonic now, Done done) {
  tick(now);
  if (state_ != State::kAlive) return complete(done, invalid("Serf can't Join after Leave or Shutdown"));
  list_->join(at, [this, done = std::move(done)](Status s) mutable { complete(done, std::move(s)); });
}

void SerfCore::announce_join(Monotonic now) {
  tick(now);
  JoinIntent m{clock_.time(), name_};
  clock_.witness(m.LTime);
  on_join_intent(m);
  intents_out_.add({}, to_message(SerfWire::kJoin, m));
}

void SerfCore::spread_intent(std::string message, Duration timeout, std::string late, Done done) {
  struct Wait {
    Done done;
    Agenda::Id timer = 0;
  };
  auto wait = std::make_shared<Wait>(Wait{std::move(done)});
  auto finish = [this, wait](Status s) {
    agenda_.cancel(wait->timer);
    if (auto d = std::exchange(wait->done, {})) d(std::move(s));
  };
  wait->timer = agenda_.at(list_->now() + timeout, [finish, late] { finish(Error(ErrorCode::kTimeout, late)); });
  intents_out_.add({}, std::move(message), [finish] { finish({}); });
}

void SerfCore::leave(Monotonic now, Done done) {
  tick(now);
  if (state_ == State::kLeft) return complete(done, {});
  if (state_ == State::kLeaving) return complete(done, invalid("Leave already in progress"));
  if (state_ == State::kShutdown) return complete(done, invalid("Leave called after Shutdown"));
  state_ = State::kLeaving;
  if (parts_.snapshot) parts_.snapshot->leave(config_.rejoin_after_leave);
  LeaveIntent m{clock_.time(), name_, false};
  clock_.increment();
  on_leave_intent(m);
  // The intent first, so that all know a leave from a failure; then the word that the node is gone; then time for it to
  // get around.
  auto gone = [this, done = std::move(done)](Status) mutable {
    agenda_.at(list_->now() + tuning_.leave_propagate_delay, [this, done = std::move(done)]() mutable {
      if (state_ != State::kShutdown) state_ = State::kLeft;
      complete(done, {});
    });
  };
  auto told = [this, gone = std::move(gone)](Status s) mutable {
    if (!s) log_warn(kLog, "serf: timeout while waiting for graceful leave");
    list_->leave(tuning_.broadcast_timeout, std::move(gone));
  };
  if (has_live_members()) spread_intent(to_message(SerfWire::kLeave, m), tuning_.broadcast_timeout, "timeout", std::move(told));
  else told({});
}

void SerfCore::force_leave(const std::string& node, bool prune, Monotonic now, Done done) {
  tick(now);
  LeaveIntent m{clock_.time(), node, prune};
  clock_.increment();
  on_leave_intent(m);
  if (!has_live_members()) return complete(done, {});
  spread_intent(to_message(SerfWire::kLeave, m), tuning_.broadcast_timeout, "timed out broadcasting node removal",
                [this, done = std::move(done)](Status s) mutable { complete(done, std::move(s)); });
}

void SerfCore::set_tags(Map<std::string> tags, Monotonic now, Done done) {
  tick(now);
  if (encode_tags(tags).size() > kMetaMax)
    return complete(done, invalid(fmt::format("Encoded length of tags exceeds limit of {} bytes", kMetaMax)));
  tags_ = std::move(tags);
  list_->update(tuning_.broadcast_timeout, [this, done = std::move(done)](Status s) mutable { complete(done, std::move(s)); });
}

void SerfCore::shutdown() {
  if (state_ != State::kLeft && state_ != State::kShutdown) log_warn(kLog, "serf: Shutdown without a Leave");
  state_ = State::kShutdown;
  list_->stop();
}

// ---- views -----------------------------------------------------------------------------------------------------------

std::vector<Member> SerfCore::members() const {
  std::vector<Member> out;
  out.reserve(members_.size());
  for (auto& [name, m] : members_) out.push_back(m.member);
  return out;
}

std::optional<Member> SerfCore::member(std::string_view name) const {
  auto it = members_.find(name);
  if (it == members_.end()) return std::nullopt;
  return it->second.member;
}

size_t SerfCore::count(MemberStatus status) const {
  size_t n = 0;
  for (auto& [name, m] : members_) n += m.member.status == status;
  return n;
}

Map<std::string> SerfCore::stats() const {
  auto text = [](auto n) { return fmt::format("{}", n); };
  return {{"members", text(members_.size())},
          {"failed", text(count(MemberStatus::kFailed))},
          {"left", text(count(MemberStatus::kLeft))},
          {"health_score", text(list_->health())},
          {"member_time", text(clock_.time())},
          {"event_time", text(event_clock_.time())},
          {"query_time", text(query_clock_.time())},
          {"intent_queue", text(intents_out_.size())},
          {"event_queue", text(events_out_.size())},
          {"query_queue", text(queries_out_.size())},
          {"encrypted", encrypted() ? "true" : "false"},
          {"coordinate_resets", text(coordinates_.resets())}};
}

void SerfCore::check_queues() {
  if (parts_.snapshot) parts_.snapshot->clocks(clock_.time() - 1, event_clock_.time() - 1, query_clock_.time() - 1);
  metric_sample("memberlist.queue.broadcasts", static_cast<double>(list_->queued()));
  struct Row {
    const char* name;
    Broadcasts& queue;
  };
  for (auto& [name, queue] : {Row{"Intent", intents_out_}, Row{"Event", events_out_}, Row{"Query", queries_out_}}) {
    metric_sample(std::string("serf.queue.") + name, static_cast<double>(queue.size()));
    if (queue.size() >= tuning_.queue_depth_warning) log_warn(kLog, fmt::format("serf: {} queue depth: {}", name, queue.size()));
    if (queue.size() <= tuning_.queue_depth_max) continue;
    log_warn(kLog, fmt::format("serf: {} queue depth ({}) exceeds limit ({}), dropping messages!", name, queue.size(), tuning_.queue_depth_max));
    queue.prune(tuning_.queue_depth_max);
  }
}

}  // namespace drover::gossip
