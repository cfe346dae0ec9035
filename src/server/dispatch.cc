#include "server/dispatch.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/snappy.h"
#include "base/strings.h"
#include "model/status.h"

namespace drover::server {
namespace {

std::string bracketed(const std::vector<std::string>& keys) { return "[" + join(keys, " ") + "]"; }

// What every child leaves behind of its parent.
Job child_of(const Job& parent, std::string id, Time now) {
  Job job = parent;
  job.ID = job.Name = std::move(id);
  job.ParentID = parent.ID;
  job.Status.clear();
  job.StatusDescription.clear();
  job.Stable = false;
  job.Version = job.CreateIndex = job.ModifyIndex = job.JobModifyIndex = 0;
  job.SubmitTime = now.unix_nanos;
  return job;
}

}  // namespace

Status check_dispatch(const Job& parent, const JobDispatchRequest& request) {
  auto& wants = *parent.ParameterizedJob;
  if (wants.Payload == "required" && request.Payload.empty())
    return internal("Payload is not provided but required by parameterized job");
  if (wants.Payload == "forbidden" && !request.Payload.empty())
    return internal("Payload provided but forbidden by parameterized job");
  if (request.Payload.data.size() > kDispatchPayloadMax)
    return internal(fmt::format("Payload exceeds maximum size; {} > {}", request.Payload.data.size(), kDispatchPayloadMax));
  std::vector<std::string> not_allowed, missing;
  for (auto& [key, value] : request.Meta)
    if (!wants.MetaRequired.contains(key) && !wants.MetaOptional.contains(key)) not_allowed.push_back(key);
  if (!not_allowed.empty())
    return internal("Dispatch request included unpermitted metadata keys: " + bracketed(not_allowed));
  for (auto& key : wants.MetaRequired)
    if (!request.Meta.contains(key)) missing.push_back(key);
  if (!missing.empty()) return internal("Dispatch did not provide required meta keys: " + bracketed(missing));
  return {};
}

Job dispatched_child(const Job& parent, const JobDispatchRequest& request, Time now, std::string_view suffix) {
  auto prefix = request.IdPrefixTemplate.empty() ? "" : request.IdPrefixTemplate + "-";
  auto job = child_of(parent, fmt::format("{}/dispatch-{}{}-{}", parent.ID, prefix, now.unix_nanos / 1'000'000'000, suffix), now);
  job.Dispatched = true;
  job.DispatchIdempotencyToken = request.IdempotencyToken;
  for (auto& [key, value] : request.Meta) job.Meta[key] = value;
  job.Payload.data = snappy_encode(request.Payload.data);
  return job;
}

Ref<Job> child_with_token(const state::Snapshot& snap, const Job& parent, std::string_view token) {
  for (auto& job : snap.jobs().by_prefix(parent.Namespace, parent.ID + "/"))
    if (job->ParentID == parent.ID && job->DispatchIdempotencyToken == token) return job;
  return nullptr;
}

Job periodic_child(const Job& parent, Time launch) {
  auto job = child_of(parent, fmt::format("{}/periodic-{}", parent.ID, launch.unix_nanos / 1'000'000'000), launch);
  job.Periodic.reset();
  return job;
}

bool has_running_child(const state::Snapshot& snap, const Job& parent) {
  for (auto& job : snap.jobs().by_prefix(parent.Namespace, parent.ID + "/periodic-")) {
    if (job->ParentID != parent.ID) continue;
    for (auto& eval : snap.evals().by_job(job->Namespace, job->ID)) {
      if (!is_terminal(*eval)) return true;
      for (auto& alloc : snap.allocs().by_eval(eval->ID))
        if (!is_terminal(*alloc)) return true;
    }
  }
  return false;
}

}  // namespace drover::server
