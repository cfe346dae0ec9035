// Drainer: moves the work of draining nodes away and ends their drain (reference server-workflows section 5). Lives with
// the leader, on the loop. The decisions are drain_rules.h's.
#pragma once

#include <set>

#include "base/async.h"
#include "base/world.h"
#include "server/drain_rules.h"
#include "state/store.h"

namespace drover::server {

class Server;

class Drainer {
 public:
  explicit Drainer(Server& server);

  // Takes up what drains in the state as it stands.
  void restore();
  void on_commit(const state::CommitInfo& commit);

 private:
  bool concerns(const state::Change& change);
  void look_after(Duration wait);
  Async<void> work();
  Async<Status> pass();
  Async<Status> tell(std::vector<Ref<Allocation>> allocs);
  Async<Status> complete(std::vector<DrainPass::Done> done);

  Server& server_;
  std::set<Uuid> nodes_;   // with a drain strategy
  std::set<JobKey> jobs_;  // with work on them
  bool dirty_ = false;
  Timer begin_, deadline_;
  Running work_;
};

}  // namespace drover::server
