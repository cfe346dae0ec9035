#include "client/update_sync.h"

#include <algorithm>

#include "model/status.h"

namespace drover::client {

UpdatePriority update_priority(const Allocation& update, const Allocation* acknowledged) {
  if (!acknowledged)
    return update.ClientStatus == alloc_client::kPending ? UpdatePriority::kTypical : UpdatePriority::kUrgent;
  auto& a = *acknowledged;
  if (update.ClientStatus != a.ClientStatus) return UpdatePriority::kUrgent;
  bool same = update.ClientDescription == a.ClientDescription && update.DeploymentStatus == a.DeploymentStatus &&
              update.NetworkStatus == a.NetworkStatus && update.TaskStates == a.TaskStates;
  return same ? UpdatePriority::kNone : UpdatePriority::kTypical;
}

Allocation stripped_update(const Allocation& alloc) {
  Allocation out;
  out.ID = alloc.ID;
  out.NodeID = alloc.NodeID;
  out.TaskStates = alloc.TaskStates;
  out.ClientStatus = alloc.ClientStatus;
  out.ClientDescription = alloc.ClientDescription;
  out.DeploymentStatus = alloc.DeploymentStatus;
  out.NetworkStatus = alloc.NetworkStatus;
  return out;
}

void UpdateSync::set_cluster_size(int64_t nodes) {
  urgent_interval_ = std::clamp(kUrgentPerNode * nodes, kUrgentLeast, kUrgentInterval);
}

void UpdateSync::put(Allocation update, Monotonic now, bool patient) {
  auto id = update.ID;
  auto [it, added] = pending_.try_emplace(id);
  it->second.update = std::move(update);
  it->second.patient = patient;
  if (added) it->second.since = now;
}

std::optional<Monotonic> UpdateSync::next_due(const Acknowledged& acknowledged) {
  if (!contacted_ || in_flight_) return std::nullopt;
  std::optional<Monotonic> due;
  for (auto it = pending_.begin(); it != pending_.end();) {
    auto priority = update_priority(it->second.update, acknowledged(it->first));
    if (priority == UpdatePriority::kNone) {
      it = pending_.erase(it);
      continue;
    }
    bool at_once = priority == UpdatePriority::kUrgent && !it->second.patient;
    auto at = at_once ? it->second.since : it->second.since + kUrgentInterval;
    if (last_sent_) at = std::max(at, *last_sent_ + (priority == UpdatePriority::kUrgent ? urgent_interval_ : kTypicalInterval));
    if (retry_at_) at = std::max(at, *retry_at_);
    if (!due || at < *due) due = at;
    ++it;
  }
  return due;
}

std::vector<Allocation> UpdateSync::take(Monotonic now) {
  std::vector<Allocation> out;
  for (auto& [id, p] : pending_) out.push_back(p.update);
  sent_ = std::move(pending_);
  pending_.clear();
  in_flight_ = true;
  last_sent_ = now;
  return out;
}

void UpdateSync::done(bool ok, Monotonic now, uint64_t random) {
  in_flight_ = false;
  retry_at_.reset();
  if (!ok) {
    for (auto& [id, p] : sent_) pending_.try_emplace(id, std::move(p));
    auto base = dev_mode_ ? kDevRetry : kRetry;
    retry_at_ = now + base + (dev_mode_ ? Duration{} : Duration(static_cast<int64_t>(random % static_cast<uint64_t>(base.count()))));
  }
  sent_.clear();
}

}  // namespace drover::client
