#include "cli/regions.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/format.h"
#include "model/job.h"

namespace drover::cli {
namespace {

// The region's deployment of the version of the job that runs there.
Result<Deployment> deployment_in(Api& api, const std::string& job, const std::string& region) {
  Params params{{"region", region}};
  DROVER_TRY(auto there, api.get_as<Job>("/v1/job/" + escape(job), params));
  params.emplace_back("all", "false");
  DROVER_TRY(auto deployments, api.get_as<List<Deployment>>("/v1/job/" + escape(job) + "/deployments", params));
  for (auto& d : deployments)
    if (d.JobVersion == there.Version) return d;
  return not_found("no deployment of this version in region " + region);
}

}  // namespace

std::string region_deployments(Api& api, const Deployment& deployment, bool verbose) {
  if (!deployment.IsMultiregion) return {};
  auto job = api.get_as<Job>("/v1/job/" + escape(deployment.JobID));
  if (!job || !job->Multiregion || job->Multiregion->Regions.empty()) return {};
  Rows rows{"Region|ID|Status"};
  for (auto& region : job->Multiregion->Regions) {
    auto there = deployment_in(api, deployment.JobID, region.Name);
    if (there) rows.push_back(fmt::format("{}|{}|{}", region.Name, short_id(there->ID, verbose), there->Status));
    else rows.push_back(region.Name + " (error)||");
  }
  std::sort(rows.begin(), rows.end());  // the header among them, as the reference has it
  return table(rows);
}

}  // namespace drover::cli
