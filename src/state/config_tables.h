// The other tables: configuration, ACL, services, variables, keys, volumes, scaling, accessors. Conventions as in
// core_tables.h.
#pragma once

#include "model/acl.h"
#include "model/config_records.h"
#include "model/services.h"
#include "model/state_records.h"
#include "model/volume.h"
#include "state/table.h"

namespace drover::state {

template <class T>
struct ByName {
  using Key = std::tuple<SharedString>;
  static bool key(const T& row, Key& k) { return k = {row.Name}, true; }
};
template <class T>
struct ByIdText {
  using Key = std::tuple<SharedString>;
  static bool key(const T& row, Key& k) { return k = {row.ID}, true; }
};
template <class T>
struct ByNamespaceId {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const T& row, Key& k) { return k = {row.Namespace, row.ID}, true; }
};
// Tables of one row.
template <class T>
struct Singleton {
  using Key = std::tuple<bool>;
  static bool key(const T&, Key& k) { return k = {true}, true; }
};

template <TableId kTable, class T>
struct SingletonTable : Table<kTable, T, Singleton<T>> {
  Ref<T> get(WatchSet* ws = nullptr) const { return this->find(ws, true); }
};
using AutopilotConfigTable = SingletonTable<TableId::autopilot_config, AutopilotConfig>;
using SchedulerConfigTable = SingletonTable<TableId::scheduler_config, SchedulerConfiguration>;
using ClusterMetaTable = SingletonTable<TableId::cluster_meta, ClusterMetadata>;

// Node pools are the only ones: the reference stores its two, and has no way to use them.
struct OpaqueById {
  using Key = std::tuple<uint64_t, uint64_t>;
  static bool key(const OpaqueRecord& r, Key& k) { return k = {r.Type, r.Order}, true; }
};
struct OpaqueTable : Table<TableId::opaque_records, OpaqueRecord, OpaqueById> {};

struct NamespaceTable : Table<TableId::namespaces, Namespace, ByName<Namespace>> {
  Ref<Namespace> get(std::string_view name, WatchSet* ws = nullptr) const;
  Rows<Namespace> by_prefix(std::string_view prefix, WatchSet* ws = nullptr) const;
  Rows<Namespace> all(WatchSet* ws = nullptr) const;
};

template <class T>
struct AccessorByAlloc {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const T& a, Key& k) {
    if constexpr (requires { a.Accessor; }) k = {a.AllocID, a.Accessor};
    else k = {a.AllocID, a.AccessorID};
    return true;
  }
};
template <class T>
struct AccessorByNode {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const T& a, Key& k) {
    if constexpr (requires { a.Accessor; }) k = {a.NodeID, a.Accessor};
    else k = {a.NodeID, a.AccessorID};
    return true;
  }
};
template <class T>
struct ByAccessor {
  using Key = std::tuple<SharedString>;
  static bool key(const T& a, Key& k) {
    if constexpr (requires { a.Accessor; }) k = {a.Accessor};
    else k = {a.AccessorID};
    return true;
  }
};
template <TableId kTable, class T>
struct AccessorTable : Table<kTable, T, ByAccessor<T>, AccessorByAlloc<T>, AccessorByNode<T>> {
  Ref<T> get(std::string_view accessor, WatchSet* ws = nullptr) const;
  Rows<T> by_alloc(std::string_view alloc_id, WatchSet* ws = nullptr) const;
  Rows<T> by_node(std::string_view node_id, WatchSet* ws = nullptr) const;
  Rows<T> all(WatchSet* ws = nullptr) const;
};
using VaultAccessorTable = AccessorTable<TableId::vault_accessors, VaultAccessor>;
using SITokenAccessorTable = AccessorTable<TableId::si_token_accessors, SITokenAccessor>;

struct ACLPolicyByJob {
  using Key = std::tuple<SharedString, SharedString, SharedString>;
  static bool key(const ACLPolicy& p, Key& k);
};
struct ACLPolicyTable : Table<TableId::acl_policies, ACLPolicy, ByName<ACLPolicy>, ACLPolicyByJob> {
  Ref<ACLPolicy> get(std::string_view name, WatchSet* ws = nullptr) const;
  Rows<ACLPolicy> by_prefix(std::string_view prefix, WatchSet* ws = nullptr) const;
  Rows<ACLPolicy> by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<ACLPolicy> all(WatchSet* ws = nullptr) const;
};

struct ACLTokenBySecret {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const ACLToken& t, Key& k) { return k = {t.SecretID, t.AccessorID}, true; }
};
struct ACLTokenByCreate {
  using Key = std::tuple<uint64_t, SharedString>;
  static bool key(const ACLToken& t, Key& k) { return k = {t.CreateIndex, t.AccessorID}, true; }
};
struct ACLTokenByGlobal {
  using Key = std::tuple<bool, SharedString>;
  static bool key(const ACLToken& t, Key& k) { return k = {t.Global, t.AccessorID}, true; }
};
struct ACLTokenByExpiry {
  using Key = std::tuple<bool, int64_t, SharedString>;  // global, unix seconds, accessor
  static bool key(const ACLToken& t, Key& k);
};
struct ACLTokenTable : Table<TableId::acl_tokens, ACLToken, ByAccessor<ACLToken>, ACLTokenBySecret, ACLTokenByCreate,
                             ACLTokenByGlobal, ACLTokenByExpiry> {
  // Rows as stored: names of linked roles may be out of date; read_acl_token() in acl_ops.h mends them.
  Ref<ACLToken> get(std::string_view accessor, WatchSet* ws = nullptr) const;
  Ref<ACLToken> by_secret(std::string_view secret, WatchSet* ws = nullptr) const;
  Rows<ACLToken> by_prefix(std::string_view accessor_prefix, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  Rows<ACLToken> by_global(bool global, WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;
  // Tokens that expire at or before `now`, soonest first.
  Rows<ACLToken> expired(bool global, Time now) const;
  Rows<ACLToken> all(WatchSet* ws = nullptr, Dir dir = Dir::kForward) const;  // in order of creation
};

struct OneTimeTokenBySecret {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const OneTimeToken& t, Key& k) { return k = {t.OneTimeSecretID, t.AccessorID}, true; }
};
struct OneTimeTokenTable : Table<TableId::one_time_tokens, OneTimeToken, ByAccessor<OneTimeToken>, OneTimeTokenBySecret> {
  Ref<OneTimeToken> get(std::string_view accessor, WatchSet* ws = nullptr) const;
  Ref<OneTimeToken> by_secret(std::string_view secret, WatchSet* ws = nullptr) const;
  Rows<OneTimeToken> all(WatchSet* ws = nullptr) const;
};

struct ACLRoleByName {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const ACLRole& r, Key& k) { return k = {r.Name, r.ID}, true; }
};
struct ACLRoleTable : Table<TableId::acl_roles, ACLRole, ByIdText<ACLRole>, ACLRoleByName> {
  Ref<ACLRole> get(std::string_view id, WatchSet* ws = nullptr) const;
  Ref<ACLRole> by_name(std::string_view name, WatchSet* ws = nullptr) const;
  Rows<ACLRole> by_prefix(std::string_view id_prefix, WatchSet* ws = nullptr) const;
  Rows<ACLRole> all(WatchSet* ws = nullptr) const;
};

struct ACLAuthMethodTable : Table<TableId::acl_auth_methods, ACLAuthMethod, ByName<ACLAuthMethod>> {
  Ref<ACLAuthMethod> get(std::string_view name, WatchSet* ws = nullptr) const;
  // The default method of a type; null when there is none.
  Ref<ACLAuthMethod> default_of(std::string_view type, WatchSet* ws = nullptr) const;
  Rows<ACLAuthMethod> all(WatchSet* ws = nullptr) const;
};

struct ACLBindingRuleByMethod {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const ACLBindingRule& r, Key& k) { return k = {r.AuthMethod, r.ID}, true; }
};
struct ACLBindingRuleTable
    : Table<TableId::acl_binding_rules, ACLBindingRule, ByIdText<ACLBindingRule>, ACLBindingRuleByMethod> {
  Ref<ACLBindingRule> get(std::string_view id, WatchSet* ws = nullptr) const;
  Rows<ACLBindingRule> by_method(std::string_view method, WatchSet* ws = nullptr) const;
  Rows<ACLBindingRule> all(WatchSet* ws = nullptr) const;
};

struct CSIVolumeByPlugin {
  using Key = std::tuple<SharedString, SharedString, SharedString>;
  static bool key(const CSIVolume& v, Key& k) { return k = {v.PluginID, v.Namespace, v.ID}, true; }
};
struct CSIVolumeTable : Table<TableId::csi_volumes, CSIVolume, ByNamespaceId<CSIVolume>, CSIVolumeByPlugin> {
  // Rows as stored, without allocations and plugin health; csi_ops.h has the denormalized reads.
  Ref<CSIVolume> get(std::string_view ns, std::string_view id, WatchSet* ws = nullptr) const;
  Rows<CSIVolume> by_namespace(std::string_view ns, WatchSet* ws = nullptr) const;
  Rows<CSIVolume> by_prefix(std::string_view ns, std::string_view id_prefix, WatchSet* ws = nullptr) const;
  Rows<CSIVolume> by_plugin(std::string_view plugin, WatchSet* ws = nullptr) const;
  Rows<CSIVolume> all(WatchSet* ws = nullptr) const;
};

struct CSIPluginTable : Table<TableId::csi_plugins, CSIPlugin, ByIdText<CSIPlugin>> {
  Ref<CSIPlugin> get(std::string_view id, WatchSet* ws = nullptr) const;
  Rows<CSIPlugin> by_prefix(std::string_view id_prefix, WatchSet* ws = nullptr) const;
  Rows<CSIPlugin> all(WatchSet* ws = nullptr) const;
};

struct ScalingPolicyByTarget {
  using Key = std::tuple<SharedString, SharedString, SharedString, SharedString, SharedString>;  // ns, job, group, task, id
  static bool key(const ScalingPolicy& p, Key& k);
};
struct ScalingPolicyByType {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const ScalingPolicy& p, Key& k) { return k = {p.Type, p.ID}, true; }
};
struct ScalingPolicyTable
    : Table<TableId::scaling_policies, ScalingPolicy, ByIdText<ScalingPolicy>, ScalingPolicyByTarget, ScalingPolicyByType> {
  Ref<ScalingPolicy> get(std::string_view id, WatchSet* ws = nullptr) const;
  Rows<ScalingPolicy> by_namespace(std::string_view ns, WatchSet* ws = nullptr) const;
  Rows<ScalingPolicy> by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<ScalingPolicy> by_type(std::string_view type, WatchSet* ws = nullptr) const;
  Rows<ScalingPolicy> by_prefix(std::string_view id_prefix, WatchSet* ws = nullptr) const;
  Rows<ScalingPolicy> all(WatchSet* ws = nullptr) const;
};

struct EventsByJob {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const JobScalingEvents& e, Key& k) { return k = {e.Namespace, e.JobID}, true; }
};
struct ScalingEventsTable : Table<TableId::scaling_events, JobScalingEvents, EventsByJob> {
  Ref<JobScalingEvents> get(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<JobScalingEvents> all(WatchSet* ws = nullptr) const;
};

struct ServiceByName {
  using Key = std::tuple<SharedString, SharedString, SharedString, SharedString>;  // namespace, name, the row's key
  static bool key(const ServiceRegistration& s, Key& k) { return k = {s.Namespace, s.ServiceName, s.Namespace, s.ID}, true; }
};
struct ServiceByJob {
  using Key = std::tuple<SharedString, SharedString, SharedString, SharedString>;  // namespace, job, the row's key
  static bool key(const ServiceRegistration& s, Key& k) { return k = {s.Namespace, s.JobID, s.Namespace, s.ID}, true; }
};
struct ServiceByNode {
  using Key = std::tuple<Uuid, SharedString, SharedString>;
  static bool key(const ServiceRegistration& s, Key& k) { return k = {s.NodeID, s.Namespace, s.ID}, true; }
};
struct ServiceByAlloc {
  using Key = std::tuple<Uuid, SharedString, SharedString>;
  static bool key(const ServiceRegistration& s, Key& k) { return k = {s.AllocID, s.Namespace, s.ID}, true; }
};
struct ServiceTable : Table<TableId::services, ServiceRegistration, ByNamespaceId<ServiceRegistration>, ServiceByName,
                            ServiceByJob, ServiceByNode, ServiceByAlloc> {
  Ref<ServiceRegistration> get(std::string_view ns, std::string_view id, WatchSet* ws = nullptr) const;
  Rows<ServiceRegistration> by_namespace(std::string_view ns, WatchSet* ws = nullptr) const;
  Rows<ServiceRegistration> by_name(std::string_view ns, std::string_view name, WatchSet* ws = nullptr) const;
  Rows<ServiceRegistration> by_job(std::string_view ns, std::string_view job, WatchSet* ws = nullptr) const;
  Rows<ServiceRegistration> by_node(const Uuid& node, WatchSet* ws = nullptr) const;
  Rows<ServiceRegistration> by_alloc(const Uuid& alloc, WatchSet* ws = nullptr) const;
  Rows<ServiceRegistration> all(WatchSet* ws = nullptr) const;
};

struct VariableById {
  using Key = std::tuple<SharedString, SharedString>;
  static bool key(const VariableEncrypted& v, Key& k) { return k = {v.Namespace, v.Path}, true; }
};
struct VariableByKey {
  using Key = std::tuple<SharedString, SharedString, SharedString>;
  static bool key(const VariableEncrypted& v, Key& k) { return k = {v.KeyID, v.Namespace, v.Path}, true; }
};
struct VariableByPath {
  using Key = std::tuple<SharedString, SharedString, SharedString>;
  static bool key(const VariableEncrypted& v, Key& k) { return k = {v.Path, v.Namespace, v.Path}, true; }
};
struct VariableTable : Table<TableId::variables, VariableEncrypted, VariableById, VariableByKey, VariableByPath> {
  Ref<VariableEncrypted> get(std::string_view ns, std::string_view path, WatchSet* ws = nullptr) const;
  Rows<VariableEncrypted> by_namespace(std::string_view ns, WatchSet* ws = nullptr) const;
  Rows<VariableEncrypted> by_prefix(std::string_view ns, std::string_view path_prefix, WatchSet* ws = nullptr) const;
  // Over all namespaces.
  Rows<VariableEncrypted> by_path_prefix(std::string_view path_prefix, WatchSet* ws = nullptr) const;
  Rows<VariableEncrypted> by_key(std::string_view key_id, WatchSet* ws = nullptr) const;
  Rows<VariableEncrypted> all(WatchSet* ws = nullptr) const;
};

struct QuotaByNamespace {
  using Key = std::tuple<SharedString>;
  static bool key(const VariablesQuota& q, Key& k) { return k = {q.Namespace}, true; }
};
struct VariablesQuotaTable : Table<TableId::variables_quotas, VariablesQuota, QuotaByNamespace> {
  Ref<VariablesQuota> get(std::string_view ns, WatchSet* ws = nullptr) const;
  Rows<VariablesQuota> all(WatchSet* ws = nullptr) const;
};

struct RootKeyById {
  using Key = std::tuple<SharedString>;
  static bool key(const RootKeyMeta& r, Key& k) { return k = {r.KeyID}, true; }
};
struct RootKeyTable : Table<TableId::root_keys, RootKeyMeta, RootKeyById> {
  Ref<RootKeyMeta> get(std::string_view key_id, WatchSet* ws = nullptr) const;
  Ref<RootKeyMeta> active(WatchSet* ws = nullptr) const;
  Rows<RootKeyMeta> all(WatchSet* ws = nullptr) const;
};

}  // namespace drover::state
