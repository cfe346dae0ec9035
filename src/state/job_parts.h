// What follows from a job's groups and tasks; used by upsert_job.
#pragma once

#include "state/store.h"

namespace drover::state {

// The scaling policies of the groups and tasks, with their Target filled in.
std::vector<ScalingPolicy> scaling_policies_of(const Job& job);
// Makes the rows of the job follow its policies: vanished targets go, changed ones keep ID and CreateIndex. The job's
// own policies get the ids and indexes of their rows.
void update_scaling_policies(Txn& txn, Job& job);

}  // namespace drover::state
