// CSI volumes and plugins.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/alloc.h"
#include "model/job.h"
#include "model/node.h"
#include "model/resources.h"

namespace drover {

struct JobDescription {
  std::string Namespace;
  std::string ID;
  int64_t Expected = 0;

  friend bool operator==(const JobDescription&, const JobDescription&) = default;
};

struct CSIPlugin {
  std::string ID;
  std::string Provider;
  std::string Version;
  bool ControllerRequired = false;
  Map<CSIInfo> Controllers;
  Map<CSIInfo> Nodes;
  List<AllocListStub> Allocations;
  Map<Map<JobDescription>> ControllerJobs;
  Map<Map<JobDescription>> NodeJobs;
  int64_t ControllersHealthy = 0;
  int64_t ControllersExpected = 0;
  int64_t NodesHealthy = 0;
  int64_t NodesExpected = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const CSIPlugin&, const CSIPlugin&) = default;
};

struct CSIPluginListStub {
  std::string ID;
  std::string Provider;
  bool ControllerRequired = false;
  int64_t ControllersHealthy = 0;
  int64_t ControllersExpected = 0;
  int64_t NodesHealthy = 0;
  int64_t NodesExpected = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const CSIPluginListStub&, const CSIPluginListStub&) = default;
};

struct CSISnapshot {
  std::string ID;
  std::string ExternalSourceVolumeID;
  int64_t SizeBytes = 0;
  int64_t CreateTime = 0;
  bool IsReady = false;
  std::string SourceVolumeID;
  std::string PluginID;
  std::string Name;
  Map<std::string> Secrets;
  Map<std::string> Parameters;

  friend bool operator==(const CSISnapshot&, const CSISnapshot&) = default;
};

struct CSITopologyRequest {
  List<CSITopology> Required;
  List<CSITopology> Preferred;

  friend bool operator==(const CSITopologyRequest&, const CSITopologyRequest&) = default;
};

struct CSIVolListStub {
  std::string ID;
  std::string Namespace;
  std::string Name;
  std::string ExternalID;
  List<CSITopology> Topologies;
  std::string AccessMode;
  std::string AttachmentMode;
  int64_t CurrentReaders = 0;
  int64_t CurrentWriters = 0;
  bool Schedulable = false;
  std::string PluginID;
  std::string Provider;
  bool ControllerRequired = false;
  int64_t ControllersHealthy = 0;
  int64_t ControllersExpected = 0;
  int64_t NodesHealthy = 0;
  int64_t NodesExpected = 0;
  Time ResourceExhausted;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const CSIVolListStub&, const CSIVolListStub&) = default;
};

struct CSIVolumeCapability {
  std::string AttachmentMode;
  std::string AccessMode;

  friend bool operator==(const CSIVolumeCapability&, const CSIVolumeCapability&) = default;
};

struct CSIVolumeClaim {
  std::string AllocationID;
  std::string NodeID;
  std::string ExternalNodeID;
  int64_t Mode = 0;
  std::string AccessMode;
  std::string AttachmentMode;
  int64_t State = 0;

  friend bool operator==(const CSIVolumeClaim&, const CSIVolumeClaim&) = default;
};

struct CSIVolume {
  std::string ID;
  std::string Name;
  std::string ExternalID;
  std::string Namespace;
  Box<CSITopologyRequest> RequestedTopologies;
  List<CSITopology> Topologies;
  std::string AccessMode;
  std::string AttachmentMode;
  Box<CSIMountOptions> MountOptions;
  Map<std::string> Secrets;
  Map<std::string> Parameters;
  Map<std::string> Context;
  int64_t Capacity = 0;
  int64_t RequestedCapacityMin = 0;
  int64_t RequestedCapacityMax = 0;
  List<CSIVolumeCapability> RequestedCapabilities;
  std::string CloneID;
  std::string SnapshotID;
  Map<Ref<Allocation>> ReadAllocs;
  Map<Ref<Allocation>> WriteAllocs;
  Map<CSIVolumeClaim> ReadClaims;
  Map<CSIVolumeClaim> WriteClaims;
  Map<CSIVolumeClaim> PastClaims;
  bool Schedulable = false;
  std::string PluginID;
  std::string Provider;
  std::string ProviderVersion;
  bool ControllerRequired = false;
  int64_t ControllersHealthy = 0;
  int64_t ControllersExpected = 0;
  int64_t NodesHealthy = 0;
  int64_t NodesExpected = 0;
  Time ResourceExhausted;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  List<AllocListStub> Allocations;

  friend bool operator==(const CSIVolume&, const CSIVolume&) = default;
};

struct CSIVolumeExternalStub {
  std::string ExternalID;
  int64_t CapacityBytes = 0;
  Map<std::string> VolumeContext;
  std::string CloneID;
  std::string SnapshotID;
  List<std::string> PublishedExternalNodeIDs;
  bool IsAbnormal = false;
  std::string Status;

  friend bool operator==(const CSIVolumeExternalStub&, const CSIVolumeExternalStub&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(JobDescription)
DROVER_TYPE(CSIPlugin)
DROVER_TYPE(CSIPluginListStub)
DROVER_TYPE(CSISnapshot)
DROVER_TYPE(CSITopologyRequest)
DROVER_TYPE(CSIVolListStub)
DROVER_TYPE(CSIVolumeCapability)
DROVER_TYPE(CSIVolume)
DROVER_TYPE(CSIVolumeClaim)
DROVER_TYPE(CSIVolumeExternalStub)
}  // namespace drover
