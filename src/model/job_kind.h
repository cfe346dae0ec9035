// What kind of job: one that others are made from, or one that runs.
#pragma once

#include "model/job.h"

namespace drover {

inline bool is_periodic(const Job& job) { return static_cast<bool>(job.Periodic); }
// A template for dispatched jobs; a dispatched child is none, though it keeps the block.
inline bool is_parameterized(const Job& job) { return job.ParameterizedJob && !job.Dispatched; }
// Such jobs have no evaluation of their own.
inline bool only_makes_children(const Job& job) { return is_periodic(job) || is_parameterized(job); }
// Launches children by the clock now.
inline bool is_periodic_active(const Job& job) {
  return is_periodic(job) && job.Periodic->Enabled && !job.Stop && !is_parameterized(job);
}

}  // namespace drover
