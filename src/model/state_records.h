// Records that servers keep and that have no HTTP shape of their own: what the snapshot stream and the log carry.
// Field names, order and nullability are those of the reference's RPC structs.
#pragma once

#include <cstdint>
#include <string>

#include "codec/type_info.h"
#include "model/job_records.h"

namespace drover {

// The last launch of a periodic job.
struct PeriodicLaunch {
  std::string ID;
  std::string Namespace;
  Time Launch;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const PeriodicLaunch&, const PeriodicLaunch&) = default;
};

// A record of a snapshot whose feature this build lacks: kept as it came, and written back out.
struct OpaqueRecord {
  uint64_t Type = 0;   // the snapshot's type byte
  uint64_t Order = 0;  // among those of its type
  Bytes Body;          // one MessagePack object

  friend bool operator==(const OpaqueRecord&, const OpaqueRecord&) = default;
};

struct ClusterMetadata {
  std::string ClusterID;
  int64_t CreateTime = 0;  // unix nanoseconds

  friend bool operator==(const ClusterMetadata&, const ClusterMetadata&) = default;
};

struct AutopilotConfig {
  bool CleanupDeadServers = false;
  Duration ServerStabilizationTime{};
  Duration LastContactThreshold{};
  uint64_t MaxTrailingLogs = 0;
  uint64_t MinQuorum = 0;
  bool EnableRedundancyZones = false;
  bool DisableUpgradeMigration = false;
  bool EnableCustomUpgrades = false;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const AutopilotConfig&, const AutopilotConfig&) = default;
};

struct JobScalingEvents {
  std::string Namespace;
  std::string JobID;
  Map<List<ScalingEvent>> ScalingEvents;  // by group, newest first
  uint64_t ModifyIndex = 0;

  friend bool operator==(const JobScalingEvents&, const JobScalingEvents&) = default;
};

struct VariableEncrypted {
  std::string Namespace;
  std::string Path;
  uint64_t CreateIndex = 0;
  int64_t CreateTime = 0;
  uint64_t ModifyIndex = 0;
  int64_t ModifyTime = 0;
  Bytes Data;
  std::string KeyID;

  friend bool operator==(const VariableEncrypted&, const VariableEncrypted&) = default;
};

// What the variables of a namespace take together.
struct VariablesQuota {
  std::string Namespace;
  int64_t Size = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const VariablesQuota&, const VariablesQuota&) = default;
};

struct VaultAccessor {
  std::string AllocID;
  std::string Task;
  std::string NodeID;
  std::string Accessor;
  int64_t CreationTTL = 0;
  uint64_t CreateIndex = 0;

  friend bool operator==(const VaultAccessor&, const VaultAccessor&) = default;
};

struct SITokenAccessor {
  std::string ConsulNamespace;
  std::string NodeID;
  std::string AllocID;
  std::string AccessorID;
  std::string TaskName;
  uint64_t CreateIndex = 0;

  friend bool operator==(const SITokenAccessor&, const SITokenAccessor&) = default;
};

// A row of the "index" table: the last index that changed a table.
struct IndexEntry {
  std::string Key;
  uint64_t Value = 0;

  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

struct TimeTableEntry {
  uint64_t Index = 0;
  ::drover::Time Time;

  friend bool operator==(const TimeTableEntry&, const TimeTableEntry&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(PeriodicLaunch)
DROVER_TYPE(OpaqueRecord)
DROVER_TYPE(ClusterMetadata)
DROVER_TYPE(AutopilotConfig)
DROVER_TYPE(JobScalingEvents)
DROVER_TYPE(VariableEncrypted)
DROVER_TYPE(VariablesQuota)
DROVER_TYPE(VaultAccessor)
DROVER_TYPE(SITokenAccessor)
DROVER_TYPE(IndexEntry)
DROVER_TYPE(TimeTableEntry)
}  // namespace drover
