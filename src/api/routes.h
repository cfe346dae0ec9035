// The table of HTTP routes and what serves it (reference http-api).
//
// A pattern that ends in '/' matches every longer path; the others match exactly; the longest wins. Middlewares act on
// the table: path cleaning, extra headers, CORS, error texts.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "model/alloc.h"

namespace drover::api {

enum RouteFlag : unsigned {
  kCorsRead = 1,   // any origin may HEAD and GET
  kCorsWrite = 2,  // and PUT, DELETE
};

struct Route {
  std::string_view pattern;
  Async<Result<Reply>> (*handle)(Call&);
  unsigned flags = 0;
};

// Every route, sorted by pattern.
const std::vector<Route>& routes();
// The route of a path, null when there is none; `rest` is what follows a pattern that ends in '/'.
const Route* find_route(std::string_view path, std::string& rest);

void add_job_routes(std::vector<Route>& routes);
void add_node_routes(std::vector<Route>& routes);
void add_alloc_routes(std::vector<Route>& routes);
void add_eval_routes(std::vector<Route>& routes);
void add_deployment_routes(std::vector<Route>& routes);
void add_operator_routes(std::vector<Route>& routes);
void add_namespace_routes(std::vector<Route>& routes);
void add_client_routes(std::vector<Route>& routes);
void add_agent_routes(std::vector<Route>& routes);
void add_search_routes(std::vector<Route>& routes);
void add_scaling_routes(std::vector<Route>& routes);
void add_variable_routes(std::vector<Route>& routes);
void add_csi_routes(std::vector<Route>& routes);
void add_acl_routes(std::vector<Route>& routes);
void add_event_routes(std::vector<Route>& routes);
void add_snapshot_routes(std::vector<Route>& routes);
void add_other_routes(std::vector<Route>& routes);

// The checks of an allocation, asked on its node; also served under /v1/client.
Async<Result<Reply>> alloc_checks(Call& call, std::string alloc_id);

// The handler to give to net::HttpServer.
net::HttpHandler http_handler(Agent& agent);

}  // namespace drover::api
