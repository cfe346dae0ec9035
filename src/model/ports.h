// Host ports of one node: which are taken, which a network ask would get. Used by the scheduler to choose and by the
// plan applier to check. Rules: reference scheduler 8.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "model/alloc.h"
#include "model/node.h"

namespace drover {

inline constexpr int64_t kMinDynamicPort = 20000;
inline constexpr int64_t kMaxDynamicPort = 32000;
inline constexpr int64_t kMaxValidPort = 65536;  // exclusive

// A set of ports, kept as sorted ranges: nodes hold few, and reserved ranges are long.
class PortSet {
 public:
  // False when it was in already.
  bool insert(uint16_t port);
  void insert(uint16_t first, uint16_t last);
  bool contains(uint16_t port) const;
  // Members within [first, last].
  uint32_t count(uint16_t first, uint16_t last) const;
  // Calls fn(first, last) for each run of ports in [first, last] that are not members.
  template <class F>
  void each_gap(uint16_t first, uint16_t last, F&& fn) const {
    uint32_t at = first;
    for (auto& r : ranges_) {
      if (r.last < at) continue;
      if (r.first > last) break;
      if (r.first > at) fn(static_cast<uint16_t>(at), static_cast<uint16_t>(r.first - 1));
      at = uint32_t{r.last} + 1;
    }
    if (at <= last) fn(static_cast<uint16_t>(at), last);
  }

 private:
  struct Range {
    uint16_t first, last;
  };
  std::vector<Range> ranges_;
};

// "22,80,1000-2000": sorted, without duplicates. Errors in the reference's words.
Result<std::vector<uint16_t>> parse_port_ranges(std::string_view spec);

// Whether the allocation may have host ports or networks.
bool holds_ports(const Allocation& alloc);

// Ports and bandwidth of one node. Copies are cheap: what only depends on the node is shared.
class NetworkIndex {
 public:
  // The node's networks and its reserved ports. The error is the reason that operators see.
  Status set_node(const Node& node);
  // Only whether set_node would do, and its error.
  static Status check_node(const Node& node);

  // Takes the ports of an allocation, unless its client is done with it. Returns the reasons of collisions, "" when
  // there are none: "collision when reserving port for alloc <id>: [port 80 already in use]".
  std::string add_alloc(const Allocation& alloc);
  std::string add_allocs(std::span<const Ref<Allocation>> allocs);
  // Takes what a network offer holds (legacy asks): reasons, or "".
  std::string add_network(const NetworkResource& network);
  // Takes the rows of an offer of assign_ports.
  std::string add_ports(std::span<const AllocatedPortMapping> ports);

  // Host ports for a group's network ask: the ask's static ports, then dynamic ones by chance. Takes nothing.
  Result<List<AllocatedPortMapping>> assign_ports(const NetworkResource& ask, Random& random) const;
  // The same for a task's network block (device, bandwidth and ports of one address).
  Result<NetworkResource> assign_task_network(const NetworkResource& ask, Random& random) const;

  // The ask with the values of the offer, and the node's address.
  NetworkResource materialize(const NetworkResource& ask, std::span<const AllocatedPortMapping> offer) const;

  bool has_alias(std::string_view alias) const;
  int64_t free_bandwidth(std::string_view device) const;
  bool port_used(std::string_view ip, uint16_t port) const;

 private:
  struct HostAddress {
    std::string alias, ip;
  };
  struct NodePart {  // never changes after set_node
    List<NetworkResource> task_networks;
    std::vector<HostAddress> addresses;
    std::string host_ip;
    std::vector<std::pair<std::string, int64_t>> bandwidth;
    int64_t min_dynamic = kMinDynamicPort, max_dynamic = kMaxDynamicPort;
  };
  struct AddressPorts {
    std::string ip;
    PortSet used;
  };

  PortSet& ports_of(std::string_view ip);
  const PortSet* find_ports(std::string_view ip) const;
  void set_task_networks(const Node& node, NodePart& part) const;
  int64_t pick_dynamic(std::string_view ip, std::span<const int64_t> excluded, Random& random) const;
  Result<int64_t> assign_dynamic(const Port& port, std::span<const int64_t> excluded, Random& random,
                                 std::string& ip) const;
  std::string take(std::string_view ip, int64_t port);

  std::shared_ptr<const NodePart> node_;
  std::vector<AddressPorts> used_;
  std::vector<std::pair<std::string, int64_t>> bandwidth_used_;
};

}  // namespace drover
