// Watches: how a blocking query sleeps until something that it read may have changed.
//
//   WatchSet watch = store.watch();
//   auto job = snap.jobs().get(ns, id, &watch);      // every getter adds what it looked at
//   bool woken = co_await watch.wait(loop, timeout); // false: the time passed
//
// What is watched is a (table, index, leading bytes of the index key) triple: one row, one job's allocations, a prefix,
// a namespace, or a whole table. A commit wakes exactly the waiters whose bytes lead a key that the commit touched; a
// hash of the triple stands for it, so that a waiter costs a few words per key.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async.h"
#include "base/world.h"
#include "state/table_id.h"

namespace drover::state {

struct WatchKey {
  uint64_t hash = 0;
  uint32_t revision = 0;  // of the table when it was read
  uint16_t length = 0;    // leading bytes hashed
  uint8_t table = 0;
  uint8_t index = 0;
};

// Told by a changed row which index keys it has (old and new).
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // Whether somebody watches this index; spares the encoding.
  virtual bool wants(uint8_t index) const = 0;
  virtual void touch(uint8_t index, std::string_view bytes) = 0;
};

class WatchRegistry;

// Gathered on one thread while a query runs; then awaited on a loop. Holds no snapshot. Must not outlive the store.
class WatchSet {
 public:
  // More keys than this and whole tables are watched instead: a waiter stays small.
  static constexpr size_t kMaxKeys = 64;

  explicit WatchSet(WatchRegistry& registry) : registry_(&registry) {}
  void add(TableId table, uint8_t index, uint32_t revision, std::string_view bytes);
  bool empty() const { return keys_.empty(); }
  const std::vector<WatchKey>& keys() const { return keys_; }
  void clear() { keys_.clear(); }

  // True as soon as something watched may have changed since it was read, also if that was before this call; false
  // after `timeout`. Spurious wake-ups are possible and rare: re-run the query and compare its index. Dropping the task
  // unregisters. `this` must live until then. An empty set waits for the timeout.
  Async<bool> wait(Loop& loop, Duration timeout);

 private:
  WatchRegistry* registry_;
  std::vector<WatchKey> keys_;
};

// Who waits for what. All members may be called from any thread.
class WatchRegistry {
 public:
  struct Waiter;
  using WaiterRef = std::shared_ptr<Waiter>;
  // `revision(table)` is the current revision of the published state; any thread.
  explicit WatchRegistry(std::function<uint32_t(TableId)> revision);
  ~WatchRegistry();
  WatchRegistry(const WatchRegistry&) = delete;

  // Null: something watched has changed already.
  WaiterRef enroll(Loop& loop, const std::vector<WatchKey>& keys, Promise<bool> promise);
  WaiterRef enroll_index(Loop& loop, uint64_t index, Promise<bool> promise);
  void withdraw(const WaiterRef& waiter);

  // Collects the waiters that a commit concerns; post() then wakes them, one message per loop.
  class Wake;
  size_t waiting() const;

 private:
  friend class Wake;
  struct Link;
  struct Length {
    uint16_t length;
    uint32_t users;
  };
  void unlink(Waiter& waiter);
  void use_length(const WatchKey& key, int delta);

  mutable std::mutex mutex_;
  std::function<uint32_t(TableId)> revision_;
  std::unordered_map<uint64_t, Link*> heads_;
  std::multimap<uint64_t, WaiterRef> by_index_;
  std::array<std::vector<std::vector<Length>>, kTableCount> lengths_;  // [table][index]
  std::array<uint32_t, kTableCount> users_{};
  size_t waiting_ = 0;
};

// One commit's wake-up. Holds the registry's lock from construction to post().
class WatchRegistry::Wake {
 public:
  explicit Wake(WatchRegistry& registry) : registry_(registry), lock_(registry.mutex_) {}
  bool watched(TableId table) const { return registry_.users_[static_cast<size_t>(table)] != 0; }
  bool watched(TableId table, uint8_t index) const;
  void touch(TableId table, uint8_t index, std::string_view bytes);
  void reached(uint64_t index);
  void everything();
  // Counts readers, not those that wait for an index, as `state.watch.woken`.
  void post();

 private:
  void fire(Waiter& waiter);
  WatchRegistry& registry_;
  std::unique_lock<std::mutex> lock_;
  std::vector<WaiterRef> fired_;
};

}  // namespace drover::state
