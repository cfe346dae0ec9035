#include "server/plan_log.h"

#include "base/log.h"
#include "server/identity.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

// Gives every placed allocation its identities. One that cannot be signed runs without.
void sign_placed(const Keyring& keyring, const state::Snapshot& snap, rpc::ApplyPlanResultsRequest& entry) {
  auto key = snap.root_keys().active();
  if (!key) return;
  auto now = Time::from_unix_nanos(entry.UpdatedAt);
  for (auto& a : entry.AllocsUpdated) {
    auto job = a->Job ? a->Job : entry.Job;
    if (!job) continue;
    auto with_identities = std::make_shared<Allocation>(*a);
    auto done = sign_identities(keyring, key->KeyID, *job, now, *with_identities);
    if (done) a = std::move(with_identities);
    else log_error("nomad.planner", "failed to sign identities", {{"alloc_id", a->ID.str()}, {"error", done.error().message}});
  }
}

Async<Result<PlanCommit>> commit(Server& server, std::vector<PlanEntry> entries) {
  for (auto& e : entries)
    if (e->encoded.empty()) e->encoded = state::encode_body<rpc::ApplyPlanResultsRequest>(*e);
  auto now = server.world().clock.now();
  if (entries.size() == 1) {
    auto bytes = state::plan_entry(std::exchange(entries[0]->encoded, {}), now);
    DROVER_CO_TRY(auto applied, co_await server.propose(std::move(bytes), std::shared_ptr<const rpc::ApplyPlanResultsRequest>(entries[0])));
    co_return PlanCommit{applied.index, {}};
  }
  auto batch = std::make_shared<rpc::ApplyPlanResultsBatch>();
  std::vector<std::string> encoded;
  for (auto& e : entries) {
    batch->Plans.push_back(*e);
    encoded.push_back(std::exchange(e->encoded, {}));
  }
  auto bytes = state::plans_entry(encoded, now);
  encoded.clear();
  DROVER_CO_TRY(auto applied, co_await server.propose(std::move(bytes), std::shared_ptr<const rpc::ApplyPlanResultsBatch>(std::move(batch))));
  co_return PlanCommit{applied.index, std::move(applied.parts)};
}

}  // namespace

PlannerParts plan_log(Server& server) {
  return {.world = server.world(),
          .store = server.store(),
          .commit = [&server](std::vector<PlanEntry> entries) { return commit(server, std::move(entries)); },
          .sign = [&keyring = server.keyring()](const state::Snapshot& snap, rpc::ApplyPlanResultsRequest& entry) {
            sign_placed(keyring, snap, entry);
          },
          .rejections = server.config().plan_rejections};
}

}  // namespace drover::server
