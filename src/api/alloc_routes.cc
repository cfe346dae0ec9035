// /v1/allocations, /v1/allocation/... (reference http-api section 12.1), and how an allocation is shown.
#include <fmt/format.h>

#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/snappy.h"
#include "base/strings.h"
#include "model/rpc.h"
#include "model/task_events.h"

namespace drover::api {
namespace {

drover::Resources task_resources(const AllocatedTaskResources& t) {
  drover::Resources r;
  r.CPU = t.Cpu.CpuShares;
  r.Cores = static_cast<int64_t>(t.Cpu.ReservedCores.size());
  r.MemoryMB = t.Memory.MemoryMB;
  r.MemoryMaxMB = t.Memory.MemoryMaxMB;
  r.Networks = t.Networks;
  return r;
}

// The older shape of what was allocated, which clients still read; derived here so that the state does not keep it.
void add_legacy_resources(Allocation& a) {
  if (!a.AllocatedResources || a.Resources) return;
  auto& total = a.Resources.ensure();
  auto& shared = a.SharedResources.ensure();
  shared.DiskMB = a.AllocatedResources->Shared.DiskMB;
  shared.Networks = a.AllocatedResources->Shared.Networks;
  total.DiskMB = shared.DiskMB;
  total.Networks = shared.Networks;
  for (auto& [name, t] : a.AllocatedResources->Tasks) {
    auto r = task_resources(t);
    total.CPU += r.CPU;
    total.Cores += r.Cores;
    total.MemoryMB += r.MemoryMB;
    total.MemoryMaxMB += r.MemoryMaxMB ? r.MemoryMaxMB : r.MemoryMB;
    for (auto& n : r.Networks) total.Networks.push_back(n);
    a.TaskResources[name] = std::move(r);
  }
}

void fill_messages(Map<TaskState>& states) {
  for (auto& [name, state] : states)
    for (auto& event : state.Events)
      if (event.DisplayMessage.empty()) event.DisplayMessage = display_message(event);
}

Async<Result<Reply>> all_allocs(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::AllocListRequest req;
  auto parsed = call.parse_options(req);
  if (!parsed) co_return Error(std::move(parsed).error());
  DROVER_CO_TRY(req.Resources, call.flag("resources"));
  DROVER_CO_TRY(req.TaskStates, call.flag("task_states", true));
  auto resp = co_await call.read<rpc::AllocListResponse>("Alloc.List", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(shown_stubs(std::move(resp->Allocations)));
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
  if (parts.size() == 1) co_return co_await get_alloc(call, parts[0]);
  if (parts.size() == 2 && parts[1] == "stop") co_return co_await stop_alloc(call, parts[0]);
  if (parts.size() == 2 && parts[1] == "services") co_return co_await alloc_services(call, parts[0]);
  if (parts.size() == 2 && parts[1] == "checks") co_return co_await alloc_checks(call, parts[0]);
  co_return not_found("resource not found");
}

}  // namespace

Allocation shown_alloc(const Allocation& alloc) {
  Allocation a = alloc;
  add_legacy_resources(a);
  if (a.Job && !a.Job->Payload.empty()) {
    if (auto plain = snappy_decode(a.Job->Payload.data)) {
      auto job = std::make_shared<drover::Job>(*a.Job);
      job->Payload.data = std::move(*plain);
      a.Job = std::move(job);
    }
  }
  fill_messages(a.TaskStates);
  return a;
}

List<AllocListStub> shown_stubs(List<AllocListStub> stubs) {
  for (auto& s : stubs) fill_messages(s.TaskStates);
  return stubs;
}

void add_alloc_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/allocations", all_allocs});
  routes.push_back({"/v1/allocation/", one_alloc});
}

}  // namespace drover::api
