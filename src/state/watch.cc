#include "state/watch.h"

#include <algorithm>

#include "base/metrics.h"

namespace drover::state {
namespace {

// FNV-1a with a final mix; stable only within a process.
uint64_t watch_hash(uint8_t table, uint8_t index, std::string_view bytes) {
  uint64_t h = 0xcbf29ce484222325ull ^ (uint64_t{table} << 8 | index) * 0x9e3779b97f4a7c15ull;
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001b3ull;
  h ^= bytes.size();
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ h >> 32;
}

constexpr size_t kMaxBytes = 0xffff;

}  // namespace

// One key of a waiter, in the ring-less list of all that watch the same bytes.
struct WatchRegistry::Link {
  Link* prev = nullptr;
  Link* next = nullptr;
  Waiter* waiter = nullptr;
  WatchKey key;
};

struct WatchRegistry::Waiter : std::enable_shared_from_this<Waiter> {
  Waiter(Loop& l, Promise<bool> p) : loop(l), promise(std::move(p)) {}
  Loop& loop;
  Promise<bool> promise;
  std::unique_ptr<Link[]> links;
  uint32_t count = 0;
  bool enrolled = true;
  bool on_index = false;
  uint64_t index = 0;
};

void WatchSet::add(TableId table, uint8_t index, uint32_t revision, std::string_view bytes) {
  auto t = static_cast<uint8_t>(table);
  for (auto& k : keys_)
    if (k.table == t && k.length == 0) return;  // the whole table is watched
  if (keys_.size() >= kMaxKeys) {
    auto whole = std::move(keys_);
    keys_.clear();
    for (auto& k : whole) add(static_cast<TableId>(k.table), 0, k.revision, {});
    return add(table, 0, revision, {});
  }
  bytes = bytes.substr(0, kMaxBytes);
  if (bytes.empty()) index = 0;
  keys_.push_back({watch_hash(t, index, bytes), revision, static_cast<uint16_t>(bytes.size()), t, index});
}

Async<bool> WatchSet::wait(Loop& loop, Duration timeout) {
  Promise<bool> done;
  auto waiter = registry_->enroll(loop, keys_, done);
  if (!waiter) co_return true;
  struct Guard {
    WatchRegistry& registry;
    WatchRegistry::WaiterRef& waiter;
    ~Guard() { registry.withdraw(waiter); }
  } guard{*registry_, waiter};
  auto timer = loop.after(timeout, [done]() mutable { done.set(false); });
  co_return co_await done;
}

WatchRegistry::WatchRegistry(std::function<uint32_t(TableId)> revision) : revision_(std::move(revision)) {}
WatchRegistry::~WatchRegistry() = default;

void WatchRegistry::use_length(const WatchKey& key, int delta) {
  auto& indexes = lengths_[key.table];
  if (indexes.size() <= key.index) indexes.resize(key.index + 1u);
  auto& lengths = indexes[key.index];
  auto it = std::find_if(lengths.begin(), lengths.end(), [&](auto& l) { return l.length == key.length; });
  if (it == lengths.end()) {
    lengths.push_back({key.length, 1});
  } else if ((it->users += static_cast<uint32_t>(delta)) == 0) {
    lengths.erase(it);
  }
  users_[key.table] += static_cast<uint32_t>(delta);
}

WatchRegistry::WaiterRef WatchRegistry::enroll(Loop& loop, const std::vector<WatchKey>& keys, Promise<bool> promise) {
  auto waiter = std::make_shared<Waiter>(loop, std::move(promise));
  waiter->links = std::make_unique<Link[]>(keys.size());
  waiter->count = static_cast<uint32_t>(keys.size());
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < keys.size(); ++i) {
      auto& link = waiter->links[i];
      link.waiter = waiter.get();
      link.key = keys[i];
      auto& head = heads_[keys[i].hash];
      link.next = head;
      if (head) head->prev = &link;
      head = &link;
      use_length(keys[i], +1);
    }
    ++waiting_;
  }
  // A commit that was published before the enrolment shows in the revision; a later one finds the links.
  for (auto& k : keys) {
    if (revision_(static_cast<TableId>(k.table)) == k.revision) continue;
    withdraw(waiter);
    return nullptr;
  }
  return waiter;
}

WatchRegistry::WaiterRef WatchRegistry::enroll_index(Loop& loop, uint64_t index, Promise<bool> promise) {
  auto waiter = std::make_shared<Waiter>(loop, std::move(promise));
  waiter->on_index = true;
  waiter->index = index;
  std::lock_guard lock(mutex_);
  by_index_.emplace(index, waiter);
  ++waiting_;
  return waiter;
}

void WatchRegistry::unlink(Waiter& w) {
  if (!w.enrolled) return;
  w.enrolled = false;
  --waiting_;
  for (uint32_t i = 0; i < w.count; ++i) {
    auto& link = w.links[i];
    if (link.next) link.next->prev = link.prev;
    if (link.prev) link.prev->next = link.next;
    else if (link.next) heads_[link.key.hash] = link.next;
    else heads_.erase(link.key.hash);
    use_length(link.key, -1);
  }
}

void WatchRegistry::withdraw(const WaiterRef& w) {
  std::lock_guard lock(mutex_);
  if (w->on_index) {
    auto [from, to] = by_index_.equal_range(w->index);
    for (auto it = from; it != to; ++it) {
      if (it->second != w) continue;
      by_index_.erase(it);
      break;
    }
  }
  unlink(*w);
}

size_t WatchRegistry::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

bool WatchRegistry::Wake::watched(TableId table, uint8_t index) const {
  auto& indexes = registry_.lengths_[static_cast<size_t>(table)];
  return index < indexes.size() && !indexes[index].empty();
}

void WatchRegistry::Wake::touch(TableId table, uint8_t index, std::string_view bytes) {
  if (!watched(table, index)) return;
  auto t = static_cast<uint8_t>(table);
  // Waking shrinks the list of lengths; go over a copy of it.
  auto lengths = registry_.lengths_[t][index];
  for (auto& l : lengths) {
    if (l.length > bytes.size()) continue;
    auto hash = watch_hash(t, index, bytes.substr(0, l.length));
    for (auto it = registry_.heads_.find(hash); it != registry_.heads_.end(); it = registry_.heads_.find(hash))
      fire(*it->second->waiter);
  }
}

void WatchRegistry::Wake::reached(uint64_t index) {
  auto& waiting = registry_.by_index_;
  while (!waiting.empty() && waiting.begin()->first <= index) {
    fire(*waiting.begin()->second);
    waiting.erase(waiting.begin());
  }
}

void WatchRegistry::Wake::everything() {
  while (!registry_.heads_.empty()) fire(*registry_.heads_.begin()->second->waiter);
  reached(~uint64_t{0});
}

void WatchRegistry::Wake::fire(Waiter& waiter) {
  fired_.push_back(waiter.shared_from_this());
  registry_.unlink(waiter);
}

void WatchRegistry::Wake::post() {
  lock_.unlock();
  auto readers = std::count_if(fired_.begin(), fired_.end(), [](auto& w) { return !w->on_index; });
  if (readers > 0) metric_count("state.watch.woken", static_cast<double>(readers));
  std::stable_sort(fired_.begin(), fired_.end(), [](auto& a, auto& b) { return &a->loop < &b->loop; });
  for (size_t i = 0; i < fired_.size();) {
    Loop& loop = fired_[i]->loop;
    std::vector<Promise<bool>> batch;
    for (; i < fired_.size() && &fired_[i]->loop == &loop; ++i) batch.push_back(fired_[i]->promise);
    loop.post([batch = std::move(batch)]() mutable {
      for (auto& p : batch) p.set(true);
    });
  }
  fired_.clear();
}

}  // namespace drover::state
