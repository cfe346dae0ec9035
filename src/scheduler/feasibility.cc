#include "scheduler/feasibility.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/status.h"

namespace drover::scheduler {
namespace {

constexpr std::string_view kHostVolume = "host", kCSIVolume = "csi";

// Nodes of before 0.9 say what drivers they have in attributes.
bool has_driver(const Node& node, const std::string& driver) {
  if (auto* info = node.Drivers.find(driver)) return info->Detected && info->Healthy;
  auto* attribute = node.Attributes.find("driver." + driver);
  return attribute && parse_bool(*attribute).value_or(false);
}

std::string volume_source(const VolumeRequest& request, std::string_view alloc_name) {
  return request.PerAlloc ? request.Source + std::string(alloc_suffix(alloc_name)) : request.Source;
}

bool is_host_mode(std::string_view mode) { return mode.empty() || mode == "host"; }

}  // namespace

Feasibility::Feasibility(Context& context, const Job& job, const TaskGroup& group)
    : context_(context), job_(job), group_(group) {
  add_constraints(job.Constraints, Stage::kJob);
  add_drivers(group);
  add_constraints(group.Constraints, Stage::kGroup);
  for (auto& task : group.Tasks) add_constraints(task.Constraints, Stage::kGroup);
  add_host_volumes(group);
  add_devices(group);
  add_network(group);
  for (auto& [alias, request] : group.Volumes) has_csi_ = has_csi_ || request.Type == kCSIVolume;
  judge();
}

void Feasibility::add_constraints(const List<Constraint>& constraints, Stage stage) {
  for (auto& c : constraints)
    if (c.Operand != operand::kDistinctHosts && c.Operand != operand::kDistinctProperty)
      rules_.push_back({describe(c), stage, context_.fleet.matching(c)});
}

void Feasibility::add_drivers(const TaskGroup& group) {
  std::set<std::string> drivers;
  for (auto& task : group.Tasks) drivers.insert(task.Driver);
  Bitmap all(context_.fleet.rows(), true);
  for (auto& driver : drivers)
    all &= context_.fleet.matching("driver " + driver, [driver](const Node& n) { return has_driver(n, driver); });
  rules_.push_back({"missing drivers", Stage::kGroup, std::move(all)});
}

bool has_host_volumes(const Node& node, const TaskGroup& group, std::string_view alloc_name) {
  for (auto& [alias, request] : group.Volumes) {
    if (request.Type != kHostVolume) continue;
    auto* volume = node.HostVolumes.find(volume_source(request, alloc_name));
    if (!volume || (volume->ReadOnly && !request.ReadOnly)) return false;
  }
  return true;
}

void Feasibility::add_host_volumes(const TaskGroup& group) {
  bool any = false;
  for (auto& [alias, request] : group.Volumes) {
    if (request.Type != kHostVolume) continue;
    any = true;
    per_alloc_host_volumes_ = per_alloc_host_volumes_ || request.PerAlloc;
  }
  if (!any || per_alloc_host_volumes_) return;  // per_alloc ones are asked for each name
  Bitmap passing(context_.fleet.rows());
  for (uint32_t r = 0; r < passing.size(); ++r)
    if (auto& node = context_.fleet.node(r)) passing.set(r, has_host_volumes(*node, group, {}));
  rules_.push_back({"missing compatible host volumes", Stage::kGroup, std::move(passing)});
}

void Feasibility::add_devices(const TaskGroup& group) {
  std::vector<const RequestedDevice*> requests;
  for (auto& task : group.Tasks)
    if (task.Resources)
      for (auto& d : task.Resources->Devices) requests.push_back(&d);
  if (requests.empty()) return;
  Bitmap passing(context_.fleet.rows());
  for (uint32_t r = 0; r < passing.size(); ++r)
    if (auto& node = context_.fleet.node(r))
      passing.set(r, devices_feasible(requests, *node, context_.fleet.checker()));
  rules_.push_back({"missing devices", Stage::kGroup, std::move(passing)});
}

std::string network_failure(const Node& node, const NetworkResource& ask, ConstraintChecker& checker) {
  auto has_mode = [&](std::string_view mode) {
    if (!node.NodeResources) return is_host_mode(mode);
    auto& networks = node.NodeResources->Networks;
    return std::any_of(networks.begin(), networks.end(), [&](auto& n) {
      return is_host_mode(mode) ? is_host_mode(n.Mode) : n.Mode == mode;
    });
  };
  if (ask.Mode != "none") {
    bool has = has_mode(ask.Mode);
    // Clients before 0.12 did not report their bridge.
    if (!has && ask.Mode == "bridge")
      if (auto* version = node.Attributes.find("nomad.version"))
        has = checker.matches_version(*version, "< 0.12", true);
    if (!has) return "missing network";
  }
  for (auto* ports : {&ask.DynamicPorts, &ask.ReservedPorts})
    for (auto& port : *ports) {
      if (port.HostNetwork.empty()) continue;
      auto alias = interpolate(port.HostNetwork, node);
      if (!alias)
        return fmt::format("invalid host network {} template for port {}", go_quote(port.HostNetwork),
                           go_quote(port.Label));
      bool found = false;
      if (node.NodeResources)
        for (auto& n : node.NodeResources->NodeNetworks)
          for (auto& a : n.Addresses) found = found || a.Alias == *alias;
      if (!found) return fmt::format("missing host network {} for port {}", go_quote(*alias), go_quote(port.Label));
    }
  return {};
}

void Feasibility::add_network(const TaskGroup& group) {
  if (group.Networks.empty()) return;
  // The reason differs from node to node; each gets a rule of its own.
  auto rows = context_.fleet.rows();
  std::vector<Rule> rules;
  for (uint32_t r = 0; r < rows; ++r) {
    auto& node = context_.fleet.node(r);
    if (!node) continue;
    auto why = network_failure(*node, group.Networks[0], context_.fleet.checker());
    if (why.empty()) continue;
    auto it = std::find_if(rules.begin(), rules.end(), [&](auto& rule) { return rule.reason == why; });
    if (it == rules.end()) it = rules.insert(it, Rule{why, Stage::kGroup, Bitmap(rows, true)});
    it->passing.set(r, false);
  }
  for (auto& rule : rules) rules_.push_back(std::move(rule));
}

void Feasibility::judge() {
  failures_.assign(context_.fleet.rows(), {});
  Bitmap alive(context_.fleet.rows(), true);
  for (auto& rule : rules_) {
    Bitmap failing = alive;
    failing.subtract(rule.passing);
    if (failing.none()) continue;
    Failure f{rule.stage, context_.reason(rule.reason)};
    failing.each([&](uint32_t row) { failures_[row] = f; });
    alive &= rule.passing;
  }
}

std::string Feasibility::transient_failure(uint32_t row, std::string_view alloc_name) const {
  auto& node = *context_.fleet.node(row);
  if (per_alloc_host_volumes_ && !has_host_volumes(node, group_, alloc_name)) return "missing compatible host volumes";
  return has_csi_ ? csi_failure(node, alloc_name) : std::string();
}

// --- CSI ---

namespace {

bool can_write(std::string_view access_mode) {
  return access_mode == "single-node-writer" || access_mode == "multi-node-single-writer" ||
         access_mode == "multi-node-multi-writer";
}

bool readable(const CSIVolume& v) { return v.Schedulable && v.ResourceExhausted.unset(); }

bool writable(const CSIVolume& v) {
  if (!readable(v)) return false;
  if (!v.AccessMode.empty()) return can_write(v.AccessMode);
  return std::any_of(v.RequestedCapabilities.begin(), v.RequestedCapabilities.end(),
                     [](auto& c) { return can_write(c.AccessMode); });
}

bool has_free_write_claim(const CSIVolume& v) {
  if (v.AccessMode == "single-node-writer" || v.AccessMode == "multi-node-single-writer") return v.WriteClaims.empty();
  return v.AccessMode == "multi-node-multi-writer" || v.AccessMode.empty();
}

bool topology_matches(const CSIVolume& v, const CSINodeInfo* info) {
  if (v.Topologies.empty()) return true;
  if (!info || !info->AccessibleTopology) return false;
  return v.Topologies.contains(*info->AccessibleTopology);
}

}  // namespace

std::string Feasibility::csi_failure(const Node& node, std::string_view alloc_name) const {
  std::vector<std::pair<std::string, int64_t>> attached;  // volumes per plugin
  for (auto& v : context_.state.csi_volumes_by_node(node.ID)) {
    auto it = std::find_if(attached.begin(), attached.end(), [&](auto& e) { return e.first == v->PluginID; });
    if (it == attached.end()) it = attached.insert(it, {v->PluginID, 0});
    ++it->second;
  }
  for (auto& [alias, request] : group_.Volumes) {
    if (request.Type != kCSIVolume) continue;
    auto source = volume_source(request, alloc_name);
    auto volume = context_.state.csi_volume(job_.Namespace, source);
    if (!volume) return "missing CSI Volume " + source;
    auto& plugin_id = volume->PluginID;
    auto* plugin = node.CSINodePlugins.find(plugin_id);
    if (!plugin) return fmt::format("CSI plugin {} is missing from client {}", plugin_id, node.ID.str());
    if (!plugin->Healthy) return fmt::format("CSI plugin {} is unhealthy on client {}", plugin_id, node.ID.str());
    auto* info = plugin->NodeInfo.get();
    auto max = info && info->MaxVolumes > 0 ? info->MaxVolumes : std::numeric_limits<int64_t>::max();
    auto count = std::find_if(attached.begin(), attached.end(), [&](auto& e) { return e.first == plugin_id; });
    if (count != attached.end() && count->second >= max)
      return fmt::format("CSI plugin {} has the maximum number of volumes on client {}", plugin_id, node.ID.str());
    if (!topology_matches(*volume, info)) return "did not meet topology requirement";
    if (request.ReadOnly) {
      if (!readable(*volume))
        return fmt::format("CSI volume {} is unschedulable or has exhausted its available reader claims", volume->ID);
      continue;
    }
    if (!writable(*volume)) return fmt::format("CSI volume {} is unschedulable or is read-only", volume->ID);
    if (has_free_write_claim(*volume)) continue;
    for (auto& [id, claim] : volume->WriteClaims) {
      auto uuid = Uuid::parse(id);
      auto alloc = uuid ? context_.state.alloc(*uuid) : nullptr;
      if (!alloc)
        return fmt::format(
            "CSI volume {} has exhausted its available writer claims and is claimed by a garbage collected allocation "
            "{}; waiting for claim to be released",
            volume->ID, id);
      if (alloc->Namespace != job_.Namespace || alloc->JobID != job_.ID)
        return fmt::format("CSI volume {} has exhausted its available writer claims", volume->ID);
    }
  }
  return {};
}

}  // namespace drover::scheduler
