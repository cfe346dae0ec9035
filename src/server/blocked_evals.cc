#include "server/blocked_evals.h"

#include <algorithm>

#include "model/status.h"

namespace drover::server {
namespace {
constexpr Duration kFailedWait = 1s, kFailedWaitMax = 60s;  // the reference waits up to a minute for each

uint64_t latest_index(const Evaluation& e) { return std::max(e.CreateIndex, e.SnapshotIndex); }
bool is_system(const Evaluation& e) { return e.Type == "system" && !e.NodeID.nil(); }
}  // namespace

void BlockedEvals::set_enabled(bool on) {
  enabled_ = on;
  if (on) return;
  captured_.clear();
  escaped_.clear();
  system_by_node_.clear();
  by_job_.clear();
  duplicates_.clear();
  unblock_indexes_.clear();
  out_of_attempts_.clear();
}

bool BlockedEvals::missed_unblock(const Evaluation& e) const {
  uint64_t newest = 0;
  for (auto& [key, index] : unblock_indexes_) {
    newest = std::max(newest, index);
    if (!e.QuotaLimitReached.empty()) {
      if (key == e.QuotaLimitReached && e.SnapshotIndex < index) return true;
      continue;
    }
    auto* eligible = e.ClassEligibility.find(key);
    if ((!eligible || *eligible) && e.SnapshotIndex < index) return true;
  }
  return e.EscapedComputedClass && e.SnapshotIndex < newest;
}

// Keeps one evaluation a job. Returns false when the one that is here already is newer.
bool BlockedEvals::replace_duplicate(const Ref<Evaluation>& eval) {
  auto it = by_job_.find({eval->Namespace, eval->JobID});
  if (it == by_job_.end() || it->second == eval->ID) return true;
  auto& home = captured_.contains(it->second) ? captured_ : escaped_;
  auto found = home.find(it->second);
  if (found == home.end()) return true;
  auto existing = found->second.eval;
  if (latest_index(*eval) < latest_index(*existing)) {
    duplicates_.push_back(eval);
    return false;
  }
  forget(*existing);
  duplicates_.push_back(std::move(existing));
  return true;
}

void BlockedEvals::forget(const Evaluation& e) {
  JobKey key{e.Namespace, e.JobID};
  captured_.erase(e.ID);
  escaped_.erase(e.ID);
  if (auto it = by_job_.find(key); it != by_job_.end() && it->second == e.ID) by_job_.erase(it);
  if (auto node = system_by_node_.find(e.NodeID); node != system_by_node_.end()) {
    if (auto it = node->second.find(key); it != node->second.end() && it->second == e.ID) node->second.erase(it);
    if (node->second.empty()) system_by_node_.erase(node);
  }
}

std::vector<Unblocked> BlockedEvals::block(Ref<Evaluation> eval, std::optional<Uuid> token) {
  if (!enabled_) return {};
  // System evaluations are one per node, so another node's does not supersede this one.
  if (is_system(*eval)) {
    if (auto node = system_by_node_.find(eval->NodeID); node != system_by_node_.end())
      if (auto it = node->second.find({eval->Namespace, eval->JobID}); it != node->second.end() && it->second != eval->ID) {
        auto& home = captured_.contains(it->second) ? captured_ : escaped_;
        if (auto found = home.find(it->second); found != home.end()) {
          auto old = found->second.eval;
          forget(*old);
          duplicates_.push_back(std::move(old));
        }
      }
  } else if (!replace_duplicate(eval)) {
    return {};
  }
  if (missed_unblock(*eval)) return {{std::move(eval), token}};
  JobKey key{eval->Namespace, eval->JobID};
  if (is_system(*eval)) system_by_node_[eval->NodeID][key] = eval->ID;
  else by_job_[key] = eval->ID;
  auto& home = eval->EscapedComputedClass ? escaped_ : captured_;
  auto id = eval->ID;
  home[id] = {std::move(eval), token};
  return {};
}

std::vector<Unblocked> BlockedEvals::release(const std::vector<Uuid>& ids) {
  std::vector<Unblocked> out;
  for (auto& id : ids) {
    auto& home = captured_.contains(id) ? captured_ : escaped_;
    auto it = home.find(id);
    if (it == home.end()) continue;
    Unblocked u{it->second.eval, it->second.token};
    forget(*u.eval);
    out.push_back(std::move(u));
  }
  return out;
}

std::vector<Unblocked> BlockedEvals::unblock(const std::string& computed_class, uint64_t index) {
  if (!enabled_) return {};
  auto& last = unblock_indexes_[computed_class];
  last = std::max(last, index);
  std::vector<Uuid> ids;
  for (auto& [id, e] : escaped_) ids.push_back(id);
  for (auto& [id, e] : captured_) {
    if (!e.eval->QuotaLimitReached.empty()) continue;
    auto* eligible = e.eval->ClassEligibility.find(computed_class);
    if (eligible && !*eligible) continue;
    ids.push_back(id);
  }
  return release(ids);
}

std::vector<Unblocked> BlockedEvals::unblock_quota(const std::string& quota, uint64_t index) {
  if (!enabled_ || quota.empty()) return {};
  auto& last = unblock_indexes_[quota];
  last = std::max(last, index);
  std::vector<Uuid> ids;
  for (auto& [id, e] : captured_)
    if (e.eval->QuotaLimitReached == quota) ids.push_back(id);
  return release(ids);
}

std::vector<Unblocked> BlockedEvals::unblock_node(const Uuid& node_id) {
  std::vector<Uuid> ids;
  if (auto it = system_by_node_.find(node_id); it != system_by_node_.end())
    for (auto& [key, id] : it->second) ids.push_back(id);
  return release(ids);
}

std::vector<Unblocked> BlockedEvals::unblock_failed(Monotonic now) {
  std::erase_if(out_of_attempts_, [&](auto& p) { return now - p.second.due > kFailedWaitMax; });
  std::vector<Uuid> ids;
  for (auto* home : {&captured_, &escaped_})
    for (auto& [id, e] : *home) {
      if (e.eval->TriggeredBy != eval_trigger::kMaxPlans) continue;
      auto [it, first] = out_of_attempts_.try_emplace({e.eval->Namespace, e.eval->JobID});
      auto& patience = it->second;
      if (!first && now < patience.due) continue;
      patience.wait = std::clamp(patience.wait * 2, kFailedWait, kFailedWaitMax);
      patience.due = now + patience.wait;
      ids.push_back(id);
    }
  return release(ids);
}

void BlockedEvals::untrack(const std::string& ns, const std::string& job_id) {
  JobKey key{ns, job_id};
  std::vector<Uuid> ids;
  if (auto it = by_job_.find(key); it != by_job_.end()) ids.push_back(it->second);
  for (auto& [node, jobs] : system_by_node_)
    if (auto it = jobs.find(key); it != jobs.end()) ids.push_back(it->second);
  release(ids);
}

std::vector<Ref<Evaluation>> BlockedEvals::take_duplicates() { return std::exchange(duplicates_, {}); }

void BlockedEvals::prune(uint64_t index) {
  std::erase_if(unblock_indexes_, [&](auto& e) { return e.second < index; });
}

namespace {

void add_wanted(BlockedStats& s, const Evaluation& eval) {
  for (auto& [group, metric] : eval.FailedTGAllocs) {
    BlockedStats::Wanted wanted;
    for (auto& [task, r] : metric.ResourcesExhausted) {
      wanted.cpu += r.CPU;
      wanted.memory_mb += r.MemoryMB;
    }
    auto add = [&](BlockedStats::Wanted& to) {
      to.cpu += wanted.cpu;
      to.memory_mb += wanted.memory_mb;
    };
    add(s.by_job[{eval.Namespace, eval.JobID}]);
    for (auto& [datacenter, nodes] : metric.NodesAvailable) {
      if (metric.ClassExhausted.empty()) add(s.by_class[{datacenter, ""}]);
      for (auto& [name, count] : metric.ClassExhausted) add(s.by_class[{datacenter, name}]);
    }
  }
}

}  // namespace

BlockedStats BlockedEvals::stats() const {
  BlockedStats s;
  s.total_escaped = escaped_.size();
  s.total_blocked = captured_.size() + escaped_.size();
  for (auto& [id, e] : captured_) s.total_quota_limit += !e.eval->QuotaLimitReached.empty();
  for (auto* home : {&captured_, &escaped_})
    for (auto& [id, e] : *home) add_wanted(s, *e.eval);
  return s;
}

}  // namespace drover::server
