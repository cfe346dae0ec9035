#include "server/drain_rules.h"

#include <algorithm>
#include <map>

#include "model/status.h"

namespace drover::server {
namespace {

constexpr Duration kDeadlineWindow = 5s;

bool is_plugin(const Job& job) {
  for (auto& group : job.TaskGroups)
    for (auto& task : group.Tasks)
      if (task.CSIPluginConfig) return true;
  return false;
}

// Stopped only when everything else has left the node.
bool goes_last(const Allocation& a) { return a.Job && (a.Job->Type == job_type::kSystem || is_plugin(*a.Job)); }
bool told(const Allocation& a) { return a.DesiredTransition.Migrate.value_or(false); }

std::optional<Time> deadline_of(const DrainStrategy& s, Time now) {
  if (s.Deadline < Duration::zero()) return now;
  if (s.Deadline == Duration::zero()) return {};
  return s.ForceDeadline;
}

class Pass {
 public:
  Pass(const state::Snapshot& snap, const std::set<Uuid>& nodes, Time now) : snap_(snap), nodes_(nodes), now_(now) {}

  DrainPass run() {
    for (auto& id : nodes_) look_at_node(id);
    for (auto& key : out_.jobs) look_at_job(key);
    set_wake();
    return std::move(out_);
  }

 private:
  void look_at_node(const Uuid& id) {
    auto node = snap_.nodes().get(id);
    if (!node || !node->DrainStrategy) return;
    auto& strategy = *node->DrainStrategy;
    auto deadline = deadline_of(strategy, now_);
    bool expired = deadline && *deadline <= now_, empty = true;
    std::vector<Ref<Allocation>> remaining;
    for (auto& a : snap_.allocs().by_node(id)) {
      bool last = goes_last(*a);
      if (!last && !is_client_terminal(*a)) empty = false;
      if (is_terminal(*a)) continue;
      if (!last) out_.jobs.insert(job_key(*a));
      if (!(strategy.IgnoreSystemJobs && a->Job && a->Job->Type == job_type::kSystem)) remaining.push_back(a);
    }
    if (empty || expired) {
      for (auto& a : remaining) tell(a);
      out_.done.push_back({id, expired && !empty, strategy});
    } else if (deadline) {
      deadlines_.push_back(*deadline);
    }
  }

  void look_at_job(const JobKey& key) {
    auto job = snap_.jobs().get(key.first, key.second);
    if (!job || (job->Type != job_type::kService && job->Type != job_type::kSysbatch)) return;
    std::map<std::string_view, std::vector<Ref<Allocation>>> by_group;
    for (auto& a : snap_.allocs().by_job(key.first, key.second)) by_group[a->TaskGroup.view()].push_back(a);
    for (auto& group : job->TaskGroups)
      if (group.Migrate) look_at_group(group, by_group[group.Name]);
  }

  void look_at_group(const TaskGroup& group, const std::vector<Ref<Allocation>>& allocs) {
    // One that is told counts as gone already, although it still runs: until its successor is healthy the group has
    // given up what it may.
    int64_t healthy = 0;
    std::vector<Ref<Allocation>> drainable;
    for (auto& a : allocs) {
      if (told(*a)) continue;
      if (!is_terminal(*a) && a->DeploymentStatus && a->DeploymentStatus->Healthy) ++healthy;
      if (nodes_.contains(a->NodeID) && !is_client_terminal(*a)) drainable.push_back(a);
    }
    auto room = healthy - (group.Count - group.Migrate->MaxParallel);
    for (auto& a : drainable) {
      if (room-- <= 0) break;
      tell(a);
    }
  }

  void tell(const Ref<Allocation>& a) {
    if (!told(*a) && told_.insert(a->ID).second) out_.migrate.push_back(a);
  }

  void set_wake() {
    if (deadlines_.empty()) return;
    std::sort(deadlines_.begin(), deadlines_.end());
    auto window = deadlines_.front() + kDeadlineWindow;
    out_.wake_at = *std::prev(std::upper_bound(deadlines_.begin(), deadlines_.end(), window));
  }

  const state::Snapshot& snap_;
  const std::set<Uuid>& nodes_;
  Time now_;
  std::set<Uuid> told_;
  std::vector<Time> deadlines_;
  DrainPass out_;
};

}  // namespace

DrainPass plan_drain(const state::Snapshot& snap, const std::set<Uuid>& nodes, Time now) { return Pass(snap, nodes, now).run(); }

}  // namespace drover::server
