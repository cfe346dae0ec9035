// Writes that move a deployment, shared by the watcher and by operators' calls.
#pragma once

#include <string>
#include <vector>

#include "base/async.h"
#include "model/deployment.h"
#include "model/requests.h"

namespace drover::server {

class Server;

// Marks it failed, with an evaluation, and registers the stable version again when `rollback` asks for it.
Async<Status> fail_deployment(Server& server, const Deployment& d, std::string description, bool rollback,
                              DeploymentUpdateResponse* response = nullptr);
Async<Status> promote_deployment(Server& server, const Deployment& d, bool all, List<std::string> groups,
                                 DeploymentUpdateResponse* response = nullptr);
// An evaluation for what became healthy, and leave to replace what became unhealthy.
Async<Status> continue_deployment(Server& server, const Deployment& d, std::vector<Uuid> replace);

// A pending evaluation for the deployment.
Evaluation deployment_eval(Server& server, const Deployment& d);

}  // namespace drover::server
