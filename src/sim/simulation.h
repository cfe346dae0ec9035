// One run: a region of real servers and real node agents in one thread on virtual time, a workload on it, faults for a
// while and then calm. The same options give the same run, to the last byte sent; `trace_hash` tells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario.h"

namespace drover::sim {

struct Outcome {
  std::vector<std::string> violations;  // empty: nothing went wrong, and all was well again after the faults
  uint64_t trace_hash = 0;
  uint64_t commits = 0, terms = 0, restores = 0, writes = 0, errors = 0, reads = 0;
  uint64_t tasks_started = 0, tasks_stopped = 0, faults = 0, pieces = 0;
  Duration longest_silence{};  // between two acknowledged writes, where one server at a time suffered
  double seconds = 0;          // of virtual time
  void add(const Outcome& other);
};

Outcome run(const Options& options);

}  // namespace drover::sim
