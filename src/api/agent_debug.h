// What the agent shows to those who look for faults: its log as it is written, and profiles.
#pragma once

#include <string>

#include "api/call.h"

namespace drover::api {

// "Permission denied" unless enable_debug is set.
Status debug_allowed(const Call& call);

// Which agent `node_id` or `server_id` name; only this one can be asked. `named`: one of them was given.
struct DebugTarget {
  bool named = false;
  std::string id;
};
Async<Result<DebugTarget>> debug_target(Call& call);

// GET /v1/agent/monitor: log lines from now on, as frames or as plain text.
Async<Result<Reply>> agent_monitor(Call& call);
// /v1/agent/pprof/<profile> and /debug/pprof/<profile>.
Async<Result<Reply>> agent_profile(Call& call);
Async<Result<Reply>> debug_profile(Call& call);

}  // namespace drover::api
