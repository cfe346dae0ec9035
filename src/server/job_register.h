// Registration, validation and dry runs of jobs (reference server-workflows sections 1 and 2.1 to 2.3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "model/requests.h"
#include "model/rpc_requests.h"
#include "server/rpc.h"

namespace drover::server {

class Server;

// Admits, checks and stores the job and queues its evaluation.
Async<Status> register_job(Server& server, rpc::JobRegisterRequest request, JobRegisterResponse& response);

// Set while operators have turned registrations off.
std::optional<Error> registration_refused(const state::Snapshot& snap);

// Whether two jobs are the same but for what only the server sets (status, versions, indexes, stamps).
bool spec_equal(Job a, Job b);

// Job.Register, Job.Validate, Job.Plan.
void add_job_register_rows(std::vector<RpcRow>& rows);

}  // namespace drover::server
