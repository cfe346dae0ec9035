// Variables.*, Keyring.*.
#include <fmt/format.h>
#include <re2/re2.h>

#include "base/metrics.h"
#include "base/strings.h"
#include "codec/json.h"
#include "model/feature_requests.h"
#include "server/keyring.h"
#include "server/leader.h"
#include "server/lookup.h"
#include "server/root_keys.h"
#include "server/rpc.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

// A stored variable as filters see it: the reference's struct has its metadata in a member.
struct VariableRow {
  ::drover::VariableMetadata VariableMetadata;
};

}  // namespace
}  // namespace drover::server

namespace drover {
DROVER_TYPE(server::VariableRow)
}
DROVER_DESCRIBE(drover::server::VariableRow, "structs.VariableEncrypted", DROVER_FIELD(VariableMetadata))

namespace drover::server {
namespace {

constexpr size_t kVariableMax = 65536;  // bytes of keys and values

Status check_path(std::string_view path) {
  static const re2::RE2 valid("^[a-zA-Z0-9-_~/]{1,128}$");
  if (path.empty()) return internal("variable requires path");
  if (!re2::RE2::FullMatch({path.data(), path.size()}, valid)) return internal(fmt::format("invalid path {}", go_quote(path)));
  auto parts = split(path, '/');
  if (parts[0] != "nomad") return {};
  if (parts.size() == 1)
    return internal(R"("nomad" is a reserved top-level directory path, but you may write variables to "nomad/jobs", "nomad/job-templates", or below)");
  if (parts[1] == "jobs") return {};
  if (parts[1] == "job-templates") {
    if (parts.size() == 3) return {};
    return internal(
        R"("nomad/job-templates" is a reserved directory path, but you may write variables at the level below it, for example, "nomad/job-templates/template-name")");
  }
  return internal(R"(only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths under the top-level "nomad" directory)");
}

Status check_variable(const VariableDecrypted& v) {
  if (v.Namespace == kAllNamespaces) return internal(R"(can not target wildcard ("*")namespace)");
  if (v.Items.empty()) return internal("empty variables are invalid");
  size_t size = 0;
  for (auto& [key, value] : v.Items) size += key.size() + value.size();
  if (size > kVariableMax) return internal("variables are limited to 64KiB in total size");
  return check_path(v.Path);
}

VariableDecrypted with_metadata(const VariableMetadata& m) {
  VariableDecrypted v;
  v.Namespace = m.Namespace;
  v.Path = m.Path;
  v.CreateIndex = m.CreateIndex;
  v.CreateTime = m.CreateTime;
  v.ModifyIndex = m.ModifyIndex;
  v.ModifyTime = m.ModifyTime;
  return v;
}

VariableMetadata metadata_of(const VariableEncrypted& v) {
  return {v.Namespace, v.Path, v.CreateIndex, v.CreateTime, v.ModifyIndex, v.ModifyTime};
}

Result<VariableDecrypted> decrypted(Server& server, const VariableEncrypted& sealed) {
  auto v = with_metadata(metadata_of(sealed));
  if (sealed.Data.empty()) return v;
  DROVER_TRY(auto plain, server.keyring().decrypt(sealed.KeyID, sealed.Data.data));
  DROVER_TRY(v.Items, from_json<Map<std::string>>(plain));
  return v;
}

Async<Status> variables_apply(Server& server, const rpc::VariablesApplyRequest& req, rpc::VariablesApplyResponse& resp) {
  if (!req.Var) co_return internal("variable must not be nil");
  auto input = *req.Var;
  if (input.Namespace.empty()) input.Namespace = namespace_of(req.Namespace);
  bool sets = req.Op == "set" || req.Op == "cas";
  if (!sets && req.Op != "delete" && req.Op != "delete-cas")
    co_return internal(fmt::format("variable error: unexpected operation {}", go_quote(req.Op)));
  auto timer_name = "nomad.variables.apply." + req.Op;
  MetricTimer timer(timer_name);
  rpc::VarApplyStateRequest entry;
  entry.Op = req.Op;
  auto& sealed = entry.Var.emplace();
  sealed.Namespace = input.Namespace;
  sealed.Path = input.Path;
  sealed.ModifyIndex = input.ModifyIndex;
  if (sets) {
    DROVER_CO_CHECK(check_variable(input));
    DROVER_CO_TRY(sealed.KeyID, active_key(server));
    auto data = server.keyring().encrypt(sealed.KeyID, to_json(input.Items));
    if (!data) co_return internal("variable error: encrypt: " + data.error().message);
    sealed.Data.data = std::move(*data);
    sealed.CreateTime = sealed.ModifyTime = server.world().clock.now().unix_nanos;
  } else if (input.Path.empty()) {
    co_return internal("delete requires a Path");
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kVarApplyState, entry));
  if (!applied.variable) co_return internal("variable error: no answer");
  auto& answer = *applied.variable;
  resp.Op = req.Op;
  resp.Input = input;
  resp.Result = answer.Result;
  resp.Index = applied.index;
  if (answer.Result == "error") co_return internal("variable error: " + answer.Error);
  if (answer.Conflict) {
    DROVER_CO_TRY(resp.Conflict, decrypted(server, *answer.Conflict));
    resp.Index = answer.Conflict->ModifyIndex;
  } else if (sets && answer.WrittenSVMeta) {
    resp.Output = with_metadata(*answer.WrittenSVMeta);
    resp.Output->Items = input.Items;
  }
  co_return Status{};
}

Status variables_list(ReadContext& c, const rpc::VariablesListRequest& req, rpc::VariablesListResponse& resp) {
  auto ns = namespace_of(req.Namespace);
  resp.Data = List<VariableMetadata>::empty_list();
  auto& table = c.snap.variables();
  auto rows = ns == kAllNamespaces ? table.all(c.watch) : table.by_prefix(ns, req.Prefix, c.watch);
  auto select = [&](const VariableEncrypted& v) { return v.Path.starts_with(req.Prefix); };
  auto shape = [](const VariableEncrypted& v) { return VariableRow{metadata_of(v)}; };
  DROVER_TRY(resp.NextToken, paginate(std::move(rows), req, [](const VariableEncrypted& v) { return v.Namespace + "." + v.Path; },
                                      [&](const Ref<VariableEncrypted>& v) { resp.Data.push_back(metadata_of(*v)); }, select, shape));
  resp.Index = std::max<uint64_t>(1, c.snap.table_index(state::TableId::variables));
  return {};
}

Status variables_read(ReadContext& c, const rpc::VariablesReadRequest& req, rpc::VariablesReadResponse& resp) {
  auto row = c.snap.variables().get(namespace_of(req.Namespace), req.Path, c.watch);
  resp.Index = row ? row->ModifyIndex : std::max<uint64_t>(1, c.snap.table_index(state::TableId::variables));
  if (!row) return {};
  DROVER_TRY(resp.Data, decrypted(c.server, *row));
  return {};
}

// ---- root keys -----------------------------------------------------------------------------------------------------

Status keyring_list(ReadContext& c, const rpc::GenericRequest&, rpc::KeyringListRootKeyMetaResponse& resp) {
  resp.Keys = List<Ref<RootKeyMeta>>::empty_list();
  for (auto& key : c.snap.root_keys().all(c.watch)) resp.Keys.push_back(key);
  resp.Index = c.snap.table_index(state::TableId::root_keys);
  return {};
}

Async<Status> keyring_rotate(Server& server, const rpc::KeyringRotateRootKeyRequest& req, KeyringRotateRootKeyResponse& resp) {
  DROVER_CO_TRY(auto made, co_await add_root_key(server, req.Full));
  resp.Key = made.meta;
  resp.Index = made.index;
  if (req.Full && server.leader()) server.leader()->enqueue_core(kRekeyJob);
  co_return Status{};
}

Async<Status> keyring_delete(Server& server, const rpc::KeyringDeleteRootKeyRequest& req, KeyringDeleteRootKeyResponse& resp) {
  if (req.KeyID.empty()) co_return internal("root key ID is required");
  auto key = server.snapshot().root_keys().get(req.KeyID);
  if (!key) co_return Status{};
  if (key->State == "active") co_return internal("active root key cannot be deleted - call rotate first");
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kRootKeyMetaDelete, req));
  resp.Index = applied.index;
  co_return Status{};
}

}  // namespace

void add_variable_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&variables_apply>("Variables.Apply", Where::kLeader));
  rows.push_back(rpc_row<&variables_list>("Variables.List", Where::kStale));
  rows.push_back(rpc_row<&variables_read>("Variables.Read", Where::kStale));
  rows.push_back(rpc_row<&keyring_list>("Keyring.List", Where::kStale));
  rows.push_back(rpc_row<&keyring_rotate>("Keyring.Rotate", Where::kLeader));
  rows.push_back(rpc_row<&keyring_delete>("Keyring.Delete", Where::kLeader));
}

}  // namespace drover::server
