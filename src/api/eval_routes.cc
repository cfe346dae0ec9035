// /v1/evaluations, /v1/evaluation/... (reference http-api section 15) and /v1/deployments, /v1/deployment/... (16).
#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/strings.h"
#include "model/shown.h"
#include "model/rpc_requests.h"

namespace drover::api {
namespace {

Async<Result<Reply>> delete_evals(Call& call) {
  EvalDeleteRequest req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  co_return co_await reply_write<EvalDeleteResponse>(call, "Eval.Delete", std::move(req));
}

Async<Result<Reply>> all_evals(Call& call) {
  if (call.is("DELETE")) return delete_evals(call);
  if (!call.is("GET")) return at_once(method_error());
  rpc::EvalListRequest req;
  req.FilterEvalStatus = call.query.get("status");
  req.FilterJobID = call.query.get("job");
  return reply_member<rpc::EvalListResponse>(call, "Eval.List", std::move(req), &rpc::EvalListResponse::Evaluations);
}

Async<Result<Reply>> count_evals(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::EvalCountRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto resp = co_await call.rpc<EvalCountResponse>("Eval.Count", std::move(req));
  if (!resp) co_return Error(ErrorCode::kInternal, resp.error().message);
  call.set_meta(convert<QueryMeta>(*resp));
  co_return call.json(*resp);
}

Async<Result<Reply>> eval_allocations(Call& call, std::string_view id) {
  rpc::EvalSpecificRequest req;
  req.EvalID = id;
  auto resp = co_await call.read<rpc::EvalAllocationsResponse>("Eval.Allocations", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return co_await call.json_in_pool([stubs = std::move(resp->Allocations)]() mutable { return shown_stubs(std::move(stubs)); });
}

Async<Result<Reply>> one_eval(Call& call) {
  if (!call.is("GET")) return at_once(method_error());
  std::string_view path = call.rest;
  constexpr std::string_view kAllocations = "/allocations";
  if (path.ends_with(kAllocations)) return eval_allocations(call, path.substr(0, path.size() - kAllocations.size()));
  rpc::EvalSpecificRequest req;
  req.EvalID = path;
  req.IncludeRelated = call.query.get("related") == "true";
  return reply_object<rpc::SingleEvalResponse>(call, "Eval.GetEval", std::move(req), &rpc::SingleEvalResponse::Eval,
                                                          "eval not found");
}

// ---- deployments ---------------------------------------------------------------------------------------------------

Async<Result<Reply>> all_deployments(Call& call) {
  if (!call.is("GET")) co_return method_error();
  co_return co_await reply_member<rpc::DeploymentListResponse>(call, "Deployment.List", rpc::DeploymentListRequest{},
                                                              &rpc::DeploymentListResponse::Deployments);
}

Async<Result<Reply>> fail_deployment(Call& call, std::string id) {
  rpc::DeploymentFailRequest req;
  req.DeploymentID = std::move(id);
  co_return co_await reply_write<DeploymentUpdateResponse>(call, "Deployment.Fail", std::move(req));
}

// A write whose body names the deployment again.
template <class Request>
Async<Result<Reply>> update_deployment(Call& call, std::string id, std::string_view method) {
  Request req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (req.DeploymentID.empty()) co_return invalid("DeploymentID must be specified");
  if (req.DeploymentID != id) co_return invalid("Deployment ID does not match");
  co_return co_await reply_write<DeploymentUpdateResponse>(call, method, std::move(req));
}

Async<Result<Reply>> pause_deployment(Call& call, std::string id) {
  return update_deployment<DeploymentPauseRequest>(call, std::move(id), "Deployment.Pause");
}
Async<Result<Reply>> promote_deployment(Call& call, std::string id) {
  return update_deployment<DeploymentPromoteRequest>(call, std::move(id), "Deployment.Promote");
}
Async<Result<Reply>> unblock_deployment(Call& call, std::string id) {
  return update_deployment<DeploymentUnblockRequest>(call, std::move(id), "Deployment.Unblock");
}
Async<Result<Reply>> set_health(Call& call, std::string id) {
  return update_deployment<DeploymentAllocHealthRequest>(call, std::move(id), "Deployment.SetAllocHealth");
}

Async<Result<Reply>> deployment_allocations(Call& call, std::string id) {
  rpc::DeploymentSpecificRequest req;
  req.DeploymentID = std::move(id);
  auto resp = co_await call.read<rpc::AllocListResponse>("Deployment.Allocations", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return co_await call.json_in_pool([stubs = std::move(resp->Allocations)]() mutable { return shown_stubs(std::move(stubs)); });
}

struct DeploymentPrefix {
  std::string_view prefix;
  bool write;
  Async<Result<Reply>> (*handle)(Call&, std::string id);
};
constexpr DeploymentPrefix kPrefixes[] = {
    {"allocations/", false, deployment_allocations}, {"fail/", true, fail_deployment},
    {"pause/", true, pause_deployment},              {"promote/", true, promote_deployment},
    {"unblock/", true, unblock_deployment},          {"allocation-health/", true, set_health},
};

Async<Result<Reply>> one_deployment(Call& call) {
  std::string_view path = call.rest;
  for (auto& p : kPrefixes) {
    if (!path.starts_with(p.prefix)) continue;
    if (p.write ? !call.is_write() : !call.is("GET")) return at_once(method_error());
    return p.handle(call, std::string(path.substr(p.prefix.size())));
  }
  if (!call.is("GET")) return at_once(method_error());
  rpc::DeploymentSpecificRequest req;
  req.DeploymentID = path;
  return reply_object<rpc::SingleDeploymentResponse>(call, "Deployment.GetDeployment", std::move(req),
                                                     &rpc::SingleDeploymentResponse::Deployment, "deployment not found");
}

}  // namespace

void add_eval_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/evaluations", all_evals});
  routes.push_back({"/v1/evaluations/count", count_evals});
  routes.push_back({"/v1/evaluation/", one_eval});
}

void add_deployment_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/deployments", all_deployments});
  routes.push_back({"/v1/deployment/", one_deployment});
}

}  // namespace drover::api
