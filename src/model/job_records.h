// Records kept about jobs: summaries, submissions, scaling events, list stubs.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/job.h"

namespace drover {

struct JobChildrenSummary {
  int64_t Pending = 0;
  int64_t Running = 0;
  int64_t Dead = 0;

  friend bool operator==(const JobChildrenSummary&, const JobChildrenSummary&) = default;
};

struct TaskGroupSummary {
  int64_t Queued = 0;
  int64_t Complete = 0;
  int64_t Failed = 0;
  int64_t Running = 0;
  int64_t Starting = 0;
  int64_t Lost = 0;
  int64_t Unknown = 0;

  friend bool operator==(const TaskGroupSummary&, const TaskGroupSummary&) = default;
};

struct JobSummary {
  std::string JobID;
  std::string Namespace;
  Map<TaskGroupSummary> Summary;
  Box<JobChildrenSummary> Children;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const JobSummary&, const JobSummary&) = default;
};

struct JobListStub {
  std::string ID;
  std::string ParentID;
  std::string Name;
  std::string Namespace;
  List<std::string> Datacenters;
  Box<::drover::Multiregion> Multiregion;
  std::string Type;
  int64_t Priority = 0;
  bool Periodic = false;
  bool ParameterizedJob = false;
  bool Stop = false;
  std::string Status;
  std::string StatusDescription;
  Box<::drover::JobSummary> JobSummary;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  uint64_t JobModifyIndex = 0;
  int64_t SubmitTime = 0;
  Map<std::string> Meta;

  friend bool operator==(const JobListStub&, const JobListStub&) = default;
};

struct JobSubmission {
  std::string Source;
  std::string Format;
  Map<std::string> VariableFlags;
  std::string Variables;
  std::string Namespace;
  std::string JobID;
  uint64_t Version = 0;
  uint64_t JobModifyIndex = 0;

  friend bool operator==(const JobSubmission&, const JobSubmission&) = default;
};

struct ScalingEvent {
  int64_t Time = 0;
  std::optional<int64_t> Count;
  int64_t PreviousCount = 0;
  std::string Message;
  bool Error = false;
  Map<Value> Meta;
  std::optional<std::string> EvalID;
  uint64_t CreateIndex = 0;

  friend bool operator==(const ScalingEvent&, const ScalingEvent&) = default;
};

struct ScalingPolicyListStub {
  std::string ID;
  bool Enabled = false;
  std::string Type;
  Map<std::string> Target;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ScalingPolicyListStub&, const ScalingPolicyListStub&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(JobChildrenSummary)
DROVER_TYPE(TaskGroupSummary)
DROVER_TYPE(JobSummary)
DROVER_TYPE(JobListStub)
DROVER_TYPE(JobSubmission)
DROVER_TYPE(ScalingEvent)
DROVER_TYPE(ScalingPolicyListStub)
}  // namespace drover
