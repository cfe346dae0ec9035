// The single hooks of admission; used by admission.cc and its tests.
#pragma once

#include <string>

#include "base/result.h"
#include "base/world.h"
#include "model/job.h"
#include "model/multi_error.h"

namespace drover::admission {

// Consul Connect: adds sidecar and gateway tasks and their ports, names native tasks.
Status connect_mutate(Job& job, Random* random);
// The first problem, or "".
std::string connect_problem(const Job& job);

// Turns checks with `expose` into paths of the sidecar's proxy.
Status expose_mutate(Job& job);
std::string expose_problem(const Job& job);

// Appends the constraints that a group's blocks imply.
void imply_constraints(Job& job);

}  // namespace drover::admission
