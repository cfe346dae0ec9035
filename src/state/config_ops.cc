#include "state/config_ops.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::state {
namespace {

constexpr std::string_view kActive = "active", kInactive = "inactive", kRekeying = "rekeying";

template <class Writer, class T>
bool set_config(Writer writer, uint64_t index, T config, bool compare) {
  auto old = writer->get();
  if (compare && (!old || old->ModifyIndex != config.ModifyIndex)) return false;
  config.CreateIndex = old ? old->CreateIndex : index;
  config.ModifyIndex = index;
  writer.upsert(std::move(config));
  return true;
}

Status check_deletable(const State& state, const std::string& name) {
  if (name == "default") return invalid("default namespace can not be deleted");
  for (auto& job : state.jobs.by_namespace(name))
    if (job->Status != "dead")
      return invalid(fmt::format("namespace {} contains at least one non-terminal job {}. All jobs must be terminal in "
                                 "namespace before it can be deleted",
                                 go_quote(name), go_quote(job->ID)));
  if (auto volume = state.csi_volumes.by_namespace(name).next())
    return invalid(fmt::format("namespace {} contains at least one CSI volume {}. All CSI volumes in namespace must be "
                               "deleted before it can be deleted",
                               go_quote(name), go_quote(volume->ID)));
  if (state.variables.by_namespace(name).any())
    return invalid(fmt::format("namespace {} contains at least one variable. All variables in namespace must be "
                               "deleted before it can be deleted",
                               go_quote(name)));
  return {};
}

VariableMetadata metadata_of(const VariableEncrypted& v) {
  return {v.Namespace, v.Path, v.CreateIndex, v.CreateTime, v.ModifyIndex, v.ModifyTime};
}

void charge_quota(Txn& txn, const std::string& ns, int64_t delta) {
  auto old = txn.variables_quotas()->get(ns);
  VariablesQuota q;
  if (old) q = *old;
  else q.CreateIndex = txn.index();
  q.Namespace = ns;
  q.Size = std::max<int64_t>(0, q.Size + delta);
  q.ModifyIndex = txn.index();
  txn.variables_quotas().upsert(std::move(q));
}

void store_variable(Txn& txn, const Ref<VariableEncrypted>& old, const VariableEncrypted& given,
                    rpc::VarApplyStateResponse& response) {
  VariableEncrypted v = given;
  if (old) {
    v.CreateIndex = old->CreateIndex;
    v.CreateTime = old->CreateTime;
    v.ModifyIndex = old->ModifyIndex;
    if (v == *old) {
      response.WrittenSVMeta = metadata_of(v);
      return;
    }
  } else {
    v.CreateIndex = txn.index();
  }
  v.ModifyIndex = txn.index();
  auto size = [](const VariableEncrypted& x) { return static_cast<int64_t>(x.Data.data.size()); };
  charge_quota(txn, v.Namespace, size(v) - (old ? size(*old) : 0));
  response.WrittenSVMeta = metadata_of(v);
  txn.variables().upsert(std::move(v));
}

void remove_variable(Txn& txn, const Ref<VariableEncrypted>& old) {
  if (!old) return;
  charge_quota(txn, old->Namespace, -static_cast<int64_t>(old->Data.data.size()));
  txn.variables().erase(*old);
}

}  // namespace

std::vector<std::string> upsert_namespaces(Txn& txn, const List<Namespace>& namespaces) {
  std::vector<std::string> left_quotas;
  for (auto& given : namespaces) {
    Namespace ns = given;
    auto old = txn.namespaces()->get(ns.Name);
    ns.CreateIndex = old ? old->CreateIndex : txn.index();
    ns.ModifyIndex = txn.index();
    if (old && !old->Quota.empty() && old->Quota != ns.Quota) left_quotas.push_back(old->Quota);
    txn.namespaces().upsert(std::move(ns));
  }
  return left_quotas;
}

Status delete_namespaces(Txn& txn, const List<std::string>& names) {
  for (auto& name : names) {
    DROVER_CHECK(check_deletable(txn.state(), name));
    txn.namespaces().erase(NamespaceTable::Key(SharedString(name)));  // one that is gone already is no error
  }
  return {};
}

bool set_scheduler_config(Txn& txn, SchedulerConfiguration config, bool compare) {
  return set_config(txn.scheduler_config(), txn.index(), std::move(config), compare);
}
bool set_autopilot_config(Txn& txn, AutopilotConfig config, bool compare) {
  return set_config(txn.autopilot_config(), txn.index(), std::move(config), compare);
}

Status set_cluster_metadata(Txn& txn, ClusterMetadata meta) {
  auto old = txn.cluster_meta()->get();
  if (old && old->ClusterID != meta.ClusterID)
    return invalid(fmt::format("refusing to set new cluster id, previous: {}, new: {}", old->ClusterID, meta.ClusterID));
  txn.cluster_meta().upsert(std::move(meta));
  return {};
}

void upsert_services(Txn& txn, const List<ServiceRegistration>& services) {
  for (auto& given : services) {
    ServiceRegistration s = given;
    auto old = txn.services()->get(s.Namespace, s.ID);
    s.CreateIndex = old ? old->CreateIndex : txn.index();
    s.ModifyIndex = old ? old->ModifyIndex : txn.index();
    if (old && s == *old) continue;
    s.ModifyIndex = txn.index();
    txn.services().upsert(std::move(s));
  }
}

Status delete_service(Txn& txn, std::string_view ns, std::string_view id) {
  auto row = txn.services()->get(ns, id);
  if (!row) return not_found("service registration not found");
  txn.services().erase(*row);
  return {};
}

void delete_services_of_node(Txn& txn, const Uuid& node) {
  for (auto& s : txn.services()->by_node(node)) txn.services().erase(*s);
}

rpc::VarApplyStateResponse apply_variable(Txn& txn, const rpc::VarApplyStateRequest& r) {
  rpc::VarApplyStateResponse out;
  out.Op = r.Op;
  out.Index = txn.index();
  out.Result = "ok";
  if (!r.Var) {
    out.Result = "error";
    out.Error = "missing variable";
    return out;
  }
  auto& given = *r.Var;
  auto old = txn.variables()->get(given.Namespace, given.Path);
  bool compares = r.Op == "cas" || r.Op == "delete-cas";
  if (compares && given.ModifyIndex != (old ? old->ModifyIndex : 0)) {
    out.Result = "conflict";
    if (old) {
      out.Conflict = *old;
    } else {
      out.Conflict.emplace().Namespace = given.Namespace;
      out.Conflict->Path = given.Path;
    }
    return out;
  }
  if (r.Op == "set" || r.Op == "cas") {
    store_variable(txn, old, given, out);
  } else if (r.Op == "delete" || r.Op == "delete-cas") {
    remove_variable(txn, old);
  } else {
    out.Result = "error";
    out.Error = fmt::format("invalid variable operation '{}'", r.Op);
  }
  return out;
}

Status upsert_root_key(Txn& txn, RootKeyMeta meta, bool rekey) {
  if (rekey && meta.State != kActive) return invalid("cannot rekey without setting the new key active");
  auto old = txn.root_keys()->get(meta.KeyID);
  bool activates = meta.State == kActive && (!old || old->State != kActive);
  meta.CreateIndex = old ? old->CreateIndex : txn.index();
  if (old) meta.CreateTime = old->CreateTime;
  meta.ModifyIndex = txn.index();
  if (activates) {
    for (auto& other : txn.root_keys()->all()) {
      if (other->KeyID == meta.KeyID) continue;
      bool retires = other->State == kActive || (rekey && other->State == kInactive);
      if (!retires) continue;
      RootKeyMeta copy = *other;
      copy.State = rekey ? kRekeying : kInactive;
      copy.ModifyIndex = txn.index();
      txn.root_keys().upsert(std::move(copy));
    }
  }
  txn.root_keys().upsert(std::move(meta));
  return {};
}

void delete_root_key(Txn& txn, std::string_view key_id) {
  if (auto row = txn.root_keys()->get(key_id)) txn.root_keys().erase(*row);
}

bool root_key_in_use(const State& state, std::string_view key_id) {
  return state.allocs.by_signing_key(key_id, true).any() || state.variables.by_key(key_id).any();
}

void upsert_vault_accessors(Txn& txn, const List<VaultAccessor>& accessors) {
  for (auto a : accessors) {
    a.CreateIndex = txn.index();
    txn.vault_accessors().upsert(std::move(a));
  }
}
void delete_vault_accessors(Txn& txn, const List<VaultAccessor>& accessors) {
  for (auto& a : accessors) txn.vault_accessors().erase(a);
}
void upsert_si_accessors(Txn& txn, const List<SITokenAccessor>& accessors) {
  for (auto a : accessors) {
    a.CreateIndex = txn.index();
    txn.si_token_accessors().upsert(std::move(a));
  }
}
void delete_si_accessors(Txn& txn, const List<SITokenAccessor>& accessors) {
  for (auto& a : accessors) txn.si_token_accessors().erase(a);
}

}  // namespace drover::state
