// Filling in what a job's author left out, in the two places where the reference does it: the API's client (and the
// agent's HTTP layer) on the client's shape, the server on its own. Pure functions; both are idempotent.
#pragma once

#include <string_view>

#include "model/api_job.h"
#include "model/job.h"

namespace drover {

// As API clients and /v1/jobs/parse with Canonicalize do it (reference jobspec section 6.2): every nullable scalar
// that has a default is set, job policies are merged into groups, group policies into tasks.
void canonicalize(api::Job& job);

// The server's shape of a job that a client sent. Canonicalizes first, so any api::Job will do; fields that only the
// server sets are dropped, derived ones computed (reference jobspec section 6.3).
Job job_from_api(api::Job job);

// The server's own canonicalization, the first admission mutator (reference jobspec section 6.4). A priority of 0
// stays; admission knows the server's default.
void canonicalize(Job& job);
// One task of a canonical job and group, as the connect hook needs it for tasks that it adds.
void canonicalize(Task& task, const Job& job, const TaskGroup& group);
void canonicalize(NetworkResource& network);

}  // namespace drover
