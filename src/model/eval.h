// Evaluations.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/alloc.h"

namespace drover {

struct EvaluationStub {
  Uuid ID;
  std::string Namespace;
  int64_t Priority = 0;
  std::string Type;
  std::string TriggeredBy;
  std::string JobID;
  Uuid NodeID;
  Uuid DeploymentID;
  std::string Status;
  std::string StatusDescription;
  Time WaitUntil;
  Uuid NextEval;
  Uuid PreviousEval;
  Uuid BlockedEval;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  int64_t CreateTime = 0;
  int64_t ModifyTime = 0;

  friend bool operator==(const EvaluationStub&, const EvaluationStub&) = default;
};

struct Evaluation {
  Uuid ID;
  std::string Namespace;
  int64_t Priority = 0;
  std::string Type;
  std::string TriggeredBy;
  std::string JobID;
  uint64_t JobModifyIndex = 0;
  Uuid NodeID;
  uint64_t NodeModifyIndex = 0;
  Uuid DeploymentID;
  std::string Status;
  std::string StatusDescription;
  Duration Wait{};
  Time WaitUntil;
  Uuid NextEval;
  Uuid PreviousEval;
  Uuid BlockedEval;
  List<EvaluationStub> RelatedEvals;
  Map<AllocMetric> FailedTGAllocs;
  Map<bool> ClassEligibility;
  std::string QuotaLimitReached;
  bool EscapedComputedClass = false;
  bool AnnotatePlan = false;
  Map<int64_t> QueuedAllocations;
  std::string LeaderACL;
  uint64_t SnapshotIndex = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  int64_t CreateTime = 0;
  int64_t ModifyTime = 0;

  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(EvaluationStub)
DROVER_TYPE(Evaluation)
}  // namespace drover
