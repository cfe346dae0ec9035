#include "cli/csi.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/format.h"

namespace drover::cli {

std::string plugin_list(const List<CSIPluginListStub>& plugins) {
  Rows rows{"ID|Provider|Controllers Healthy/Expected|Nodes Healthy/Expected"};
  for (auto& p : plugins)
    rows.push_back(fmt::format("{}|{}|{}/{}|{}/{}", p.ID, p.Provider, p.ControllersHealthy, p.ControllersExpected, p.NodesHealthy,
                               p.NodesExpected));
  return table(rows);
}

std::string volume_list(const List<CSIVolListStub>& volumes) {
  Rows rows{"ID|Name|Plugin ID|Schedulable|Access Mode"};
  for (auto& v : volumes)
    rows.push_back(fmt::format("{}|{}|{}|{}|{}", v.ID, v.Name, v.PluginID, v.Schedulable, v.AccessMode));
  return table(rows);
}

std::optional<std::string> find_plugin(Context& c, Api& api, const std::string& prefix) {
  auto found = api.get_as<List<CSIPluginListStub>>("/v1/plugins", {{"type", "csi"}, {"prefix", prefix}});
  if (!found) {
    c.fail("Error querying CSI plugins: " + found.error().message);
    return std::nullopt;
  }
  if (found->empty() || prefix.empty()) {
    c.fail(fmt::format("No plugins(s) with prefix or ID \"{}\" found", prefix));
    return std::nullopt;
  }
  if (found->size() > 1 && found->front().ID != prefix) {
    c.fail("Prefix matched multiple plugins\n\n" + plugin_list(*found));
    return std::nullopt;
  }
  return found->front().ID;
}

std::optional<VolumeRef> find_volume(Context& c, Api& api, const std::string& prefix) {
  auto found = api.get_as<List<CSIVolListStub>>("/v1/volumes", {{"type", "csi"}, {"prefix", prefix}});
  if (!found) {
    c.fail("Error querying volumes: " + found.error().message);
    return std::nullopt;
  }
  if (found->empty()) {
    c.fail(fmt::format("No volumes(s) with prefix or ID \"{}\" found", prefix));
    return std::nullopt;
  }
  auto& first = found->front();
  bool twice = found->size() > 1 && api.all_namespaces() && (*found)[1].ID == first.ID;
  if (found->size() > 1 && (first.ID != prefix || twice)) {
    c.fail("Prefix matched multiple volumes\n\n" + volume_list(*found));
    return std::nullopt;
  }
  return VolumeRef{first.ID, first.Namespace};
}

std::string segments_text(const CSITopology& topology) {
  std::vector<std::string> parts;
  for (auto& [k, v] : topology.Segments) parts.push_back(k + "=" + v);
  return join(parts, " ");
}

Result<Map<std::string>> read_secrets(const Context& c) {
  Map<std::string> out;
  for (auto& pair : c.args.list("secret")) {
    auto equals = pair.find('=');
    if (equals == pair.npos) return invalid("Secret must be in the format: -secret key=value");
    out.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return out;
}

std::string secrets_header(const Map<std::string>& secrets) {
  std::vector<std::string> parts;
  for (auto& [k, v] : secrets) parts.push_back(k + "=" + v);
  return join(parts, ",");
}

}  // namespace drover::cli
