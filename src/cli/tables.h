// Tables and blocks that several commands show (reference cli section 7).
#pragma once

#include <string>

#include "base/time.h"
#include "cli/command.h"
#include "model/alloc.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job_records.h"
#include "model/node.h"

namespace drover {
struct Namespace;
struct JobSummary;
}  // namespace drover

namespace drover::cli {

std::string alloc_stub_list(const List<AllocListStub>& allocs, bool verbose, Time now);
// The same of whole allocations; the verbose form has no node name.
std::string alloc_list(const List<Allocation>& allocs, bool verbose, Time now);
std::string job_list(const List<JobListStub>& jobs, bool with_namespace);
std::string eval_list(const List<Evaluation>& evals, bool verbose);
std::string deployment_list(const List<Deployment>& deployments, bool verbose);
std::string node_stub_list(const List<NodeListStub>& nodes, bool verbose);

// "false", "true", or "N/A - In Progress" for blocked ones.
std::string placement_failures(const Evaluation& eval);
// "type/periodic/parameterized".
std::string job_type_text(std::string_view type, bool periodic, bool parameterized);
std::string status_text(std::string_view status, bool stop);

// The block of a deployment: facts, the table of its regions where there is one, groups.
std::string deployment_block(const Ui& ui, const Deployment* deployment, bool verbose, const std::string& regions = "");
// The table of its groups only.
std::string deployment_groups(const Deployment& deployment);

// Why a group could not be placed, or how nodes were rated. No final newline.
std::string metrics_text(const AllocMetric& metric, bool scores, std::string_view prefix);
// `Task Group "x" (failed to place 2 allocations):`
std::string failed_group_title(std::string_view group, const AllocMetric& metric);
int64_t failed_count(const AllocMetric& metric);

}  // namespace drover::cli
