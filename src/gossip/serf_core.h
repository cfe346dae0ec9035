// Serf over the membership protocol: members with tags and status, intents ordered by Lamport clocks, user events,
// queries, key management. Pure: inputs in, effects out (effects.h).
//
//                     join                 leave intent           node is dead or left
//   (unknown) ───────────────► alive ───────────────► leaving ───────────────► left ──tombstone_timeout──► reaped
//                              ▲  │ node is dead                                 ▲
//                              │  └──────────────► failed ──leave intent─────────┘
//                              └── join ───────────── │ ──reconnect_timeout──► reaped
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gossip/coordinates.h"
#include "gossip/limits.h"
#include "gossip/memberlist.h"
#include "gossip/snapshot_log.h"

namespace drover::gossip {

class LamportClock {
 public:
  static constexpr uint64_t kTimeMax = uint64_t{1} << 62;
  uint64_t time() const { return time_; }
  void increment() { ++time_; }
  void witness(uint64_t seen) {
    // A time that no pool gets to is no time: it would make everything after it look old.
    if (seen >= time_ && seen < kTimeMax) time_ = seen + 1;
  }

 private:
  uint64_t time_ = 0;
};

struct QueryParams {
  std::vector<std::string> nodes;          // only these; empty: all
  Map<std::string> tags;                   // only nodes whose tag matches the regular expression
  uint8_t relay_factor = 0;                // answers come by this many others too
  Duration timeout{0};                     // 0: by the size of the pool
};
// A query that this node sees and the core does not answer itself.
struct NodeResponse {
  std::string from;
  std::string payload;
};

struct SerfCoreParts {
  Random& random;
  // Writes the keyring file; null: there is none.
  std::function<Status(const std::string& json)> write_keyring;
  SnapshotLog* snapshot = nullptr;
};

class SerfCore final : private NodeListener {
 public:
  // `config.advertise_*` must be final. Fails on keys, tags or a label that cannot be.
  static Result<std::unique_ptr<SerfCore>> create(const Config& config, SerfCoreParts parts);
  SerfCore(const SerfCore&) = delete;
  ~SerfCore() override;

  enum class State : uint8_t { kAlive, kLeaving, kLeft, kShutdown };

  // ---- inputs ----------------------------------------------------------------------------------------------------
  void start(Monotonic now);
  void tick(Monotonic now);                                    // runs what is due
  std::optional<Monotonic> next_tick() const { return agenda_.next(); }
  void packet(std::string_view bytes, const Endpoint& from, Monotonic now);
  std::string stream_message(StreamMessage message, Monotonic now);
  std::string stream_error(const std::string& text) { return list_->stream_error(text); }
  void exchange_done(uint64_t id, Result<StreamMessage> reply, Monotonic now);
  void bad(std::string_view why, std::string_view from) { list_->bad(why, from); }
  Effects take_effects() { return std::exchange(effects_, {}); }
  const Envelope& envelope() const { return envelope_; }

  // ---- orders; `done` comes as an effect ---------------------------------------------------------------------------
  using Done = std::move_only_function<void(Status)>;
  // One address. "Serf can't Join after Leave or Shutdown"
  void join(const Endpoint& at, Monotonic now, Done done);
  // After one or more joins succeeded.
  void announce_join(Monotonic now);
  void leave(Monotonic now, Done done);
  // "timed out broadcasting node removal". An unknown member is no error.
  void force_leave(const std::string& node, bool prune, Monotonic now, Done done);
  void set_tags(Map<std::string> tags, Monotonic now, Done done);
  Status user_event(const std::string& name, const std::string& payload, bool coalesce, Monotonic now);
  using OnResponse = std::function<void(const NodeResponse&)>;
  Status query(const std::string& name, const std::string& payload, QueryParams params, Monotonic now,
               OnResponse on_response, std::move_only_function<void()> done);
  void keys(KeyOp op, const std::string& base64_key, uint8_t relay_factor, Monotonic now,
            std::move_only_function<void(KeyResponse)> done);
  void shutdown();

  // ---- views -----------------------------------------------------------------------------------------------------
  std::vector<Member> members() const;                         // by name
  std::optional<Member> member(std::string_view name) const;
  Member self() const { return *member(name_); }
  size_t member_count() const { return members_.size(); }
  State state() const { return state_; }
  bool encrypted() const { return !keyring_.empty(); }
  Map<std::string> stats() const;
  const Memberlist& memberlist() const { return *list_; }
  uint64_t clock() const { return clock_.time(); }
  uint64_t event_clock() const { return event_clock_.time(); }
  uint64_t query_clock() const { return query_clock_.time(); }

 private:
  struct MemberState {
    Member member;
    std::string ip;                // wire bytes
    uint64_t status_ltime = 0;     // Lamport time of the newest intent
    Monotonic gone_at{};           // when it left or failed
  };
  struct Intent {
    SerfWire type = SerfWire::kJoin;
    Monotonic seen{};
    uint64_t ltime = 0;
  };
  struct SeenQueries {
    uint64_t ltime = 0;
    std::vector<uint32_t> ids;
  };
  struct OwnQuery {
    uint32_t id = 0;
    std::set<std::string> answered;
    OnResponse on_response;
    std::move_only_function<void()> done;
  };
  struct KeyRun;

  SerfCore(const Config& config, SerfCoreParts parts);

  // NodeListener (serf_members.cc, serf_messages.cc)
  std::string local_meta() override;
  void joined(const Node& node) override;
  void left(const Node& node) override;
  void updated(const Node& node) override;
  void conflict(const Node& known, const Endpoint& other) override;
  bool same_node(const Node& known, std::string_view meta) override;
  Status admit(const Node& node) override;
  void user_message(std::string_view bytes) override;
  std::vector<std::string> user_broadcasts(size_t overhead, size_t limit) override;
  std::string local_state(bool join) override;
  void merge_state(std::string_view bytes, bool join) override;
  std::string ack_payload() override;
  void ping_complete(const Node& node, Duration rtt, std::string_view payload) override;

  // serf_members.cc
  Member member_of(const Node& node, MemberStatus status) const;
  void take_node(MemberState& m, const Node& node);
  void emit(EventType type, const Member& member);
  bool on_leave_intent(const LeaveIntent& m);
  bool on_join_intent(const JoinIntent& m);
  void prune(const std::string& name);
  void erase(const std::string& name);
  bool remember_intent(const std::string& node, SerfWire type, uint64_t ltime);
  bool has_live_members() const;
  void reap();
  void reconnect();
  void check_queues();
  void spread_intent(std::string message, Duration timeout, std::string late, Done done);
  void resolve_conflict();
  void complete(Done& done, Status status);
  size_t count(MemberStatus status) const;
  template <class F>
  void every(Duration interval, F what);

  // serf_messages.cc
  bool on_user_event(const UserEvent& m);
  bool on_query(const Query& m);
  void on_query_response(const QueryResponse& m);
  void on_relay(std::string_view body);
  bool wanted(const std::vector<std::string>& filters) const;
  void internal_query(const Query& m, std::string_view what);
  void respond(const Query& m, const std::string& payload);
  void relay(uint8_t factor, const Endpoint& to, const std::string& node, const QueryResponse& response);
  Duration default_query_timeout() const;

  // serf_keys.cc
  void answer_keys(const Query& m, std::string_view what);
  std::string list_keys_payload(const Query& m, NodeKeys answer);
  void key_response(const std::shared_ptr<KeyRun>& run, const NodeResponse& r);
  void finish_keys(const std::shared_ptr<KeyRun>& run);

  const std::string name_;
  const SerfTuning tuning_;
  Map<std::string> tags_;
  const Config config_;
  SerfCoreParts parts_;
  Keyring keyring_;
  Envelope envelope_;
  Agenda agenda_;
  Effects effects_;
  std::unique_ptr<Memberlist> list_;
  Coordinates coordinates_;
  State state_ = State::kAlive;

  std::map<std::string, MemberState, std::less<>> members_;
  std::map<std::string, Intent, std::less<>> intents_;           // of members that are not known yet
  LamportClock clock_, event_clock_, query_clock_;
  Broadcasts intents_out_, events_out_, queries_out_;
  std::vector<UserEvents> events_;                               // by LTime modulo the size; LTime 0: none
  std::vector<SeenQueries> queries_;
  uint64_t event_min_ = 0, query_min_ = 0;                       // older ones were seen before a restart
  std::map<uint64_t, OwnQuery> own_queries_;                     // by LTime
  bool resolving_ = false;
};

// Tags on the wire: 0xff and a map; without the byte the whole is the "role".
std::string encode_tags(const Map<std::string>& tags);
Map<std::string> decode_tags(std::string_view bytes);

}  // namespace drover::gossip
