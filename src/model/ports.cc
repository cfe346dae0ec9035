#include "model/ports.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/strings.h"
#include "model/status.h"

namespace drover {
namespace {

constexpr int kRandomDraws = 20;
constexpr std::string_view kDefaultAlias = "default";

std::string_view alias_of(const Port& port) {
  return port.HostNetwork.empty() ? kDefaultAlias : std::string_view(port.HostNetwork);
}

// "[port 80 already in use port 81 already in use]": the list form of the reference's log lines.
std::string reason_list(const std::vector<std::string>& reasons) { return "[" + join(reasons, " ") + "]"; }

bool valid_port(int64_t port) { return port >= 0 && port < kMaxValidPort; }

}  // namespace

// --- PortSet ---

bool PortSet::insert(uint16_t port) {
  if (contains(port)) return false;
  insert(port, port);
  return true;
}

void PortSet::insert(uint16_t first, uint16_t last) {
  // The ranges that overlap or touch [first, last] become one with it.
  auto begin = std::lower_bound(ranges_.begin(), ranges_.end(), first,
                                [](const Range& r, uint32_t p) { return uint32_t{r.last} + 1 < p; });
  auto end = begin;
  Range merged{first, last};
  for (; end != ranges_.end() && end->first <= uint32_t{last} + 1; ++end) {
    merged.first = std::min(merged.first, end->first);
    merged.last = std::max(merged.last, end->last);
  }
  begin = ranges_.erase(begin, end);
  ranges_.insert(begin, merged);
}

bool PortSet::contains(uint16_t port) const {
  auto it = std::lower_bound(ranges_.begin(), ranges_.end(), port,
                             [](const Range& r, uint16_t p) { return r.last < p; });
  return it != ranges_.end() && it->first <= port;
}

uint32_t PortSet::count(uint16_t first, uint16_t last) const {
  uint32_t n = 0;
  for (auto& r : ranges_)
    if (r.last >= first && r.first <= last) n += std::min(r.last, last) - std::max(r.first, first) + 1;
  return n;
}

// --- port ranges ---

namespace {

Result<int64_t> parse_one_port(std::string_view text) {
  if (text.empty()) return invalid("can't specify empty port");
  auto n = parse_uint(text);
  if (!n) return invalid(fmt::format("strconv.ParseUint: parsing {}: invalid syntax", go_quote(text)));
  return static_cast<int64_t>(std::min<uint64_t>(*n, INT64_MAX));
}

Status check_port(int64_t port) {
  if (port <= 0) return invalid("port must be > 0");
  if (port >= kMaxValidPort) return invalid(fmt::format("port must be < {} but found {}", kMaxValidPort, port));
  return {};
}

}  // namespace

Result<std::vector<uint16_t>> parse_port_ranges(std::string_view spec) {
  std::vector<uint16_t> ports;
  if (trim_space(spec).empty()) return ports;
  for (auto& part : split(spec, ',')) {
    auto text = std::string(trim_space(part));
    auto bounds = split(text, '-');
    if (text.empty()) return invalid("can't specify empty port");
    if (bounds.size() > 2)
      return invalid("can only parse single port numbers or port ranges (ex. 80,100-120,150)");
    int64_t first = 0, last = 0;
    if (bounds.size() == 1) {
      DROVER_TRY(first, parse_one_port(bounds[0]));
      last = first;
    } else {
      // Each bound of a range is a number; a missing one is reported as the number parser reports it.
      for (auto& b : bounds)
        if (trim_space(b).empty()) return invalid("strconv.ParseUint: parsing \"\": invalid syntax");
      DROVER_TRY(first, parse_one_port(trim_space(bounds[0])));
      DROVER_TRY(last, parse_one_port(trim_space(bounds[1])));
      if (last < first)
        return invalid(fmt::format("invalid range: starting value ({}) less than ending ({}) value", last, first));
    }
    DROVER_CHECK(check_port(first));
    DROVER_CHECK(check_port(last));
    for (int64_t p = first; p <= last; ++p) ports.push_back(static_cast<uint16_t>(p));
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

bool holds_ports(const Allocation& alloc) {
  auto some = [](auto& tasks) { return std::any_of(tasks.begin(), tasks.end(), [](auto& t) { return !t.second.Networks.empty(); }); };
  auto* r = alloc.AllocatedResources.get();
  return r ? !r->Shared.Ports.empty() || !r->Shared.Networks.empty() || some(r->Tasks) : some(alloc.TaskResources);
}

// --- NetworkIndex ---

PortSet& NetworkIndex::ports_of(std::string_view ip) {
  for (auto& a : used_)
    if (a.ip == ip) return a.used;
  return used_.emplace_back(AddressPorts{std::string(ip), {}}).used;
}

const PortSet* NetworkIndex::find_ports(std::string_view ip) const {
  for (auto& a : used_)
    if (a.ip == ip) return &a.used;
  return nullptr;
}

bool NetworkIndex::port_used(std::string_view ip, uint16_t port) const {
  auto* ports = find_ports(ip);
  return ports && ports->contains(port);
}

void NetworkIndex::set_task_networks(const Node& node, NodePart& part) const {
  auto& networks = node.NodeResources ? node.NodeResources->Networks
                   : node.Resources   ? node.Resources->Networks
                                      : part.task_networks;
  for (auto& n : networks) {
    if (n.Device.empty()) continue;
    if (&networks != &part.task_networks) part.task_networks.push_back(n);
    part.bandwidth.emplace_back(n.Device, n.MBits);
  }
}

Status NetworkIndex::set_node(const Node& node) {
  auto part = std::make_shared<NodePart>();
  used_.clear();
  bandwidth_used_.clear();
  set_task_networks(node, *part);
  std::vector<uint16_t> reserved;
  if (node.ReservedResources) {
    DROVER_TRY(reserved, parse_port_ranges(node.ReservedResources->Networks.ReservedHostPorts));
  } else if (node.Reserved) {
    for (auto& n : node.Reserved->Networks)
      for (auto& p : n.ReservedPorts)
        if (valid_port(p.Value)) reserved.push_back(static_cast<uint16_t>(p.Value));
  }
  auto reserve = [&](std::string_view ip, const std::vector<uint16_t>& ports) {
    auto& set = ports_of(ip);
    for (size_t i = 0, j; i < ports.size(); i = j) {
      for (j = i + 1; j < ports.size() && ports[j] == ports[j - 1] + 1;) ++j;
      set.insert(ports[i], ports[j - 1]);
    }
  };
  for (auto& n : part->task_networks)
    if (!n.IP.empty()) reserve(n.IP, reserved);
  if (node.NodeResources) {
    auto& r = *node.NodeResources;
    if (r.MinDynamicPort > 0) part->min_dynamic = r.MinDynamicPort;
    if (r.MaxDynamicPort > 0) part->max_dynamic = r.MaxDynamicPort;
    for (auto& network : r.NodeNetworks)
      for (auto& address : network.Addresses) {
        part->addresses.push_back({address.Alias, address.Address});
        if (part->host_ip.empty() && network.Mode == "host") part->host_ip = address.Address;
        reserve(address.Address, reserved);
        auto own = parse_port_ranges(address.ReservedPorts);
        if (!own) return std::move(own).error();
        reserve(address.Address, *own);
      }
    if (r.NodeNetworks.empty())
      for (auto& n : r.Networks)
        if (part->host_ip.empty() && (n.Mode.empty() || n.Mode == "host")) part->host_ip = n.IP;
  }
  node_ = std::move(part);
  return {};
}

Status NetworkIndex::check_node(const Node& node) {
  if (node.ReservedResources) DROVER_CHECK(parse_port_ranges(node.ReservedResources->Networks.ReservedHostPorts));
  if (node.NodeResources)
    for (auto& network : node.NodeResources->NodeNetworks)
      for (auto& address : network.Addresses) DROVER_CHECK(parse_port_ranges(address.ReservedPorts));
  return {};
}

std::string NetworkIndex::take(std::string_view ip, int64_t port) {
  if (!valid_port(port)) return fmt::format("invalid port {}", port);
  if (!ports_of(ip).insert(static_cast<uint16_t>(port))) return fmt::format("port {} already in use", port);
  return {};
}

std::string NetworkIndex::add_ports(std::span<const AllocatedPortMapping> ports) {
  std::vector<std::string> reasons;
  for (auto& p : ports)
    if (auto why = take(p.HostIP, p.Value); !why.empty()) reasons.push_back(std::move(why));
  return reasons.empty() ? std::string() : reason_list(reasons);
}

std::string NetworkIndex::add_network(const NetworkResource& network) {
  std::vector<std::string> reasons;
  for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
    for (auto& p : *ports)
      if (auto why = take(network.IP, p.Value); !why.empty()) reasons.push_back(std::move(why));
  if (!network.Device.empty()) {
    auto it = std::find_if(bandwidth_used_.begin(), bandwidth_used_.end(),
                           [&](auto& e) { return e.first == network.Device; });
    if (it == bandwidth_used_.end()) it = bandwidth_used_.insert(it, {network.Device, 0});
    it->second += network.MBits;
  }
  return reasons.empty() ? std::string() : reason_list(reasons);
}

std::string NetworkIndex::add_alloc(const Allocation& alloc) {
  if (is_client_terminal(alloc)) return {};
  auto complain = [](std::string& all, std::string where, std::string reasons) {
    if (!reasons.empty() && all.empty())
      all = fmt::format("collision when reserving port for {}: {}", where, reasons);
  };
  std::string all;
  if (auto* r = alloc.AllocatedResources.get()) {
    if (!r->Shared.Ports.empty()) {
      complain(all, "alloc " + alloc.ID.str(), add_ports({r->Shared.Ports.begin(), r->Shared.Ports.size()}));
    } else {
      for (auto& n : r->Shared.Networks)
        complain(all, fmt::format("network {} in alloc {}", n.IP, alloc.ID.str()), add_network(n));
    }
    for (auto& [task, given] : r->Tasks)
      if (!given.Networks.empty())
        complain(all, fmt::format("network {} in task {} of alloc {}", given.Networks[0].IP, task, alloc.ID.str()),
                 add_network(given.Networks[0]));
    return all;
  }
  for (auto& [task, given] : alloc.TaskResources)
    if (!given.Networks.empty())
      complain(all, fmt::format("network {} in task {} of alloc {}", given.Networks[0].IP, task, alloc.ID.str()),
               add_network(given.Networks[0]));
  return all;
}

std::string NetworkIndex::add_allocs(std::span<const Ref<Allocation>> allocs) {
  std::string first;
  for (auto& a : allocs)
    if (auto why = add_alloc(*a); first.empty()) first = std::move(why);
  return first;
}

bool NetworkIndex::has_alias(std::string_view alias) const {
  return std::any_of(node_->addresses.begin(), node_->addresses.end(), [&](auto& a) { return a.alias == alias; });
}

int64_t NetworkIndex::free_bandwidth(std::string_view device) const {
  int64_t free = 0;
  for (auto& [d, mbits] : node_->bandwidth)
    if (d == device) free += mbits;
  for (auto& [d, mbits] : bandwidth_used_)
    if (d == device) free -= mbits;
  return free;
}

// A free port of the dynamic range on `ip` that is not in `excluded`; -1 when there is none. Draws a few times, since
// that nearly always succeeds, then counts what is really free.
int64_t NetworkIndex::pick_dynamic(std::string_view ip, std::span<const int64_t> excluded, Random& random) const {
  auto min = node_->min_dynamic, max = std::min(node_->max_dynamic, kMaxValidPort - 1);
  if (min > max || !valid_port(min)) return -1;
  auto* used = find_ports(ip);
  auto taken = [&](int64_t port) {
    return std::find(excluded.begin(), excluded.end(), port) != excluded.end() ||
           (used && used->contains(static_cast<uint16_t>(port)));
  };
  for (int i = 0; i < kRandomDraws && max > min; ++i) {
    auto port = min + static_cast<int64_t>(random.below(static_cast<uint64_t>(max - min)));
    if (!taken(port)) return port;
  }
  std::vector<int64_t> free;
  auto collect = [&](uint16_t first, uint16_t last) {
    for (int64_t p = first; p <= last; ++p)
      if (std::find(excluded.begin(), excluded.end(), p) == excluded.end()) free.push_back(p);
  };
  (used ? *used : PortSet()).each_gap(static_cast<uint16_t>(min), static_cast<uint16_t>(max), collect);
  return free.empty() ? -1 : free[random.below(free.size())];
}

Result<int64_t> NetworkIndex::assign_dynamic(const Port& port, std::span<const int64_t> excluded, Random& random,
                                             std::string& ip) const {
  bool any = false;
  for (auto& a : node_->addresses) {
    if (a.alias != alias_of(port)) continue;
    any = true;
    if (auto value = pick_dynamic(a.ip, excluded, random); value >= 0) {
      ip = a.ip;
      return value;
    }
  }
  if (!any) return invalid(fmt::format("no addresses available for {} network", alias_of(port)));
  return invalid("dynamic port selection failed");
}

Result<List<AllocatedPortMapping>> NetworkIndex::assign_ports(const NetworkResource& ask, Random& random) const {
  List<AllocatedPortMapping> offer;
  auto give = [&](const Port& port, int64_t value, const std::string& ip) {
    offer.push_back({.Label = port.Label, .Value = value, .To = port.To == -1 ? value : port.To, .HostIP = ip});
  };
  for (auto& port : ask.ReservedPorts) {
    auto address = std::find_if(node_->addresses.begin(), node_->addresses.end(),
                                [&](auto& a) { return a.alias == alias_of(port); });
    if (address == node_->addresses.end())
      return invalid(fmt::format("no addresses available for {} network", alias_of(port)));
    if (!valid_port(port.Value)) return invalid(fmt::format("invalid port {} (out of range)", port.Value));
    if (port_used(address->ip, static_cast<uint16_t>(port.Value)))
      return invalid(fmt::format("reserved port collision {}={}", port.Label, port.Value));
    give(port, port.Value, address->ip);
  }
  std::vector<int64_t> excluded;
  for (auto& port : ask.DynamicPorts) {
    excluded.clear();
    for (auto& r : ask.ReservedPorts)
      if (alias_of(r) == alias_of(port)) excluded.push_back(r.Value);
    for (auto& given : offer) excluded.push_back(given.Value);
    std::string ip;
    DROVER_TRY(auto value, assign_dynamic(port, excluded, random, ip));
    give(port, value, ip);
  }
  return offer;
}

NetworkResource NetworkIndex::materialize(const NetworkResource& ask, std::span<const AllocatedPortMapping> offer) const {
  NetworkResource network = ask;
  for (auto& port : network.DynamicPorts)
    for (auto& row : offer)
      if (row.Label == port.Label) {
        port.Value = row.Value;
        port.To = row.To;
      }
  for (auto& port : network.ReservedPorts)
    if (port.To == -1) port.To = port.Value;
  network.IP = node_->host_ip;
  return network;
}

namespace {

// The addresses of a CIDR in order; one address when it is not a CIDR.
std::vector<std::string> addresses_of(const NetworkResource& network) {
  constexpr uint32_t kMaxAddresses = 1u << 16;  // a task network larger than this is cut, not walked for ever
  auto slash = network.CIDR.find('/');
  in_addr base{};
  auto bits = slash == std::string::npos ? std::nullopt : parse_uint(std::string_view(network.CIDR).substr(slash + 1));
  if (!bits || *bits > 32 || inet_pton(AF_INET, network.CIDR.substr(0, slash).c_str(), &base) != 1)
    return network.IP.empty() ? std::vector<std::string>{} : std::vector<std::string>{network.IP};
  uint32_t mask = *bits == 0 ? 0 : ~uint32_t{0} << (32 - *bits);
  uint32_t first = ntohl(base.s_addr) & mask;
  uint32_t count = std::min<uint64_t>(uint64_t{1} << (32 - *bits), kMaxAddresses);
  std::vector<std::string> out;
  for (uint32_t i = 0; i < count; ++i) {
    char text[INET_ADDRSTRLEN];
    in_addr a{htonl(first + i)};
    out.emplace_back(inet_ntop(AF_INET, &a, text, sizeof text));
  }
  return out;
}

}  // namespace

Result<NetworkResource> NetworkIndex::assign_task_network(const NetworkResource& ask, Random& random) const {
  Error last = invalid("no networks available");
  for (auto& network : node_->task_networks) {
    if (ask.MBits > free_bandwidth(network.Device)) {
      last = invalid("bandwidth exceeded");
      continue;
    }
    for (auto& ip : addresses_of(network)) {
      auto usable = [&]() -> Result<NetworkResource> {
        NetworkResource offer;
        offer.Mode = ask.Mode;
        offer.Device = network.Device;
        offer.IP = ip;
        offer.MBits = ask.MBits;
        offer.DNS = ask.DNS;
        offer.ReservedPorts = ask.ReservedPorts;
        offer.DynamicPorts = ask.DynamicPorts;
        std::vector<int64_t> excluded;
        for (auto& port : ask.ReservedPorts) {
          if (!valid_port(port.Value)) return invalid(fmt::format("invalid port {} (out of range)", port.Value));
          if (port_used(ip, static_cast<uint16_t>(port.Value)))
            return invalid(fmt::format("reserved port collision {}={}", port.Label, port.Value));
          excluded.push_back(port.Value);
        }
        for (auto& port : offer.DynamicPorts) {
          auto value = pick_dynamic(ip, excluded, random);
          if (value < 0) return invalid("dynamic port selection failed");
          excluded.push_back(value);
          port.Value = value;
          if (port.To == -1) port.To = value;
        }
        return offer;
      }();
      if (usable) return usable;
      last = std::move(usable).error();
    }
  }
  return last;
}

}  // namespace drover
