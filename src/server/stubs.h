// List stubs: the short forms of allocations, nodes, jobs, evaluations that lists carry.
#pragma once

#include "model/alloc.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/job_records.h"
#include "model/node.h"
#include "model/rpc_requests.h"

namespace drover::server {

AllocListStub alloc_stub(const Allocation& alloc, AllocStubFields fields = {});

struct NodeStubParts {
  bool resources = false;
  bool os = false;
};
NodeListStub node_stub(const Node& node, NodeStubParts parts = {});

JobListStub job_stub(const Job& job, const JobSummary* summary, bool with_meta);
EvaluationStub eval_stub(const Evaluation& eval);

}  // namespace drover::server
