// What users of the gossip part see: members, events, tuning, configuration.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/containers.h"
#include "base/result.h"
#include "base/time.h"

namespace drover::gossip {

// The wire's numbers (Serf's MemberStatus).
enum class MemberStatus : uint8_t { kNone = 0, kAlive = 1, kLeaving = 2, kLeft = 3, kFailed = 4 };
// "none", "alive", "leaving", "left", "failed".
std::string_view status_text(MemberStatus status);

struct Member {
  std::string name;          // "<node>.<region>" for servers
  std::string addr;          // IP text
  uint16_t port = 0;
  Map<std::string> tags;
  MemberStatus status = MemberStatus::kNone;
  uint8_t protocol_min = 0, protocol_max = 0, protocol_cur = 0;
  uint8_t delegate_min = 0, delegate_max = 0, delegate_cur = 0;

  friend bool operator==(const Member&, const Member&) = default;
};

enum class EventType : uint8_t { kJoin, kLeave, kFailed, kUpdate, kReap, kUser };

struct Event {
  EventType type = EventType::kJoin;
  Member member;             // all but kUser
  std::string name;          // kUser
  std::string payload;       // kUser
  uint64_t ltime = 0;        // kUser: Lamport time
};

// Timing of the membership protocol. Servers use wan().
struct Tuning {
  Duration tcp_timeout = 10s;
  int indirect_checks = 3;
  int retransmit_mult = 4;          // a message goes out retransmit_mult * ceil(log10(n + 1)) times
  int suspicion_mult = 4;           // suspicion lasts at least suspicion_mult * max(1, log10(n)) * probe_interval
  int suspicion_max_mult = 6;       // and at most this many times the least
  Duration push_pull_interval = 30s;
  Duration probe_interval = 1s;
  Duration probe_timeout = 500ms;
  int awareness_max = 8;            // health scores are below this
  Duration gossip_interval = 200ms;
  int gossip_nodes = 3;
  Duration gossip_to_the_dead = 30s;
  int udp_buffer_size = 1400;
  bool compression = true;
  bool tcp_pings = true;

  static Tuning lan() { return {}; }
  static Tuning wan();
  static Tuning local();            // one machine: tests, development
};

// Serf's own intervals and limits.
struct SerfTuning {
  Duration broadcast_timeout = 5s;
  Duration leave_propagate_delay = 1s;
  Duration reap_interval = 15s;
  Duration reconnect_interval = 30s;
  Duration reconnect_timeout = 24h;   // failed members are forgotten after it; servers: 72h
  Duration tombstone_timeout = 24h;   // left members
  Duration recent_intent_timeout = 5min;
  Duration flap_timeout = 60s;
  Duration queue_check_interval = 30s;
  size_t queue_depth_warning = 128;
  size_t queue_depth_max = 4096;
  int query_timeout_mult = 16;
  size_t query_size_limit = 1024;
  size_t query_response_size_limit = 1024;
  size_t user_event_size_limit = 512;
};

// What Serf's key operations answer, one entry a node.
struct KeyResponse {
  Map<std::string> messages;     // by node name: errors and warnings
  Map<int64_t> keys;             // base64 key -> nodes that have it
  Map<int64_t> primary_keys;
  int64_t num_nodes = 0, num_responses = 0, num_errors = 0;
  std::string error;             // "1/3 nodes reported failure"; empty: all went well
};
// `error` and what a node said of it, or that some said nothing: "1/3 nodes reported failure: s1.global: ...".
std::string explain(const KeyResponse& r);
enum class KeyOp : uint8_t { kList, kInstall, kUse, kRemove };

struct Config {
  std::string node_name;
  Map<std::string> tags;
  std::string bind_addr = "0.0.0.0";     // IP
  uint16_t bind_port = 4648;
  std::string advertise_addr;            // IP; empty: bind_addr
  uint16_t advertise_port = 0;           // 0: the bound port
  std::string label;                     // pools with different labels do not mix
  Tuning tuning;
  SerfTuning serf;
  std::vector<std::string> keys;         // raw keys, first is primary; empty: no encryption
  std::string keyring_file;              // where changed keys are written; empty: nowhere
  std::string snapshot_path;             // empty: none
  bool rejoin_after_leave = false;
  bool resolve_name_conflicts = false;
  // The tag that stays with a node wherever it runs ("id"): a node that has it and the name is the one that was known, at
  // another address. Empty: none.
  std::string identity_tag;
  // Refuses a member before it is taken in ("member 'x' is not a server"). Empty: takes all.
  std::function<Status(const Member&)> admit;
  // Called on the loop, after the state it tells of is in members(). May call back into Serf.
  std::function<void(const Event&)> on_event;
};

}  // namespace drover::gossip
