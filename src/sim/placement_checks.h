// PlacementChecks: whatever servers plan at the same time, no node is given more than it has.
#pragma once

#include "sim/oracle.h"

namespace drover::sim {

class PlacementChecks {
 public:
  PlacementChecks(Oracle& oracle, Report report);

 private:
  void placed(const state::CommitInfo& commit, const Allocation& alloc) const;

  Report report_;
};

}  // namespace drover::sim
