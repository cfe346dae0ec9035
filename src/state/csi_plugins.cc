#include <algorithm>

#include "model/status.h"
#include "state/csi_ops.h"

namespace drover::state {
namespace {

constexpr std::string_view kController = "controller", kNode = "node", kMonolith = "monolith";

bool is_empty(const CSIPlugin& p) {
  return p.Controllers.empty() && p.Nodes.empty() && p.ControllerJobs.empty() && p.NodeJobs.empty();
}

int64_t healthy_of(const Map<CSIInfo>& infos) {
  return std::count_if(infos.begin(), infos.end(), [](auto& e) { return e.second.Healthy; });
}

int64_t expected_of(const Map<Map<JobDescription>>& jobs) {
  int64_t sum = 0;
  for (auto& [ns, by_id] : jobs)
    for (auto& [id, job] : by_id) sum += job.Expected;
  return sum;
}

// Stores a changed row, or drops it when nothing is left of it.
void keep_or_drop(Txn& txn, CSIPlugin p) {
  p.ControllersHealthy = healthy_of(p.Controllers);
  p.NodesHealthy = healthy_of(p.Nodes);
  p.ControllersExpected = expected_of(p.ControllerJobs);
  p.NodesExpected = expected_of(p.NodeJobs);
  if (is_empty(p)) {
    txn.csi_plugins().erase(p);
    return;
  }
  p.ModifyIndex = txn.index();
  txn.csi_plugins().upsert(std::move(p));
}

CSIPlugin plugin_or_new(Txn& txn, const std::string& id) {
  if (auto row = txn.csi_plugins()->get(id)) return *row;
  CSIPlugin p;
  p.ID = id;
  p.CreateIndex = txn.index();
  return p;
}

void take_fingerprint(CSIPlugin& p, const std::string& node, const CSIInfo& info) {
  p.Provider = info.Provider;
  p.Version = info.ProviderVersion;
  if (info.ControllerInfo) {
    p.ControllerRequired = info.RequiresControllerPlugin && (info.ControllerInfo->SupportsAttachDetach ||
                                                             info.ControllerInfo->SupportsReadOnlyAttach);
    p.Controllers[node] = info;
  }
  if (info.NodeInfo) p.Nodes[node] = info;
}

// fn(plugin task's config, group) for each plugin task of the job.
template <class Fn>
void each_plugin_task(const Job& job, Fn fn) {
  for (auto& group : job.TaskGroups)
    for (auto& task : group.Tasks)
      if (task.CSIPluginConfig && !task.CSIPluginConfig->ID.empty()) fn(*task.CSIPluginConfig, group);
}

int64_t expected_instances(Txn& txn, const Job& job, const TaskGroup& group) {
  if (job.Type != job_type::kSystem) return group.Count;
  auto summary = txn.job_summaries()->get(job.Namespace, job.ID);
  auto* counts = summary ? summary->Summary.find(group.Name) : nullptr;
  return counts ? counts->Running + counts->Starting + counts->Queued : 0;
}

void drop_job(Map<Map<JobDescription>>& jobs, const Job& job) {
  auto* by_id = jobs.find(job.Namespace);
  if (!by_id) return;
  by_id->erase(job.ID);
  if (by_id->empty()) jobs.erase(job.Namespace);
}

bool drop_alloc(Map<CSIInfo>& infos, const std::string& node, const std::string& alloc) {
  auto* info = infos.find(node);
  return info && info->AllocID == alloc && infos.erase(node);
}

}  // namespace

void update_csi_plugins_of_node(Txn& txn, const Node& node) {
  std::string id = node.ID.str();
  for (auto* infos : {&node.CSIControllerPlugins, &node.CSINodePlugins})
    for (auto& [name, info] : *infos) {
      bool known = txn.csi_plugins()->get(info.PluginID) != nullptr;
      if (!known && !info.Healthy) continue;
      auto p = plugin_or_new(txn, info.PluginID);
      auto before = p;
      take_fingerprint(p, id, info);
      if (!known || !(p == before)) keep_or_drop(txn, std::move(p));
    }
  // Plugins that this node reports no more.
  auto reports = [](const Map<CSIInfo>& infos, const std::string& plugin) {
    return std::any_of(infos.begin(), infos.end(), [&](auto& e) { return e.second.PluginID == plugin; });
  };
  for (auto& row : txn.csi_plugins()->all()) {
    bool stale_controller = row->Controllers.contains(id) && !reports(node.CSIControllerPlugins, row->ID);
    bool stale_node = row->Nodes.contains(id) && !reports(node.CSINodePlugins, row->ID);
    if (!stale_controller && !stale_node) continue;
    CSIPlugin p = *row;
    if (stale_controller) p.Controllers.erase(id);
    if (stale_node) p.Nodes.erase(id);
    keep_or_drop(txn, std::move(p));
  }
}

void remove_node_from_csi_plugins(Txn& txn, const Node& node) {
  std::string id = node.ID.str();
  for (auto& row : txn.csi_plugins()->all()) {
    if (!row->Controllers.contains(id) && !row->Nodes.contains(id)) continue;
    CSIPlugin p = *row;
    p.Controllers.erase(id);
    p.Nodes.erase(id);
    keep_or_drop(txn, std::move(p));
  }
}

void update_csi_plugins_of_job(Txn& txn, const Job& job) {
  each_plugin_task(job, [&](const TaskCSIPluginConfig& config, const TaskGroup& group) {
    auto p = plugin_or_new(txn, config.ID);
    JobDescription description{job.Namespace, job.ID, expected_instances(txn, job, group)};
    if (config.Type == kController || config.Type == kMonolith) p.ControllerJobs[job.Namespace][job.ID] = description;
    if (config.Type == kNode || config.Type == kMonolith) p.NodeJobs[job.Namespace][job.ID] = description;
    keep_or_drop(txn, std::move(p));
  });
}

void remove_job_from_csi_plugins(Txn& txn, const Job& job) {
  each_plugin_task(job, [&](const TaskCSIPluginConfig& config, const TaskGroup&) {
    auto row = txn.csi_plugins()->get(config.ID);
    if (!row) return;
    CSIPlugin p = *row;
    drop_job(p.ControllerJobs, job);
    drop_job(p.NodeJobs, job);
    keep_or_drop(txn, std::move(p));
  });
}

void remove_alloc_from_csi_plugins(Txn& txn, const Allocation& alloc) {
  auto* group = alloc.Job ? find_group(*alloc.Job, alloc.TaskGroup) : nullptr;
  if (!group) return;
  for (auto& task : group->Tasks) {
    if (!task.CSIPluginConfig) continue;
    auto row = txn.csi_plugins()->get(task.CSIPluginConfig->ID);
    if (!row) continue;
    CSIPlugin p = *row;
    bool controller = drop_alloc(p.Controllers, alloc.NodeID.str(), alloc.ID.str());
    bool node = drop_alloc(p.Nodes, alloc.NodeID.str(), alloc.ID.str());
    if (controller || node) keep_or_drop(txn, std::move(p));
  }
}

Status delete_csi_plugin(Txn& txn, std::string_view id) {
  auto row = txn.csi_plugins()->get(id);
  if (!row) return {};
  if (!is_empty(*row)) return invalid("plugin in use");
  txn.csi_plugins().erase(*row);
  return {};
}

}  // namespace drover::state
