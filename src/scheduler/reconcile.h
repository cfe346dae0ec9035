// What has to change so that a service or batch job runs as its latest version says: place, stop, update, migrate,
// reschedule now or later, canaries, deployments. Looks at no node's resources; that is the stack's part.
// Rules: reference scheduler 4.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/world.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/node.h"
#include "model/plan.h"

namespace drover::scheduler {

using Allocs = std::vector<Ref<Allocation>>;

// What a new version of the job means for one allocation of an older one.
struct UpdateDecision {
  enum class Kind { kIgnore, kDestructive, kInPlace };
  Kind kind = Kind::kIgnore;
  Ref<Allocation> updated;  // kInPlace
};
using DecideUpdate = std::function<UpdateDecision(const Ref<Allocation>&, const TaskGroup&)>;

// Nodes that are not fit to keep allocations: gone (null), down, draining or disconnected.
using TaintedNodes = std::unordered_map<Uuid, Ref<Node>>;

struct ReconcileInput {
  const Job* job = nullptr;   // null when purged
  std::string ns, job_id;
  bool batch = false;
  Ref<Deployment> deployment;  // the latest, or null
  Allocs allocs;               // all of the job
  TaintedNodes tainted;
  Uuid eval_id;
  int64_t eval_priority = 0;
  bool supports_disconnected_clients = true;
  Time now;
  DecideUpdate decide;
};

struct Placement {
  std::string name;
  bool canary = false;
  const TaskGroup* group = nullptr;
  Ref<Allocation> previous;
  bool reschedule = false;
  bool lost = false;
  // A replacement for an allocation that is no canary, while canaries wait for promotion: it gets the job's last
  // promoted version, at least `min_job_version`.
  bool downgrade = false;
  uint64_t min_job_version = 0;
};

struct Replacement {
  std::string name;
  const TaskGroup* group = nullptr;
  Ref<Allocation> alloc;  // stops when the new one finds a place
};

struct Stop {
  Ref<Allocation> alloc;
  std::string client_status;
  std::string_view description;
  Uuid followup_eval;
};

struct ReconcileResult {
  Box<Deployment> deployment;  // created, or changed in this pass
  List<DeploymentStatusUpdate> deployment_updates;
  std::vector<Placement> place;
  std::vector<Replacement> destructive;
  Allocs inplace;
  std::vector<Stop> stop;
  Allocs attribute_updates;   // FollowupEvalID set, nothing else
  Allocs disconnect_updates;  // their client status becomes unknown
  Allocs reconnect_updates;
  Map<DesiredUpdates> desired;                  // by group
  std::vector<Evaluation> followups;            // delayed evaluations, PreviousEval not set yet
};

// `random` makes the ids of deployments and evaluations.
ReconcileResult reconcile(ReconcileInput input, Random& random);

}  // namespace drover::scheduler
