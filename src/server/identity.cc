#include "server/identity.h"

#include <fmt/format.h>

#include "codec/json.h"
#include "model/rpc.h"
#include "model/status.h"
#include "server/rpc.h"
#include "server/server.h"

namespace drover::server {
namespace {

// The claims as the token has them.
struct TokenClaims {
  std::string nomad_namespace;
  std::string nomad_job_id;
  std::string nomad_allocation_id;
  std::string nomad_task;
  int64_t nbf = 0;  // seconds of Unix time
  int64_t iat = 0;
};

}  // namespace
}  // namespace drover::server

namespace drover {
DROVER_TYPE(server::TokenClaims)
}
DROVER_DESCRIBE(drover::server::TokenClaims, "server.TokenClaims", DROVER_FIELD(nomad_namespace), DROVER_FIELD(nomad_job_id),
                DROVER_FIELD(nomad_allocation_id), DROVER_FIELD(nomad_task), DROVER_FIELD(nbf), DROVER_FIELD(iat))

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

// Never waits: the request has the index and the patience of the call that it is about.
Async<Status> who_am_i(Server& server, const rpc::GenericRequest& req, rpc::ACLWhoAmIResponse& resp) {
  resp.Identity.ensure().Claims = claims_of(server.keyring(), server.snapshot(), req.AuthToken);
  co_return Status{};
}

}  // namespace

Box<rpc::IdentityClaims> claims_of(const Keyring& keyring, const state::Snapshot& snap, std::string_view token) {
  if (token.empty()) return {};
  auto text = keyring.verify(token);
  if (!text) return {};
  auto said = from_json<TokenClaims>(*text);
  auto id = said ? Uuid::parse(said->nomad_allocation_id) : std::nullopt;
  auto alloc = id ? snap.allocs().get(*id) : nullptr;
  if (!alloc || is_terminal(*alloc)) return {};
  Box<rpc::IdentityClaims> out;
  auto& claims = out.ensure();
  claims.Namespace = said->nomad_namespace;
  claims.JobID = said->nomad_job_id;
  claims.AllocationID = said->nomad_allocation_id;
  claims.TaskName = said->nomad_task;
  claims.NotBefore.ensure() = Time{said->nbf * 1'000'000'000};
  claims.IssuedAt.ensure() = Time{said->iat * 1'000'000'000};
  return out;
}

void add_identity_rows(std::vector<RpcRow>& rows) { rows.push_back(rpc_row<&who_am_i>("ACL.WhoAmI", Where::kStale)); }

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
