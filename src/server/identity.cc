#include "server/identity.h"

#include <fmt/format.h>

#include "codec/json.h"
#include "model/status.h"

namespace drover::server {
namespace {

std::string claims(const Job& job, const Allocation& alloc, std::string_view task, Time now) {
  std::string out = "{";
  auto put = [&](std::string_view key, std::string_view value) {
    json_quote(key, out);
    out += ':';
    json_quote(value, out);
    out += ',';
  };
  put("nomad_namespace", job.Namespace);
  // Children act for what they were made from.
  put("nomad_job_id", job.ParentID.empty() ? job.ID : job.ParentID);
  put("nomad_allocation_id", alloc.ID.str());
  put("nomad_task", task);
  auto seconds = now.unix_nanos / 1'000'000'000;
  return out + fmt::format(R"("nbf":{},"iat":{}}})", seconds, seconds);
}

}  // namespace

Status sign_identities(const Keyring& keyring, std::string_view key_id, const Job& job, Time now, Allocation& alloc) {
  auto* group = find_group(job, alloc.TaskGroup.view());
  if (!group) return {};
  alloc.SignedIdentities.reset();
  for (auto& task : group->Tasks) {
    DROVER_TRY(alloc.SignedIdentities[task.Name], keyring.sign(key_id, claims(job, alloc, task.Name, now)));
  }
  alloc.SigningKeyID = key_id;
  return {};
}

}  // namespace drover::server
