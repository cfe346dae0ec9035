#include "server/first_objects.h"

#include "codec/reflect.h"
#include "model/operator_rpc.h"
#include "model/raft_requests.h"
#include "server/root_keys.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {

Async<Status> write_first_objects(Server& server) {
  auto snap = server.snapshot();
  if (!snap.autopilot_config().get()) {
    rpc::AutopilotSetConfigRequest req;
    req.Config = server.config().autopilot;
    DROVER_CO_TRY(auto r, co_await server.apply(state::EntryType::kAutopilot, req));
  }
  if (!snap.scheduler_config().get()) {
    rpc::SchedulerSetConfigRequest req;
    req.Config = server.config().default_scheduler_config;
    DROVER_CO_TRY(auto r, co_await server.apply(state::EntryType::kSchedulerConfig, req));
  }
  if (!snap.cluster_meta().get()) {
    ClusterMetadata meta;
    meta.ClusterID = Uuid::generate(server.world().random).str();
    meta.CreateTime = server.world().clock.now().unix_nanos;
    DROVER_CO_TRY(auto r, co_await server.apply(state::EntryType::kClusterMetadata, meta));
  }
  if (!snap.root_keys().active()) {
    DROVER_CO_TRY(auto made, co_await add_root_key(server, false));
  }
  co_return Status{};
}

}  // namespace drover::server
