#include "cli/acl_shapes.h"

DROVER_DESCRIBE(drover::cli::AclPolicyStub, "api.ACLPolicyListStub", DROVER_FIELD(Name), DROVER_FIELD(Description),
                DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::AclToken, "api.ACLToken", DROVER_FIELD(AccessorID), DROVER_FIELD(SecretID), DROVER_FIELD(Name),
                DROVER_FIELD(Type), DROVER_FIELD(Policies), DROVER_FIELD(Roles), DROVER_FIELD(Global),
                DROVER_FIELD(CreateTime).with(drover::kZeroTimeText), DROVER_FIELD(ExpirationTime).with(drover::kOmitEmpty),
                DROVER_FIELD(ExpirationTTL).with(drover::kDurationText), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::AclTokenStub, "api.ACLTokenListStub", DROVER_FIELD(AccessorID), DROVER_FIELD(Name),
                DROVER_FIELD(Type), DROVER_FIELD(Policies), DROVER_FIELD(Roles), DROVER_FIELD(Global),
                DROVER_FIELD(CreateTime).with(drover::kZeroTimeText), DROVER_FIELD(ExpirationTime).with(drover::kOmitEmpty),
                DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::AclRole, "api.ACLRole", DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Description),
                DROVER_FIELD(Policies), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::AclRoleStub, "api.ACLRoleListStub", DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Description),
                DROVER_FIELD(Policies), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::AuthMethod, "api.ACLAuthMethod", DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(TokenLocality),
                DROVER_FIELD(MaxTokenTTL).with(drover::kDurationText), DROVER_FIELD(Default), DROVER_FIELD(Config),
                DROVER_FIELD(CreateTime).with(drover::kZeroTimeText), DROVER_FIELD(ModifyTime).with(drover::kZeroTimeText),
                DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::AuthMethodStub, "api.ACLAuthMethodListStub", DROVER_FIELD(Name), DROVER_FIELD(Type),
                DROVER_FIELD(Default), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::BindingRule, "api.ACLBindingRule", DROVER_FIELD(ID), DROVER_FIELD(Description),
                DROVER_FIELD(AuthMethod), DROVER_FIELD(Selector), DROVER_FIELD(BindType), DROVER_FIELD(BindName),
                DROVER_FIELD(CreateTime).with(drover::kZeroTimeText), DROVER_FIELD(ModifyTime).with(drover::kZeroTimeText),
                DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
DROVER_DESCRIBE(drover::cli::BindingRuleStub, "api.ACLBindingRuleListStub", DROVER_FIELD(ID), DROVER_FIELD(Description),
                DROVER_FIELD(AuthMethod), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))
