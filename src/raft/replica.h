// One server of a replicated log: proposes, persists, replicates, applies, snapshots. The rules it keeps are in
// README.md; the engine underneath is raft-rs (engine/drover_raft.h).
//
//   Replica::open(options, parts) -> bootstrap(...) on a new cluster -> start()
//   auto r = co_await replica->propose(bytes);   // r->index, r->outcome
//
// Everything runs on parts.world.loop, except: log writes (parts.log_thread), apply (parts.apply_executor) and
// streaming a snapshot (world.pool). No function blocks but open() and bootstrap(), which read and sync the disk, and
// the log's fdatasync on a server without peers, while the disk is fast and nothing else waits (Options::inline_sync).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/async.h"
#include "base/world.h"
#include "raft/types.h"

namespace drover::raft {

class Disk;
class Driver;

struct Options {
  Server self;         // suffrage is ignored
  std::string dir;     // the log is in <dir>/log, snapshots in <dir>/snapshots; made when missing
  bool memory = false;  // dev mode: log in memory, snapshots discarded, no peers; dir is ignored

  // Time. An election is due after election_ticks to 2*election_ticks ticks without a leader.
  Duration tick = std::chrono::milliseconds(50);
  uint32_t election_ticks = 20;  // 1 s, the reference's ElectionTimeout; multiply by raft_multiplier
  uint32_t heartbeat_ticks = 2;

  // Snapshots: taken when `threshold` entries were applied since the last; looked at every `interval` to twice that.
  uint64_t snapshot_threshold = 8192;
  Duration snapshot_interval = std::chrono::seconds(120);
  uint64_t trailing_logs = 10240;  // entries kept in the log behind a snapshot, for slow followers
  // One is also taken when the entries since the last have as many bytes as it has, within these bounds (and up to half
  // as many more, at random); the log keeps no more than so many bytes of entries behind it.
  uint64_t snapshot_bytes_min = 32u << 20, snapshot_bytes_max = 256u << 20;
  uint64_t trailing_bytes = 64u << 20;

  // Bounds, bytes.
  uint64_t max_entry = 32u << 20;       // one proposal
  uint64_t max_in_flight = 64u << 20;   // proposed and not applied yet; beyond it propose fails
  uint64_t cached_tail = 4u << 20;      // entries kept in memory besides the disk
  uint64_t max_message = 1u << 20;      // entries in one message to a follower
  uint64_t segment = 64u << 20;         // log file
  uint64_t snapshot_chunk = 256u << 10;  // of a snapshot's file in one message; eight are under way

  // peers.json, the operator's last resort when a majority is lost for good: open() takes all of this server's log as
  // committed and makes this the configuration. Remove the file after open() succeeded. All servers of the list that
  // are left must do it, with equal lists, before any of them starts.
  std::optional<std::vector<Server>> recover;

  bool inline_sync = true;  // without peers: sync on the loop while a sync takes under a millisecond and none is under way
  Duration request_timeout = std::chrono::seconds(10);  // of read_index, membership and transfer
};

struct Parts {
  World& world;
  StateMachine& fsm;
  Transport* transport = nullptr;   // null: a single server
  Disk* disk = nullptr;             // null: the real one
  Pool* log_thread = nullptr;       // runs one job at a time, in order; null: a thread of its own
  Pool* apply_executor = nullptr;   // runs one job at a time, in order; null: the loop
};

// Called on the loop, never from inside a call of the replica's owner. May destroy the replica.
struct Events {
  // true: this server leads and has applied everything of earlier terms; false: it leads no more.
  std::function<void(bool is_leader, uint64_t term)> leadership;
  std::function<void(const LeaderInfo&)> leader;  // the known leader changed
  std::function<void()> configuration;            // a membership change was applied
  // A disk error or a broken log: nothing is served any more. The process should end and say why.
  std::function<void(const Error&)> fatal;
};

class Replica {
 public:
  // Recovers log and snapshot and restores the state machine. kCorrupt with file, offset and advice when the log is
  // damaged. The replica is idle until start().
  static Result<std::unique_ptr<Replica>> open(Options options, Parts parts);
  ~Replica();

  // False on a server that was never in a cluster: bootstrap it, or let a leader add it.
  bool has_state() const;
  // The first configuration of a new cluster: index 1. All first servers may do it, with equal lists. Fails with
  // `bootstrap only works on new clusters` when has_state().
  Status bootstrap(std::vector<Server> servers);
  // Begins to take part. A server that is the only voter leads within milliseconds.
  void start(Events events);

  // Appends `entry` (not empty) and waits until it is applied here. Errors, in the reference's words:
  //   kNotLeader `node is not the leader`                            not appended, ask the leader
  //   kUnavailable `leadership transfer in progress`                 not appended, try again
  //   kUnavailable `too many bytes in flight ...`                    not appended, try later
  //   kTooLarge                                                      not appended
  //   kTimeout `leadership lost while committing log`                the outcome is unknown
  //   kCancelled `raft is already shutdown`
  // `body`: what the entry says, for StateMachine::apply_own; it must not change any more.
  Async<Result<Applied>> propose(std::string entry, std::shared_ptr<const void> body = nullptr);

  // Confirms leadership with a majority, then waits until this server has applied all that was committed before the
  // call. A read after it sees every write acknowledged before it. The value is the applied index. Leader only.
  Async<Result<uint64_t>> read_index();
  // Waits until everything in the leader's log at the call is applied. Leader only.
  Async<Status> barrier();

  // Replaces the state on every server by `state` (a stream that StateMachine::restore reads), through the log, so
  // that a crash at any point leaves the old state or the new one everywhere. Indexes go on above `min_index`.
  // The outcome is a Status. Leader only; one at a time; no snapshot is taken meanwhile.
  Async<Result<Applied>> restore_state(std::unique_ptr<SnapshotReader> state, uint64_t min_index);

  // Membership; leader only. Adding a server that is there with another address changes the address.
  Async<Status> add_learner(Server server);
  // Adds as a learner, waits until it has the log, then promotes.
  Async<Status> add_voter(Server server);
  Async<Status> promote(std::string id);
  Async<Status> demote(std::string id);
  // Removing the leader itself moves leadership first and then fails with kNotLeader: ask the new leader.
  Async<Status> remove(std::string id);
  // To `id`, or to the most up-to-date other voter when empty.
  Async<Status> transfer_leadership(std::string id = {});

  // Takes a snapshot now and waits until it is durable. Nothing new since the last one is not an error.
  Async<Status> take_snapshot();
  void set_snapshot_policy(uint64_t threshold, Duration interval, uint64_t trailing_logs);

  // From the transport, on the loop. False: the message is for another server.
  bool receive(std::string_view message);
  void report_unreachable(uint64_t peer);

  Role role() const;
  bool is_leader() const;  // and has applied everything of earlier terms
  LeaderInfo leader() const;
  std::vector<Server> configuration() const;
  Stats stats() const;

 private:
  explicit Replica(std::shared_ptr<Driver> driver);
  std::shared_ptr<Driver> driver_;
};

}  // namespace drover::raft
