// Writes about ACL objects (reference server-core 6.10, security).
#pragma once

#include "state/store.h"

namespace drover::state {

void upsert_acl_policies(Txn& txn, const List<ACLPolicy>& policies);
void delete_acl_policies(Txn& txn, const List<std::string>& names);

// SecretID and CreateTime of a stored token never change.
void upsert_acl_tokens(Txn& txn, const List<ACLToken>& tokens);
void delete_acl_tokens(Txn& txn, const List<std::string>& accessors);
// The first time, or again with the reset index that the last time left.
Status bootstrap_acl(Txn& txn, ACLToken token, uint64_t reset_index);
// The stored token with its role links mended: vanished roles dropped, names refreshed.
Ref<ACLToken> read_acl_token(const State& state, const Ref<ACLToken>& token, WatchSet* ws = nullptr);

Status upsert_acl_roles(Txn& txn, const List<ACLRole>& roles, bool allow_missing_policies);
Status delete_acl_roles(Txn& txn, const List<std::string>& ids);
Status upsert_acl_auth_methods(Txn& txn, const List<ACLAuthMethod>& methods);
Status delete_acl_auth_methods(Txn& txn, const List<std::string>& names);
Status upsert_acl_binding_rules(Txn& txn, const List<ACLBindingRule>& rules, bool allow_missing_methods);
Status delete_acl_binding_rules(Txn& txn, const List<std::string>& ids);

Status upsert_one_time_token(Txn& txn, OneTimeToken token);
void delete_one_time_tokens(Txn& txn, const List<std::string>& accessors);
// Those that expired by the Txn's stamp.
void expire_one_time_tokens(Txn& txn);

}  // namespace drover::state
