#include "server/eval_broker.h"

#include <algorithm>

namespace drover::server {

bool EvalBroker::ReadyOrder::operator()(const Ref<Evaluation>& a, const Ref<Evaluation>& b) const {
  if (a->JobID != b->JobID && a->Priority != b->Priority) return a->Priority > b->Priority;
  if (a->CreateIndex != b->CreateIndex) return a->CreateIndex < b->CreateIndex;
  return a->ID < b->ID;
}

bool EvalBroker::PendingOrder::operator()(const Ref<Evaluation>& a, const Ref<Evaluation>& b) const {
  if (a->Priority != b->Priority) return a->Priority > b->Priority;
  if (a->ModifyIndex != b->ModifyIndex) return a->ModifyIndex > b->ModifyIndex;
  return a->ID < b->ID;
}

EvalBroker::EvalBroker(Random& random, BrokerOptions options) : random_(random), options_(options) {}

void EvalBroker::set_enabled(bool on) {
  enabled_ = on;
  if (on) return;
  deliveries_.clear();
  current_.clear();
  pending_.clear();
  ready_.clear();
  unacked_.clear();
  requeue_.clear();
  waiting_.clear();
  delayed_.clear();
  cancelable_.clear();
}

void EvalBroker::enqueue(Ref<Evaluation> eval, Now now, std::optional<Uuid> token) {
  if (!enabled_) return;
  if (deliveries_.contains(eval->ID)) {
    if (!token) return;
    auto it = unacked_.find(eval->ID);
    if (it != unacked_.end() && it->second.token == *token) requeue_[*token] = std::move(eval);
    return;
  }
  deliveries_[eval->ID] = 0;
  process(std::move(eval), now);
}

void EvalBroker::process(Ref<Evaluation> eval, Now now) {
  if (auto wait = eval->Wait; wait > Duration::zero()) return wait_until(std::move(eval), now.mono + wait);
  if (!eval->WaitUntil.unset() && eval->WaitUntil > now.wall) {
    auto at = eval->WaitUntil;
    delayed_.emplace(at, std::move(eval));
    return;
  }
  auto queue = eval->Type;
  make_ready(std::move(eval), queue);
}

void EvalBroker::wait_until(Ref<Evaluation> eval, Monotonic at) { waiting_.emplace(at, std::move(eval)); }

void EvalBroker::make_ready(Ref<Evaluation> eval, const std::string& queue) {
  // Evaluations without a job (garbage collection) do not exclude each other.
  if (!eval->JobID.empty()) {
    auto [it, claimed] = current_.try_emplace(job_key(*eval), eval->ID);
    if (!claimed && it->second != eval->ID) {
      pending_[job_key(*eval)].insert(std::move(eval));
      return;
    }
  }
  ready_[queue].insert(std::move(eval));
}

bool EvalBroker::has_ready(const std::vector<std::string>& types) const {
  return std::any_of(types.begin(), types.end(), [&](auto& t) {
    auto it = ready_.find(t);
    return it != ready_.end() && !it->second.empty();
  });
}

std::optional<EvalBroker::Delivery> EvalBroker::dequeue(const std::vector<std::string>& types, Now now) {
  if (!enabled_) return {};
  std::vector<const std::string*> best;
  int64_t priority = 0;
  for (auto& type : types) {
    auto it = ready_.find(type);
    if (it == ready_.end() || it->second.empty()) continue;
    int64_t p = (*it->second.begin())->Priority;
    if (best.empty() || p > priority) {
      best = {&type};
      priority = p;
    } else if (p == priority) {
      best.push_back(&type);
    }
  }
  if (best.empty()) return {};
  const std::string& queue = *best[best.size() == 1 ? 0 : random_.below(best.size())];
  auto& heap = ready_[queue];
  auto eval = *heap.begin();
  heap.erase(heap.begin());
  Unacked u{eval, queue, Uuid::generate(random_), now.mono + options_.nack_timeout};
  auto token = u.token;
  ++deliveries_[eval->ID];
  unacked_[eval->ID] = std::move(u);
  return Delivery{std::move(eval), token};
}

std::optional<Uuid> EvalBroker::outstanding(const Uuid& eval_id) const {
  auto it = unacked_.find(eval_id);
  if (it == unacked_.end()) return {};
  return it->second.token;
}

Result<EvalBroker::Unacked*> EvalBroker::find_unacked(const Uuid& eval_id, const Uuid& token) {
  auto it = unacked_.find(eval_id);
  if (it == unacked_.end()) return not_found("evaluation is not outstanding");
  if (it->second.token != token) return invalid("evaluation token does not match");
  return &it->second;
}

Status EvalBroker::ack(const Uuid& eval_id, const Uuid& token, Now now) {
  auto it = unacked_.find(eval_id);
  if (it == unacked_.end()) return not_found("Evaluation ID not found");
  if (it->second.token != token) return invalid("Token does not match for Evaluation ID");
  auto eval = it->second.eval;
  unacked_.erase(it);
  deliveries_.erase(eval_id);
  auto key = job_key(*eval);
  if (auto cur = current_.find(key); cur != current_.end() && cur->second == eval_id) current_.erase(cur);
  if (auto p = pending_.find(key); p != pending_.end()) {
    // Only the newest of what piled up is worth running; it sees everything that the others would have seen.
    auto next = *p->second.begin();
    p->second.erase(p->second.begin());
    for (auto& old : p->second) {
      deliveries_.erase(old->ID);
      cancelable_.push_back(old);
    }
    pending_.erase(p);
    auto queue = next->Type;
    make_ready(std::move(next), queue);
  }
  if (auto again = requeue_.find(token); again != requeue_.end()) {
    auto e = std::move(again->second);
    requeue_.erase(again);
    enqueue(std::move(e), now);
  }
  return {};
}

Status EvalBroker::nack(const Uuid& eval_id, const Uuid& token, Now now) {
  auto it = unacked_.find(eval_id);
  if (it == unacked_.end()) return not_found("Evaluation ID not found");
  if (it->second.token != token) return invalid("Token does not match for Evaluation ID");
  fail_delivery(eval_id, now);
  return {};
}

void EvalBroker::fail_delivery(const Uuid& eval_id, Now now) {
  auto it = unacked_.find(eval_id);
  auto eval = it->second.eval;
  requeue_.erase(it->second.token);
  unacked_.erase(it);
  int count = deliveries_[eval_id];
  if (count >= options_.delivery_limit) return make_ready(std::move(eval), std::string(kFailedQueue));
  Duration delay = count <= 0   ? Duration::zero()
                   : count == 1 ? options_.initial_nack_delay
                                : options_.subsequent_nack_delay * (count - 1);
  if (delay == Duration::zero()) {
    auto queue = eval->Type;
    return make_ready(std::move(eval), queue);
  }
  wait_until(std::move(eval), now.mono + delay);
}

Status EvalBroker::outstanding_reset(const Uuid& eval_id, const Uuid& token, Now now) {
  DROVER_TRY(auto* u, find_unacked(eval_id, token));
  u->nack_at = now.mono + options_.nack_timeout;
  return {};
}

Status EvalBroker::pause_nack_timeout(const Uuid& eval_id, const Uuid& token) {
  DROVER_TRY(auto* u, find_unacked(eval_id, token));
  u->nack_at.reset();
  return {};
}

Status EvalBroker::resume_nack_timeout(const Uuid& eval_id, const Uuid& token, Now now) {
  return outstanding_reset(eval_id, token, now);
}

bool EvalBroker::tick(Now now) {
  std::vector<Uuid> overdue;
  for (auto& [id, u] : unacked_)
    if (u.nack_at && *u.nack_at <= now.mono) overdue.push_back(id);
  std::sort(overdue.begin(), overdue.end());
  for (auto& id : overdue) fail_delivery(id, now);
  bool any = !overdue.empty();
  while (!waiting_.empty() && waiting_.begin()->first <= now.mono) {
    auto eval = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    auto queue = eval->Type;
    make_ready(std::move(eval), queue);
    any = true;
  }
  while (!delayed_.empty() && delayed_.begin()->first <= now.wall) {
    auto eval = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    auto queue = eval->Type;
    make_ready(std::move(eval), queue);
    any = true;
  }
  return any;
}

std::optional<Monotonic> EvalBroker::next_wake(Now now) const {
  std::optional<Monotonic> at;
  auto earlier = [&](Monotonic t) {
    if (!at || t < *at) at = t;
  };
  for (auto& [id, u] : unacked_)
    if (u.nack_at) earlier(*u.nack_at);
  if (!waiting_.empty()) earlier(waiting_.begin()->first);
  if (!delayed_.empty()) earlier(now.mono + std::max(Duration::zero(), delayed_.begin()->first - now.wall));
  return at;
}

std::vector<Ref<Evaluation>> EvalBroker::take_cancelable(size_t limit) {
  size_t n = std::min(limit, cancelable_.size());
  std::vector<Ref<Evaluation>> taken(cancelable_.begin(), cancelable_.begin() + static_cast<std::ptrdiff_t>(n));
  cancelable_.erase(cancelable_.begin(), cancelable_.begin() + static_cast<std::ptrdiff_t>(n));
  return taken;
}

BrokerStats EvalBroker::stats() const {
  BrokerStats s;
  for (auto& [type, heap] : ready_) {
    s.ready += heap.size();
    s.by_type[type].ready += heap.size();
  }
  for (auto& [id, u] : unacked_) {
    ++s.unacked;
    ++s.by_type[u.queue].unacked;
  }
  for (auto& [key, heap] : pending_) s.pending += heap.size();
  s.waiting = waiting_.size() + delayed_.size();
  s.cancelable = cancelable_.size();
  return s;
}

}  // namespace drover::server
