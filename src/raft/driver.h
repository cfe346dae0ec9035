// The machinery behind Replica: feeds the engine and does what its readies ask for. Internal to the part.
//
// Order of the files: driver.cc (life, ready loop, log writes), driver_apply.cc (committed entries), driver_requests.cc
// (proposals, reads, membership), driver_snapshots.cc (taking and installing), driver_transfer.cc (sending, receiving).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/async.h"
#include "raft/configuration.h"
#include "raft/engine.h"
#include "raft/log_format.h"
#include "raft/log_store.h"
#include "raft/message.h"
#include "raft/meter.h"
#include "raft/replica.h"
#include "raft/snapshot_store.h"

namespace drover::raft {

class Driver : public std::enable_shared_from_this<Driver> {
 public:
  Driver(Options options, Parts parts);
  ~Driver();

  // ---- life (driver.cc)
  Status open();
  bool has_state() const;
  Status bootstrap(const std::vector<Server>& servers);
  void start(Events events);
  void stop();

  // ---- requests (driver_requests.cc)
  Async<Result<Applied>> propose(uint8_t tag, std::string entry, std::shared_ptr<const void> body = nullptr);
  Async<Result<uint64_t>> read_index();
  Async<Status> barrier();
  Async<Status> add_learner(Server server);
  Async<Status> add_voter(Server server);
  Async<Status> promote(std::string id);
  Async<Status> demote(std::string id);
  Async<Status> remove(std::string id);
  Async<Status> transfer_leadership(std::string id);
  Async<Result<Applied>> restore_state(std::unique_ptr<SnapshotReader> state, uint64_t min_index);
  LeaderInfo leader() const;
  uint64_t known_leader() const;
  Stats stats();
  bool announced() const { return announced_; }
  Role role() const;
  const Configuration& configuration() const { return conf_; }

  // ---- snapshots (driver_snapshots.cc)
  Async<Status> take_snapshot();
  void set_snapshot_policy(uint64_t threshold, Duration interval, uint64_t trailing);

  // ---- network (driver_transfer.cc)
  bool receive(std::string_view message);
  void report_unreachable(uint64_t peer);

 private:
  template <class T>
  using Waiter = Promise<Result<T>>;

  struct Outgoing {
    uint64_t to;
    std::string bytes;
  };
  // A ready whose persisted messages wait for its write and all before it.
  struct Write {
    uint64_t number = 0;
    bool durable = false;
    Monotonic since{};  // given to the log
    size_t entries = 0;
    std::vector<Outgoing> messages;
    std::shared_ptr<const SnapshotMeta> install;
  };
  struct Committed {
    uint64_t index, term;
    uint32_t kind;
    std::string data;  // with the tag byte; empty: the no-op of a new leader
  };
  struct Proposal {
    uint8_t tag;
    std::string entry;
    std::shared_ptr<const void> body;  // what the entry says, where the proposer told
    Waiter<Applied> waiter;
  };
  struct Pending {
    uint64_t index, term, size;
    std::shared_ptr<const void> body;
    Waiter<Applied> waiter;
    Monotonic since{};
  };
  struct ReadGroup {
    std::string ctx;
    Monotonic sent, born;
    uint64_t index = 0;  // 0: not answered
    std::vector<Waiter<uint64_t>> waiters;
  };
  struct Barrier {
    uint64_t index;
    Promise<Status> waiter;
  };
  struct ConfOp {
    std::vector<dr_conf_change> changes;
    std::string ctx;
    Monotonic deadline;
    Promise<Status> waiter;
    uint64_t index = 0;  // 0: not proposed yet
  };
  struct Sending {
    uint64_t transfer = 0;
    std::string offer;
    SnapshotMeta meta;
    std::shared_ptr<File> file;  // null until the pool has opened it; read by one job of the pool at a time
    bool reading = false;
    uint64_t acked = 0, sent = 0;
    bool answered = false;
    Monotonic began, progress_at, heard_at;
  };
  struct Receiving {
    uint64_t from = 0, transfer = 0;
    std::string message;  // the engine's MsgSnapshot
    SnapshotMeta meta;
    uint64_t have = 0;                // in the file
    uint64_t taken = 0;               // that, and what waits to be written
    std::deque<std::string> waiting;  // chunks
    bool completing = false;
  };
  // Work on another thread runs under the mutex and only while alive.
  struct Lifeline {
    std::mutex mutex;
    bool alive = true;
  };
  struct BatchItem {
    uint64_t index, term;
    std::string data;
    std::shared_ptr<const void> body;  // null: `data` must be read
    std::any outcome;
  };

  // driver.cc
  Status recover();
  Status recover_configuration(const RecoveredLog& log, std::optional<SnapshotMeta>& meta);
  Result<std::optional<SnapshotMeta>> restore_newest();
  dr_config engine_config() const;
  dr_hooks engine_hooks();
  Status create_engine(const RecoveredLog& log, const std::optional<SnapshotMeta>& meta);
  void pump();
  void handle_ready(const dr_ready_t& r);
  void drain_writes();
  void written(uint64_t number, const Status& status);
  void refresh();
  void measure_commit(uint64_t index);
  void became_leader();
  void lost_leadership();
  bool campaign_alone();
  void arm_tick();
  void on_tick();
  void on_full_disk();
  void fail(const Error& error);
  void fail_requests(const Error& error);
  void settle();
  void later(std::move_only_function<void()> fn) { after_.push_back(std::move(fn)); }
  // Calls into the owner, unless it has let go of the replica by then.
  void event(std::move_only_function<void()> fn);
  void post(void (Driver::*fn)());
  Monotonic now() const { return parts_.world.clock.monotonic(); }

  // driver_apply.cc
  bool run_apply();
  void apply_conf(const Committed& entry);
  void apply_noop(const Committed& entry);
  void resume_apply();
  void apply_batch(size_t n);
  void batch_applied(std::vector<BatchItem> items);
  void run_batch(std::vector<BatchItem>& items);
  void answer(uint64_t index, uint64_t term, std::any outcome, uint64_t fsm_index);
  void applied_to(uint64_t index, uint64_t term);
  void apply_restore_chunk(const Committed& entry);
  enum class Gathered : uint8_t { kMore, kComplete, kRefused };
  Result<Gathered> gather_chunk(std::string_view entry, uint64_t& min_index, std::string& why);
  Status restore_gathered();
  void finish_restore(uint64_t index, uint64_t term, uint64_t min_index);
  void abandon_restore();
  // Runs `work` on the apply executor, then `done` on the loop with its result; inline when there is none.
  template <class F, class D>
  void on_executor(F work, D done);

  // driver_requests.cc
  std::optional<Error> refusal() const;
  void flush();
  void schedule_flush();
  void flush_proposals();
  void tell_commit();
  void flush_reads();
  void retry_reads();
  void settle_reads();
  void run_conf_ops();
  void conf_op_applied(uint64_t index, int32_t rc);
  Async<Status> change(uint32_t kind, Server server);
  Status check_new_server(const Server& server) const;
  const Server* find(std::string_view id) const;
  Error not_leader() const;
  uint64_t best_peer(const std::set<uint64_t>& except = {});
  void hand_over(std::string_view why, Duration pause);
  bool disk_hangs();

  // driver_snapshots.cc
  void maybe_snapshot();
  void begin_snapshot();
  void snapshot_taken(Result<SnapshotMeta> result);
  void end_snapshot_waiters(const Status& status);
  void compact_to(uint64_t snapshot_index);
  void draw_snapshot_bytes();
  using OpenState = std::move_only_function<Result<std::unique_ptr<SnapshotReader>>()>;
  using StateLoaded = std::move_only_function<void(Driver&, Status)>;
  // Reads a state on the pool, swaps it in on the executor, then `done`. No entry is applied meanwhile.
  void load_state(OpenState open, StateLoaded done);
  void swap_state(Result<StateMachine::Swap> swap, StateLoaded done);
  void begin_install();
  void installed(Status status);
  int32_t snapshot_hook(uint64_t at_least, uint64_t to, dr_snapshot* out);

  // driver_transfer.cc
  void emit(const dr_msg& message, std::vector<Outgoing>* hold);
  void send(uint64_t to, std::string bytes);
  std::string envelope(MessageKind kind, uint64_t to) const;
  void step(const dr_msg& message);
  void begin_sending(const dr_msg& message);
  void end_sending(uint64_t to, bool ok);
  void begin_reading(uint64_t to, Result<std::shared_ptr<File>> file);
  void send_chunks(uint64_t to, Sending& s);
  void chunk_read(uint64_t to, uint64_t transfer, uint64_t offset, Result<std::string> message, uint64_t size);
  void tick_transfers();
  void on_offer(uint64_t from, std::string_view rest);
  void on_chunk(uint64_t from, std::string_view rest);
  void on_ack(uint64_t from, std::string_view rest);
  void write_chunks();
  void chunk_written(uint64_t transfer, uint64_t size, Status status);
  void complete_receiving();
  void received(Status status);
  void acknowledge(uint64_t to, uint64_t transfer, uint64_t offset, SnapshotAck state);

  Options options_;
  Parts parts_;
  Events events_;
  const uint64_t self_;
  Disk& disk_;
  std::unique_ptr<Pool> own_thread_;  // the log thread, when none was given
  std::shared_ptr<SnapshotStore> snapshots_;  // null in memory
  std::unique_ptr<LogStore> log_;
  Engine engine_;
  std::shared_ptr<Lifeline> lifeline_ = std::make_shared<Lifeline>();

  bool started_ = false, pumping_ = false;
  bool dead_ = false;     // nothing works any more: stopped or failed
  bool stopped_ = false;  // the owner has let go: no event reaches it
  Timer tick_timer_;
  std::vector<std::move_only_function<void()>> after_;  // answers and events, run when the engine is at rest

  // ---- the engine's state as last seen
  dr_status_t st_{};
  dr_hard_state hs_{};
  uint64_t announced_leader_ = 0;
  bool announced_ = false;   // leadership was announced
  bool has_state_ = false;
  Monotonic last_contact_{};
  std::deque<Write> writes_;

  // ---- apply
  std::deque<Committed> committed_;
  bool applying_ = false;         // a job is on the executor, or a state is being loaded
  bool apply_rests_ = false;      // this turn of the loop has applied enough
  int installing_ = 0;            // snapshots between their ready and their end
  bool install_running_ = false;  // the state machine is reading one
  uint64_t applied_ = 0, applied_term_ = 0;
  uint64_t index_offset_ = 0;
  Configuration conf_;
  uint64_t conf_index_ = 0;

  // ---- requests
  Meter meter_;
  uint64_t measured_commit_ = 0;
  bool flush_scheduled_ = false;
  std::vector<Proposal> proposals_;
  std::deque<Pending> pending_;
  Monotonic next_handover_{};
  std::set<uint64_t> handed_to_;  // peers that a leader with a bad disk has tried to make leader
  uint64_t in_flight_ = 0;  // bytes in proposals_ and pending_
  std::vector<Waiter<uint64_t>> next_reads_;
  std::deque<ReadGroup> reads_;
  uint64_t boot_ = 0, read_counter_ = 0;
  std::vector<Barrier> barriers_;
  std::deque<ConfOp> conf_ops_;
  std::vector<Promise<Status>> transfers_;
  uint64_t transfer_to_ = 0;

  // ---- snapshots
  std::optional<SnapshotMeta> snapshot_;  // the newest durable one
  std::string snapshot_bytes_;            // its descriptor, for the engine
  bool want_snapshot_ = false, taking_snapshot_ = false;
  uint64_t snapshot_epoch_ = 0;  // rises when a snapshot being taken has become useless
  uint64_t applied_bytes_ = 0;   // since the last snapshot
  uint64_t snapshot_after_ = 0;  // so many of them; see draw_snapshot_bytes
  Monotonic next_snapshot_check_{};
  std::vector<Promise<Status>> snapshot_waiters_;

  // ---- a restore_state in progress: chunks gathered from the log
  struct Gathering {
    uint64_t id = 0, size = 0;
    uint32_t crc = 0;
    std::string bytes;           // in memory mode
    std::unique_ptr<File> file;  // else
  };
  std::unique_ptr<Gathering> gathering_;
  bool restore_running_ = false;  // a restore_state call is under way here

  // ---- network
  uint64_t told_commit_ = 0;            // a leader has told it to all
  std::map<uint64_t, uint64_t> told_;   // by peer: the commit index in the newest append to it
  std::map<uint64_t, std::string> learned_;  // addresses of peers outside the configuration
  std::map<uint64_t, Sending> sending_;
  std::optional<Receiving> receiving_;
  bool writing_chunk_ = false;  // the pool writes one, of this or an earlier transfer
};

template <class F, class D>
void Driver::on_executor(F work, D done) {
  if (!parts_.apply_executor) {
    auto result = work();
    done(*this, std::move(result));
    return;
  }
  applying_ = true;
  parts_.apply_executor->run(
      [life = lifeline_, weak = weak_from_this(), &loop = parts_.world.loop, work = std::move(work), done = std::move(done)]() mutable {
        std::lock_guard lock(life->mutex);
        if (!life->alive) return;
        loop.post([weak, done = std::move(done), result = work()]() mutable {
          auto self = weak.lock();
          if (!self || self->dead_) return;
          self->applying_ = false;
          done(*self, std::move(result));
          self->pump();
        });
      });
}

}  // namespace drover::raft
