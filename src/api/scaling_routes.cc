// /v1/scaling/... (reference http-api section 21).
#include "api/routes.h"
#include "api/rpc_reply.h"
#include "model/feature_requests.h"

namespace drover::api {
namespace {

Async<Result<Reply>> scaling_policies(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::ScalingPolicyListRequest req;
  req.Job = call.query.get("job");
  req.Type = call.query.get("type");
  co_return co_await reply_member<rpc::ScalingPolicyListResponse>(call, "Scaling.ListPolicies", std::move(req),
                                                                 &rpc::ScalingPolicyListResponse::Policies);
}

Async<Result<Reply>> scaling_policy(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::ScalingPolicySpecificRequest req;
  req.ID = call.rest;
  co_return co_await reply_object<rpc::SingleScalingPolicyResponse>(call, "Scaling.GetPolicy", std::move(req),
                                                                   &rpc::SingleScalingPolicyResponse::Policy, "policy not found");
}

}  // namespace

void add_scaling_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/scaling/policies", scaling_policies});
  routes.push_back({"/v1/scaling/policy/", scaling_policy});
}

}  // namespace drover::api
