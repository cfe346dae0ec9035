#include "state/config_tables.h"

#include "state/table_impl.h"

namespace drover::state {

constexpr auto kForward = Dir::kForward;

Ref<Namespace> NamespaceTable::get(std::string_view name, WatchSet* ws) const { return find(ws, name); }
Rows<Namespace> NamespaceTable::by_prefix(std::string_view p, WatchSet* ws) const {
  return scan(ws, kForward, Prefix{p});
}
Rows<Namespace> NamespaceTable::all(WatchSet* ws) const { return scan(ws, kForward); }

template <TableId kTable, class T>
Ref<T> AccessorTable<kTable, T>::get(std::string_view accessor, WatchSet* ws) const {
  return this->find(ws, accessor);
}
template <TableId kTable, class T>
Rows<T> AccessorTable<kTable, T>::by_alloc(std::string_view id, WatchSet* ws) const {
  return this->template by<AccessorByAlloc<T>>(ws, kForward, id);
}
template <TableId kTable, class T>
Rows<T> AccessorTable<kTable, T>::by_node(std::string_view id, WatchSet* ws) const {
  return this->template by<AccessorByNode<T>>(ws, kForward, id);
}
template <TableId kTable, class T>
Rows<T> AccessorTable<kTable, T>::all(WatchSet* ws) const {
  return this->scan(ws, kForward);
}

bool ACLPolicyByJob::key(const ACLPolicy& p, Key& k) {
  if (!p.JobACL || p.JobACL->JobID.empty()) return false;
  auto& ns = p.JobACL->Namespace;
  k = {ns.empty() ? "default" : std::string_view(ns), p.JobACL->JobID, p.Name};
  return true;
}
Ref<ACLPolicy> ACLPolicyTable::get(std::string_view name, WatchSet* ws) const { return find(ws, name); }
Rows<ACLPolicy> ACLPolicyTable::by_prefix(std::string_view p, WatchSet* ws) const {
  return scan(ws, kForward, Prefix{p});
}
Rows<ACLPolicy> ACLPolicyTable::by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return by<ACLPolicyByJob>(ws, kForward, ns, job);
}
Rows<ACLPolicy> ACLPolicyTable::all(WatchSet* ws) const { return scan(ws, kForward); }

bool ACLTokenByExpiry::key(const ACLToken& t, Key& k) {
  if (!t.ExpirationTime || t.ExpirationTime->unset()) return false;
  k = {t.Global, t.ExpirationTime->unix_seconds(), t.AccessorID};
  return true;
}
Ref<ACLToken> ACLTokenTable::get(std::string_view accessor, WatchSet* ws) const { return find(ws, accessor); }
Ref<ACLToken> ACLTokenTable::by_secret(std::string_view secret, WatchSet* ws) const {
  return by<ACLTokenBySecret>(ws, kForward, secret).next();
}
Rows<ACLToken> ACLTokenTable::by_prefix(std::string_view p, WatchSet* ws, Dir dir) const {
  return scan(ws, dir, Prefix{p});
}
Rows<ACLToken> ACLTokenTable::by_global(bool global, WatchSet* ws, Dir dir) const {
  return by<ACLTokenByGlobal>(ws, dir, global);
}
Rows<ACLToken> ACLTokenTable::expired(bool global, Time now) const {
  return by<ACLTokenByExpiry>(nullptr, kForward, global, AtMost<int64_t>{now.unix_seconds()});
}
Rows<ACLToken> ACLTokenTable::all(WatchSet* ws, Dir dir) const { return by<ACLTokenByCreate>(ws, dir); }

Ref<OneTimeToken> OneTimeTokenTable::get(std::string_view accessor, WatchSet* ws) const { return find(ws, accessor); }
Ref<OneTimeToken> OneTimeTokenTable::by_secret(std::string_view secret, WatchSet* ws) const {
  return by<OneTimeTokenBySecret>(ws, kForward, secret).next();
}
Rows<OneTimeToken> OneTimeTokenTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<ACLRole> ACLRoleTable::get(std::string_view id, WatchSet* ws) const { return find(ws, id); }
Ref<ACLRole> ACLRoleTable::by_name(std::string_view name, WatchSet* ws) const {
  return by<ACLRoleByName>(ws, kForward, name).next();
}
Rows<ACLRole> ACLRoleTable::by_prefix(std::string_view p, WatchSet* ws) const { return scan(ws, kForward, Prefix{p}); }
Rows<ACLRole> ACLRoleTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<ACLAuthMethod> ACLAuthMethodTable::get(std::string_view name, WatchSet* ws) const { return find(ws, name); }
Ref<ACLAuthMethod> ACLAuthMethodTable::default_of(std::string_view type, WatchSet* ws) const {
  for (auto& m : all(ws))
    if (m->Default && (type.empty() || m->Type == type)) return m;
  return nullptr;
}
Rows<ACLAuthMethod> ACLAuthMethodTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<ACLBindingRule> ACLBindingRuleTable::get(std::string_view id, WatchSet* ws) const { return find(ws, id); }
Rows<ACLBindingRule> ACLBindingRuleTable::by_method(std::string_view method, WatchSet* ws) const {
  return by<ACLBindingRuleByMethod>(ws, kForward, method);
}
Rows<ACLBindingRule> ACLBindingRuleTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<CSIVolume> CSIVolumeTable::get(std::string_view ns, std::string_view id, WatchSet* ws) const {
  return find(ws, ns, id);
}
Rows<CSIVolume> CSIVolumeTable::by_namespace(std::string_view ns, WatchSet* ws) const { return scan(ws, kForward, ns); }
Rows<CSIVolume> CSIVolumeTable::by_prefix(std::string_view ns, std::string_view p, WatchSet* ws) const {
  return scan(ws, kForward, ns, Prefix{p});
}
Rows<CSIVolume> CSIVolumeTable::by_plugin(std::string_view plugin, WatchSet* ws) const {
  return by<CSIVolumeByPlugin>(ws, kForward, plugin);
}
Rows<CSIVolume> CSIVolumeTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<CSIPlugin> CSIPluginTable::get(std::string_view id, WatchSet* ws) const { return find(ws, id); }
Rows<CSIPlugin> CSIPluginTable::by_prefix(std::string_view p, WatchSet* ws) const {
  return scan(ws, kForward, Prefix{p});
}
Rows<CSIPlugin> CSIPluginTable::all(WatchSet* ws) const { return scan(ws, kForward); }

bool ScalingPolicyByTarget::key(const ScalingPolicy& p, Key& k) {
  k = {p.Target.get_or("Namespace"), p.Target.get_or("Job"), p.Target.get_or("Group"), p.Target.get_or("Task"), p.ID};
  return true;
}
Ref<ScalingPolicy> ScalingPolicyTable::get(std::string_view id, WatchSet* ws) const { return find(ws, id); }
Rows<ScalingPolicy> ScalingPolicyTable::by_namespace(std::string_view ns, WatchSet* ws) const {
  return by<ScalingPolicyByTarget>(ws, kForward, ns);
}
Rows<ScalingPolicy> ScalingPolicyTable::by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return by<ScalingPolicyByTarget>(ws, kForward, ns, job);
}
Rows<ScalingPolicy> ScalingPolicyTable::by_type(std::string_view type, WatchSet* ws) const {
  return by<ScalingPolicyByType>(ws, kForward, type);
}
Rows<ScalingPolicy> ScalingPolicyTable::by_prefix(std::string_view p, WatchSet* ws) const {
  return scan(ws, kForward, Prefix{p});
}
Rows<ScalingPolicy> ScalingPolicyTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<JobScalingEvents> ScalingEventsTable::get(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return find(ws, ns, job);
}
Rows<JobScalingEvents> ScalingEventsTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<ServiceRegistration> ServiceTable::get(std::string_view ns, std::string_view id, WatchSet* ws) const {
  return find(ws, ns, id);
}
Rows<ServiceRegistration> ServiceTable::by_namespace(std::string_view ns, WatchSet* ws) const {
  return scan(ws, kForward, ns);
}
Rows<ServiceRegistration> ServiceTable::by_name(std::string_view ns, std::string_view name, WatchSet* ws) const {
  return by<ServiceByName>(ws, kForward, ns, name);
}
Rows<ServiceRegistration> ServiceTable::by_job(std::string_view ns, std::string_view job, WatchSet* ws) const {
  return by<ServiceByJob>(ws, kForward, ns, job);
}
Rows<ServiceRegistration> ServiceTable::by_node(const Uuid& node, WatchSet* ws) const {
  return by<ServiceByNode>(ws, kForward, node);
}
Rows<ServiceRegistration> ServiceTable::by_alloc(const Uuid& alloc, WatchSet* ws) const {
  return by<ServiceByAlloc>(ws, kForward, alloc);
}
Rows<ServiceRegistration> ServiceTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<VariableEncrypted> VariableTable::get(std::string_view ns, std::string_view path, WatchSet* ws) const {
  return find(ws, ns, path);
}
Rows<VariableEncrypted> VariableTable::by_namespace(std::string_view ns, WatchSet* ws) const {
  return scan(ws, kForward, ns);
}
Rows<VariableEncrypted> VariableTable::by_prefix(std::string_view ns, std::string_view p, WatchSet* ws) const {
  return scan(ws, kForward, ns, Prefix{p});
}
Rows<VariableEncrypted> VariableTable::by_path_prefix(std::string_view p, WatchSet* ws) const {
  return by<VariableByPath>(ws, kForward, Prefix{p});
}
Rows<VariableEncrypted> VariableTable::by_key(std::string_view key_id, WatchSet* ws) const {
  return by<VariableByKey>(ws, kForward, key_id);
}
Rows<VariableEncrypted> VariableTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<VariablesQuota> VariablesQuotaTable::get(std::string_view ns, WatchSet* ws) const { return find(ws, ns); }
Rows<VariablesQuota> VariablesQuotaTable::all(WatchSet* ws) const { return scan(ws, kForward); }

Ref<RootKeyMeta> RootKeyTable::get(std::string_view id, WatchSet* ws) const { return find(ws, id); }
Ref<RootKeyMeta> RootKeyTable::active(WatchSet* ws) const {
  for (auto& k : all(ws))
    if (k->State == "active") return k;
  return nullptr;
}
Rows<RootKeyMeta> RootKeyTable::all(WatchSet* ws) const { return scan(ws, kForward); }

template struct AccessorTable<TableId::vault_accessors, VaultAccessor>;
template struct AccessorTable<TableId::si_token_accessors, SITokenAccessor>;
template class Table<TableId::vault_accessors, VaultAccessor, ByAccessor<VaultAccessor>, AccessorByAlloc<VaultAccessor>,
                     AccessorByNode<VaultAccessor>>;
template class Table<TableId::si_token_accessors, SITokenAccessor, ByAccessor<SITokenAccessor>,
                     AccessorByAlloc<SITokenAccessor>, AccessorByNode<SITokenAccessor>>;
template class Table<TableId::autopilot_config, AutopilotConfig, Singleton<AutopilotConfig>>;
template class Table<TableId::scheduler_config, SchedulerConfiguration, Singleton<SchedulerConfiguration>>;
template class Table<TableId::opaque_records, OpaqueRecord, OpaqueById>;
template class Table<TableId::cluster_meta, ClusterMetadata, Singleton<ClusterMetadata>>;
template class Table<TableId::namespaces, Namespace, ByName<Namespace>>;
template class Table<TableId::acl_policies, ACLPolicy, ByName<ACLPolicy>, ACLPolicyByJob>;
template class Table<TableId::acl_tokens, ACLToken, ByAccessor<ACLToken>, ACLTokenBySecret, ACLTokenByCreate,
                     ACLTokenByGlobal, ACLTokenByExpiry>;
template class Table<TableId::one_time_tokens, OneTimeToken, ByAccessor<OneTimeToken>, OneTimeTokenBySecret>;
template class Table<TableId::acl_roles, ACLRole, ByIdText<ACLRole>, ACLRoleByName>;
template class Table<TableId::acl_auth_methods, ACLAuthMethod, ByName<ACLAuthMethod>>;
template class Table<TableId::acl_binding_rules, ACLBindingRule, ByIdText<ACLBindingRule>, ACLBindingRuleByMethod>;
template class Table<TableId::csi_volumes, CSIVolume, ByNamespaceId<CSIVolume>, CSIVolumeByPlugin>;
template class Table<TableId::csi_plugins, CSIPlugin, ByIdText<CSIPlugin>>;
template class Table<TableId::scaling_policies, ScalingPolicy, ByIdText<ScalingPolicy>, ScalingPolicyByTarget,
                     ScalingPolicyByType>;
template class Table<TableId::scaling_events, JobScalingEvents, EventsByJob>;
template class Table<TableId::services, ServiceRegistration, ByNamespaceId<ServiceRegistration>, ServiceByName,
                     ServiceByJob, ServiceByNode, ServiceByAlloc>;
template class Table<TableId::variables, VariableEncrypted, VariableById, VariableByKey, VariableByPath>;
template class Table<TableId::variables_quotas, VariablesQuota, QuotaByNamespace>;
template class Table<TableId::root_keys, RootKeyMeta, RootKeyById>;

}  // namespace drover::state
