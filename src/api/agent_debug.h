// What the agent shows to those who look for faults: its log as it is written, its machine, profiles; its own, or those of
// any server or node.
#pragma once

#include <memory>
#include <string>

#include "api/call.h"
#include "model/agent_self.h"

namespace drover::api {

// "Permission denied" unless enable_debug is set.
Status debug_allowed(const Agent& agent);

// ?node_id= and ?server_id=. kInvalid "Can only forward to either client node or server".
struct DebugTarget {
  std::string node, server;
  bool named() const { return !node.empty() || !server.empty(); }
};
Result<DebugTarget> debug_target(const Call& call);
// Whether this agent itself is meant: nobody is named, or its own node.
bool is_own(const Call& call, const DebugTarget& target);

// GET /v1/agent/monitor: log lines from now on, as frames or as plain text.
Async<Result<Reply>> agent_monitor(Call& call);
// /v1/agent/pprof/<profile> and /debug/pprof/<profile>.
Async<Result<Reply>> agent_profile(Call& call);
Async<Result<Reply>> debug_profile(Call& call);

// The log lines of this agent, as messages on the stream, until its other end goes.
Async<void> run_monitor(Agent& agent, std::unique_ptr<net::Stream> stream, rpc::MonitorRequest request);
// kNotFound `Pprof profile not found profile: x`.
Result<rpc::AgentPprofResponse> take_profile(const rpc::AgentPprofRequest& request);

// Answers for this agent, locally and to other agents.
std::unique_ptr<AgentSelf> make_agent_self(Agent& agent);

}  // namespace drover::api
