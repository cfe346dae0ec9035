// The state of a region: one writer, any number of readers on any thread.
//
//   Snapshot snap = store.snapshot();                      // cheap, immutable, safe from any thread
//   for (auto& alloc : snap.allocs().by_job(ns, id)) ...   // Ref<Allocation>
//
//   Txn txn = store.begin(index, stamp);                   // the writer's thread
//   upsert_node(txn, node);                                // ops: node_ops.h, job_ops.h, ...
//   store.publish(std::move(txn));                         // visible at once and whole; wakes whom it concerns
//
// A Txn sees its own writes. Dropping it leaves no trace. A Txn may also be made on any snapshot, to ask "what if"
// (dry-run plans, the plan applier's view of a result that is still being replicated).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/async.h"
#include "state/config_tables.h"
#include "state/core_tables.h"
#include "state/interner.h"
#include "state/time_table.h"
#include "state/watch.h"

namespace drover::state {

// All tables, as values: a copy shares everything and is independent.
struct State {
  State();
  State(const State&);
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  ~State();

  uint64_t index = 0;            // of the last entry applied
  Time stamp;                    // of the last entry applied
  uint64_t acl_bootstrap_index = 0;
  Ref<TimeTable> times;          // never null
#define DROVER_X(member, type, name) type member;
  DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X

  // Last index that changed the table.
  uint64_t table_index(TableId table) const;
  uint32_t revision(TableId table) const;
  // The highest of the rows that the reference keeps in its "index" table.
  uint64_t latest_index() const;
};

class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const State> s) : state_(std::move(s)) {}

  uint64_t index() const { return state_->index; }
  Time stamp() const { return state_->stamp; }
  uint64_t table_index(TableId table) const { return state_->table_index(table); }
  uint64_t latest_index() const { return state_->latest_index(); }
  const TimeTable& times() const { return *state_->times; }
  const State& state() const { return *state_; }
  const State* operator->() const { return state_.get(); }
  // The same state object.
  bool same(const Snapshot& o) const { return state_ == o.state_; }

#define DROVER_X(member, type, name) \
  const type& member() const { return state_->member; }
  DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X

 private:
  std::shared_ptr<const State> state_;
};

// One row before and after a transaction; null where it did not exist. Cast by table.
struct Change {
  TableId table = TableId::kCount;
  std::shared_ptr<const void> before, after;

  template <class T>
  Ref<T> before_as() const {
    return std::static_pointer_cast<const T>(before);
  }
  template <class T>
  Ref<T> after_as() const {
    return std::static_pointer_cast<const T>(after);
  }
};

// What publish() tells its observers. Each row appears once, in the order of first change.
struct CommitInfo {
  uint64_t index = 0;
  Time stamp;
  uint8_t entry_type = 0xff;  // of the log entry; 0xff: none
  Snapshot before, after;
  std::vector<Change> changes;

  // By Store::replace: there is nothing in common with what was before.
  bool replaced() const { return changes.empty() && entry_type == 0xff; }
};

// A transaction as it was written: what the reference makes events of. `changes` holds a row as often as it was written.
struct RawCommit {
  // Where a transaction of the reference begins: it spreads some log entries over several, and events of some it never shows.
  struct Part {
    size_t begin = 0;  // in `changes`
    bool silent = false;
  };
  uint64_t index = 0;
  uint8_t entry_type = 0xff;
  std::span<const Change> changes;
  std::span<const Part> parts;  // those after the first; in order
  bool replaced = false;        // everything, after a restore
};

class Txn;

// Writes to one table within a Txn, and reads of it.
template <class Tab>
class TableWriter {
 public:
  TableWriter(Txn& txn, Tab& table) : txn_(txn), table_(table) {}
  const Tab* operator->() const { return &table_; }
  void upsert(Ref<typename Tab::Row> row);
  void upsert(typename Tab::Row row) { upsert(std::make_shared<const typename Tab::Row>(std::move(row))); }
  // False: there was no such row.
  bool erase(const typename Tab::Key& key);
  bool erase(const typename Tab::Row& row) { return erase(Tab::key_of(row)); }

 private:
  Txn& txn_;
  Tab& table_;
};

class Txn {
 public:
  // On any snapshot; nothing but the result of `snapshot()` comes of it.
  Txn(const Snapshot& base, uint64_t index, Time stamp);

  uint64_t index() const { return state_.index; }
  Time stamp() const { return state_.stamp; }  // the entry's wall time: the only "now" there is
  // The state as this transaction sees it.
  const State& state() const { return state_; }
  Snapshot snapshot() const;

#define DROVER_X(member, type, name) \
  TableWriter<type> member() { return {*this, state_.member}; }
  DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X

  void set_acl_bootstrap_index(uint64_t index) { state_.acl_bootstrap_index = index; }
  // Sets the table's index without a change of a row, where the reference does so.
  void bump(TableId table);
  // For an operation of which a part may fail: takes back what was written since the mark.
  struct Mark {
    State state;
    size_t changes;
  };
  Mark mark() const { return {state_, changes_.size()}; }
  void rollback(Mark mark) {
    state_ = std::move(mark.state);
    changes_.resize(mark.changes);
    while (!parts_.empty() && parts_.back().begin > mark.changes) parts_.pop_back();
  }
  // What follows is a transaction of its own in the reference; a silent one makes no events.
  void next_part(bool silent = false) { parts_.push_back({changes_.size(), silent}); }
  // Only for restoring a snapshot.
  State& restoring() { return state_; }
  void set_entry_type(uint8_t type) { entry_type_ = type; }
  const std::vector<Change>& changes() const { return changes_; }
  // Shares repeated parts of an allocation that is about to be stored.
  void share(Allocation& alloc) {
    if (interner_) interner_->share(alloc);
  }

  // For TableWriter.
  void record(TableId table, std::shared_ptr<const void> before, std::shared_ptr<const void> after) {
    changes_.push_back({table, std::move(before), std::move(after)});
  }

 private:
  friend class Store;
  State state_;
  Snapshot base_;
  std::vector<Change> changes_;
  std::vector<RawCommit::Part> parts_;
  Interner* interner_ = nullptr;
  uint8_t entry_type_ = 0xff;
};

template <class Tab>
void TableWriter<Tab>::upsert(Ref<typename Tab::Row> row) {
  auto before = table_.put(row);
  table_.changed(txn_.index());
  txn_.record(Tab::kId, std::move(before), std::move(row));
}
template <class Tab>
bool TableWriter<Tab>::erase(const typename Tab::Key& key) {
  auto before = table_.remove(key);
  if (!before) return false;
  table_.changed(txn_.index());
  txn_.record(Tab::kId, std::move(before), nullptr);
  return true;
}

class Store {
 public:
  // Starts with the namespace "default", made at index 1.
  Store();
  Store(const Store&) = delete;
  ~Store();

  Snapshot snapshot() const;  // any thread
  WatchSet watch() { return WatchSet(watches_); }
  // The first snapshot with index() >= `index`; kTimeout when it does not come within `timeout`. On `loop`'s thread.
  Async<Result<Snapshot>> snapshot_at(uint64_t index, Loop& loop, Duration timeout);

  // The rest: the writer's thread only.
  Txn begin(uint64_t index, Time stamp);
  void publish(Txn&& txn);
  // Called within publish, after the new state is visible and before waiters wake. Observers stay for the store's life.
  void observe(std::function<void(const CommitInfo&)> observer) { observers_.push_back(std::move(observer)); }
  // Called before the observers; one at most, for the store's life.
  void tap(std::function<void(const RawCommit&)> tap) { tap_ = std::move(tap); }
  // Replaces everything (after a restore); wakes everybody. Observers get a CommitInfo without changes. Returns what was
  // there before, to be let go of on any thread.
  std::shared_ptr<const void> replace(State state, Interner interner = {});

  size_t waiting() const { return watches_.waiting(); }  // blocked readers, for metrics and tests

 private:
  void swap_in(std::shared_ptr<const State> next);

  mutable std::mutex mutex_;  // only for the pointer
  std::shared_ptr<const State> state_;
  Interner interner_;
  WatchRegistry watches_;
  std::vector<std::function<void(const CommitInfo&)>> observers_;
  std::function<void(const RawCommit&)> tap_;
};

// fn(before, after) for every node or allocation that differs; the cost follows the difference, not the size.
void diff_nodes(const Snapshot& before, const Snapshot& after,
                const std::function<void(const Ref<Node>&, const Ref<Node>&)>& fn);
void diff_allocs(const Snapshot& before, const Snapshot& after,
                 const std::function<void(const Ref<Allocation>&, const Ref<Allocation>&)>& fn);

// A digest of everything that is replicated; equal for equal content on every machine. Walks the whole state.
uint64_t state_hash(const Snapshot& snapshot);

}  // namespace drover::state
