// Request bodies that carry client shapes.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/api_job.h"

namespace drover::api {

struct AgentSchedulerWorkerConfigRequest {
  int64_t NumSchedulers = 0;
  List<std::string> EnabledSchedulers;

  friend bool operator==(const AgentSchedulerWorkerConfigRequest&, const AgentSchedulerWorkerConfigRequest&) = default;
};

struct AgentSchedulerWorkerConfigResponse {
  std::string ServerID;
  int64_t NumSchedulers = 0;
  List<std::string> EnabledSchedulers;

  friend bool operator==(const AgentSchedulerWorkerConfigResponse&, const AgentSchedulerWorkerConfigResponse&) = default;
};

struct AgentSchedulerWorkerInfo {
  std::string ID;
  List<std::string> EnabledSchedulers;
  std::string Started;
  std::string Status;
  std::string WorkloadStatus;

  friend bool operator==(const AgentSchedulerWorkerInfo&, const AgentSchedulerWorkerInfo&) = default;
};

struct AgentSchedulerWorkersInfo {
  std::string ServerID;
  List<AgentSchedulerWorkerInfo> Schedulers;

  friend bool operator==(const AgentSchedulerWorkersInfo&, const AgentSchedulerWorkersInfo&) = default;
};

struct AutopilotConfiguration {
  bool CleanupDeadServers = false;
  Duration LastContactThreshold{};
  uint64_t MaxTrailingLogs = 0;
  uint64_t MinQuorum = 0;
  Duration ServerStabilizationTime{};
  bool EnableRedundancyZones = false;
  bool DisableUpgradeMigration = false;
  bool EnableCustomUpgrades = false;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const AutopilotConfiguration&, const AutopilotConfiguration&) = default;
};

struct DrainSpec {
  Duration Deadline{};
  bool IgnoreSystemJobs = false;

  friend bool operator==(const DrainSpec&, const DrainSpec&) = default;
};

struct JobPlanRequest {
  Box<::drover::api::Job> Job;
  bool Diff = false;
  bool PolicyOverride = false;
  std::string Region;
  std::string Namespace;
  std::string SecretID;

  friend bool operator==(const JobPlanRequest&, const JobPlanRequest&) = default;
};

struct JobSubmission {
  std::string Source;
  std::string Format;
  Map<std::string> VariableFlags;
  std::string Variables;

  friend bool operator==(const JobSubmission&, const JobSubmission&) = default;
};

struct JobRegisterRequest {
  Box<JobSubmission> Submission;
  Box<::drover::api::Job> Job;
  bool EnforceIndex = false;
  uint64_t JobModifyIndex = 0;
  bool PolicyOverride = false;
  bool PreserveCounts = false;
  int64_t EvalPriority = 0;
  std::string Region;
  std::string Namespace;
  std::string SecretID;

  friend bool operator==(const JobRegisterRequest&, const JobRegisterRequest&) = default;
};

struct JobValidateRequest {
  Box<::drover::api::Job> Job;
  std::string Region;
  std::string Namespace;
  std::string SecretID;

  friend bool operator==(const JobValidateRequest&, const JobValidateRequest&) = default;
};

struct JobsParseRequest {
  std::string JobHCL;
  bool HCLv1 = false;
  std::string Variables;
  bool Canonicalize = false;

  friend bool operator==(const JobsParseRequest&, const JobsParseRequest&) = default;
};

struct NodeUpdateDrainRequest {
  std::string NodeID;
  Box<::drover::api::DrainSpec> DrainSpec;
  bool MarkEligible = false;
  Map<std::string> Meta;

  friend bool operator==(const NodeUpdateDrainRequest&, const NodeUpdateDrainRequest&) = default;
};

struct ServerHealth {
  std::string ID;
  std::string Name;
  std::string Address;
  std::string SerfStatus;
  std::string Version;
  bool Leader = false;
  Duration LastContact{};
  uint64_t LastTerm = 0;
  uint64_t LastIndex = 0;
  bool Healthy = false;
  bool Voter = false;
  Time StableSince;

  friend bool operator==(const ServerHealth&, const ServerHealth&) = default;
};

struct OperatorHealthReply {
  bool Healthy = false;
  int64_t FailureTolerance = 0;
  List<ServerHealth> Servers;

  friend bool operator==(const OperatorHealthReply&, const OperatorHealthReply&) = default;
};

struct PreemptionConfig {
  bool SystemSchedulerEnabled = false;
  bool SysBatchSchedulerEnabled = false;
  bool BatchSchedulerEnabled = false;
  bool ServiceSchedulerEnabled = false;

  friend bool operator==(const PreemptionConfig&, const PreemptionConfig&) = default;
};

struct ScalingRequest {
  std::optional<int64_t> Count;
  Map<std::string> Target;
  std::string Message;
  bool Error = false;
  Map<Value> Meta;
  std::string Region;
  std::string Namespace;
  std::string SecretID;
  bool PolicyOverride = false;

  friend bool operator==(const ScalingRequest&, const ScalingRequest&) = default;
};

struct SchedulerConfiguration {
  std::string SchedulerAlgorithm;
  ::drover::api::PreemptionConfig PreemptionConfig;
  bool MemoryOversubscriptionEnabled = false;
  bool RejectJobRegistration = false;
  bool PauseEvalBroker = false;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const SchedulerConfiguration&, const SchedulerConfiguration&) = default;
};

struct WriteRequest {
  std::string Region;
  std::string Namespace;
  std::string SecretID;

  friend bool operator==(const WriteRequest&, const WriteRequest&) = default;
};

}  // namespace drover::api

namespace drover {
DROVER_TYPE(api::AgentSchedulerWorkerConfigRequest)
DROVER_TYPE(api::AgentSchedulerWorkerConfigResponse)
DROVER_TYPE(api::AgentSchedulerWorkerInfo)
DROVER_TYPE(api::AgentSchedulerWorkersInfo)
DROVER_TYPE(api::AutopilotConfiguration)
DROVER_TYPE(api::DrainSpec)
DROVER_TYPE(api::JobPlanRequest)
DROVER_TYPE(api::JobSubmission)
DROVER_TYPE(api::JobRegisterRequest)
DROVER_TYPE(api::JobValidateRequest)
DROVER_TYPE(api::JobsParseRequest)
DROVER_TYPE(api::NodeUpdateDrainRequest)
DROVER_TYPE(api::ServerHealth)
DROVER_TYPE(api::OperatorHealthReply)
DROVER_TYPE(api::PreemptionConfig)
DROVER_TYPE(api::ScalingRequest)
DROVER_TYPE(api::SchedulerConfiguration)
DROVER_TYPE(api::WriteRequest)
}  // namespace drover
