// Writes about namespaces, configuration, services, variables, keys and accessors (reference server-core 6.10).
#pragma once

#include "model/raft_requests.h"
#include "state/store.h"

namespace drover::state {

// Returns the quotas that some namespace had and has no more.
std::vector<std::string> upsert_namespaces(Txn& txn, const List<Namespace>& namespaces);
Status delete_namespaces(Txn& txn, const List<std::string>& names);

// compare: write only when the stored ModifyIndex is config.ModifyIndex. False: it was not.
bool set_scheduler_config(Txn& txn, SchedulerConfiguration config, bool compare);
bool set_autopilot_config(Txn& txn, AutopilotConfig config, bool compare);
// Set once and for all.
Status set_cluster_metadata(Txn& txn, ClusterMetadata meta);

void upsert_services(Txn& txn, const List<ServiceRegistration>& services);
Status delete_service(Txn& txn, std::string_view ns, std::string_view id);
void delete_services_of_node(Txn& txn, const Uuid& node);

rpc::VarApplyStateResponse apply_variable(Txn& txn, const rpc::VarApplyStateRequest& request);

Status upsert_root_key(Txn& txn, RootKeyMeta meta, bool rekey);
void delete_root_key(Txn& txn, std::string_view key_id);
// A live allocation signed with it or a variable encrypted with it.
bool root_key_in_use(const State& state, std::string_view key_id);

void upsert_vault_accessors(Txn& txn, const List<VaultAccessor>& accessors);
void delete_vault_accessors(Txn& txn, const List<VaultAccessor>& accessors);
void upsert_si_accessors(Txn& txn, const List<SITokenAccessor>& accessors);
void delete_si_accessors(Txn& txn, const List<SITokenAccessor>& accessors);

}  // namespace drover::state
