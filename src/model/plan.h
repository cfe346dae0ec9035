// What a scheduler asks for (Plan), what the plan applier granted (PlanResult).
// Field names, order and nullability are those of the wire. Both are kept small: allocations are shared with the
// state, and those that stop or are preempted carry only what changes.
#pragma once

#include <cstdint>
#include <string>

#include "codec/type_info.h"
#include "model/alloc.h"
#include "model/deployment.h"

namespace drover {

struct DeploymentStatusUpdate {
  Uuid DeploymentID;
  std::string Status;
  std::string StatusDescription;

  friend bool operator==(const DeploymentStatusUpdate&, const DeploymentStatusUpdate&) = default;
};

// Keys of the maps are node ids.
struct Plan {
  Uuid EvalID;
  std::string EvalToken;      // proof that the worker still holds the evaluation
  int64_t Priority = 0;
  bool AllAtOnce = false;     // commit everything or nothing
  Ref<::drover::Job> Job;     // the job of every alloc in NodeAllocation that carries none
  Map<List<Ref<Allocation>>> NodeUpdate;       // to stop
  Map<List<Ref<Allocation>>> NodeAllocation;   // new, or updated in place
  Box<PlanAnnotations> Annotations;
  Box<::drover::Deployment> Deployment;
  List<DeploymentStatusUpdate> DeploymentUpdates;
  Map<List<Ref<Allocation>>> NodePreemptions;  // to evict for this job's sake
  uint64_t SnapshotIndex = 0;

  friend bool operator==(const Plan&, const Plan&) = default;
};

struct PlanResult {
  Map<List<Ref<Allocation>>> NodeUpdate;
  Map<List<Ref<Allocation>>> NodeAllocation;
  Box<::drover::Deployment> Deployment;
  List<DeploymentStatusUpdate> DeploymentUpdates;
  Map<List<Ref<Allocation>>> NodePreemptions;
  List<std::string> RejectedNodes;     // nodes whose part of the plan was dropped
  List<std::string> IneligibleNodes;   // nodes that are to be marked ineligible for too many rejections
  uint64_t RefreshIndex = 0;           // not 0: the scheduler must look at this state or newer before it tries again
  uint64_t AllocIndex = 0;             // the index at which the result was committed

  friend bool operator==(const PlanResult&, const PlanResult&) = default;
};

// Nothing to stop, place or change; preemptions are not considered.
bool is_no_op(const Plan& plan);
bool is_no_op(const PlanResult& result);

struct Commit {
  bool full = false;
  uint64_t expected = 0;  // allocations asked for
  uint64_t actual = 0;    // allocations granted
};
// Compares what was asked with what was granted. Only NodeAllocation counts.
Commit full_commit(const Plan& plan, const PlanResult& result);

}  // namespace drover

namespace drover {
DROVER_TYPE(DeploymentStatusUpdate)
DROVER_TYPE(Plan)
DROVER_TYPE(PlanResult)
}  // namespace drover
