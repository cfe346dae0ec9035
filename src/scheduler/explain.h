// Why a group could not be placed, as data: what each rule and each dimension excluded, per node class, and the
// smallest changes that would have made it fit. The CLI and the UI turn it into words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/type_info.h"

namespace drover::scheduler {

// Nodes excluded for one reason, within one node class.
struct Exclusion {
  std::string Reason;     // "${attr.kernel.name} = linux", "missing drivers", "cpu"
  std::string NodeClass;  // "" for nodes without a class
  bool Exhausted = false; // the node would do, but is full; false: the node can never do
  int64_t Nodes = 0;

  friend bool operator==(const Exclusion&, const Exclusion&) = default;
};

// One change that makes at least one node fit.
struct Remedy {
  enum Kind : int64_t {
    kFreeResource,    // `Amount` more of `Subject` ("cpu" MHz, "memory" MB, "disk" MB) free on a node
    kDropConstraint,  // without the rule `Subject`, `Nodes` nodes pass every other rule
    kAddNodes,        // no node is in the job's datacenters, or none is ready
  };
  int64_t Kind = kAddNodes;
  std::string Subject;
  int64_t Amount = 0;    // kFreeResource: the least that is missing on any node
  int64_t Nodes = 0;     // nodes that would then pass (kFreeResource: that miss the least)
  std::string NodeName;  // kFreeResource: one of them

  friend bool operator==(const Remedy&, const Remedy&) = default;
};

struct Explanation {
  std::string TaskGroup;
  int64_t Failed = 0;           // placements that failed
  int64_t NodesInDatacenters = 0;  // ready nodes that were considered
  List<Exclusion> Exclusions;
  List<Remedy> Remedies;

  friend bool operator==(const Explanation&, const Explanation&) = default;
};

}  // namespace drover::scheduler

namespace drover {
DROVER_TYPE(scheduler::Exclusion)
DROVER_TYPE(scheduler::Remedy)
DROVER_TYPE(scheduler::Explanation)
}  // namespace drover
