// Plants: faults of the code itself, put in on purpose, to see that the checks notice.
#pragma once

#include "sim/region.h"

namespace drover::sim {

// Arms what options.plant asks for. Those that a call or an answer carries are where calls and answers pass (workload,
// NodeBox, ServerBox).
void plant_fault(Region& region);

}  // namespace drover::sim
