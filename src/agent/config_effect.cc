#include "agent/config_effect.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/config.h"
#include "drivers/registry.h"

namespace drover::agent {
namespace {

// Whether a block was given and says something else than the defaults.
template <class T>
bool given(const T& block, const T& fallback) {
  return block && !(fallback && *block == *fallback);
}

// Consul is asked for unless its three automatisms are off; nothing else of the block matters then.
bool wants_consul(const Config& c, const Config& d) {
  if (!given(c.Consul, d.Consul)) return false;
  auto on = [](const std::optional<bool>& flag) { return flag.value_or(true); };
  return on(c.Consul->AutoAdvertise) || on(c.Consul->ServerAutoJoin) || on(c.Consul->ClientAutoJoin);
}

bool wants_circonus(const Config& c, const Config&) {
  return !c.Telemetry->CirconusAPIToken.empty() || !c.Telemetry->CirconusCheckSubmissionURL.empty();
}

bool wants_bridge(const Config& c, const Config& d) {
  auto &a = *c.Client, &b = *d.Client;
  return a.BridgeNetworkName != b.BridgeNetworkName || a.BridgeNetworkSubnet != b.BridgeNetworkSubnet ||
         a.BridgeNetworkHairpinMode != b.BridgeNetworkHairpinMode || a.CNIPath != b.CNIPath || a.CNIConfigDir != b.CNIConfigDir;
}

bool wants_enterprise_autopilot(const Config& c, const Config&) {
  auto on = [](const std::optional<bool>& flag) { return flag.value_or(false); };
  return on(c.Autopilot->EnableRedundancyZones) || on(c.Autopilot->EnableCustomUpgrades);
}

struct Row {
  std::string_view what;
  bool (*wanted)(const Config& config, const Config& defaults);
  std::string_view why;
};

constexpr std::string_view kEnterprise = "it is a feature of Nomad Enterprise";

constexpr Row kRows[] = {
    {"consul", wants_consul,
     "this version does not talk to Consul; set auto_advertise, server_auto_join and client_auto_join to false"},
    {"vault.enabled", [](const Config& c, const Config&) { return c.Vault->Enabled.value_or(false); },
     "this version does not talk to Vault, and refuses jobs that use it"},
    {"client.template", [](const Config& c, const Config& d) { return given(c.Client->TemplateConfig, d.Client->TemplateConfig); },
     "templates of tasks are not rendered in this version"},
    {"client.artifact", [](const Config& c, const Config& d) { return given(c.Client->Artifact, d.Client->Artifact); },
     "artifacts of tasks are not fetched in this version"},
    {"client.cni_* and client.bridge_*", wants_bridge, "this version makes no networks for groups"},
    {"telemetry.circonus_*", wants_circonus, "metrics are not sent to Circonus"},
    {"server.license_path", [](const Config& c, const Config&) { return !c.Server->LicensePath.empty(); }, kEnterprise},
    {"autopilot.enable_redundancy_zones and enable_custom_upgrades", wants_enterprise_autopilot, kEnterprise},
    {"audit.enabled", [](const Config& c, const Config&) { return c.Audit && c.Audit->Enabled.value_or(false); }, kEnterprise},
    {"sentinel", [](const Config& c, const Config&) { return c.Sentinel && !c.Sentinel->Imports.empty(); }, kEnterprise},
};

constexpr std::string_view kKeys[] = {
    "disable_update_check",
    "disable_anonymous_signature",
    "plugin.args",
    "plugin_dir",
    "acl.*",
    "audit.*",
    "consul.*",
    "sentinel.*",
    "vault.*",
    "ui.consul",
    "ui.vault",
    "ui.label",
    "client.artifact",
    "client.bind_wildcard_default_host_network",
    "client.client_max_port",
    "client.client_min_port",
    "client.cni_path",
    "client.template",
    "client.drain_on_shutdown.force",
    "server.acl_token_gc_threshold",
    "server.authoritative_region",
    "server.csi_plugin_gc_threshold",
    "server.csi_volume_claim_gc_interval",
    "server.csi_volume_claim_gc_threshold",
    "server.deploy_query_rate_limit",
    "server.license_path",
    "server.protocol_version",
    "server.raft_boltdb",
    "telemetry.circonus_*",
    "telemetry.disable_rpc_rate_metrics_labels",
};

}  // namespace

std::vector<std::string> without_effect(const Config& config) {
  const Config defaults = config.DevMode ? dev_config() : default_config();
  std::vector<std::string> out;
  for (auto& row : kRows)
    if (row.wanted(config, defaults)) out.push_back(fmt::format("WARNING: {} has no effect: {}", row.what, row.why));
  auto rows = drivers::builtin_drivers();
  for (auto& plugin : config.Plugins)
    if (std::none_of(rows.begin(), rows.end(), [&](auto& driver) { return driver.name == plugin.Name; }))
      out.push_back(fmt::format("WARNING: plugin \"{}\" has no effect: this version has no such driver", plugin.Name));
  return out;
}

std::span<const std::string_view> keys_without_effect() { return kKeys; }

}  // namespace drover::agent
