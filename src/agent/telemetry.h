// What the agent measures at intervals (reference metrics sections 5 to 12).
#pragma once

#include <string>
#include <string_view>

#include "agent/settings.h"
#include "api/agent.h"
#include "base/async.h"
#include "base/metrics.h"
#include "base/world.h"

namespace drover::state {
class Snapshot;
}

namespace drover::agent {

// Turns the process's registry on.
void enable_metrics(const TelemetrySettings& settings);

// Emits gauges until it is destroyed. References outlive it; runs on the loop.
class Emitter {
 public:
  Emitter(World& world, TelemetrySettings settings, api::Agent& agent);

 private:
  Async<void> every(Duration interval, Async<void> (Emitter::*emit)());
  Async<void> emit_fast();        // 1 s: the loop, queues
  Async<void> emit_collected();   // collection_interval: node, allocations, jobs
  Async<void> emit_indexes();     // 10 s: process, log and state
  void emit_client();
  void emit_host_stats(const MetricLabels& node);
  Async<void> emit_tasks();
  Async<void> emit_jobs();

  World& world_;
  TelemetrySettings settings_;
  api::Agent& agent_;
  Running fast_, collected_, indexes_;
};

}  // namespace drover::agent
