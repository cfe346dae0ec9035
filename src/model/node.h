// Client nodes.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/resources.h"

namespace drover {

struct CSIControllerInfo {
  bool SupportsCreateDelete = false;
  bool SupportsAttachDetach = false;
  bool SupportsListVolumes = false;
  bool SupportsGetCapacity = false;
  bool SupportsCreateDeleteSnapshot = false;
  bool SupportsListSnapshots = false;
  bool SupportsClone = false;
  bool SupportsReadOnlyAttach = false;
  bool SupportsExpand = false;
  bool SupportsListVolumesAttachedNodes = false;
  bool SupportsCondition = false;
  bool SupportsGet = false;

  friend bool operator==(const CSIControllerInfo&, const CSIControllerInfo&) = default;
};

struct CSINodeInfo {
  std::string ID;
  int64_t MaxVolumes = 0;
  Box<CSITopology> AccessibleTopology;
  bool RequiresNodeStageVolume = false;
  bool SupportsStats = false;
  bool SupportsExpand = false;
  bool SupportsCondition = false;

  friend bool operator==(const CSINodeInfo&, const CSINodeInfo&) = default;
};

struct CSIInfo {
  std::string PluginID;
  std::string AllocID;
  bool Healthy = false;
  std::string HealthDescription;
  Time UpdateTime;
  std::string Provider;
  std::string ProviderVersion;
  bool RequiresControllerPlugin = false;
  bool RequiresTopologies = false;
  Box<CSIControllerInfo> ControllerInfo;
  Box<CSINodeInfo> NodeInfo;

  friend bool operator==(const CSIInfo&, const CSIInfo&) = default;
};

struct ClientHostNetworkConfig {
  std::string Name;
  std::string CIDR;
  std::string Interface;
  std::string ReservedPorts;

  friend bool operator==(const ClientHostNetworkConfig&, const ClientHostNetworkConfig&) = default;
};

struct ClientHostVolumeConfig {
  std::string Name;
  std::string Path;
  bool ReadOnly = false;

  friend bool operator==(const ClientHostVolumeConfig&, const ClientHostVolumeConfig&) = default;
};

struct DrainMetadata {
  Time StartedAt;
  Time UpdatedAt;
  std::string Status;
  std::string AccessorID;
  Map<std::string> Meta;

  friend bool operator==(const DrainMetadata&, const DrainMetadata&) = default;
};

struct DrainSpec {
  Duration Deadline{};
  bool IgnoreSystemJobs = false;

  friend bool operator==(const DrainSpec&, const DrainSpec&) = default;
};

struct DrainStrategy {
  Duration Deadline{};
  bool IgnoreSystemJobs = false;
  Time ForceDeadline;
  Time StartedAt;

  friend bool operator==(const DrainStrategy&, const DrainStrategy&) = default;
};

struct DriverInfo {
  Map<std::string> Attributes;
  bool Detected = false;
  bool Healthy = false;
  std::string HealthDescription;
  Time UpdateTime;

  friend bool operator==(const DriverInfo&, const DriverInfo&) = default;
};

struct NodeEvent {
  std::string Message;
  std::string Subsystem;
  Map<std::string> Details;
  Time Timestamp;
  uint64_t CreateIndex = 0;

  friend bool operator==(const NodeEvent&, const NodeEvent&) = default;
};

struct Node {
  Uuid ID;
  Uuid SecretID;
  std::string Datacenter;
  std::string Name;
  std::string CgroupParent;
  std::string HTTPAddr;
  bool TLSEnabled = false;
  Map<std::string> Attributes;
  Box<::drover::NodeResources> NodeResources;
  Box<NodeReservedResources> ReservedResources;
  Box<::drover::Resources> Resources;
  Box<::drover::Resources> Reserved;
  Map<std::string> Links;
  Map<std::string> Meta;
  std::string NodeClass;
  std::string ComputedClass;
  Box<::drover::DrainStrategy> DrainStrategy;
  std::string SchedulingEligibility;
  std::string Status;
  std::string StatusDescription;
  int64_t StatusUpdatedAt = 0;
  List<NodeEvent> Events;
  Map<DriverInfo> Drivers;
  Map<CSIInfo> CSIControllerPlugins;
  Map<CSIInfo> CSINodePlugins;
  Map<ClientHostVolumeConfig> HostVolumes;
  Map<ClientHostNetworkConfig> HostNetworks;
  Box<DrainMetadata> LastDrain;
  uint64_t LastMissedHeartbeatIndex = 0;
  uint64_t LastAllocUpdateIndex = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  bool Drain = false;

  friend bool operator==(const Node&, const Node&) = default;
};

struct NodeListStub {
  std::string Address;
  Uuid ID;
  Map<std::string> Attributes;
  std::string Datacenter;
  std::string Name;
  std::string NodeClass;
  std::string Version;
  bool Drain = false;
  std::string SchedulingEligibility;
  std::string Status;
  std::string StatusDescription;
  Map<DriverInfo> Drivers;
  Map<ClientHostVolumeConfig> HostVolumes;
  Box<::drover::NodeResources> NodeResources;
  Box<NodeReservedResources> ReservedResources;
  Box<DrainMetadata> LastDrain;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const NodeListStub&, const NodeListStub&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(CSIControllerInfo)
DROVER_TYPE(CSINodeInfo)
DROVER_TYPE(CSIInfo)
DROVER_TYPE(ClientHostNetworkConfig)
DROVER_TYPE(ClientHostVolumeConfig)
DROVER_TYPE(DrainMetadata)
DROVER_TYPE(DrainSpec)
DROVER_TYPE(DrainStrategy)
DROVER_TYPE(DriverInfo)
DROVER_TYPE(NodeEvent)
DROVER_TYPE(Node)
DROVER_TYPE(NodeListStub)
}  // namespace drover
