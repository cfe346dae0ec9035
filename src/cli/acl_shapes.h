// ACL objects as clients print them: the servers' records without their hashes.
#pragma once

#include "model/acl.h"

namespace drover::cli {

struct AclPolicyStub : ACLPolicyListStub {};
struct AclToken : ACLToken {};
struct AclTokenStub : ACLTokenListStub {};
struct AclRole : ACLRole {};
struct AclRoleStub : ACLRoleListStub {};
struct AuthMethod : ACLAuthMethod {};
struct AuthMethodStub : ACLAuthMethodStub {};
struct BindingRule : ACLBindingRule {};
struct BindingRuleStub : ACLBindingRuleListStub {};

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::AclPolicyStub)
DROVER_TYPE(cli::AclToken)
DROVER_TYPE(cli::AclTokenStub)
DROVER_TYPE(cli::AclRole)
DROVER_TYPE(cli::AclRoleStub)
DROVER_TYPE(cli::AuthMethod)
DROVER_TYPE(cli::AuthMethodStub)
DROVER_TYPE(cli::BindingRule)
DROVER_TYPE(cli::BindingRuleStub)
}  // namespace drover
