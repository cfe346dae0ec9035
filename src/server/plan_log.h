// What the planner of a server works with: its state, its log, its keys.
#pragma once

#include "server/planner.h"

namespace drover::server {

class Server;

PlannerParts plan_log(Server& server);

}  // namespace drover::server
