#include "state/acl_ops.h"

#include <fmt/format.h>

namespace drover::state {
namespace {

// Takes CreateIndex from the stored row and stamps the rest. True: nothing else would change.
template <class T>
bool stamp(T& row, const Ref<T>& old, uint64_t index) {
  row.CreateIndex = old ? old->CreateIndex : index;
  row.ModifyIndex = old ? old->ModifyIndex : index;
  if (old && row == *old) return true;
  row.ModifyIndex = index;
  return false;
}

}  // namespace

void upsert_acl_policies(Txn& txn, const List<ACLPolicy>& policies) {
  for (auto& given : policies) {
    ACLPolicy p = given;
    p.RulesJSON.reset();  // made from Rules on reading
    auto old = txn.acl_policies()->get(p.Name);
    p.CreateIndex = old ? old->CreateIndex : txn.index();
    p.ModifyIndex = txn.index();
    txn.acl_policies().upsert(std::move(p));
  }
}

void delete_acl_policies(Txn& txn, const List<std::string>& names) {
  for (auto& name : names)
    if (auto row = txn.acl_policies()->get(name)) txn.acl_policies().erase(*row);
}

void upsert_acl_tokens(Txn& txn, const List<ACLToken>& tokens) {
  for (auto& given : tokens) {
    ACLToken t = given;
    auto old = txn.acl_tokens()->get(t.AccessorID);
    t.CreateIndex = old ? old->CreateIndex : txn.index();
    t.ModifyIndex = txn.index();
    if (old) {
      t.SecretID = old->SecretID;
      t.CreateTime = old->CreateTime;
    }
    txn.acl_tokens().upsert(std::move(t));
  }
}

void delete_acl_tokens(Txn& txn, const List<std::string>& accessors) {
  for (auto& id : accessors)
    if (auto row = txn.acl_tokens()->get(id)) txn.acl_tokens().erase(*row);
}

Status bootstrap_acl(Txn& txn, ACLToken token, uint64_t reset_index) {
  if (uint64_t done = txn.state().acl_bootstrap_index) {
    if (reset_index == 0) return invalid("ACL bootstrap already done");
    if (reset_index != done) return invalid("Invalid reset index for ACL bootstrap");
  }
  token.CreateIndex = token.ModifyIndex = txn.index();
  txn.acl_tokens().upsert(std::move(token));
  txn.set_acl_bootstrap_index(txn.index());
  return {};
}

Ref<ACLToken> read_acl_token(const State& state, const Ref<ACLToken>& token, WatchSet* ws) {
  if (!token || token->Roles.empty()) return token;
  List<ACLTokenRoleLink> links;
  for (auto& link : token->Roles)
    if (auto role = state.acl_roles.get(link.ID, ws)) links.push_back({role->ID, role->Name});
  if (links == token->Roles) return token;
  ACLToken mended = *token;
  mended.Roles = links.empty() ? List<ACLTokenRoleLink>() : std::move(links);
  return std::make_shared<const ACLToken>(std::move(mended));
}

Status upsert_acl_roles(Txn& txn, const List<ACLRole>& roles, bool allow_missing_policies) {
  for (auto& given : roles) {
    ACLRole r = given;
    if (!allow_missing_policies)
      for (auto& link : r.Policies)
        if (!txn.acl_policies()->get(link.Name)) return invalid("ACL policy not found");
    auto old = txn.acl_roles()->get(r.ID);
    auto namesake = txn.acl_roles()->by_name(r.Name);
    if (namesake && namesake->ID != r.ID) return invalid(fmt::format("ACL role with name {} already exists", r.Name));
    if (!stamp(r, old, txn.index())) txn.acl_roles().upsert(std::move(r));
  }
  return {};
}

Status delete_acl_roles(Txn& txn, const List<std::string>& ids) {
  for (auto& id : ids) {
    auto row = txn.acl_roles()->get(id);
    if (!row) return not_found("ACL role not found");
    txn.acl_roles().erase(*row);
  }
  return {};
}

Status upsert_acl_auth_methods(Txn& txn, const List<ACLAuthMethod>& methods) {
  for (auto& given : methods) {
    ACLAuthMethod m = given;
    if (m.Default) {
      auto other = txn.acl_auth_methods()->default_of("");
      if (other && other->Name != m.Name)
        return invalid(fmt::format("default ACL auth method already exists: {}", other->Name));
    }
    auto old = txn.acl_auth_methods()->get(m.Name);
    if (old) m.CreateTime = old->CreateTime;
    if (!stamp(m, old, txn.index())) txn.acl_auth_methods().upsert(std::move(m));
  }
  return {};
}

Status delete_acl_auth_methods(Txn& txn, const List<std::string>& names) {
  for (auto& name : names) {
    auto row = txn.acl_auth_methods()->get(name);
    if (!row) return not_found("ACL auth method not found");
    txn.acl_auth_methods().erase(*row);
  }
  return {};
}

Status upsert_acl_binding_rules(Txn& txn, const List<ACLBindingRule>& rules, bool allow_missing_methods) {
  for (auto& given : rules) {
    ACLBindingRule r = given;
    if (!allow_missing_methods && !txn.acl_auth_methods()->get(r.AuthMethod))
      return invalid("ACL binding rule insert failed: ACL auth method not found");
    auto old = txn.acl_binding_rules()->get(r.ID);
    if (old) r.CreateTime = old->CreateTime;
    if (!stamp(r, old, txn.index())) txn.acl_binding_rules().upsert(std::move(r));
  }
  return {};
}

Status delete_acl_binding_rules(Txn& txn, const List<std::string>& ids) {
  for (auto& id : ids) {
    auto row = txn.acl_binding_rules()->get(id);
    if (!row) return not_found("ACL binding rule not found");
    txn.acl_binding_rules().erase(*row);
  }
  return {};
}

Status upsert_one_time_token(Txn& txn, OneTimeToken t) {
  if (t.ExpiresAt.unset()) return invalid("one-time token must have an ExpiresAt time");
  auto old = txn.one_time_tokens()->get(t.AccessorID);
  t.CreateIndex = old ? old->CreateIndex : txn.index();
  t.ModifyIndex = txn.index();
  txn.one_time_tokens().upsert(std::move(t));
  return {};
}

void delete_one_time_tokens(Txn& txn, const List<std::string>& accessors) {
  for (auto& id : accessors)
    if (auto row = txn.one_time_tokens()->get(id)) txn.one_time_tokens().erase(*row);
}

void expire_one_time_tokens(Txn& txn) {
  for (auto& t : txn.one_time_tokens()->all())
    if (t->ExpiresAt <= txn.stamp()) txn.one_time_tokens().erase(*t);
}

}  // namespace drover::state
