// Working out the explanation of a failed group; runs only when a placement failed.
#pragma once

#include "scheduler/explain.h"
#include "scheduler/group_state.h"

namespace drover::scheduler {

Explanation explain_group(Context& context, GroupState& group, const std::vector<uint32_t>& nodes, int64_t failed);

}  // namespace drover::scheduler
