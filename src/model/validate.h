// Whether the server takes a job: structural validation and warnings, in the reference's words and order (reference
// jobspec sections 3 to 5 and 7). Jobs are in the server's canonical form.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/job.h"
#include "model/multi_error.h"

namespace drover {

MultiError validate(const Job& job);
// Things that work and may surprise.
MultiError job_warnings(const Job& job);

// The single judgements, for those who hold only a part of a job.
MultiError validate(const Constraint& constraint);
MultiError validate(const Affinity& affinity);
MultiError validate(const Spread& spread);
MultiError validate(const Resources& resources);
MultiError validate(const Service& service);
MultiError validate(const Task& task, std::string_view type, const TaskGroup& group);

// "": the default one.
Status check_scheduler_algorithm(std::string_view name);

// Whether `path`, taken below `prefix` ("task", "task/local/") in an allocation's directory, leaves that directory.
// Lexical: links are the client's affair.
bool path_escapes_alloc(std::string_view prefix, std::string_view path);

}  // namespace drover
