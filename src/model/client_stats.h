// Host and task statistics, file listings, exec frames.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover {

struct AllocFileInfo {
  std::string Name;
  bool IsDir = false;
  int64_t Size = 0;
  std::string FileMode;
  Time ModTime;
  std::string ContentType;

  friend bool operator==(const AllocFileInfo&, const AllocFileInfo&) = default;
};

struct CpuStats {
  double SystemMode = 0;
  double UserMode = 0;
  double TotalTicks = 0;
  uint64_t ThrottledPeriods = 0;
  uint64_t ThrottledTime = 0;
  double Percent = 0;
  List<std::string> Measured;

  friend bool operator==(const CpuStats&, const CpuStats&) = default;
};

struct MemoryStats {
  uint64_t RSS = 0;
  uint64_t Cache = 0;
  uint64_t Swap = 0;
  uint64_t MappedFile = 0;
  uint64_t Usage = 0;
  uint64_t MaxUsage = 0;
  uint64_t KernelUsage = 0;
  uint64_t KernelMaxUsage = 0;
  List<std::string> Measured;

  friend bool operator==(const MemoryStats&, const MemoryStats&) = default;
};

struct StatValue {
  std::optional<double> FloatNumeratorVal;
  std::optional<double> FloatDenominatorVal;
  std::optional<int64_t> IntNumeratorVal;
  std::optional<int64_t> IntDenominatorVal;
  std::optional<std::string> StringVal;
  std::optional<bool> BoolVal;
  std::string Unit;
  std::string Desc;

  friend bool operator==(const StatValue&, const StatValue&) = default;
};

struct StatObject {
  Map<StatObject> Nested;
  Map<StatValue> Attributes;

  friend bool operator==(const StatObject&, const StatObject&) = default;
};

struct DeviceStats {
  Box<StatValue> Summary;
  Box<StatObject> Stats;
  Time Timestamp;

  friend bool operator==(const DeviceStats&, const DeviceStats&) = default;
};

struct DeviceGroupStats {
  std::string Vendor;
  std::string Type;
  std::string Name;
  Map<DeviceStats> InstanceStats;

  friend bool operator==(const DeviceGroupStats&, const DeviceGroupStats&) = default;
};

struct ResourceUsage {
  Box<::drover::MemoryStats> MemoryStats;
  Box<::drover::CpuStats> CpuStats;
  List<DeviceGroupStats> DeviceStats;

  friend bool operator==(const ResourceUsage&, const ResourceUsage&) = default;
};

struct TaskResourceUsage {
  Box<::drover::ResourceUsage> ResourceUsage;
  int64_t Timestamp = 0;
  Map<::drover::ResourceUsage> Pids;

  friend bool operator==(const TaskResourceUsage&, const TaskResourceUsage&) = default;
};

struct AllocResourceUsage {
  Box<::drover::ResourceUsage> ResourceUsage;
  Map<TaskResourceUsage> Tasks;
  int64_t Timestamp = 0;

  friend bool operator==(const AllocResourceUsage&, const AllocResourceUsage&) = default;
};

struct ExecTaskStreamingIOOperation {
  Bytes Data;
  bool Close = false;

  friend bool operator==(const ExecTaskStreamingIOOperation&, const ExecTaskStreamingIOOperation&) = default;
};

struct ExecTaskStreamingSetup {
  std::string TaskId;
  List<std::string> Command;
  bool Tty = false;

  friend bool operator==(const ExecTaskStreamingSetup&, const ExecTaskStreamingSetup&) = default;
};

struct ExecTaskStreamingTerminalSize {
  int32_t Height = 0;
  int32_t Width = 0;

  friend bool operator==(const ExecTaskStreamingTerminalSize&, const ExecTaskStreamingTerminalSize&) = default;
};

struct ExecTaskStreamingRequest {
  Box<ExecTaskStreamingSetup> Setup;
  Box<ExecTaskStreamingTerminalSize> TtySize;
  Box<ExecTaskStreamingIOOperation> Stdin;

  friend bool operator==(const ExecTaskStreamingRequest&, const ExecTaskStreamingRequest&) = default;
};

struct ExecExitResult {
  int32_t ExitCode = 0;
  int32_t Signal = 0;
  bool OomKilled = false;

  friend bool operator==(const ExecExitResult&, const ExecExitResult&) = default;
};

struct ExecTaskStreamingResponse {
  Box<ExecTaskStreamingIOOperation> Stdout;
  Box<ExecTaskStreamingIOOperation> Stderr;
  bool Exited = false;
  Box<ExecExitResult> Result;

  friend bool operator==(const ExecTaskStreamingResponse&, const ExecTaskStreamingResponse&) = default;
};

struct StreamFrame {
  int64_t Offset = 0;
  Bytes Data;
  std::string File;
  std::string FileEvent;

  friend bool operator==(const StreamFrame&, const StreamFrame&) = default;
};

struct HostDiskUsage {
  int64_t DiskMB = 0;
  int64_t UsedMB = 0;

  friend bool operator==(const HostDiskUsage&, const HostDiskUsage&) = default;
};

struct HostData {
  std::string OS;
  List<Map<std::string>> Network;
  std::string ResolvConf;
  std::string Hosts;
  Map<std::string> Environment;
  Map<HostDiskUsage> Disk;

  friend bool operator==(const HostData&, const HostData&) = default;
};

struct Attribute {
  std::optional<double> Float;
  std::optional<int64_t> Int;
  std::optional<std::string> String;
  std::optional<bool> Bool;
  std::string Unit;

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct HostCPUStats {
  std::string CPU;
  double User = 0;
  double System = 0;
  double Idle = 0;
  double Total = 0;

  friend bool operator==(const HostCPUStats&, const HostCPUStats&) = default;
};

struct HostDiskStats {
  std::string Device;
  std::string Mountpoint;
  uint64_t Size = 0;
  uint64_t Used = 0;
  uint64_t Available = 0;
  double UsedPercent = 0;
  double InodesUsedPercent = 0;

  friend bool operator==(const HostDiskStats&, const HostDiskStats&) = default;
};

struct HostMemoryStats {
  uint64_t Total = 0;
  uint64_t Available = 0;
  uint64_t Used = 0;
  uint64_t Free = 0;

  friend bool operator==(const HostMemoryStats&, const HostMemoryStats&) = default;
};

struct HostStats {
  Box<HostMemoryStats> Memory;
  List<HostCPUStats> CPU;
  List<HostDiskStats> DiskStats;
  Box<HostDiskStats> AllocDirStats;
  List<DeviceGroupStats> DeviceStats;
  uint64_t Uptime = 0;
  int64_t Timestamp = 0;
  double CPUTicksConsumed = 0;

  friend bool operator==(const HostStats&, const HostStats&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(AllocFileInfo)
DROVER_TYPE(CpuStats)
DROVER_TYPE(MemoryStats)
DROVER_TYPE(StatValue)
DROVER_TYPE(StatObject)
DROVER_TYPE(DeviceStats)
DROVER_TYPE(DeviceGroupStats)
DROVER_TYPE(ResourceUsage)
DROVER_TYPE(TaskResourceUsage)
DROVER_TYPE(AllocResourceUsage)
DROVER_TYPE(ExecTaskStreamingIOOperation)
DROVER_TYPE(ExecTaskStreamingSetup)
DROVER_TYPE(ExecTaskStreamingTerminalSize)
DROVER_TYPE(ExecTaskStreamingRequest)
DROVER_TYPE(ExecExitResult)
DROVER_TYPE(ExecTaskStreamingResponse)
DROVER_TYPE(StreamFrame)
DROVER_TYPE(HostDiskUsage)
DROVER_TYPE(HostData)
DROVER_TYPE(Attribute)
DROVER_TYPE(HostCPUStats)
DROVER_TYPE(HostDiskStats)
DROVER_TYPE(HostMemoryStats)
DROVER_TYPE(HostStats)
}  // namespace drover
