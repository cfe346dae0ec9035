// /v1/search and /v1/search/fuzzy (reference http-api section 22).
#include "api/routes.h"
#include "api/rpc_reply.h"

namespace drover::api {
namespace {

// The query's options win over the body's.
template <class Request, class Response>
Async<Result<Reply>> search(Call& call, std::string_view method) {
  if (!call.is_write()) co_return method_error();
  Request req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  QueryOptions options;
  auto parsed = call.parse_options(options);
  if (!parsed) co_return Error(std::move(parsed).error());
  if (!call.query.get("namespace").empty() || req.Namespace.empty()) req.Namespace = options.Namespace;
  if (!call.query.get("region").empty() || req.Region.empty()) req.Region = options.Region;
  if (call.query.has("stale")) req.AllowStale = options.AllowStale;
  req.AuthToken = options.AuthToken;
  req.MinQueryIndex = 0;  // answers at once
  auto resp = co_await call.rpc<Response>(method, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  call.set_meta(convert<QueryMeta>(*resp));
  co_return call.json(*resp);
}

Async<Result<Reply>> search_prefix(Call& call) {
  return search<SearchRequest, SearchResponse>(call, "Search.PrefixSearch");
}
Async<Result<Reply>> search_fuzzy(Call& call) {
  return search<FuzzySearchRequest, FuzzySearchResponse>(call, "Search.FuzzySearch");
}

}  // namespace

void add_search_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/search", search_prefix});
  routes.push_back({"/v1/search/fuzzy", search_fuzzy});
}

}  // namespace drover::api
