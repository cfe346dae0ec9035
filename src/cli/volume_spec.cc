#include "cli/volume_spec.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "base/strings.h"
#include "hcl/hcl1.h"

namespace drover::cli {
namespace {

using hcl1::Node;

Map<std::string> text_map(const Node& node) {
  Map<std::string> out;
  for (auto& item : node.items) out.set(item.keys[0].text, item.value.as_string().value_or(""));
  return out;
}

// "10GiB", "5 G", "1000": as people write sizes.
Result<int64_t> parse_size(const std::string& text) {
  size_t end = 0;
  while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) || text[end] == '.' || text[end] == ',')) ++end;
  auto number = parse_double(replace_all(text.substr(0, end), ",", ""));
  auto unit = to_lower(trim_space(std::string_view(text).substr(end)));
  if (!number) return invalid(fmt::format("strconv.ParseFloat: parsing {}: invalid syntax", go_quote(text.substr(0, end))));
  static constexpr std::string_view kPrefixes = "kmgtpe";
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    auto power = kPrefixes.find(unit[0]);
    auto rest = unit.substr(1);
    if (power == kPrefixes.npos || (!rest.empty() && rest != "b" && rest != "i" && rest != "ib"))
      return invalid(fmt::format("unhandled size name: {}", unit));
    factor = std::pow(rest.starts_with('i') ? 1024.0 : 1000.0, static_cast<double>(power + 1));
  }
  return static_cast<int64_t>(*number * factor);
}

Status read_mount(const Node& node, CSIMountOptions& out) {
  for (auto& item : node.items) {
    auto& key = item.keys[0].text;
    if (key == "fs_type") out.FSType = item.value.as_string().value_or("");
    else if (key == "mount_flags") out.MountFlags = item.value.as_strings().value_or(std::vector<std::string>{});
    else return invalid("invalid key: " + key);
  }
  return {};
}

Status read_capability(const Node& node, CSIVolume& volume) {
  CSIVolumeCapability capability;
  for (auto& item : node.items) {
    auto& key = item.keys[0].text;
    if (key == "access_mode") capability.AccessMode = item.value.as_string().value_or("");
    else if (key == "attachment_mode") capability.AttachmentMode = item.value.as_string().value_or("");
    else return invalid("invalid key: " + key);
  }
  volume.RequestedCapabilities.push_back(std::move(capability));
  return {};
}

void read_topologies(const Node& node, List<CSITopology>& out) {
  for (auto* topology : node.matching("topology")) {
    CSITopology t;
    if (auto* segments = topology->value.find("segments")) t.Segments = text_map(*segments);
    out.push_back(std::move(t));
  }
}

void read_topology_request(const Node& node, CSIVolume& volume) {
  auto& request = volume.RequestedTopologies.ensure();
  if (auto* required = node.find("required")) read_topologies(*required, request.Required);
  if (auto* preferred = node.find("preferred")) read_topologies(*preferred, request.Preferred);
}

Status read_capacity(const Node& value, int64_t& out) {
  auto size = parse_size(value.as_string().value_or(""));
  if (!size) return std::move(size).error().with_context("could not parse volume capacity");
  out = *size;
  return {};
}

}  // namespace

Result<VolumeSpec> parse_volume_spec(const std::string& text) {
  auto root = hcl1::parse(text);
  if (!root) return std::move(root).error().with_context("error parsing");
  VolumeSpec spec;
  auto& v = spec.volume;
  const std::pair<std::string_view, std::string*> texts[] = {
      {"id", &v.ID}, {"namespace", &v.Namespace}, {"name", &v.Name}, {"type", &spec.type}, {"plugin_id", &v.PluginID},
      {"external_id", &v.ExternalID}, {"snapshot_id", &v.SnapshotID}, {"clone_id", &v.CloneID},
      {"access_mode", &v.AccessMode}, {"attachment_mode", &v.AttachmentMode}};
  for (auto& item : root->items) {
    auto key = to_lower(item.keys[0].text);
    auto& value = item.value;
    bool done = false;
    for (auto& [name, to] : texts)
      if (key == name) {
        *to = value.as_string().value_or("");
        done = true;
      }
    if (done) continue;
    if (key == "capacity_min") DROVER_CHECK(read_capacity(value, v.RequestedCapacityMin));
    else if (key == "capacity_max") DROVER_CHECK(read_capacity(value, v.RequestedCapacityMax));
    else if (key == "capability") DROVER_CHECK(read_capability(value, v));
    else if (key == "mount_options") DROVER_CHECK(read_mount(value, v.MountOptions.ensure()));
    else if (key == "topology_request") read_topology_request(value, v);
    else if (key == "secrets") v.Secrets = text_map(value);
    else if (key == "parameters") v.Parameters = text_map(value);
    else if (key == "context") v.Context = text_map(value);
    else return invalid("invalid key: " + key);
  }
  return spec;
}

const std::string_view kExampleVolumeHcl = R"hcl(id        = "ebs_prod_db1"
name      = "database"
type      = "csi"
plugin_id = "plugin_id"

# To make a volume from a snapshot or from another volume, name one of these.
# snapshot_id = "snap-12345"
# clone_id    = "vol-abcdef"

# To register a volume that is there already, say how its provider names it.
# external_id = "vol-23452345"

capacity_min = "10GiB"
capacity_max = "20G"

# How the volume may be used; there may be several.
capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}

# For volumes with a file system.
mount_options {
  fs_type     = "ext4"
  mount_flags = ["noatime"]
}

# Where the volume has to be, or had better be, reachable.
topology_request {
  required {
    topology {
      segments {
        rack = "R2"
      }
    }
  }
}

# What plugins ask for.
secrets {
  example_secret = "xyzzy"
}

parameters {
  skuname = "Premium_LRS"
}

context {
  endpoint = "http://192.168.1.101:9425"
}
)hcl";

const std::string_view kExampleVolumeJson = R"json({
  "id": "ebs_prod_db1",
  "name": "database",
  "type": "csi",
  "plugin_id": "plugin_id",
  "capacity_min": "10GiB",
  "capacity_max": "20G",
  "capability": [
    {
      "access_mode": "single-node-writer",
      "attachment_mode": "file-system"
    }
  ],
  "mount_options": [
    {
      "fs_type": "ext4",
      "mount_flags": ["noatime"]
    }
  ],
  "secrets": [{ "example_secret": "xyzzy" }],
  "parameters": [{ "skuname": "Premium_LRS" }],
  "context": [{ "endpoint": "http://192.168.1.101:9425" }]
}
)json";

}  // namespace drover::cli
