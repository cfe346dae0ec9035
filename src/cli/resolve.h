// From the beginning of an identifier to the object (reference cli section 4). Each function says what is wrong on
// standard error and gives nullopt then; the caller ends with 1 unless its table says otherwise.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/api.h"
#include "cli/command.h"
#include "model/alloc.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job_records.h"
#include "model/node.h"

namespace drover::cli {

// Lists of UUIDs are searched by whole bytes: an odd digit at the end is dropped.
std::string sanitize_uuid_prefix(std::string_view prefix);

// "Alloc ID must contain at least two characters." is what `too_short` says.
std::optional<AllocListStub> find_alloc_stub(Context& c, Api& api, const std::string& prefix,
                                             std::string_view too_short = "Alloc ID must contain at least two characters.");
// The whole allocation, asked for in its own namespace.
std::optional<Allocation> find_alloc(Context& c, Api& api, const std::string& prefix,
                                     std::string_view too_short = "Alloc ID must contain at least two characters.");
// An allocation of the job: a running one, else any, chosen at random.
std::optional<std::string> random_alloc_of_job(Context& c, Api& api, const std::string& job);

inline constexpr std::string_view kShortId = "Identifier must contain at least two characters.";

// The full id of a node. Errors of the query are `Error <what>: ...`.
Result<std::string> find_node_id(Api& api, const std::string& prefix, std::string_view too_short = kShortId,
                                 std::string_view what = "querying node");

std::optional<std::string> find_eval_id(Context& c, Api& api, const std::string& prefix);

// A deployment, or several that fit, or an error in the words of "Error retrieving deployment: ...".
struct FoundDeployment {
  std::optional<Deployment> one;
  List<Deployment> several;
};
Result<FoundDeployment> find_deployment(Api& api, const std::string& prefix);

struct JobRef {
  std::string id;
  std::string space;  // "" when the token may not list jobs
  Params params() const { return space.empty() ? Params{} : Params{{"namespace", space}}; }
};
// The error is the text for the user. `fits` filters what the prefix found.
Result<JobRef> find_job(Api& api, std::string_view prefix, const std::function<bool(const JobListStub&)>& fits = {},
                        std::string_view kind = "job");

// "Job", "alloc" ... of tasks: the group's task that is meant, or an error that lists them.
Result<std::string> only_task(const Allocation& alloc, std::string_view command_hint = "");
// Error: "Could not find task named: x, found:" and the list.
Status check_task(const std::string& task, const Allocation& alloc);

}  // namespace drover::cli
