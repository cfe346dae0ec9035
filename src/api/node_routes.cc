// /v1/nodes, /v1/node/... (reference http-api section 11).
#include "api/routes.h"
#include "api/rpc_reply.h"
#include "model/api_requests.h"
#include "model/rpc_requests.h"
#include "model/shown.h"

namespace drover::api {
namespace {

Async<Result<Reply>> all_nodes(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::NodeListRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto& fields = req.Fields.ensure();
  DROVER_CO_TRY(fields.Resources, call.flag("resources"));
  DROVER_CO_TRY(fields.OS, call.flag("os"));
  co_return co_await reply_member<rpc::NodeListResponse>(call, "Node.List", std::move(req), &rpc::NodeListResponse::Nodes);
}

Async<Result<Reply>> get_node(Call& call, std::string id) {
  rpc::NodeSpecificRequest req;
  req.NodeID = std::move(id);
  auto resp = co_await call.read<rpc::SingleNodeResponse>("Node.GetNode", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (!resp->Node) co_return not_found("node not found");
  co_return call.json(shown_node(*resp->Node));
}

Async<Result<Reply>> node_allocations(Call& call, std::string id) {
  if (!call.is("GET")) co_return method_error();
  rpc::NodeSpecificRequest req;
  req.NodeID = std::move(id);
  auto resp = co_await call.read<rpc::NodeAllocsResponse>("Node.GetAllocs", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return co_await call.json_in_pool([allocs = std::move(resp->Allocs)] {
    auto shown = List<Allocation>::empty_list();
    for (auto& a : allocs) shown.push_back(shown_alloc(*a));
    return shown;
  });
}

Async<Result<Reply>> node_evaluate(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  rpc::NodeEvaluateRequest req;
  req.NodeID = std::move(id);
  co_return co_await reply_write<NodeUpdateResponse>(call, "Node.Evaluate", std::move(req));
}

Async<Result<Reply>> node_drain(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  NodeUpdateDrainRequest body;
  auto decoded = co_await call.body(body);
  if (!decoded) co_return Error(std::move(decoded).error());
  rpc::NodeUpdateDrainRequest req;
  req.NodeID = std::move(id);
  req.MarkEligible = body.MarkEligible;
  req.Meta = body.Meta;
  if (body.DrainSpec) {
    auto& strategy = req.DrainStrategy.ensure();
    strategy.Deadline = body.DrainSpec->Deadline;
    strategy.IgnoreSystemJobs = body.DrainSpec->IgnoreSystemJobs;
  }
  co_return co_await reply_write<NodeDrainUpdateResponse>(call, "Node.UpdateDrain", std::move(req));
}

Async<Result<Reply>> node_eligibility(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  NodeUpdateEligibilityRequest req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  if (req.NodeID.empty()) req.NodeID = std::move(id);
  co_return co_await reply_write<NodeEligibilityUpdateResponse>(call, "Node.UpdateEligibility", std::move(req));
}

Async<Result<Reply>> node_purge(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  rpc::NodeDeregisterRequest req;
  req.NodeID = std::move(id);
  co_return co_await reply_write<NodeUpdateResponse>(call, "Node.Deregister", std::move(req));
}

struct NodeSuffix {
  std::string_view suffix;
  Async<Result<Reply>> (*handle)(Call&, std::string id);
};
constexpr NodeSuffix kSuffixes[] = {
    {"/evaluate", node_evaluate},       {"/allocations", node_allocations}, {"/drain", node_drain},
    {"/eligibility", node_eligibility}, {"/purge", node_purge},
};

Async<Result<Reply>> one_node(Call& call) {
  std::string_view path = call.rest;
  for (auto& s : kSuffixes)
    if (path.ends_with(s.suffix)) return s.handle(call, std::string(path.substr(0, path.size() - s.suffix.size())));
  return call.is("GET") ? get_node(call, std::string(path)) : at_once(method_error());
}

}  // namespace

void add_node_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/nodes", all_nodes});
  routes.push_back({"/v1/node/", one_node});
}

}  // namespace drover::api
