// Deployments and plan annotations.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/alloc.h"

namespace drover {

struct DeploymentState {
  bool AutoRevert = false;
  bool AutoPromote = false;
  Duration ProgressDeadline{};
  Time RequireProgressBy;
  bool Promoted = false;
  List<Uuid> PlacedCanaries;
  int64_t DesiredCanaries = 0;
  int64_t DesiredTotal = 0;
  int64_t PlacedAllocs = 0;
  int64_t HealthyAllocs = 0;
  int64_t UnhealthyAllocs = 0;

  friend bool operator==(const DeploymentState&, const DeploymentState&) = default;
};

struct Deployment {
  Uuid ID;
  std::string Namespace;
  std::string JobID;
  uint64_t JobVersion = 0;
  uint64_t JobModifyIndex = 0;
  uint64_t JobSpecModifyIndex = 0;
  uint64_t JobCreateIndex = 0;
  bool IsMultiregion = false;
  Map<DeploymentState> TaskGroups;
  std::string Status;
  std::string StatusDescription;
  int64_t EvalPriority = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const Deployment&, const Deployment&) = default;
};

struct DesiredUpdates {
  uint64_t Ignore = 0;
  uint64_t Place = 0;
  uint64_t Migrate = 0;
  uint64_t Stop = 0;
  uint64_t InPlaceUpdate = 0;
  uint64_t DestructiveUpdate = 0;
  uint64_t Canary = 0;
  uint64_t Preemptions = 0;

  friend bool operator==(const DesiredUpdates&, const DesiredUpdates&) = default;
};

struct PlanAnnotations {
  Map<DesiredUpdates> DesiredTGUpdates;
  List<AllocListStub> PreemptedAllocs;

  friend bool operator==(const PlanAnnotations&, const PlanAnnotations&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(DeploymentState)
DROVER_TYPE(Deployment)
DROVER_TYPE(DesiredUpdates)
DROVER_TYPE(PlanAnnotations)
}  // namespace drover
