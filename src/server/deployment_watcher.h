// DeploymentWatcher: drives deployments to their end (reference server-workflows 4.2). Lives with the leader.
//
// A commit that touches an active deployment or one of its allocations marks the deployment; it is looked at once the
// commit is done. At most one write of a deployment is under way; what changes meanwhile marks it again.
#pragma once

#include <map>
#include <set>

#include "base/async.h"
#include "base/uuid.h"
#include "state/store.h"

namespace drover::server {

class Server;

class DeploymentWatcher {
 public:
  explicit DeploymentWatcher(Server& server);
  ~DeploymentWatcher();

  void on_commit(const state::CommitInfo& commit);

 private:
  struct Watched {
    Running work;
    Timer deadline;
    Timer pause;          // between two updates
    bool dirty = false;
    bool deadline_passed = false;
    Monotonic quiet_until{};
  };

  void mark(const Uuid& id);
  void start(const Uuid& id);
  Async<void> look_at(Uuid id);
  void arm(const Uuid& id, const Deployment& d, const std::vector<Ref<Allocation>>& allocs);

  Server& server_;
  std::map<Uuid, Watched> watched_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace drover::server
