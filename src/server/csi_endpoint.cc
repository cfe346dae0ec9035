// CSIVolume.*, CSIPlugin.*: what can be answered and written without asking a plugin. Servers cannot call the plugins on
// client nodes yet: what needs one is refused.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/reflect.h"
#include "model/feature_requests.h"
#include "model/multi_error.h"
#include "model/status.h"
#include "server/lookup.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/stubs.h"
#include "state/csi_ops.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

// ---- reads ---------------------------------------------------------------------------------------------------------

CSIVolListStub volume_stub(const CSIVolume& v) {
  CSIVolListStub s;
  reflect_convert(type_of<CSIVolume>(), &v, type_of<CSIVolListStub>(), &s);
  s.CurrentReaders = static_cast<int64_t>(v.ReadClaims.size());
  s.CurrentWriters = static_cast<int64_t>(v.WriteClaims.size());
  return s;
}

// (namespace, id) of the volumes that the node's live allocations use.
std::set<std::pair<std::string, std::string>> volumes_of_node(const state::Snapshot& snap, const Uuid& node, state::WatchSet* watch) {
  std::set<std::pair<std::string, std::string>> out;
  for (auto& alloc : snap.allocs().by_node(node, watch)) {
    if (is_terminal(*alloc) || !alloc->Job) continue;
    auto* group = find_group(*alloc->Job, alloc->TaskGroup.view());
    if (!group) continue;
    for (auto& [name, volume] : group->Volumes)
      if (volume.Type == "csi") out.emplace(alloc->Namespace.str(), volume.Source);
  }
  return out;
}

Status volume_list(ReadContext& c, const rpc::CSIVolumeListRequest& req, rpc::CSIVolumeListResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  auto node = Uuid::parse(req.NodeID);
  std::set<std::pair<std::string, std::string>> of_node;
  if (node) of_node = volumes_of_node(c.snap, *node, c.watch);
  auto& table = c.snap.csi_volumes();
  auto rows = ns == kAllNamespaces ? table.all(c.watch) : table.by_prefix(ns, req.Prefix, c.watch);
  auto select = [&](const CSIVolume& v) {
    if (!v.ID.starts_with(req.Prefix) || (!req.PluginID.empty() && v.PluginID != req.PluginID)) return false;
    return req.NodeID.empty() || of_node.contains({v.Namespace, v.ID});
  };
  auto shape = [&](const CSIVolume& v) { return state::with_plugin(c.snap.state(), v); };
  resp.Volumes = List<CSIVolListStub>::empty_list();
  DROVER_TRY(resp.NextToken, paginate(std::move(rows), req, [](const CSIVolume& v) { return v.Namespace + "." + v.ID; },
                                      [&](const Ref<CSIVolume>& v) {
                                        resp.Volumes.push_back(volume_stub(state::denormalized(c.snap.state(), *v, c.watch)));
                                      },
                                      select, shape));
  resp.Index = c.snap.table_index(state::TableId::csi_volumes);
  return {};
}

Status volume_get(ReadContext& c, const rpc::CSIVolumeGetRequest& req, rpc::CSIVolumeGetResponse& resp) {
  if (req.ID.empty()) return internal("missing volume ID");
  auto row = c.snap.csi_volumes().get(namespace_of(req.Namespace), req.ID, c.watch);
  resp.Index = row ? row->ModifyIndex : c.snap.table_index(state::TableId::csi_volumes);
  if (row) resp.Volume = state::denormalized(c.snap.state(), *row, c.watch);
  return {};
}

Status plugin_list(ReadContext& c, const rpc::CSIPluginListRequest& req, rpc::CSIPluginListResponse& resp) {
  resp.Plugins = List<CSIPluginListStub>::empty_list();
  for (auto& p : c.snap.csi_plugins().by_prefix(req.Prefix, c.watch)) {
    auto& stub = resp.Plugins.emplace_back();
    reflect_convert(type_of<CSIPlugin>(), p.get(), type_of<CSIPluginListStub>(), &stub);
  }
  resp.Index = c.snap.table_index(state::TableId::csi_plugins);
  return {};
}

// The allocations that run the plugin, of the request's namespace.
List<AllocListStub> plugin_allocs(const state::Snapshot& snap, const CSIPlugin& plugin, std::string_view ns, state::WatchSet* watch) {
  auto out = List<AllocListStub>::empty_list();
  std::set<std::string> ids;
  for (auto* part : {&plugin.Controllers, &plugin.Nodes})
    for (auto& [node, info] : *part) ids.insert(info.AllocID);
  for (auto& text : ids) {
    auto id = Uuid::parse(text);
    auto alloc = id ? snap.allocs().get(*id, watch) : nullptr;
    if (alloc && (ns == kAllNamespaces || alloc->Namespace == ns)) out.push_back(alloc_stub(*alloc));
  }
  return out;
}

Status plugin_get(ReadContext& c, const rpc::CSIPluginGetRequest& req, rpc::CSIPluginGetResponse& resp) {
  if (req.ID.empty()) return internal("missing plugin ID");
  auto row = c.snap.csi_plugins().get(req.ID, c.watch);
  resp.Index = row ? row->ModifyIndex : c.snap.table_index(state::TableId::csi_plugins);
  if (!row) return {};
  resp.Plugin = *row;
  resp.Plugin->Allocations = plugin_allocs(c.snap, *row, namespace_of(req.Namespace), c.watch);
  return {};
}

// ---- writes --------------------------------------------------------------------------------------------------------

Status check_volume(const CSIVolume& v) {
  std::vector<std::string> problems;
  if (v.ID.empty()) problems.emplace_back("missing volume id");
  if (v.PluginID.empty()) problems.emplace_back("missing plugin id");
  if (v.Namespace.empty()) problems.emplace_back("missing namespace");
  if (!v.SnapshotID.empty() && !v.CloneID.empty()) problems.emplace_back("only one of snapshot_id and clone_id is allowed");
  if (v.RequestedCapabilities.empty()) problems.emplace_back("must include at least one capability block");
  if (v.RequestedTopologies) {
    for (auto& t : v.RequestedTopologies->Required)
      if (t.Segments.empty()) problems.emplace_back("required topology is missing segments field");
    for (auto& t : v.RequestedTopologies->Preferred)
      if (t.Segments.empty()) problems.emplace_back("preferred topology is missing segments field");
  }
  if (problems.empty()) return {};
  return internal("validation: " + join(problems, ", "));
}

// The volumes of a request, ready to be written; with the plugin that each names.
Result<List<CSIVolume>> checked_volumes(const state::Snapshot& snap, const List<CSIVolume>& given, std::string_view ns) {
  if (given.empty()) return internal("missing volume definition");
  List<CSIVolume> out;
  for (auto v : given) {
    if (v.Namespace.empty()) v.Namespace = ns;
    DROVER_CHECK(check_volume(v));
    auto plugin = snap.csi_plugins().get(v.PluginID);
    if (!plugin) return internal(fmt::format("no CSI plugin named: {} could be found", v.PluginID));
    v.Provider = plugin->Provider;
    v.ProviderVersion = plugin->Version;
    out.push_back(std::move(v));
  }
  return out;
}

Error no_way_to_plugin(std::string_view doing) { return internal(fmt::format("{}: No path to node", doing)); }

Async<Status> volume_register(Server& server, const CSIVolumeRegisterRequest& req, GenericResponse& resp) {
  CSIVolumeRegisterRequest entry = req;
  entry.Namespace = namespace_of(req.Namespace);
  DROVER_CO_TRY(entry.Volumes, checked_volumes(server.snapshot(), req.Volumes, entry.Namespace));
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kCSIVolumeRegister, entry));
  resp.Index = applied.index;
  co_return Status{};
}

Async<Status> volume_deregister(Server& server, const rpc::CSIVolumeDeregisterRequest& req, GenericResponse& resp) {
  if (req.VolumeIDs.empty()) co_return internal("missing volume IDs");
  auto entry = req;
  entry.Namespace = namespace_of(req.Namespace);
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kCSIVolumeDeregister, entry));
  resp.Index = applied.index;
  co_return Status{};
}

Async<Status> volume_create(Server& server, const CSIVolumeCreateRequest& req, CSIVolumeCreateResponse&) {
  auto snap = server.snapshot();
  DROVER_CO_TRY(auto volumes, checked_volumes(snap, req.Volumes, namespace_of(req.Namespace)));
  for (auto& v : volumes)
    if (snap.csi_plugins().get(v.PluginID)->Controllers.empty()) co_return internal("plugin has no controller");
  co_return no_way_to_plugin("controller create volume");
}

Async<Status> volume_delete(Server& server, const rpc::CSIVolumeDeregisterRequest& req, GenericResponse&) {
  auto snap = server.snapshot();
  for (auto& id : req.VolumeIDs) {
    auto v = snap.csi_volumes().get(namespace_of(req.Namespace), id);
    if (!v) co_return internal(fmt::format("volume not found: {}", id));
    if (state::in_use(*v)) co_return internal(fmt::format("volume in use: {}", id));
  }
  co_return no_way_to_plugin("controller delete volume");
}

Async<Status> volume_unpublish(Server& server, const rpc::CSIVolumeClaimRequest& req, GenericResponse&) {
  if (req.VolumeID.empty()) co_return internal("missing volume ID");
  if (!server.snapshot().csi_volumes().get(namespace_of(req.Namespace), req.VolumeID)) co_return internal("no such volume");
  co_return no_way_to_plugin("could not detach from node");
}

Async<Status> external_list(Server& server, const rpc::CSIVolumeListRequest& req, CSIVolumeExternalListResponse&) {
  if (!server.snapshot().csi_plugins().get(req.PluginID)) co_return internal("no such plugin");
  co_return no_way_to_plugin("controller list volumes");
}

Async<Status> snapshot_list(Server& server, const rpc::CSIVolumeListRequest& req, CSISnapshotListResponse&) {
  if (!server.snapshot().csi_plugins().get(req.PluginID)) co_return internal("no such plugin");
  co_return no_way_to_plugin("controller list snapshots");
}

Async<Status> snapshot_create(Server& server, const CSISnapshotCreateRequest& req, CSISnapshotCreateResponse&) {
  auto snap = server.snapshot();
  MultiError problems;
  for (auto& s : req.Snapshots) {
    auto v = snap.csi_volumes().get(namespace_of(req.Namespace), s.SourceVolumeID);
    if (!v) problems.add(fmt::format("no such volume {}", go_quote(s.SourceVolumeID)));
    else problems.add("controller create snapshot: No path to node");
  }
  if (problems) co_return internal(problems.text());
  co_return Status{};
}

// The request is the one that makes snapshots: each names its plugin and id.
Async<Status> snapshot_delete(Server& server, const CSISnapshotCreateRequest& req, GenericResponse&) {
  MultiError problems;
  for (auto& s : req.Snapshots) {
    if (!server.snapshot().csi_plugins().get(s.PluginID)) problems.add("no such plugin");
    else problems.add("controller delete snapshot: No path to node");
  }
  if (problems) co_return internal(problems.text());
  co_return Status{};
}

}  // namespace

void add_csi_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&volume_list>("CSIVolume.List", Where::kStale));
  rows.push_back(rpc_row<&volume_get>("CSIVolume.Get", Where::kStale));
  rows.push_back(rpc_row<&plugin_list>("CSIPlugin.List", Where::kStale));
  rows.push_back(rpc_row<&plugin_get>("CSIPlugin.Get", Where::kStale));
  rows.push_back(rpc_row<&volume_register>("CSIVolume.Register", Where::kLeader));
  rows.push_back(rpc_row<&volume_deregister>("CSIVolume.Deregister", Where::kLeader));
  rows.push_back(rpc_row<&volume_create>("CSIVolume.Create", Where::kLeader));
  rows.push_back(rpc_row<&volume_delete>("CSIVolume.Delete", Where::kLeader));
  rows.push_back(rpc_row<&volume_unpublish>("CSIVolume.Unpublish", Where::kLeader));
  rows.push_back(rpc_row<&external_list>("CSIVolume.ListExternal", Where::kLeader));
  rows.push_back(rpc_row<&snapshot_list>("CSIVolume.ListSnapshots", Where::kLeader));
  rows.push_back(rpc_row<&snapshot_create>("CSIVolume.CreateSnapshot", Where::kLeader));
  rows.push_back(rpc_row<&snapshot_delete>("CSIVolume.DeleteSnapshot", Where::kLeader));
}

}  // namespace drover::server
