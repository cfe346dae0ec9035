// What changes from one job to another, as plans and version lists show it (reference http-api section 10.1 and 10.2).
// Jobs are in the server's canonical form.
#pragma once

#include "base/result.h"
#include "model/diff.h"
#include "model/job.h"
#include "model/plan.h"

namespace drover {

// Null stands for "no job". `contextual`: an object that changed lists its unchanged fields too. Jobs of different IDs
// give an error.
Result<JobDiff> diff_jobs(const Job* old_job, const Job* new_job, bool contextual);

// Adds what the scheduler would do ("forces create/destroy update", counts per group) to the diff of a plan.
void annotate_diff(JobDiff& diff, const Map<DesiredUpdates>& desired_by_group);

}  // namespace drover
