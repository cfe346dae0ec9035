#include "server/event_broker.h"

#include <algorithm>

#include "base/metrics.h"

namespace drover::server {
namespace {

Error closed() { return internal("subscription closed by server, client should resubscribe"); }
Error dropped() { return internal("event dropped from buffer"); }

}  // namespace

void EventBroker::commit(const state::RawCommit& commit) {
  if (commit.replaced) {
    close_all();
    first_ += batches_.size();
    batches_.clear();
    return;
  }
  auto type = event_type(commit.entry_type);
  if (type.empty()) return;
  size_t part = 0;
  bool silent = false;
  BatchRef batch;
  for (size_t i = 0; i < commit.changes.size(); ++i) {
    for (; part < commit.parts.size() && commit.parts[part].begin <= i; ++part) {
      if (batch) append(std::move(batch));
      batch = nullptr;
      silent = commit.parts[part].silent;
    }
    auto& change = commit.changes[i];
    auto* topic = silent ? nullptr : event_topic(change);
    if (!topic) continue;
    if (!batch) batch = std::make_shared<EventBatch>(commit.index, type);
    batch->add({topic, change.after ? change.after : change.before});
  }
  if (batch) append(std::move(batch));
}

void EventBroker::append(BatchRef batch) {
  batches_.push_back(std::move(batch));
  if (batches_.size() > size_ + 1) {
    batches_.pop_front();
    ++first_;
  }
  if (subscriptions_.empty() || std::exchange(waking_, true)) return;
  loop_.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.lock()) wake();
  });
}

void EventBroker::wake() {
  waking_ = false;
  // Whoever is resumed may subscribe or leave.
  std::vector<Promise<std::monostate>> waiters;
  for (auto* s : subscriptions_) waiters.push_back(s->news_);
  for (auto& w : waiters) w.set({});
}

void EventBroker::close_all() {
  std::vector<Promise<std::monostate>> waiters;
  for (auto* s : subscriptions_) {
    s->broker_ = nullptr;
    waiters.push_back(s->news_);
  }
  subscriptions_.clear();
  for (auto& w : waiters) w.set_from_any_thread(loop_, {});
}

std::unique_ptr<EventBroker::Subscription> EventBroker::subscribe(uint64_t index) {
  size_t at = 0;
  if (index != 0 && !batches_.empty()) {
    auto found = std::find_if(batches_.begin(), batches_.end(), [&](auto& b) { return b->index() >= index; });
    if (found == batches_.end()) --found;
    at = static_cast<size_t>(found - batches_.begin());
    auto there = (*found)->index();
    if (there != index)
      metric_gauge("nomad.event_broker.subscription.request_offset", static_cast<double>(there > index ? there - index : index - there));
  }
  std::unique_ptr<Subscription> sub(new Subscription(*this, first_ + at));
  sub->place_ = subscriptions_.insert(subscriptions_.end(), sub.get());
  return sub;
}

EventBroker::Subscription::~Subscription() {
  if (broker_) broker_->subscriptions_.erase(place_);
}

Async<Result<EventBroker::BatchRef>> EventBroker::Subscription::next() {
  for (;;) {
    if (!broker_) co_return closed();
    // What was read last must still be there: the reference finds the next one by it.
    if (begun_ ? next_ <= broker_->first_ : next_ < broker_->first_) co_return dropped();
    if (next_ < broker_->first_ + broker_->batches_.size()) {
      auto batch = broker_->batches_[next_ - broker_->first_];
      ++next_;
      begun_ = true;
      batch->settle();
      co_return batch;
    }
    news_ = {};
    auto news = news_;
    co_await news;
  }
}

}  // namespace drover::server
