// Routes that belong to another edition, the web interface, metrics (reference http-api sections 24, 25, 27).
#include "api/metrics_reply.h"
#include "api/routes.h"

namespace drover::api {
namespace {

Async<Result<Reply>> enterprise(Call&) { co_return Error(ErrorCode::kNotImplemented, "Nomad Enterprise only endpoint"); }

Async<Result<Reply>> license(Call& call) {
  if (call.is("GET")) co_return Reply{.status = 204};
  if (call.is("PUT")) co_return co_await enterprise(call);
  co_return method_error();
}

Async<Result<Reply>> no_ui(Call&) {
  co_return Reply{.body = "<html><p>Nomad UI is disabled</p></html>", .content_type = "text/html; charset=utf-8"};
}

Async<Result<Reply>> metrics(Call& call) {
  if (!call.is("GET")) co_return method_error();
  if (call.query.get("format") != "prometheus") co_return metrics_json(call);
  if (!call.agent.prometheus_enabled()) co_return Reply{.status = 415, .body = "Prometheus is not enabled"};
  co_return metrics_prometheus();
}

}  // namespace

void add_other_routes(std::vector<Route>& routes) {
  for (auto path : {"/v1/sentinel/policies", "/v1/sentinel/policy/", "/v1/quotas", "/v1/quota-usages", "/v1/quota", "/v1/quota/",
                    "/v1/recommendation", "/v1/recommendations", "/v1/recommendations/apply", "/v1/recommendation/"})
    routes.push_back({path, enterprise});
  routes.push_back({"/v1/operator/license", license});
  routes.push_back({"/v1/metrics", metrics});
  routes.push_back({"/ui/", no_ui});
}

}  // namespace drover::api
