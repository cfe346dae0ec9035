// One pass of one evaluation: the state, the plan so far, and what nodes look like under that plan.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/world.h"
#include "model/config_records.h"
#include "scheduler/eligibility.h"
#include "scheduler/fleet.h"
#include "scheduler/plan_builder.h"
#include "scheduler/random.h"
#include "scheduler/schedule.h"

namespace drover::scheduler {

// What a placement takes, as its AllocationTime says; nothing where nobody gave a clock.
class Stopwatch {
 public:
  explicit Stopwatch(const Options& options) : clock_(options.stopwatch), started_(clock_ ? clock_->monotonic() : Monotonic()) {}
  Duration elapsed() const { return clock_ ? std::max(Duration(1), Duration(clock_->monotonic() - started_)) : Duration(); }

 private:
  Clock* clock_;
  Monotonic started_;
};

class Context {
 public:
  Context(const StateView& state, Fleet& fleet, const Evaluation& eval, Ref<Job> job, const Options& options, Time now,
          uint64_t seed);

  const StateView& state;
  Fleet& fleet;
  const Evaluation& eval;
  const Options& options;
  const Time now;
  SeededRandom random;
  PlanBuilder plan;
  Eligibility eligibility;
  // Defaults when the cluster has none; `has_config` tells.
  SchedulerConfiguration config;
  bool has_config = false;

  // Allocations of a row under the plan: those of the state that the client is not done with, less what the plan
  // stops or preempts, with what it places.
  const NodeUse& use(uint32_t row);
  const NodePorts& ports(uint32_t row);
  DeviceAccounter devices(uint32_t row);
  // The same without one allocation that an update would replace.
  NodeUse use_without(uint32_t row, const Uuid& alloc);

  // Rows that the plan touched since position `from` of the plan's log; advances it.
  void each_touched(size_t& from, const std::function<void(uint32_t)>& fn);

  // Texts as small numbers, for counting. Numbers start at 1.
  int32_t reason(std::string_view text);
  const std::string& reason_text(int32_t id) const { return reasons_[static_cast<size_t>(id) - 1]; }

  Uuid new_id() { return Uuid::generate(random); }
  bool preemption_enabled() const;

 private:
  struct Touched {
    NodeUse use;
    std::unique_ptr<NodePorts> ports;
  };
  void catch_up();
  void replay(const Change& change);
  void rebuild(uint32_t row, Touched& t);

  std::unordered_map<uint32_t, Touched> touched_;
  size_t replayed_ = 0;
  std::vector<std::string> reasons_;
  std::unordered_map<std::string, int32_t> reason_ids_;
};

}  // namespace drover::scheduler
