#include "state/store.h"

#include <algorithm>
#include <unordered_map>

#include "codec/msgpack.h"

namespace drover::state {
namespace {

struct TableFacts {
  std::string_view name;
  bool index_row;
  void (*watch_keys)(const void* row, WatchSink& sink);
  void (*row_key)(const void* row, std::string& out);
};

constexpr std::string_view bare_name(std::string_view n) { return n.starts_with('!') ? n.substr(1) : n; }

#define DROVER_X(member, type, name)                                                                        \
  TableFacts{bare_name(name), !std::string_view(name).starts_with('!'),                                     \
             [](const void* row, WatchSink& s) { type::watch_keys(*static_cast<const type::Row*>(row), s); }, \
             [](const void* row, std::string& out) { type::encode_row_key(*static_cast<const type::Row*>(row), out); }},
const TableFacts kFacts[] = {DROVER_STATE_TABLES(DROVER_X)};
#undef DROVER_X

const TableFacts& facts(TableId id) { return kFacts[static_cast<size_t>(id)]; }

class TouchSink final : public WatchSink {
 public:
  TouchSink(WatchRegistry::Wake& wake, TableId table) : wake_(wake), table_(table) {}
  bool wants(uint8_t index) const override { return wake_.watched(table_, index); }
  void touch(uint8_t index, std::string_view bytes) override { wake_.touch(table_, index, bytes); }

 private:
  WatchRegistry::Wake& wake_;
  TableId table_;
};

// One change per row: the first `before` and the last `after`.
void merge_changes(std::vector<Change>& changes) {
  if (changes.size() < 2) return;
  std::unordered_map<std::string, size_t> seen;
  std::vector<Change> merged;
  merged.reserve(changes.size());
  std::string key;
  for (auto& c : changes) {
    key.assign(1, static_cast<char>(c.table));
    facts(c.table).row_key(c.after ? c.after.get() : c.before.get(), key);
    auto [it, fresh] = seen.try_emplace(key, merged.size());
    if (fresh) merged.push_back(std::move(c));
    else merged[it->second].after = std::move(c.after);
  }
  std::erase_if(merged, [](const Change& c) { return c.before == c.after; });
  changes = std::move(merged);
}

}  // namespace

std::string_view table_name(TableId id) { return facts(id).name; }
bool table_has_index_row(TableId id) { return facts(id).index_row; }
TableId table_by_name(std::string_view name) {
  for (size_t i = 0; i < kTableCount; ++i)
    if (kFacts[i].name == name) return static_cast<TableId>(i);
  return TableId::kCount;
}

State::State() : times(std::make_shared<TimeTable>()) {}
State::State(const State&) = default;
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

uint64_t State::table_index(TableId table) const {
  switch (table) {
#define DROVER_X(member, type, name) \
  case TableId::member: return member.index();
    DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
    case TableId::kCount: break;
  }
  return 0;
}

uint32_t State::revision(TableId table) const {
  switch (table) {
#define DROVER_X(member, type, name) \
  case TableId::member: return member.revision();
    DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
    case TableId::kCount: break;
  }
  return 0;
}

uint64_t State::latest_index() const {
  uint64_t latest = 0;
  for (size_t i = 0; i < kTableCount; ++i)
    if (kFacts[i].index_row) latest = std::max(latest, table_index(static_cast<TableId>(i)));
  return latest;
}

Txn::Txn(const Snapshot& base, uint64_t index, Time stamp) : state_(base.state()), base_(base) {
  state_.index = index;
  state_.stamp = stamp;
}

Snapshot Txn::snapshot() const { return Snapshot(std::make_shared<const State>(state_)); }

void Txn::bump(TableId table) {
  switch (table) {
#define DROVER_X(member, type, name) \
  case TableId::member: state_.member.changed(state_.index); break;
    DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
    case TableId::kCount: break;
  }
}

Store::Store() : watches_([this](TableId table) { return snapshot()->revision(table); }) {
  State first;
  first.index = 1;
  Namespace ns;
  ns.Name = "default";
  ns.Description = "Default shared namespace";
  ns.Hash = namespace_hash(ns);
  ns.CreateIndex = ns.ModifyIndex = 1;
  first.namespaces.put(std::make_shared<const Namespace>(std::move(ns)));
  first.namespaces.changed(1);
  state_ = std::make_shared<const State>(std::move(first));
}
Store::~Store() = default;

Snapshot Store::snapshot() const {
  std::lock_guard lock(mutex_);
  return Snapshot(state_);
}

Async<Result<Snapshot>> Store::snapshot_at(uint64_t index, Loop& loop, Duration timeout) {
  auto now = snapshot();
  if (now.index() >= index) co_return now;
  Promise<bool> done;
  auto waiter = watches_.enroll_index(loop, index, done);
  struct Guard {
    WatchRegistry& registry;
    WatchRegistry::WaiterRef& waiter;
    ~Guard() { registry.withdraw(waiter); }
  } guard{watches_, waiter};
  // It may have come between the look and the enrolment.
  if (auto again = snapshot(); again.index() >= index) co_return again;
  auto timer = loop.after(timeout, [done]() mutable { done.set(false); });
  co_await done;
  now = snapshot();
  if (now.index() < index) co_return Error(ErrorCode::kTimeout, "timed out waiting for index");
  co_return now;
}

Txn Store::begin(uint64_t index, Time stamp) {
  Txn txn(snapshot(), index, stamp);
  DROVER_ASSERT(index >= txn.base_.index(), "log entries are applied in order");
  txn.interner_ = &interner_;
  if (!stamp.unset() && txn.state_.times->due(stamp)) {
    auto times = std::make_shared<TimeTable>(*txn.state_.times);
    times->witness(index, stamp);
    txn.state_.times = std::move(times);
  }
  return txn;
}

void Store::swap_in(std::shared_ptr<const State> next) {
  std::lock_guard lock(mutex_);
  state_.swap(next);
}

void Store::publish(Txn&& txn) {
  auto changes = std::move(txn.changes_);
  auto next = std::make_shared<const State>(std::move(txn.state_));
  DROVER_ASSERT(txn.base_.same(snapshot()), "a transaction is published on the state that it began from");
  swap_in(next);
  if (tap_ && !changes.empty()) tap_({next->index, txn.entry_type_, changes, txn.parts_});
  merge_changes(changes);
  CommitInfo info{next->index, next->stamp, txn.entry_type_, txn.base_, Snapshot(next), std::move(changes)};
  for (auto& observer : observers_) observer(info);

  WatchRegistry::Wake wake(watches_);
  for (auto& c : info.changes) {
    if (!wake.watched(c.table)) continue;
    TouchSink sink(wake, c.table);
    if (c.before) facts(c.table).watch_keys(c.before.get(), sink);
    if (c.after) facts(c.table).watch_keys(c.after.get(), sink);
  }
  wake.reached(next->index);
  wake.post();
}

std::shared_ptr<const void> Store::replace(State state, Interner interner) {
  auto before = snapshot();
  auto rest = std::make_shared<const std::pair<Snapshot, Interner>>(before, std::exchange(interner_, std::move(interner)));
  // A reader that looked at the old tables and enrols only now must notice.
#define DROVER_X(member, type, name) state.member.follow(before.member());
  DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
  auto next = std::make_shared<const State>(std::move(state));
  swap_in(next);
  CommitInfo info{next->index, next->stamp, 0xff, before, Snapshot(next), {}};
  if (tap_) tap_({.index = next->index, .replaced = true});
  for (auto& observer : observers_) observer(info);
  WatchRegistry::Wake wake(watches_);
  wake.everything();
  wake.post();
  return rest;
}

void diff_nodes(const Snapshot& before, const Snapshot& after,
                const std::function<void(const Ref<Node>&, const Ref<Node>&)>& fn) {
  NodeTable::diff(before.nodes(), after.nodes(), fn);
}
void diff_allocs(const Snapshot& before, const Snapshot& after,
                 const std::function<void(const Ref<Allocation>&, const Ref<Allocation>&)>& fn) {
  AllocTable::diff(before.allocs(), after.allocs(), fn);
}

}  // namespace drover::state
