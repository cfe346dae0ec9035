// NodeChecks: no node is given up while it is well. It bites where the scenario leaves nodes alone.
#pragma once

#include "sim/oracle.h"
#include "sim/scenario.h"

namespace drover::sim {

class NodeChecks {
 public:
  NodeChecks(Oracle& oracle, const Scenario& scenario, Report report);

 private:
  Report report_;
};

}  // namespace drover::sim
