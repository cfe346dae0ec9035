// The vocabulary of replication: servers, roles, what a state machine is, what a transport is.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace drover::raft {

// A learner ("nonvoter" in the API) receives the log and counts for no majority.
enum class Suffrage : uint8_t { kVoter, kNonvoter };
std::string_view to_string(Suffrage s);  // "Voter", "Nonvoter"

struct Server {
  std::string id;       // the server's UUID; a server that lost its disk needs a new one
  std::string address;  // host:port that the transport dials
  Suffrage suffrage = Suffrage::kVoter;
  friend bool operator==(const Server&, const Server&) = default;
};

enum class Role : uint8_t { kFollower, kCandidate, kLeader, kShutdown };
std::string_view to_string(Role r);  // "Follower", "Candidate", "Leader", "Shutdown"

// The number that the engine knows a server by: a hash of its id, never 0. Two servers whose ids collide cannot be
// in one cluster; adding the second is refused.
uint64_t peer_id(std::string_view server_id);

struct Applied {
  uint64_t index = 0;
  std::any outcome;  // what StateMachine::apply returned for this entry
};

// Written in pieces, in order. Not thread safe; used by one thread at a time.
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  virtual Status write(std::string_view bytes) = 0;
};

class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  // Up to `size` bytes; 0 only at the end. kCorrupt at the end when the bytes read do not match their checksum.
  virtual Result<size_t> read(char* out, size_t size) = 0;
};

// An immutable view of the state at one index, cheap to make.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // Streams the state. Runs on a pool thread while later entries are being applied.
  virtual Status write(SnapshotSink& out) = 0;
};

// The replicated state. All calls come from one executor, in order (see Parts::apply_executor), never two at a time.
class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // Applies one entry. Must depend on nothing but the state, the index and the bytes: every server does the same.
  // Indexes rise; they skip values (the log's own entries, and a jump after restore_state).
  virtual std::any apply(uint64_t index, std::string_view entry) = 0;
  // The same for an entry that was proposed here, with what its proposer knows the bytes to say, so that they need not be read.
  // Must do what apply() does.
  virtual std::any apply_own(uint64_t index, std::string_view entry, const std::shared_ptr<const void>& body) {
    return apply(index, entry);
  }
  // Called after a run of apply calls, before their outcomes are handed out: publish, wake watchers.
  virtual void applied_batch() {}
  virtual std::unique_ptr<SnapshotSource> snapshot() = 0;
  // What load() leaves to do, in turn with apply: swaps the state in. Returns what was there before, to be let go of on
  // any thread.
  using Swap = std::move_only_function<std::shared_ptr<const void>()>;
  // Reads a whole state from the stream and touches nothing else; any thread, while the present state is being read.
  virtual Result<Swap> load(SnapshotReader& in) = 0;
  // Both at once: replaces the whole state by the stream. On an error the state is what it was before.
  Status restore(SnapshotReader& in) {
    DROVER_TRY(auto swap, load(in));
    swap();
    return {};
  }
};

// Carries opaque messages between servers. All calls on the replica's loop.
class Transport {
 public:
  virtual ~Transport() = default;
  // Sends or drops; never blocks, never fails. FIFO per peer within one connection; a new connection must not deliver
  // what an old one still held. `peer` is peer_id of the receiver. What arrives goes to Replica::receive there.
  virtual void send(uint64_t peer, const std::string& address, std::string message) = 0;
};

struct LeaderInfo {
  std::string id, address;  // empty: no leader known
  friend bool operator==(const LeaderInfo&, const LeaderInfo&) = default;
};

// Where the replica stands; indexes are those that StateMachine::apply sees.
struct Stats {
  Role role = Role::kFollower;
  uint64_t term = 0;
  uint64_t last_log_index = 0, last_log_term = 0;
  uint64_t commit_index = 0, applied_index = 0;
  uint64_t fsm_pending = 0;  // committed, not applied yet
  uint64_t last_snapshot_index = 0, last_snapshot_term = 0;
  uint64_t configuration_index = 0;
  std::vector<Server> configuration;
  size_t num_peers = 0;      // voters other than this server
  Duration last_contact{-1};  // since the leader was heard; negative: never; zero on the leader
  uint64_t log_bytes = 0;       // on disk
  uint64_t syncs = 0;           // fdatasync calls of the log
  Duration sync_time{0};        // spent in them
  uint64_t in_flight_bytes = 0;  // proposed, not applied yet
};

}  // namespace drover::raft
