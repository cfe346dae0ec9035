#include "server/heartbeats.h"

#include <algorithm>

namespace drover::server {
namespace {

constexpr Duration kStoodStill = 2s;

}  // namespace

void Heartbeats::set(const Uuid& node, Monotonic at) {
  forget(node);
  deadlines_[node] = at;
  order_.emplace(at, node);
}

Duration Heartbeats::reset(const Uuid& node, Monotonic now) {
  size_t nodes = deadlines_.size() + !deadlines_.contains(node);
  Duration by_rate(static_cast<int64_t>(static_cast<double>(nodes) / options_.max_per_second * 1e9));
  Duration ttl = std::max(options_.min_ttl, by_rate);
  ttl += random_.jitter(ttl);
  set(node, now + ttl + options_.grace);
  return ttl;
}

void Heartbeats::give_failover_ttl(const Uuid& node, Monotonic now) { set(node, now + options_.failover_ttl); }

void Heartbeats::forget(const Uuid& node) {
  auto it = deadlines_.find(node);
  if (it == deadlines_.end()) return;
  auto [from, to] = order_.equal_range(it->second);
  order_.erase(std::find_if(from, to, [&](auto& e) { return e.second == node; }));
  deadlines_.erase(it);
}

void Heartbeats::clear() {
  deadlines_.clear();
  order_.clear();
}

Duration Heartbeats::awake(Monotonic now) {
  auto gap = awake_ ? now - *awake_ : Duration::zero();
  awake_ = now;
  if (gap < kStoodStill) return Duration::zero();
  std::multimap<Monotonic, Uuid> later;
  for (auto& [at, node] : order_) later.emplace(at + gap, node);
  for (auto& [node, at] : deadlines_) at += gap;
  order_ = std::move(later);
  return gap;
}

std::vector<Uuid> Heartbeats::take_expired(Monotonic now) {
  std::vector<Uuid> out;
  while (!order_.empty() && order_.begin()->first <= now) {
    out.push_back(order_.begin()->second);
    forget(out.back());
  }
  return out;
}

std::optional<Monotonic> Heartbeats::next_deadline() const {
  if (order_.empty()) return {};
  return order_.begin()->first;
}

}  // namespace drover::server
