// The last transactions as events, and those who read them as they come (reference server-workflows section 12).
//
//   broker.commit(raw)                      // the store's tap: notes rows, encodes nothing
//   auto sub = broker.subscribe(index);
//   while (auto batch = co_await sub->next()) ... (*batch)->select(filter)
//
// On the loop. A subscriber holds nothing back: one that falls out of the buffer gets "event dropped from buffer".
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <variant>

#include "base/async.h"
#include "base/result.h"
#include "server/event_batch.h"

namespace drover::server {

class EventBroker {
 public:
  using BatchRef = std::shared_ptr<EventBatch>;

  class Subscription {
   public:
    ~Subscription();
    // The next batch, waited for. Errors: "event dropped from buffer"; "subscription closed by server, client should
    // resubscribe" once the state has been replaced or the server stops. One waiter.
    Async<Result<BatchRef>> next();

   private:
    friend class EventBroker;
    Subscription(EventBroker& broker, uint64_t next) : broker_(&broker), next_(next) {}
    EventBroker* broker_;  // null: closed
    uint64_t next_;        // place in the order of batches
    bool begun_ = false;
    Promise<std::monostate> news_;
    std::list<Subscription*>::iterator place_;
  };

  // Keeps `size` batches and, as the reference does, one more.
  EventBroker(Loop& loop, int64_t size) : loop_(loop), size_(static_cast<size_t>(size > 0 ? size : 100)) {}
  ~EventBroker() { close_all(); }

  void commit(const state::RawCommit& commit);
  // From the first batch with at least `index` (the newest where there is none); 0: from the oldest.
  std::unique_ptr<Subscription> subscribe(uint64_t index);
  size_t size() const { return batches_.size(); }
  size_t subscriptions() const { return subscriptions_.size(); }

 private:
  void append(BatchRef batch);
  void wake();
  void close_all();

  Loop& loop_;
  size_t size_;
  std::deque<BatchRef> batches_;
  uint64_t first_ = 1;  // place of the front
  std::list<Subscription*> subscriptions_;
  bool waking_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace drover::server
