// What draining nodes call for (reference server-workflows section 5). Pure: looked at anew after every change, it
// remembers nothing.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/alloc.h"
#include "model/node.h"
#include "state/store.h"

namespace drover::server {

using JobKey = std::pair<std::string, std::string>;  // namespace, id
inline JobKey job_key(const Allocation& a) { return {std::string(a.Namespace), std::string(a.JobID)}; }

struct DrainPass {
  // To be told to migrate; none of them has been told before.
  std::vector<Ref<Allocation>> migrate;
  struct Done {
    Uuid node;
    bool deadline_reached = false;
    DrainStrategy strategy;  // the one that was judged
  };
  // Their drain is over once `migrate` is written.
  std::vector<Done> done;
  // When the next deadlines come, if any: those within a few seconds of the first fire together with the last of them.
  std::optional<Time> wake_at;
  // Whose allocations decide what happens next, on whatever node they are.
  std::set<JobKey> jobs;
};

// `nodes`: those that have a drain strategy. Groups of services give up as many allocations at a time as their migrate
// block allows, measured by those that are healthy; batch work is waited for; system and plugin work goes last; a
// deadline ends all patience.
DrainPass plan_drain(const state::Snapshot& snap, const std::set<Uuid>& nodes, Time now);

}  // namespace drover::server
