// /v1/volumes..., /v1/volume/csi/..., /v1/plugins, /v1/plugin/csi/... (reference http-api section 17).
#include "api/routes.h"
#include "api/rpc_reply.h"
#include "base/strings.h"
#include "model/shown.h"
#include "model/feature_requests.h"
#include "server/stubs.h"

namespace drover::api {
namespace {

// Lists without a type are empty; those of a type that is not known have no body.
std::optional<Reply> other_type(Call& call) {
  auto type = call.query.get("type");
  if (type == "csi") return {};
  if (!call.query.has("type")) return call.json(List<CSIVolListStub>::empty_list());
  return Reply::nothing();
}

template <class Response, class Request>
Async<Result<Reply>> write(Call& call, std::string_view method, Request req, bool shown) {
  scope_write(call, req);
  auto resp = co_await call.rpc<Response>(method, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  auto meta = convert<QueryMeta>(*resp);
  call.set_meta(meta);
  co_return shown ? call.json(*resp) : Reply::nothing();
}

// "X-Nomad-CSI-Secrets: key=value,key2=value2"; parts that are none are skipped.
Map<std::string> secrets_of(const Call& call) {
  Map<std::string> out;
  for (auto& part : split(call.http.headers.get("X-Nomad-CSI-Secrets"), ',')) {
    auto equals = part.find('=');
    if (equals != std::string::npos) out[part.substr(0, equals)] = part.substr(equals + 1);
  }
  return out;
}

Async<Result<Reply>> register_volumes(Call& call) {
  CSIVolumeRegisterRequest req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  co_return co_await write<GenericResponse>(call, "CSIVolume.Register", std::move(req), false);
}

Async<Result<Reply>> volumes(Call& call) {
  if (call.is_write()) co_return co_await register_volumes(call);
  if (!call.is("GET")) co_return method_error();
  if (auto other = other_type(call)) co_return *other;
  rpc::CSIVolumeListRequest req;
  req.PluginID = call.query.get("plugin_id");
  req.NodeID = call.query.get("node_id");
  co_return co_await reply_member<rpc::CSIVolumeListResponse>(call, "CSIVolume.List", std::move(req), &rpc::CSIVolumeListResponse::Volumes);
}

template <class Response>
Async<Result<Reply>> list_of_plugin(Call& call, std::string_view method) {
  rpc::CSIVolumeListRequest req;
  DROVER_CO_CHECK(call.parse_options(req));
  req.PluginID = call.query.get("plugin_id");
  auto resp = co_await call.rpc<Response>(method, std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  auto meta = convert<QueryMeta>(*resp);
  meta.NextToken.clear();  // the plugin's token is in the body only
  call.set_meta(meta);
  co_return call.json(*resp);
}

Async<Result<Reply>> external_volumes(Call& call) {
  if (!call.is("GET")) co_return method_error();
  co_return co_await list_of_plugin<CSIVolumeExternalListResponse>(call, "CSIVolume.ListExternal");
}

Async<Result<Reply>> snapshots(Call& call) {
  if (call.is("GET")) co_return co_await list_of_plugin<CSISnapshotListResponse>(call, "CSIVolume.ListSnapshots");
  CSISnapshotCreateRequest req;
  if (call.is("DELETE")) {
    auto& s = req.Snapshots.emplace_back();
    s.PluginID = call.query.get("plugin_id");
    s.ID = call.query.get("snapshot_id");
    s.Secrets = secrets_of(call);
    co_return co_await write<GenericResponse>(call, "CSIVolume.DeleteSnapshot", std::move(req), false);
  }
  if (!call.is_write()) co_return method_error();
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  co_return co_await write<CSISnapshotCreateResponse>(call, "CSIVolume.CreateSnapshot", std::move(req), true);
}

// As operators may see it: allocations as a list of stubs, nothing secret.
CSIVolume shown(CSIVolume v) {
  v.Allocations = List<AllocListStub>::empty_list();
  for (auto* allocs : {&v.WriteAllocs, &v.ReadAllocs})
    for (auto& [id, alloc] : *allocs)
      if (alloc) v.Allocations.push_back(server::alloc_stub(*alloc));
  v.Allocations = shown_stubs(std::move(v.Allocations));
  auto ids_only = [](const Map<CSIVolumeClaim>& claims) {
    auto out = Map<Ref<Allocation>>::empty_map();
    for (auto& [id, claim] : claims) out[id] = nullptr;
    return out;
  };
  v.ReadAllocs = ids_only(v.ReadClaims);
  v.WriteAllocs = ids_only(v.WriteClaims);
  v.Secrets.reset();
  if (v.MountOptions && !v.MountOptions->MountFlags.empty()) v.MountOptions->MountFlags = {"[REDACTED]"};
  return v;
}

Async<Result<Reply>> get_volume(Call& call, std::string id) {
  rpc::CSIVolumeGetRequest req;
  req.ID = std::move(id);
  auto resp = co_await call.read<rpc::CSIVolumeGetResponse>("CSIVolume.Get", std::move(req));
  if (!resp) co_return Error(std::move(resp).error());
  if (!resp->Volume) co_return not_found("volume not found");
  co_return call.json(shown(*resp->Volume));
}

Async<Result<Reply>> deregister_volume(Call& call, std::string id) {
  rpc::CSIVolumeDeregisterRequest req;
  req.VolumeIDs = {std::move(id)};
  if (auto text = call.query.get("force"); !text.empty()) {
    auto force = parse_bool(text);
    if (!force) co_return invalid("invalid force value");
    req.Force = *force;
  }
  co_return co_await write<GenericResponse>(call, "CSIVolume.Deregister", std::move(req), false);
}

Async<Result<Reply>> create_volume(Call& call) {
  CSIVolumeCreateRequest req;
  auto decoded = co_await call.body(req);
  if (!decoded) co_return Error(std::move(decoded).error());
  co_return co_await write<CSIVolumeCreateResponse>(call, "CSIVolume.Create", std::move(req), true);
}

Async<Result<Reply>> delete_volume(Call& call, std::string id) {
  rpc::CSIVolumeDeregisterRequest req;
  req.VolumeIDs = {std::move(id)};
  co_return co_await write<GenericResponse>(call, "CSIVolume.Delete", std::move(req), false);
}

Async<Result<Reply>> detach_volume(Call& call, std::string id) {
  rpc::CSIVolumeClaimRequest req;
  req.VolumeID = std::move(id);
  req.NodeID = call.query.get("node");
  if (req.NodeID.empty()) co_return invalid("detach requires node ID");
  req.Claim = 2;  // to be freed
  co_return co_await write<GenericResponse>(call, "CSIVolume.Unpublish", std::move(req), false);
}

Async<Result<Reply>> one_volume(Call& call) {
  auto parts = split(call.rest, '/');
  if (parts.size() == 1) {
    if (call.is("GET")) co_return co_await get_volume(call, parts[0]);
    if (call.is("PUT")) co_return co_await register_volumes(call);
    if (call.is("DELETE")) co_return co_await deregister_volume(call, parts[0]);
    co_return method_error();
  }
  if (parts.size() == 2) {
    if (call.is("PUT") && parts[1] == "create") co_return co_await create_volume(call);
    if (call.is("DELETE") && parts[1] == "delete") co_return co_await delete_volume(call, parts[0]);
    if (call.is("DELETE") && parts[1] == "detach") co_return co_await detach_volume(call, parts[0]);
    if (!call.is("PUT") && !call.is("DELETE")) co_return method_error();
  }
  co_return not_found("resource not found");
}

// ---- plugins -------------------------------------------------------------------------------------------------------

Async<Result<Reply>> plugins(Call& call) {
  if (!call.is("GET")) co_return method_error();
  if (auto other = other_type(call)) co_return *other;
  co_return co_await reply_member<rpc::CSIPluginListResponse>(call, "CSIPlugin.List", rpc::CSIPluginListRequest{},
                                                             &rpc::CSIPluginListResponse::Plugins);
}

Async<Result<Reply>> one_plugin(Call& call) {
  if (!call.is("GET")) co_return method_error();
  rpc::CSIPluginGetRequest req;
  req.ID = call.rest;
  co_return co_await reply_object<rpc::CSIPluginGetResponse>(call, "CSIPlugin.Get", std::move(req), &rpc::CSIPluginGetResponse::Plugin,
                                                            "plugin not found");
}

}  // namespace

void add_csi_routes(std::vector<Route>& routes) {
  routes.push_back({"/v1/volumes", volumes});
  routes.push_back({"/v1/volumes/external", external_volumes});
  routes.push_back({"/v1/volumes/snapshot", snapshots});
  routes.push_back({"/v1/volume/csi/", one_volume});
  routes.push_back({"/v1/plugins", plugins});
  routes.push_back({"/v1/plugin/csi/", one_plugin});
}

}  // namespace drover::api
