// The membership protocol: who is alive, found out by probing and spread by gossip (SWIM, with Lifeguard's suspicion
// and health, and push/pull of the whole state over streams). Pure: packets, stream messages and time come in, effects
// go out; nothing is waited for.
//
//            alive                    alive with a higher incarnation
//   unknown ───────► alive ◄─────────────────────────────┐
//                     │  no answer                       │
//                     ├───────► suspect ──timer──► dead ─┤──► forgotten after gossip_to_the_dead
//                     └──── dead about itself ───► left ─┘
//
// A node that hears itself suspected or dead refutes it with a higher incarnation. A name belongs to the address that had it
// first until nobody answers there: then its own node may come back elsewhere, and later another one may take it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "gossip/agenda.h"
#include "gossip/broadcasts.h"
#include "gossip/effects.h"
#include "gossip/envelope.h"
#include "gossip/messages.h"
#include "gossip/types.h"

namespace drover::gossip {

// The wire's numbers.
enum class NodeState : uint8_t { kAlive = 0, kSuspect = 1, kDead = 2, kLeft = 3 };

struct Node {
  std::string name;
  Endpoint at;
  std::string meta;
  std::string vsn = std::string(6, '\0');   // six bytes
  NodeState state = NodeState::kDead;
  uint32_t incarnation = 0;
  Monotonic changed{};                      // when `state` changed last

  uint8_t version(size_t i) const { return static_cast<uint8_t>(vsn[i]); }
  bool gone() const { return state == NodeState::kDead || state == NodeState::kLeft; }
};

// The layer above. References are valid during the call.
class NodeListener {
 public:
  virtual ~NodeListener() = default;
  virtual std::string local_meta() = 0;
  virtual void joined(const Node&) = 0;
  virtual void left(const Node&) = 0;                   // dead or left
  virtual void updated(const Node&) = 0;                // other meta
  virtual void conflict(const Node& known, const Endpoint& other) = 0;
  virtual bool same_node(const Node& known, std::string_view meta) = 0;  // not just of the same name
  virtual Status admit(const Node&) = 0;
  virtual void user_message(std::string_view) = 0;
  virtual std::vector<std::string> user_broadcasts(size_t overhead, size_t limit) = 0;
  virtual std::string local_state(bool join) = 0;
  virtual void merge_state(std::string_view, bool join) = 0;
  virtual std::string ack_payload() = 0;
  virtual void ping_complete(const Node&, Duration rtt, std::string_view payload) = 0;
};

struct MemberlistParts {
  std::string name;
  Endpoint advertise;
  Tuning tuning;
  Envelope envelope;        // its keyring outlives the core
  Random& random;
  Agenda& agenda;
  Effects& effects;
  NodeListener& listener;
};

class Memberlist {
 public:
  explicit Memberlist(MemberlistParts parts) : p_(std::move(parts)) {}
  Memberlist(const Memberlist&) = delete;

  // Makes this node known to itself and starts probing and gossip.
  void start(Monotonic now);
  // Stops timers: nothing is sent on own initiative any more.
  void stop();

  // Every input sets the time first.
  void set_now(Monotonic now) { now_ = now > now_ ? now : now_; }
  void packet(std::string_view bytes, const Endpoint& from);
  // The answer to an inbound stream's message; empty: close.
  std::string stream_message(StreamMessage message);
  std::string stream_error(const std::string& text);
  // How an Exchange ended.
  void exchange_done(uint64_t id, Result<StreamMessage> reply);

  // ---- the layer above -------------------------------------------------------------------------------------------
  using Done = std::move_only_function<void(Status)>;
  void join(const Endpoint& at, Done done);               // "Failed to join" is the caller's to add
  // Spreads this node's meta anew. Done when it was sent often enough, or "timeout waiting for update broadcast".
  void update(Duration timeout, Done done);
  // Says that this node leaves. Done when it was sent often enough, or "timeout waiting for leave broadcast".
  void leave(Duration timeout, Done done);
  bool leaving() const { return leaving_; }
  void send_user(const Endpoint& to, std::string_view message);

  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  const Node* find(std::string_view name) const;
  const Node& self() const { return *find(p_.name); }
  size_t live() const;                                    // neither dead nor left, this one included
  int health() const { return health_; }
  size_t queued() const { return broadcasts_.size(); }
  Monotonic now() const { return now_; }
  const Tuning& tuning() const { return p_.tuning; }
  uint64_t bad_packets() const { return bad_packets_; }
  // A packet or stream that is not understood: counted, and told in the log once a second.
  void bad(std::string_view why, std::string_view from);

 private:
  struct Suspicion {
    int wanted = 0, confirmed = 0;
    Duration least{0}, most{0};
    Monotonic start{};
    std::set<std::string, std::less<>> from;
    Agenda::Id timer = 0;
  };
  struct PendingAck {
    std::move_only_function<void(const Ack&)> ack;
    std::move_only_function<void()> nack;    // another could not reach the target
    std::move_only_function<void()> late;    // no ack within the limit
    Agenda::Id timer = 0;
  };
  struct Probe {
    uint32_t seq = 0;
    std::string node;
    Monotonic sent{}, deadline{};
    bool indirect = false;           // the direct answer is late; others were asked
    bool tcp_answered = false;
    int nacks_expected = 0, nacks = 0;
    std::vector<Agenda::Id> timers;
  };
  struct Pending {                   // an Exchange on its way
    enum { kPushPull, kPing } kind = kPushPull;
    bool join = false;
    uint32_t seq = 0;                // kPing
    Monotonic began{};
    Done done;
  };

  // memberlist_messages.cc
  void command(std::string_view message, const Endpoint& from, int depth);
  void on_ping(const Ping& m, const Endpoint& from);
  void on_indirect_ping(const IndirectPing& m, const Endpoint& from);
  void on_ack(const Ack& m);
  void on_nack(const Nack& m);
  std::string push_pull_message(bool join, Direction direction);
  void count_nodes() const;
  Status merge(const StreamMessage& m);
  Status verify_versions(const std::vector<PushNode>& remote) const;
  void push_pull_with(const Endpoint& at, bool join, Done done);
  uint64_t exchange(Pending pending, const Endpoint& at, std::string message, Duration timeout);
  void send(const Endpoint& to, std::string message);                       // with gossip in the room that is left
  void send_raw(const Endpoint& to, const Node* node, std::string message);
  std::vector<std::string> take_broadcasts(size_t limit);
  void await_ack(uint32_t seq, Duration limit, PendingAck handler);

  // memberlist_state.cc
  void on_alive(Alive m, bool own, Broadcasts::Finished sent = {});
  Node* admit_new(const Alive& m);
  bool may_move(const Node& node, const Alive& m);
  bool accept_address(Node& node, const Alive& m, bool& moved);
  void claim_name(Node& self, const Alive& m);
  void on_suspect(const Accusation& m);
  void on_dead(const Accusation& m, Broadcasts::Finished sent = {});
  bool confirm(Suspicion& s, const std::string& node, const std::string& from);
  void start_suspicion(const Node& node, const std::string& from);
  void suspicion_ends(const std::string& node, Monotonic since);
  void clear_suspicion(const std::string& node);
  void refute(Node& self, uint32_t accused);
  template <class M>
  void spread(const std::string& node, Wire type, const M& m, Broadcasts::Finished sent = {});
  Alive own_alive();
  uint32_t next_incarnation(uint32_t above);
  void wait_for_spread(Duration timeout, std::string late, Done done,
                       std::move_only_function<void(Broadcasts::Finished)> begin);

  // memberlist_probe.cc
  void every(Duration interval, void (Memberlist::*what)(), Duration first);
  void tick_probe();
  void tick_gossip();
  void tick_push_pull();
  void push_pull_once();
  void probe_next();
  void probe(Node& node);
  void probe_late();
  void probe_ends(bool answered, int health_delta);
  void probe_failed();
  void forget_dead();
  void change_health(int delta);
  std::vector<Node*> random_nodes(size_t k, const std::function<bool(const Node&)>& take);

  Node* find(std::string_view name) { return const_cast<Node*>(std::as_const(*this).find(name)); }
  int transmits() const { return retransmit_limit(p_.tuning.retransmit_mult, nodes_.size()); }

  MemberlistParts p_;
  Monotonic now_{};
  std::vector<std::unique_ptr<Node>> nodes_;                     // in the order of probing
  std::unordered_map<std::string, Node*> by_name_;
  std::unordered_map<std::string, Suspicion> suspicions_;
  std::unordered_map<uint32_t, PendingAck> acks_;
  std::unordered_map<uint64_t, Pending> exchanges_;
  Broadcasts broadcasts_;
  std::unique_ptr<Probe> probe_;
  bool probe_due_ = false;
  size_t probe_index_ = 0;
  int health_ = 0;                                               // 0: well
  uint32_t incarnation_ = 0;
  uint32_t seq_ = 0;
  uint64_t exchange_ids_ = 0;
  bool leaving_ = false, stopped_ = false;
  bool claiming_ = false;                                        // a claim_name is due
  uint64_t bad_packets_ = 0, bad_unlogged_ = 0;
  Monotonic bad_logged_{};
};

}  // namespace drover::gossip
