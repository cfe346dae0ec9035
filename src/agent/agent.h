// Agent: builds the parts and ties them together: loop, server, client, HTTP. The only place that knows them all.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/settings.h"
#include "api/agent.h"
#include "base/async.h"
#include "base/result.h"
#include "base/world.h"

namespace drover::net {
struct RealWorld;
}

namespace drover::agent {

class Agent {
 public:
  // `world` outlives the agent. `fatal` is called on the loop when the agent cannot go on (the log failed).
  Agent(net::RealWorld& world, Settings settings, std::function<void(const Error&)> fatal);
  ~Agent();
  Agent(const Agent&) = delete;

  // Binds, recovers and starts everything. An error says what to do; nothing is left behind.
  Async<Status> start();
  // Drains this node where that is configured. What fails is logged.
  Async<void> leave();
  // Gives leadership away and stops. Tasks keep running outside dev mode.
  Async<void> shutdown();
  // SIGHUP: what of `settings` can change while running.
  void reload(const Settings& settings);

  // Joins the gossip of other servers: how many of the addresses took it, and what went wrong with the rest.
  Async<api::Agent::Joined> join(std::vector<std::string> addresses);
  // As the HTTP routes see this agent.
  api::Agent& parts();

  // The server's id in its cluster; "" without a server.
  std::string server_node_id() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::agent
