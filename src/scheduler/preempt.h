// Making room by evicting allocations of clearly lower priority. Rules: reference scheduler 10.
#pragma once

#include <optional>
#include <vector>

#include "scheduler/group_state.h"

namespace drover::scheduler {

// A victim's job is at least this much less important than the job that needs the room.
inline constexpr int64_t kPreemptionPriorityDelta = 10;

struct Freed {
  Cell cell;                            // the row as it looks with the room made; kSilent when it cannot be made
  std::vector<Ref<Allocation>> victims;
};

// The fewest and least important allocations of a row whose eviction lets the group in.
Freed preempt_for(Context& context, GroupState& group, uint32_t row, const Cell& full);

// Resources of a new allocation on a row once the victims are gone.
std::optional<AllocatedResources> resources_without(Context& context, GroupState& group, uint32_t row,
                                                    const std::vector<Ref<Allocation>>& victims);

// Nearly 1 as long as the victims' priorities are within the usual range.
double preemption_score(const std::vector<Ref<Allocation>>& victims);

// How far an allocation is from what is needed: 0 is a perfect match.
double resource_distance(const Usage& needed, const Usage& alloc);

}  // namespace drover::scheduler
