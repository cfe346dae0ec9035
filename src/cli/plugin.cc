// plugin status; scaling policy list, info.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/csi.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "cli/tables.h"
#include "model/api_job.h"
#include "model/job_records.h"

namespace drover::cli {
namespace {

// ---- plugins

std::string capabilities(const CSIPlugin& p, bool controllers) {
  std::vector<std::string> names;
  auto add = [&](bool has, std::string_view name) {
    if (has) names.emplace_back(name);
  };
  if (controllers) {
    for (auto& [node, info] : p.Controllers) {
      if (!info.ControllerInfo) continue;
      auto& i = *info.ControllerInfo;
      add(i.SupportsCreateDelete, "CREATE_DELETE_VOLUME");
      add(i.SupportsAttachDetach, "CONTROLLER_ATTACH_DETACH");
      add(i.SupportsListVolumes, "LIST_VOLUMES");
      add(i.SupportsGetCapacity, "GET_CAPACITY");
      add(i.SupportsCreateDeleteSnapshot, "CREATE_DELETE_SNAPSHOT");
      add(i.SupportsListSnapshots, "CREATE_LIST_SNAPSHOTS");
      add(i.SupportsClone, "CLONE_VOLUME");
      add(i.SupportsReadOnlyAttach, "ATTACH_READONLY");
      add(i.SupportsExpand, "EXPAND_VOLUME");
      add(i.SupportsListVolumesAttachedNodes, "LIST_VOLUMES_PUBLISHED_NODES");
      add(i.SupportsCondition, "VOLUME_CONDITION");
      add(i.SupportsGet, "GET_VOLUME");
      break;  // every controller of a plugin is alike
    }
  } else {
    for (auto& [node, info] : p.Nodes) {
      if (!info.NodeInfo) continue;
      auto& i = *info.NodeInfo;
      add(i.AccessibleTopology || info.RequiresTopologies, "VOLUME_ACCESSIBILITY_CONSTRAINTS");
      add(i.RequiresNodeStageVolume, "STAGE_UNSTAGE_VOLUME");
      add(i.SupportsStats, "GET_VOLUME_STATS");
      add(i.SupportsExpand, "EXPAND_VOLUME");
      add(i.SupportsCondition, "VOLUME_CONDITION");
      break;
    }
  }
  std::sort(names.begin(), names.end());
  return "  " + join(names, "\n  ");
}

int show_plugin(Context& c, const CSIPlugin& p) {
  c.ui.output(key_values({"ID|" + p.ID, "Provider|" + p.Provider, "Version|" + p.Version,
                          fmt::format("Controllers Healthy|{}", p.ControllersHealthy),
                          fmt::format("Controllers Expected|{}", p.ControllersExpected),
                          fmt::format("Nodes Healthy|{}", p.NodesHealthy), fmt::format("Nodes Expected|{}", p.NodesExpected)}));
  if (c.args.on("short")) return 0;
  if (c.verbose()) {
    if (!p.Controllers.empty()) c.ui.output("\n" + c.ui.bold("Controller Capabilities") + "\n" + capabilities(p, true));
    if (!p.Nodes.empty()) c.ui.output("\n" + c.ui.bold("Node Capabilities") + "\n" + capabilities(p, false));
    Rows rows{"Node ID|Accessible Topology"};
    for (auto& [node, info] : p.Nodes)
      if (info.NodeInfo && info.NodeInfo->AccessibleTopology)
        rows.push_back(short_id(node, true) + "|" + segments_text(*info.NodeInfo->AccessibleTopology));
    if (rows.size() > 1) c.ui.output("\n" + c.ui.bold("Accessible Topologies") + "\n" + table(rows));
  }
  c.ui.output("\n" + c.ui.bold("Allocations"));
  c.ui.output(alloc_stub_list(p.Allocations, c.verbose(), c.now()));
  return 0;
}

int run_plugin_status(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either no arguments or one: <plugin>");
  auto type = c.args.text("type");
  if (!type.empty() && type != "csi") return c.fail("Unsupported plugin type: " + type);
  auto* api = c.connect();
  if (!api) return 1;
  if (!c.args.rest.empty()) {
    auto id = find_plugin(c, *api, c.args.rest[0]);
    if (!id) return 1;
    auto plugin = api->get_as<CSIPlugin>("/v1/plugin/csi/" + escape(*id));
    if (!plugin) return c.fail("Error querying plugin: " + plugin.error().message);
    if (auto done = print_formatted(c, *plugin)) return *done;
    return show_plugin(c, *plugin);
  }
  if (!formatted(c)) c.ui.output(c.ui.bold("Container Storage Interface"));
  auto plugins = api->get_as<List<CSIPluginListStub>>("/v1/plugins", {{"type", "csi"}});
  if (!plugins) return c.fail("Error querying CSI plugins: " + plugins.error().message);
  if (plugins->empty()) {
    c.ui.error("No CSI plugins");
    return 0;
  }
  if (auto done = print_formatted(c, *plugins)) return *done;
  c.ui.output(plugin_list(*plugins));
  return 0;
}

// ---- scaling policies

std::string target_text(const Map<std::string>& target) {
  std::vector<std::string> parts;
  for (auto key : {"Namespace", "Job", "Group"})
    if (auto* v = target.find(key)) parts.push_back(fmt::format("{}:{}", key, *v));
  for (auto& [k, v] : target)
    if (k != "Namespace" && k != "Job" && k != "Group") parts.push_back(k + ":" + v);
  return join(parts, ",");
}

std::string policy_list(List<ScalingPolicyListStub> policies, bool verbose) {
  if (policies.empty()) return "No policies found";
  std::sort(policies.begin(), policies.end(), [](auto& a, auto& b) { return target_text(a.Target) < target_text(b.Target); });
  Rows rows{"ID|Enabled|Type|Target"};
  for (auto& p : policies)
    rows.push_back(fmt::format("{}|{}|{}|{}", short_id(p.ID, verbose), p.Enabled, p.Type, target_text(p.Target)));
  return table(rows);
}

int run_policy_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  Params params;
  if (auto job = c.args.text("job"); !job.empty()) params.emplace_back("job", job);
  if (auto type = c.args.text("type"); !type.empty()) params.emplace_back("type", type);
  auto found = api->get_as<List<ScalingPolicyListStub>>("/v1/scaling/policies", params);
  if (!found) return c.fail("Error listing scaling policies: " + found.error().message);
  if (auto done = print_formatted(c, *found)) return *done;
  c.ui.output(policy_list(std::move(*found), c.verbose()));
  return 0;
}

int run_policy_info(Context& c) {
  bool listing = c.args.rest.empty() && formatted(c);
  if (c.args.rest.size() != 1 && !listing)
    return c.misuse("This command takes one of the following argument conditions:\n * A single <policy_id>\n * No arguments, with "
                    "output format specified");
  auto* api = c.connect();
  if (!api) return 1;
  if (listing) {
    auto all = api->get_as<List<ScalingPolicyListStub>>("/v1/scaling/policies");
    if (!all) return c.fail("Error listing scaling policies: " + all.error().message);
    return *print_formatted(c, *all);
  }
  auto& id = c.args.rest[0];
  if (id.size() == 1) return c.fail("Identifier must contain at least two characters.");
  auto found = api->get_as<List<ScalingPolicyListStub>>("/v1/scaling/policies", {{"prefix", sanitize_uuid_prefix(id)}});
  if (!found) return c.fail("Error querying scaling policy: " + found.error().message);
  if (found->empty()) return c.fail(fmt::format("No scaling policies with prefix or id \"{}\" found", id));
  if (found->size() > 1) {
    c.ui.error("Prefix matched multiple scaling policies\n\n" + policy_list(std::move(*found), c.verbose()));
    return 0;
  }
  auto p = api->get_as<api::ScalingPolicy>("/v1/scaling/policy/" + escape(found->front().ID));
  if (!p) return c.fail("Error querying scaling policy: " + p.error().message);
  if (auto done = print_formatted(c, *p)) return *done;
  auto number = [](const std::optional<int64_t>& n) { return n ? std::to_string(*n) : std::string(); };
  c.ui.output(key_values({"ID|" + short_id(p->ID, c.verbose()), "Enabled|" + yes_no(p->Enabled.value_or(false)),
                          "Target|" + target_text(p->Target), "Min|" + number(p->Min), "Max|" + number(p->Max)}));
  std::string policy = "<empty>";
  if (!p->Policy.empty())
    policy = json_text(p->Policy);
  c.ui.output("\nPolicy:\n" + policy);
  return 0;
}

constexpr Flag kPluginFlags[] = {
    {"type", FlagKind::kText, " <type>", "Kind of plugins: \"csi\".", ""},
    {"short", FlagKind::kBool, "", "Show the most important facts only.", ""},
    kVerboseFlag, kJsonFlag, kTemplateFlag,
};
constexpr Flag kListFlags[] = {
    {"job", FlagKind::kText, "=<job>", "List policies of this job only.", ""},
    {"type", FlagKind::kText, "=<type>", "List policies of this type only.", ""},
    kJsonFlag, kTemplateFlag, kVerboseFlag,
};
constexpr Flag kInfoFlags[] = {kVerboseFlag, kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "plugin status",
     .synopsis = "Display status information about a plugin",
     .usage = "\nUsage nomad plugin status [options] <plugin>",
     .about = "Shows a storage plugin, or lists all.",
     .general = General::kNoNamespace,
     .options = "Status Options",
     .flags = kPluginFlags,
     .run = run_plugin_status,
     .bad_flags_note = "Error parsing arguments %s"},
    {.name = "scaling policy",
     .synopsis = "Interact with Nomad scaling policies",
     .usage = "Usage: nomad scaling policy <subcommand> [options]",
     .about = "Commands for scaling policies, which jobs' scaling blocks make."},
    {.name = "scaling policy list",
     .synopsis = "Display all Nomad scaling policies",
     .usage = "Usage: nomad scaling policy list [options]",
     .about = "Lists scaling policies.",
     .general = General::kAll,
     .options = "Policy List Options",
     .flags = kListFlags,
     .run = run_policy_list},
    {.name = "scaling policy info",
     .synopsis = "Display an individual Nomad scaling policy",
     .usage = "Usage: nomad scaling policy info [options] <policy_id>",
     .about = "Shows a scaling policy.",
     .general = General::kAll,
     .options = "Policy Info Options",
     .flags = kInfoFlags,
     .run = run_policy_info},
};

}  // namespace

std::span<const Command> plugin_commands() { return kCommands; }

}  // namespace drover::cli
