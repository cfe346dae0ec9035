#include "client/fingerprint.h"

#include "base/strings.h"

namespace drover::client {

const std::vector<Fingerprinter>& fingerprinters() {
  static const std::vector<Fingerprinter> rows = {
      {"arch", fingerprint_arch},         {"bridge", fingerprint_bridge},
      {"cgroup", fingerprint_cgroup, std::chrono::seconds(15)},
      {"cni", fingerprint_cni},           {"cpu", fingerprint_cpu},
      {"host", fingerprint_host},         {"landlock", fingerprint_landlock},
      {"memory", fingerprint_memory},     {"network", fingerprint_network},
      {"nomad", fingerprint_nomad},       {"signal", fingerprint_signal},
      {"storage", fingerprint_storage},
  };
  return rows;
}

void set_attribute(Node& node, std::string_view key, std::string value) {
  if (value.empty()) node.Attributes.erase(key);
  else node.Attributes.set(key, std::move(value));
}

namespace {

constexpr std::pair<std::string_view, std::string_view> kDefaultMeta[] = {
    {"connect.sidecar_image", "docker.io/envoyproxy/envoy:v${NOMAD_envoy_version}"},
    {"connect.gateway_image", "docker.io/envoyproxy/envoy:v${NOMAD_envoy_version}"},
    {"connect.log_level", "info"},
    {"connect.proxy_concurrency", "1"},
};

Status reserve(const Config& config, Node& node) {
  auto& reserved = node.ReservedResources.emplace();
  reserved.Cpu.CpuShares = config.reserved.cpu_mhz;
  auto cores = parse_cpuset(config.reserved.cores);
  if (!cores)
    return invalid("failed to parse client > reserved > cores value " + go_quote(config.reserved.cores) + ": " +
                   cores.error().message);
  if (!cores->empty()) reserved.Cpu.ReservedCpuCores = List<uint16_t>(std::move(*cores));
  reserved.Memory.MemoryMB = config.reserved.memory_mb;
  reserved.Disk.DiskMB = config.reserved.disk_mb;
  reserved.Networks.ReservedHostPorts = config.reserved.ports;
  auto& old = node.Reserved.emplace();  // read by servers of older make
  old.CPU = config.reserved.cpu_mhz;
  old.MemoryMB = config.reserved.memory_mb;
  old.DiskMB = config.reserved.disk_mb;
  return {};
}

}  // namespace

Result<Node> configured_node(const FingerprintInput& in) {
  auto& config = in.config;
  Node node;
  node.Datacenter = config.datacenter.empty() ? "dc1" : config.datacenter;
  node.Name = config.node_name.empty() ? in.host.kernel().hostname : config.node_name;
  node.NodeClass = config.node_class;
  node.HTTPAddr = config.http_advertise;
  node.TLSEnabled = config.tls_http;
  node.Status = "initializing";
  node.SchedulingEligibility = "eligible";
  node.Attributes = Map<std::string>::empty_map();
  node.Links = Map<std::string>::empty_map();
  node.Meta = config.meta.is_nil() ? Map<std::string>::empty_map() : config.meta;
  for (auto& [key, value] : kDefaultMeta)
    if (!node.Meta.contains(key)) node.Meta.set(key, std::string(value));
  node.CgroupParent = config.cgroup_parent;
  if (node.CgroupParent.empty())
    node.CgroupParent = cgroup_mount(in.host).version == CgroupVersion::kV2 ? "nomad.slice" : "/nomad";
  for (auto& volume : config.host_volumes) {
    if (!in.host.exists(volume.Path))
      return invalid("failed to validate volume " + volume.Name + ", err: stat " + volume.Path +
                     ": no such file or directory");
    node.HostVolumes.set(volume.Name, volume);
  }
  for (auto& network : config.host_networks) node.HostNetworks.set(network.Name, network);
  auto& resources = node.NodeResources.emplace();
  resources.MinDynamicPort = config.min_dynamic_port;
  resources.MaxDynamicPort = config.max_dynamic_port;
  node.Resources.emplace();
  DROVER_CHECK(reserve(config, node));
  return node;
}

Status fingerprint_node(const FingerprintInput& in, Node& node) {
  auto filter = fingerprint_filter(in.config);
  for (auto& row : fingerprinters()) {
    if (!filter.admits(row.name)) continue;
    if (auto status = row.run(in, node); !status)
      return std::move(status).error().with_context("fingerprinting " + std::string(row.name));
  }
  return {};
}

}  // namespace drover::client
