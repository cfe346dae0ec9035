// Agent: builds the parts and ties them together: loop, server, client, HTTP. The only place that knows them all.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/settings.h"
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
  // `leave`: give leadership away and drain as configured, before stopping. Tasks keep running outside dev mode.
  Async<void> shutdown(bool leave);
  // SIGHUP: what of `settings` can change while running.
  void reload(const Settings& settings);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::agent
