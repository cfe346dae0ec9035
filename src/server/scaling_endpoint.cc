// Scaling.*.
#include <algorithm>

#include "model/feature_requests.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"

namespace drover::server {
namespace {

ScalingPolicyListStub stub(const ScalingPolicy& p) {
  return {.ID = p.ID, .Enabled = p.Enabled, .Type = p.Type, .Target = p.Target, .CreateIndex = p.CreateIndex, .ModifyIndex = p.ModifyIndex};
}

// A prefix excludes the job and the type.
Status policy_list(ReadContext& c, const rpc::ScalingPolicyListRequest& req, rpc::ScalingPolicyListResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  auto& policies = c.snap.scaling_policies();
  auto rows = !req.Prefix.empty()                         ? policies.by_prefix(req.Prefix, c.watch)
              : ns == kAllNamespaces                      ? policies.all(c.watch)
              : !req.Job.empty()                          ? policies.by_job(ns, req.Job, c.watch)
                                                          : policies.by_namespace(ns, c.watch);
  resp.Policies = List<ScalingPolicyListStub>::empty_list();
  for (auto& p : rows) {
    if (ns != kAllNamespaces && p->Target.get_or("Namespace") != ns) continue;
    if (req.Prefix.empty() && !req.Type.empty() && p->Type != req.Type) continue;
    if (req.Prefix.empty() && !req.Job.empty() && p->Target.get_or("Job") != req.Job) continue;
    resp.Policies.push_back(stub(*p));
  }
  resp.Index = std::max<uint64_t>(1, c.snap.table_index(state::TableId::scaling_policies));
  return {};
}

Status policy_get(ReadContext& c, const rpc::ScalingPolicySpecificRequest& req, rpc::SingleScalingPolicyResponse& resp) {
  resp.Policy = c.snap.scaling_policies().get(req.ID, c.watch);
  resp.Index = resp.Policy ? resp.Policy->ModifyIndex : std::max<uint64_t>(1, c.snap.table_index(state::TableId::scaling_policies));
  return {};
}

}  // namespace

void add_scaling_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&policy_list>("Scaling.ListPolicies", Where::kStale));
  rows.push_back(rpc_row<&policy_get>("Scaling.GetPolicy", Where::kStale));
}

}  // namespace drover::server
