// network, bridge, cni: interfaces, addresses and what networks tasks may join.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "client/fingerprint.h"
#include "codec/json.h"

namespace drover::client {

namespace {

constexpr int64_t kDefaultSpeed = 1000;

// The interface of the default route, v4 before v6.
std::string default_interface(HostSource& host) {
  auto v4 = host.read_file("/proc/net/route").value_or("");
  for (auto& line : split(v4, '\n')) {
    auto fields = split(line, '\t');
    if (fields.size() > 7 && trim_space(fields[1]) == "00000000" && trim_space(fields[7]) == "00000000")
      return std::string(trim_space(fields[0]));
  }
  auto v6 = host.read_file("/proc/net/ipv6_route").value_or("");
  for (auto& line : split(v6, '\n')) {
    if (!line.starts_with("00000000000000000000000000000000 00 ")) continue;
    auto name = trim_space(line);
    name = name.substr(name.rfind(' ') + 1);
    if (name != "lo") return std::string(name);
  }
  return "";
}

int64_t link_speed(const FingerprintInput& in, const std::string& interface) {
  if (in.config.network_speed_mbits > 0) return in.config.network_speed_mbits;
  auto text = in.host.read_file("/sys/class/net/" + interface + "/speed");
  auto speed = text ? parse_int(trim_space(*text)).value_or(0) : 0;
  return speed > 0 ? speed : kDefaultSpeed;
}

bool in_cidr(const std::string& ip, const std::string& cidr) {
  auto slash = cidr.find('/');
  if (slash == std::string::npos) return false;
  auto bits = parse_int(std::string_view(cidr).substr(slash + 1)).value_or(-1);
  unsigned char a[16], b[16];
  int family = ip.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, ip.c_str(), a) != 1 || inet_pton(family, cidr.substr(0, slash).c_str(), b) != 1) return false;
  if (bits < 0 || bits > (family == AF_INET ? 32 : 128)) return false;
  auto whole = static_cast<size_t>(bits / 8);
  if (std::memcmp(a, b, whole) != 0) return false;
  auto rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

// The host networks that an address belongs to: by interface and by cidr, where each is given.
std::vector<const ClientHostNetworkConfig*> networks_of(const Config& config, const std::string& interface,
                                                        const std::string& ip) {
  std::vector<const ClientHostNetworkConfig*> out;
  for (auto& n : config.host_networks) {
    if (!n.Interface.empty() && n.Interface != interface) continue;
    if (!n.CIDR.empty()) {
      auto cidrs = split(n.CIDR, ',');
      if (std::none_of(cidrs.begin(), cidrs.end(), [&](auto& c) { return in_cidr(ip, std::string(trim_space(c))); })) continue;
    }
    if (n.Interface.empty() && n.CIDR.empty()) continue;
    out.push_back(&n);
  }
  return out;
}

List<NodeNetworkAddress> addresses_of(const FingerprintInput& in, const HostInterface& from, bool is_default) {
  List<NodeNetworkAddress> out;
  for (auto& a : from.addresses) {
    NodeNetworkAddress address;
    address.Family = a.v6 ? "ipv6" : "ipv4";
    address.Address = a.ip;
    address.ReservedPorts = in.config.reserved.ports;
    auto named = networks_of(in.config, from.name, a.ip);
    for (auto* network : named) {
      address.Alias = network->Name;
      if (!network->ReservedPorts.empty()) address.ReservedPorts = network->ReservedPorts;
      out.push_back(address);
    }
    if (!named.empty() || !is_default || a.link_local) continue;
    address.Alias = "default";
    out.push_back(address);
  }
  return out;
}

List<NodeNetworkResource> node_networks(const FingerprintInput& in, const std::vector<HostInterface>& all,
                                        const std::string& main) {
  List<NodeNetworkResource> out;
  for (auto& i : all) {
    if (!i.up) continue;
    NodeNetworkResource network;
    network.Mode = "host";
    network.Device = i.name;
    if (i.mac != "00:00:00:00:00:00") network.MacAddress = i.mac;  // loopback has none
    network.Speed = link_speed(in, i.name);
    network.Addresses = addresses_of(in, i, i.name == main);
    if (!network.Addresses.empty()) out.push_back(std::move(network));
  }
  return out;
}

List<NetworkResource> main_networks(const FingerprintInput& in, const HostInterface& from) {
  auto* option = in.config.option({"fingerprint.network.disallow_link_local"});
  bool disallow_link_local = option && parse_bool(*option).value_or(false);
  List<NetworkResource> out, link_local;
  for (auto& a : from.addresses) {
    NetworkResource network;
    network.Mode = "host";
    network.Device = from.name;
    network.IP = a.ip;
    network.CIDR = a.ip + (a.v6 ? "/128" : "/32");
    network.MBits = link_speed(in, from.name);
    (a.link_local ? link_local : out).push_back(std::move(network));
  }
  if (out.empty() && !link_local.empty() && !disallow_link_local) out.push_back(link_local.front());
  return out;
}

}  // namespace

Status fingerprint_network(const FingerprintInput& in, Node& node) {
  auto& wanted = in.config.network_interface;
  auto name = wanted.empty() ? default_interface(in.host) : wanted;
  auto all = in.host.interfaces();
  auto it = std::find_if(all.begin(), all.end(), [&](auto& i) { return i.name == name; });
  if (it == all.end())
    return internal(fmt::format("Error while detecting network interface {} during fingerprinting: {}", wanted,
                                wanted.empty() ? "no network_interface given and failed to determine interface attached "
                                                 "to default route"
                                               : "route ip+net: no such network interface"));
  auto networks = main_networks(in, *it);
  if (!networks.empty()) set_attribute(node, "unique.network.ip-address", networks.front().IP);
  auto& resources = node.NodeResources.ensure();
  auto found = node_networks(in, all, name);
  for (auto& n : resources.NodeNetworks)
    if (n.Mode != "host") found.push_back(n);
  resources.NodeNetworks = std::move(found);
  node.Resources.ensure().Networks = networks;
  // Bridge and CNI modes, found before, follow the host's own.
  for (auto& n : resources.Networks)
    if (n.Mode != "host") networks.push_back(n);
  resources.Networks = std::move(networks);
  return {};
}

namespace {

void add_network_mode(Node& node, const std::string& mode, const std::string& device = "") {
  auto& networks = node.NodeResources.ensure().Networks;
  if (std::none_of(networks.begin(), networks.end(), [&](auto& n) { return n.Mode == mode; })) {
    NetworkResource network;
    network.Mode = mode;
    networks.push_back(network);
  }
  auto& nodes = node.NodeResources.ensure().NodeNetworks;
  if (std::none_of(nodes.begin(), nodes.end(), [&](auto& n) { return n.Mode == mode; })) {
    NodeNetworkResource network;
    network.Mode = mode;
    network.Device = device;
    nodes.push_back(network);
  }
}

}  // namespace

Status fingerprint_bridge(const FingerprintInput& in, Node& node) {
  auto release = in.host.kernel().release;
  bool loaded = false;
  for (auto& line : split(in.host.read_file("/proc/modules").value_or(""), '\n')) loaded |= line.starts_with("bridge ");
  for (auto* file : {"modules.builtin", "modules.dep"}) {
    if (loaded) break;
    auto text = in.host.read_file("/lib/modules/" + release + "/" + file).value_or("");
    loaded = text.find("/bridge.ko") != std::string::npos;
  }
  if (!loaded) return {};
  set_attribute(node, "nomad.bridge.hairpin_mode", in.config.bridge_network_hairpin_mode ? "true" : "false");
  add_network_mode(node, "bridge", in.config.bridge_network_name);
  return {};
}

Status fingerprint_cni(const FingerprintInput& in, Node& node) {
  for (auto& file : in.host.list_dir(in.config.cni_config_dir)) {
    if (!file.ends_with(".conf") && !file.ends_with(".conflist") && !file.ends_with(".json")) continue;
    auto text = in.host.read_file(in.config.cni_config_dir + "/" + file);
    if (!text) continue;
    auto config = from_json<Value>(*text);
    if (!config || !config->as_object()) continue;
    auto* name = config->as_object()->find("name");
    if (name && name->as_string()) add_network_mode(node, "cni/" + *name->as_string());
  }
  return {};
}

}  // namespace drover::client
