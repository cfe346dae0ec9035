// What tasks ask for, what nodes have, what allocations were given.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/client_stats.h"

namespace drover {

struct Affinity {
  std::string LTarget;
  std::string RTarget;
  std::string Operand;
  int8_t Weight = 0;

  friend bool operator==(const Affinity&, const Affinity&) = default;
};

struct AllocatedCpuResources {
  int64_t CpuShares = 0;
  List<uint16_t> ReservedCores;

  friend bool operator==(const AllocatedCpuResources&, const AllocatedCpuResources&) = default;
};

struct AllocatedDeviceResource {
  std::string Vendor;
  std::string Type;
  std::string Name;
  List<std::string> DeviceIDs;

  friend bool operator==(const AllocatedDeviceResource&, const AllocatedDeviceResource&) = default;
};

struct AllocatedMemoryResources {
  int64_t MemoryMB = 0;
  int64_t MemoryMaxMB = 0;

  friend bool operator==(const AllocatedMemoryResources&, const AllocatedMemoryResources&) = default;
};

struct AllocatedPortMapping {
  std::string Label;
  int64_t Value = 0;
  int64_t To = 0;
  std::string HostIP;

  friend bool operator==(const AllocatedPortMapping&, const AllocatedPortMapping&) = default;
};

struct DNSConfig {
  List<std::string> Servers;
  List<std::string> Searches;
  List<std::string> Options;

  friend bool operator==(const DNSConfig&, const DNSConfig&) = default;
};

struct Port {
  std::string Label;
  int64_t Value = 0;
  int64_t To = 0;
  std::string HostNetwork;

  friend bool operator==(const Port&, const Port&) = default;
};

struct NetworkResource {
  std::string Mode;
  std::string Device;
  std::string CIDR;
  std::string IP;
  std::string Hostname;
  int64_t MBits = 0;
  Box<DNSConfig> DNS;
  List<Port> ReservedPorts;
  List<Port> DynamicPorts;

  friend bool operator==(const NetworkResource&, const NetworkResource&) = default;
};

struct AllocatedSharedResources {
  List<NetworkResource> Networks;
  int64_t DiskMB = 0;
  List<AllocatedPortMapping> Ports;

  friend bool operator==(const AllocatedSharedResources&, const AllocatedSharedResources&) = default;
};

struct AllocatedTaskResources {
  AllocatedCpuResources Cpu;
  AllocatedMemoryResources Memory;
  List<NetworkResource> Networks;
  List<AllocatedDeviceResource> Devices;

  friend bool operator==(const AllocatedTaskResources&, const AllocatedTaskResources&) = default;
};

struct TaskLifecycleConfig {
  std::string Hook;
  bool Sidecar = false;

  friend bool operator==(const TaskLifecycleConfig&, const TaskLifecycleConfig&) = default;
};

struct AllocatedResources {
  Map<AllocatedTaskResources> Tasks;
  Map<Box<TaskLifecycleConfig>> TaskLifecycles;  // null for a main task
  AllocatedSharedResources Shared;

  friend bool operator==(const AllocatedResources&, const AllocatedResources&) = default;
};

struct CSITopology {
  Map<std::string> Segments;

  friend bool operator==(const CSITopology&, const CSITopology&) = default;
};

struct Constraint {
  std::string LTarget;
  std::string RTarget;
  std::string Operand;

  friend bool operator==(const Constraint&, const Constraint&) = default;
};

struct NodeCpuResources {
  int64_t CpuShares = 0;
  uint16_t TotalCpuCores = 0;
  List<uint16_t> ReservableCpuCores;

  friend bool operator==(const NodeCpuResources&, const NodeCpuResources&) = default;
};

struct NodeDeviceLocality {
  std::string PciBusID;

  friend bool operator==(const NodeDeviceLocality&, const NodeDeviceLocality&) = default;
};

struct NodeDevice {
  std::string ID;
  bool Healthy = false;
  std::string HealthDescription;
  Box<NodeDeviceLocality> Locality;

  friend bool operator==(const NodeDevice&, const NodeDevice&) = default;
};

struct NodeDeviceResource {
  std::string Vendor;
  std::string Type;
  std::string Name;
  List<NodeDevice> Instances;
  Map<Attribute> Attributes;

  friend bool operator==(const NodeDeviceResource&, const NodeDeviceResource&) = default;
};

struct NodeDiskResources {
  int64_t DiskMB = 0;

  friend bool operator==(const NodeDiskResources&, const NodeDiskResources&) = default;
};

struct NodeMemoryResources {
  int64_t MemoryMB = 0;

  friend bool operator==(const NodeMemoryResources&, const NodeMemoryResources&) = default;
};

struct NodeNetworkAddress {
  std::string Family;
  std::string Alias;
  std::string Address;
  std::string ReservedPorts;
  std::string Gateway;

  friend bool operator==(const NodeNetworkAddress&, const NodeNetworkAddress&) = default;
};

struct NodeNetworkResource {
  std::string Mode;
  std::string Device;
  std::string MacAddress;
  int64_t Speed = 0;
  List<NodeNetworkAddress> Addresses;

  friend bool operator==(const NodeNetworkResource&, const NodeNetworkResource&) = default;
};

struct NodeReservedCpuResources {
  int64_t CpuShares = 0;
  List<uint16_t> ReservedCpuCores;

  friend bool operator==(const NodeReservedCpuResources&, const NodeReservedCpuResources&) = default;
};

struct NodeReservedDiskResources {
  int64_t DiskMB = 0;

  friend bool operator==(const NodeReservedDiskResources&, const NodeReservedDiskResources&) = default;
};

struct NodeReservedMemoryResources {
  int64_t MemoryMB = 0;

  friend bool operator==(const NodeReservedMemoryResources&, const NodeReservedMemoryResources&) = default;
};

struct NodeReservedNetworkResources {
  std::string ReservedHostPorts;

  friend bool operator==(const NodeReservedNetworkResources&, const NodeReservedNetworkResources&) = default;
};

struct NodeReservedResources {
  NodeReservedCpuResources Cpu;
  NodeReservedMemoryResources Memory;
  NodeReservedDiskResources Disk;
  NodeReservedNetworkResources Networks;

  friend bool operator==(const NodeReservedResources&, const NodeReservedResources&) = default;
};

struct NodeResources {
  NodeCpuResources Cpu;
  NodeMemoryResources Memory;
  NodeDiskResources Disk;
  List<NodeDeviceResource> Devices;
  List<NodeNetworkResource> NodeNetworks;
  List<NetworkResource> Networks;
  int64_t MinDynamicPort = 0;
  int64_t MaxDynamicPort = 0;

  friend bool operator==(const NodeResources&, const NodeResources&) = default;
};

struct RequestedDevice {
  std::string Name;
  uint64_t Count = 0;
  List<Constraint> Constraints;
  List<Affinity> Affinities;

  friend bool operator==(const RequestedDevice&, const RequestedDevice&) = default;
};

struct Resources {
  int64_t CPU = 0;
  int64_t Cores = 0;
  int64_t MemoryMB = 0;
  int64_t MemoryMaxMB = 0;
  int64_t DiskMB = 0;
  int64_t IOPS = 0;
  List<NetworkResource> Networks;
  List<RequestedDevice> Devices;

  friend bool operator==(const Resources&, const Resources&) = default;
};

struct SpreadTarget {
  std::string Value;
  uint8_t Percent = 0;

  friend bool operator==(const SpreadTarget&, const SpreadTarget&) = default;
};

struct Spread {
  std::string Attribute;
  int8_t Weight = 0;
  List<::drover::SpreadTarget> SpreadTarget;

  friend bool operator==(const Spread&, const Spread&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(Affinity)
DROVER_TYPE(AllocatedCpuResources)
DROVER_TYPE(AllocatedDeviceResource)
DROVER_TYPE(AllocatedMemoryResources)
DROVER_TYPE(AllocatedPortMapping)
DROVER_TYPE(DNSConfig)
DROVER_TYPE(Port)
DROVER_TYPE(NetworkResource)
DROVER_TYPE(AllocatedSharedResources)
DROVER_TYPE(AllocatedTaskResources)
DROVER_TYPE(TaskLifecycleConfig)
DROVER_TYPE(AllocatedResources)
DROVER_TYPE(CSITopology)
DROVER_TYPE(Constraint)
DROVER_TYPE(NodeCpuResources)
DROVER_TYPE(NodeDeviceLocality)
DROVER_TYPE(NodeDevice)
DROVER_TYPE(NodeDeviceResource)
DROVER_TYPE(NodeDiskResources)
DROVER_TYPE(NodeMemoryResources)
DROVER_TYPE(NodeNetworkAddress)
DROVER_TYPE(NodeNetworkResource)
DROVER_TYPE(NodeReservedCpuResources)
DROVER_TYPE(NodeReservedDiskResources)
DROVER_TYPE(NodeReservedMemoryResources)
DROVER_TYPE(NodeReservedNetworkResources)
DROVER_TYPE(NodeReservedResources)
DROVER_TYPE(NodeResources)
DROVER_TYPE(RequestedDevice)
DROVER_TYPE(Resources)
DROVER_TYPE(SpreadTarget)
DROVER_TYPE(Spread)
}  // namespace drover
