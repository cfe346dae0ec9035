// /v1/allocations, /v1/allocation/... (reference http-api section 12.1), and how an allocation is shown.
#include <fmt/format.h>

#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/strings.h"
#include "model/rpc.h"
#include "model/shown.h"

namespace drover::api {
namespace {

Async<Result<Reply>> all_allocs(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::AllocListRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  auto& fields = req.Fields.ensure();
  DROVER_CO_TRY(fields.Resources, call.flag("resources"));
  DROVER_CO_TRY(fields.TaskStates, call.flag("task_states", true));
  auto resp = co_await call.read<rpc::AllocListResponse>("Alloc.List", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return co_await call.json_in_pool([stubs = std::move(resp->Allocations)]() mutable { return shown_stubs(std::move(stubs)); });
}

Async<Result<Reply>> get_alloc(Call& call, std::string id) {
  if (!call.is("GET")) co_return method_error();
  rpc::AllocSpecificRequest req;
  req.AllocID = std::move(id);
  auto resp = co_await call.read<rpc::SingleAllocResponse>("Alloc.GetAlloc", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (!resp->Alloc) co_return not_found("alloc not found");
  co_return call.json(shown_alloc(*resp->Alloc));
}

Async<Result<Reply>> stop_alloc(Call& call, std::string id) {
  if (!call.is_write()) co_return method_error();
  rpc::AllocStopRequest req;
  req.AllocID = std::move(id);
  if (auto text = call.query.get("no_shutdown_delay"); !text.empty()) {
    auto b = parse_bool(text);
    // The byte 0x01 stands in the reference's text; it is why the answer's type is sniffed as binary.
    if (!b)
      co_return internal(fmt::format("no_shutdown_delay\x01 value is not a boolean: strconv.ParseBool: parsing {}: invalid syntax", go_quote(text)));
    req.NoShutdownDelay = *b;
  }
  co_return co_await reply_write<AllocStopResponse>(call, "Alloc.Stop", std::move(req));
}

Async<Result<Reply>> alloc_services(Call& call, std::string id) {
  if (!call.is("GET")) co_return method_error();
  rpc::AllocSpecificRequest req;
  req.AllocID = std::move(id);
  auto resp = co_await call.read<rpc::ServiceRegistrationsResponse>("Alloc.GetServiceRegistrations", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (resp->Services.is_nil()) co_return not_found("allocation not found");
  co_return call.json(resp->Services);
}

Async<Result<Reply>> one_alloc(Call& call) {
  auto parts = split(call.rest, '/');
  if (parts.size() == 1) return get_alloc(call, parts[0]);
  if (parts.size() == 2 && parts[1] == "stop") return stop_alloc(call, parts[0]);
  if (parts.size() == 2 && parts[1] == "services") return alloc_services(call, parts[0]);
  if (parts.size() == 2 && parts[1] == "checks") return alloc_checks(call, parts[0]);
  return at_once(not_found("resource not found"));
}

}  // namespace

void add_alloc_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/allocations", all_allocs});
  routes.push_back({"/v1/allocation/", one_alloc});
}

}  // namespace drover::api
