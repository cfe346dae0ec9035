// Allocations, their task states and events, and placement metrics.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/job.h"
#include "model/resources.h"

namespace drover {

struct AllocDeploymentStatus {
  std::optional<bool> Healthy;
  Time Timestamp;
  bool Canary = false;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const AllocDeploymentStatus&, const AllocDeploymentStatus&) = default;
};

struct DesiredTransition {
  std::optional<bool> Migrate;
  std::optional<bool> Reschedule;
  std::optional<bool> ForceReschedule;
  std::optional<bool> NoShutdownDelay;

  friend bool operator==(const DesiredTransition&, const DesiredTransition&) = default;
};

struct RescheduleEvent {
  int64_t RescheduleTime = 0;
  Uuid PrevAllocID;
  Uuid PrevNodeID;
  Duration Delay{};

  friend bool operator==(const RescheduleEvent&, const RescheduleEvent&) = default;
};

struct RescheduleTracker {
  List<RescheduleEvent> Events;

  friend bool operator==(const RescheduleTracker&, const RescheduleTracker&) = default;
};

// What few events say beside their type and message. On the wire these are fields of the event itself.
struct TaskEventMore {
  bool FailsTask = false;
  SharedString RestartReason;
  SharedString SetupError;
  SharedString DriverError;
  int64_t ExitCode = 0;
  int64_t Signal = 0;
  Duration KillTimeout{};
  SharedString KillError;
  SharedString KillReason;
  int64_t StartDelay = 0;
  SharedString DownloadError;
  SharedString ValidationError;
  int64_t DiskLimit = 0;
  SharedString FailedSibling;
  SharedString VaultError;
  SharedString TaskSignalReason;
  SharedString TaskSignal;
  SharedString DriverMessage;
  SharedString GenericSource;

  friend bool operator==(const TaskEventMore&, const TaskEventMore&) = default;
};

struct TaskEvent {
  SharedString Type;
  int64_t Time = 0;
  SharedString Message;
  SharedString DisplayMessage;
  SharedMap<std::string> Details;  // many events of many tasks say the same
  Box<TaskEventMore> more;  // empty for most: an allocation keeps up to ten events per task

  friend bool operator==(const TaskEvent&, const TaskEvent&) = default;
};

struct TaskHandle {
  int64_t Version = 0;
  Bytes DriverState;

  friend bool operator==(const TaskHandle&, const TaskHandle&) = default;
};

struct TaskState {
  SharedString State;
  bool Failed = false;
  uint64_t Restarts = 0;
  Time LastRestart;
  Time StartedAt;
  Time FinishedAt;
  List<TaskEvent> Events;
  Box<::drover::TaskHandle> TaskHandle;

  friend bool operator==(const TaskState&, const TaskState&) = default;
};

struct AllocListStub {
  Uuid ID;
  Uuid EvalID;
  std::string Name;
  std::string Namespace;
  Uuid NodeID;
  std::string NodeName;
  std::string JobID;
  std::string JobType;
  uint64_t JobVersion = 0;
  std::string TaskGroup;
  Box<::drover::AllocatedResources> AllocatedResources;
  std::string DesiredStatus;
  std::string DesiredDescription;
  std::string ClientStatus;
  std::string ClientDescription;
  ::drover::DesiredTransition DesiredTransition;
  Map<TaskState> TaskStates;
  Box<AllocDeploymentStatus> DeploymentStatus;
  Uuid FollowupEvalID;
  Uuid NextAllocation;
  Box<::drover::RescheduleTracker> RescheduleTracker;
  List<Uuid> PreemptedAllocations;
  Uuid PreemptedByAllocation;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  int64_t CreateTime = 0;
  int64_t ModifyTime = 0;

  friend bool operator==(const AllocListStub&, const AllocListStub&) = default;
};

struct NodeScoreMeta {
  std::string NodeID;
  Map<double> Scores;
  double NormScore = 0;

  friend bool operator==(const NodeScoreMeta&, const NodeScoreMeta&) = default;
};

struct AllocMetric {
  int64_t NodesEvaluated = 0;
  int64_t NodesFiltered = 0;
  Map<int64_t> NodesAvailable;
  Map<int64_t> ClassFiltered;
  Map<int64_t> ConstraintFiltered;
  int64_t NodesExhausted = 0;
  Map<int64_t> ClassExhausted;
  Map<int64_t> DimensionExhausted;
  List<std::string> QuotaExhausted;
  Map<Resources> ResourcesExhausted;
  Map<double> Scores;
  List<NodeScoreMeta> ScoreMetaData;
  Duration AllocationTime{};
  int64_t CoalescedFailures = 0;

  friend bool operator==(const AllocMetric&, const AllocMetric&) = default;
};

struct AllocNetworkStatus {
  std::string InterfaceName;
  std::string Address;
  Box<DNSConfig> DNS;

  friend bool operator==(const AllocNetworkStatus&, const AllocNetworkStatus&) = default;
};

struct AllocState {
  uint8_t Field = 0;
  SharedString Value;
  ::drover::Time Time;

  friend bool operator==(const AllocState&, const AllocState&) = default;
};

struct Allocation {
  Uuid ID;
  SharedString Namespace;
  Uuid EvalID;
  SharedString Name;
  Uuid NodeID;
  SharedString NodeName;
  SharedString JobID;
  Ref<::drover::Job> Job;
  SharedString TaskGroup;
  Box<::drover::Resources> Resources;
  Box<::drover::Resources> SharedResources;
  Map<::drover::Resources> TaskResources;
  Ref<::drover::AllocatedResources> AllocatedResources;
  Ref<AllocMetric> Metrics;
  SharedString DesiredStatus;
  SharedString DesiredDescription;
  ::drover::DesiredTransition DesiredTransition;
  SharedString ClientStatus;
  SharedString ClientDescription;
  Map<TaskState> TaskStates;
  List<AllocState> AllocStates;
  Uuid PreviousAllocation;
  Uuid NextAllocation;
  Uuid DeploymentID;
  Box<AllocDeploymentStatus> DeploymentStatus;
  Box<::drover::RescheduleTracker> RescheduleTracker;
  Box<AllocNetworkStatus> NetworkStatus;
  Uuid FollowupEvalID;
  List<Uuid> PreemptedAllocations;
  Uuid PreemptedByAllocation;
  Map<std::string> SignedIdentities;
  SharedString SigningKeyID;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  uint64_t AllocModifyIndex = 0;
  int64_t CreateTime = 0;
  int64_t ModifyTime = 0;

  friend bool operator==(const Allocation&, const Allocation&) = default;
};

struct CheckQueryResult {
  std::string ID;
  std::string Mode;
  std::string Status;
  int64_t StatusCode = 0;
  std::string Output;
  int64_t Timestamp = 0;
  std::string Group;
  std::string Task;
  std::string Service;
  std::string Check;

  friend bool operator==(const CheckQueryResult&, const CheckQueryResult&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(AllocDeploymentStatus)
DROVER_TYPE(DesiredTransition)
DROVER_TYPE(RescheduleEvent)
DROVER_TYPE(RescheduleTracker)
DROVER_TYPE(TaskEvent)
DROVER_TYPE(TaskHandle)
DROVER_TYPE(TaskState)
DROVER_TYPE(AllocListStub)
DROVER_TYPE(NodeScoreMeta)
DROVER_TYPE(AllocMetric)
DROVER_TYPE(AllocNetworkStatus)
DROVER_TYPE(AllocState)
DROVER_TYPE(Allocation)
DROVER_TYPE(CheckQueryResult)
}  // namespace drover
