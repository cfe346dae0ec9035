#include "scheduler/system_diff.h"

#include <algorithm>
#include <map>

#include "model/reschedule.h"
#include "model/status.h"
#include "scheduler/name_index.h"
#include "scheduler/texts.h"

namespace drover::scheduler {
namespace {

class Differ {
 public:
  explicit Differ(const SystemDiffInput& in) : in_(in) {
    if (!in.stopped)
      for (auto& group : in.job->TaskGroups)
        for (int64_t i = 0; i < group.Count; ++i)
          required_.emplace_back(alloc_name(in.job->Name, group.Name, static_cast<uint64_t>(i)), &group);
    for (auto& r : required_) by_name_[r.first] = r.second;
    for (auto& a : in.live) live_[a->NodeID].push_back(a);
    for (auto& a : in.terminal) {
      auto& slot = terminal_[{a->NodeID, a->Name.str()}];
      if (!slot || slot->CreateIndex < a->CreateIndex) slot = a;
    }
  }

  SystemDiff run() {
    for (auto& [node, allocs] : live_)
      for (auto& a : allocs) judge(a);
    for (auto& node : in_.nodes) place_missing(node);
    // Nodes that have allocations but take no new ones still decide what becomes of finished sysbatch work.
    for (auto& [node, allocs] : live_)
      if (!in_.eligible.contains(node)) place_missing(node);
    return std::move(diff_);
  }

 private:
  bool is_sysbatch(const Allocation& a) const {
    return a.Job ? a.Job->Type == job_type::kSysbatch : in_.job && in_.job->Type == job_type::kSysbatch;
  }

  void judge(const Ref<Allocation>& a) {
    auto it = by_name_.find(a->Name.view());
    SystemChange change{a->Name.str(), it == by_name_.end() ? nullptr : it->second, a};
    list_for(*a, change).push_back(std::move(change));
  }

  std::vector<SystemChange>& list_for(const Allocation& a, SystemChange& change) {
    if (!change.group) return diff_.stop;
    if (!is_terminal(a) && wants_migrate(a)) return diff_.migrate;
    if (is_sysbatch(a) && is_terminal(a)) return diff_.ignore;
    auto it = in_.tainted.find(a.NodeID);
    bool tainted = it != in_.tainted.end();
    auto* node = tainted ? it->second.get() : nullptr;
    bool supports = in_.supports_disconnected_clients && max_client_disconnect(a).has_value();
    bool unknown = a.ClientStatus == alloc_client::kUnknown, running = a.ClientStatus == alloc_client::kRunning;
    bool reconnect = supports && (unknown || running) && needs_to_reconnect(a);
    if (reconnect && is_expired(a, in_.now)) return diff_.lost;
    if (supports && unknown && a.DesiredStatus == alloc_desired::kRun && tainted) return diff_.ignore;
    if (!tainted && reconnect) {
      change.alloc = with_status(a, a.ClientStatus);
      return diff_.reconnecting;
    }
    if (tainted) return tainted_list(a, node, supports && running, change);
    if (in_.not_ready.contains(a.NodeID)) return diff_.ignore;
    if (!in_.eligible.contains(a.NodeID)) return diff_.stop;
    bool newer = !a.Job || in_.job->JobModifyIndex != a.Job->JobModifyIndex;
    return newer ? diff_.update : diff_.ignore;
  }

  std::vector<SystemChange>& tainted_list(const Allocation& a, const Node* node, bool may_wait, SystemChange& change) {
    if (is_sysbatch(a) && ran_successfully(a)) return diff_.ignore;
    if (node && node->Status == node_status::kDisconnected && may_wait) {
      auto lost_sight = with_status(a, alloc_client::kUnknown);
      lost_sight->ClientStatus = alloc_client::kUnknown;
      lost_sight->ClientDescription = text::kUnknown;
      change.alloc = std::move(lost_sight);
      return diff_.disconnecting;
    }
    return !is_terminal(a) && (!node || is_down(*node)) ? diff_.lost : diff_.ignore;
  }

  std::shared_ptr<Allocation> with_status(const Allocation& a, const SharedString& status) const {
    auto copy = std::make_shared<Allocation>(a);
    copy->AllocStates.push_back({kAllocStateClientStatus, status, in_.now});
    return copy;
  }

  void place_missing(const Uuid& node) {
    std::vector<std::string_view> present;
    if (auto it = live_.find(node); it != live_.end())
      for (auto& a : it->second) present.push_back(a->Name);
    for (auto& [name, group] : required_) {
      if (std::find(present.begin(), present.end(), name) != present.end()) continue;
      auto it = terminal_.find({node, name});
      auto previous = it == terminal_.end() ? nullptr : it->second;
      if (previous && in_.job->Type == job_type::kSysbatch) {
        bool newer = !previous->Job || in_.job->JobModifyIndex != previous->Job->JobModifyIndex;
        (newer ? diff_.update : diff_.ignore).push_back({name, group, previous});
        continue;
      }
      if (in_.tainted.contains(node) || !in_.eligible.contains(node)) continue;
      diff_.place.push_back({name, group, node, std::move(previous)});
    }
  }

  const SystemDiffInput& in_;
  std::vector<std::pair<std::string, const TaskGroup*>> required_;
  std::map<std::string, const TaskGroup*, std::less<>> by_name_;
  std::map<Uuid, Allocs> live_;
  std::map<std::pair<Uuid, std::string>, Ref<Allocation>> terminal_;
  SystemDiff diff_;
};

}  // namespace

SystemDiff diff_system(const SystemDiffInput& input) { return Differ(input).run(); }

}  // namespace drover::scheduler
