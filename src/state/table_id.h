// The tables of the store, in one list: member name, class, name in the reference's "index" table (and in metrics).
#pragma once

#include <cstdint>
#include <string_view>

// Tables whose name starts with '!' have no row in the reference's index table: they do not count towards the
// latest index.
#define DROVER_STATE_TABLES(X)                                  \
  X(nodes, NodeTable, "nodes")                                  \
  X(jobs, JobTable, "jobs")                                     \
  X(job_summaries, JobSummaryTable, "job_summary")              \
  X(job_versions, JobVersionTable, "job_version")               \
  X(job_submissions, JobSubmissionTable, "!job_submission")     \
  X(deployments, DeploymentTable, "deployment")                 \
  X(periodic_launches, PeriodicLaunchTable, "periodic_launch")  \
  X(evals, EvalTable, "evals")                                  \
  X(allocs, AllocTable, "allocs")                               \
  X(vault_accessors, VaultAccessorTable, "vault_accessors")     \
  X(si_token_accessors, SITokenAccessorTable, "si_token_accessors") \
  X(acl_policies, ACLPolicyTable, "acl_policy")                 \
  X(acl_tokens, ACLTokenTable, "acl_token")                     \
  X(one_time_tokens, OneTimeTokenTable, "one_time_token")       \
  X(autopilot_config, AutopilotConfigTable, "!autopilot-config") \
  X(scheduler_config, SchedulerConfigTable, "!scheduler_config") \
  X(cluster_meta, ClusterMetaTable, "!cluster_meta")            \
  X(opaque_records, OpaqueTable, "node_pools")                  \
  X(csi_volumes, CSIVolumeTable, "csi_volumes")                 \
  X(csi_plugins, CSIPluginTable, "csi_plugins")                 \
  X(scaling_policies, ScalingPolicyTable, "scaling_policy")     \
  X(scaling_events, ScalingEventsTable, "scaling_event")        \
  X(namespaces, NamespaceTable, "namespaces")                   \
  X(services, ServiceTable, "service_registrations")            \
  X(variables, VariableTable, "variables")                      \
  X(variables_quotas, VariablesQuotaTable, "!variables_quota")  \
  X(root_keys, RootKeyTable, "root_key_meta")                   \
  X(acl_roles, ACLRoleTable, "acl_roles")                       \
  X(acl_auth_methods, ACLAuthMethodTable, "acl_auth_methods")   \
  X(acl_binding_rules, ACLBindingRuleTable, "acl_binding_rules")

namespace drover::state {

enum class TableId : uint8_t {
#define DROVER_X(member, type, name) member,
  DROVER_STATE_TABLES(DROVER_X)
#undef DROVER_X
  kCount,
};
inline constexpr size_t kTableCount = static_cast<size_t>(TableId::kCount);

// The name without the mark, "nodes"; nullopt-like TableId::kCount for an unknown name.
std::string_view table_name(TableId id);
TableId table_by_name(std::string_view name);
// Whether the reference keeps an index row for it.
bool table_has_index_row(TableId id);

}  // namespace drover::state
