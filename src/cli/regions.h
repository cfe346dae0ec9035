// The deployments of one job version in all regions of a multiregion job.
#pragma once

#include <string>

#include "cli/api.h"
#include "model/deployment.h"

namespace drover::cli {

// A table of region, deployment and status (reference cli 7.2); "" for deployments of one region and where the job's
// regions cannot be had.
std::string region_deployments(Api& api, const Deployment& deployment, bool verbose);

}  // namespace drover::cli
