#include "model/acl.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::AgentPolicy, "acl.AgentPolicy",
    DROVER_FIELD(Policy))

DROVER_DESCRIBE(drover::HostVolumePolicy, "acl.HostVolumePolicy",
    DROVER_FIELD(Name), DROVER_FIELD(Policy), DROVER_FIELD(Capabilities))

DROVER_DESCRIBE(drover::VariablesPathPolicy, "acl.VariablesPathPolicy",
    DROVER_FIELD(PathSpec), DROVER_FIELD(Capabilities))

DROVER_DESCRIBE(drover::VariablesPolicy, "acl.VariablesPolicy",
    DROVER_FIELD(Paths))

DROVER_DESCRIBE(drover::NamespacePolicy, "acl.NamespacePolicy",
    DROVER_FIELD(Name), DROVER_FIELD(Policy), DROVER_FIELD(Capabilities), DROVER_FIELD(Variables))

DROVER_DESCRIBE(drover::NodePolicy, "acl.NodePolicy",
    DROVER_FIELD(Policy))

DROVER_DESCRIBE(drover::OperatorPolicy, "acl.OperatorPolicy",
    DROVER_FIELD(Policy))

DROVER_DESCRIBE(drover::PluginPolicy, "acl.PluginPolicy",
    DROVER_FIELD(Policy))

DROVER_DESCRIBE(drover::QuotaPolicy, "acl.QuotaPolicy",
    DROVER_FIELD(Policy))

DROVER_DESCRIBE(drover::ACLPolicyRules, "acl.Policy",
    DROVER_FIELD(Namespaces), DROVER_FIELD(HostVolumes), DROVER_FIELD(Agent), DROVER_FIELD(Node),
    DROVER_FIELD(Operator), DROVER_FIELD(Quota), DROVER_FIELD(Plugin), DROVER_FIELD(Raw))

DROVER_DESCRIBE(drover::ACLAuthMethodConfig, "structs.ACLAuthMethodConfig",
    DROVER_FIELD(JWTValidationPubKeys), DROVER_FIELD(JWKSURL), DROVER_FIELD(OIDCDiscoveryURL),
    DROVER_FIELD(OIDCClientID), DROVER_FIELD(OIDCClientSecret), DROVER_FIELD(OIDCScopes),
    DROVER_FIELD(BoundAudiences), DROVER_FIELD(BoundIssuer), DROVER_FIELD(AllowedRedirectURIs),
    DROVER_FIELD(DiscoveryCaPem), DROVER_FIELD(JWKSCACert), DROVER_FIELD(SigningAlgs),
    DROVER_FIELD(ExpirationLeeway).with(drover::kDurationText),
    DROVER_FIELD(NotBeforeLeeway).with(drover::kDurationText),
    DROVER_FIELD(ClockSkewLeeway).with(drover::kDurationText), DROVER_FIELD(ClaimMappings),
    DROVER_FIELD(ListClaimMappings))

DROVER_DESCRIBE(drover::ACLAuthMethod, "structs.ACLAuthMethod",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(TokenLocality),
    DROVER_FIELD(MaxTokenTTL).with(drover::kDurationText), DROVER_FIELD(Default), DROVER_FIELD(Config),
    DROVER_FIELD(Hash), DROVER_FIELD(CreateTime), DROVER_FIELD(ModifyTime), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLAuthMethodEvent, "structs.ACLAuthMethodEvent",
    DROVER_FIELD(AuthMethod))

DROVER_DESCRIBE(drover::ACLAuthMethodStub, "structs.ACLAuthMethodStub",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Default), DROVER_FIELD(Hash), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLBindingRule, "structs.ACLBindingRule",
    DROVER_FIELD(ID), DROVER_FIELD(Description), DROVER_FIELD(AuthMethod), DROVER_FIELD(Selector),
    DROVER_FIELD(BindType), DROVER_FIELD(BindName), DROVER_FIELD(Hash), DROVER_FIELD(CreateTime),
    DROVER_FIELD(ModifyTime), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLBindingRuleEvent, "structs.ACLBindingRuleEvent",
    DROVER_FIELD(ACLBindingRule))

DROVER_DESCRIBE(drover::ACLBindingRuleListStub, "structs.ACLBindingRuleListStub",
    DROVER_FIELD(ID), DROVER_FIELD(Description), DROVER_FIELD(AuthMethod), DROVER_FIELD(Hash),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLLoginRequest, "structs.ACLLoginRequest",
    DROVER_FIELD(AuthMethodName), DROVER_FIELD(LoginToken), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::ACLOIDCAuthURLRequest, "structs.ACLOIDCAuthURLRequest",
    DROVER_FIELD(AuthMethodName), DROVER_FIELD(RedirectURI), DROVER_FIELD(ClientNonce), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::ACLOIDCAuthURLResponse, "structs.ACLOIDCAuthURLResponse",
    DROVER_FIELD(AuthURL))

DROVER_DESCRIBE(drover::ACLOIDCCompleteAuthRequest, "structs.ACLOIDCCompleteAuthRequest",
    DROVER_FIELD(AuthMethodName), DROVER_FIELD(ClientNonce), DROVER_FIELD(State), DROVER_FIELD(Code),
    DROVER_FIELD(RedirectURI), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::JobACL, "structs.JobACL",
    DROVER_FIELD(Namespace), DROVER_FIELD(JobID), DROVER_FIELD(Group), DROVER_FIELD(Task))

DROVER_DESCRIBE(drover::ACLPolicy, "structs.ACLPolicy",
    DROVER_FIELD(Name), DROVER_FIELD(Description), DROVER_FIELD(Rules), DROVER_FIELD(RulesJSON), DROVER_FIELD(JobACL),
    DROVER_FIELD(Hash), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLPolicyEvent, "structs.ACLPolicyEvent",
    DROVER_FIELD(ACLPolicy))

DROVER_DESCRIBE(drover::ACLPolicyListStub, "structs.ACLPolicyListStub",
    DROVER_FIELD(Name), DROVER_FIELD(Description), DROVER_FIELD(Hash), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLRolePolicyLink, "structs.ACLRolePolicyLink",
    DROVER_FIELD(Name))

DROVER_DESCRIBE(drover::ACLRole, "structs.ACLRole",
    DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Description), DROVER_FIELD(Policies), DROVER_FIELD(Hash),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLRoleListStub, "structs.ACLRoleListStub",
    DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Description), DROVER_FIELD(Policies), DROVER_FIELD(Hash),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLRoleStreamEvent, "structs.ACLRoleStreamEvent",
    DROVER_FIELD(ACLRole))

DROVER_DESCRIBE(drover::ACLTokenRoleLink, "structs.ACLTokenRoleLink",
    DROVER_FIELD(ID), DROVER_FIELD(Name))

DROVER_DESCRIBE(drover::ACLToken, "structs.ACLToken",
    DROVER_FIELD(AccessorID), DROVER_FIELD(SecretID), DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Policies),
    DROVER_FIELD(Roles), DROVER_FIELD(Global), DROVER_FIELD(Hash),
    DROVER_FIELD(CreateTime).with(drover::kZeroTimeText), DROVER_FIELD(ExpirationTime),
    DROVER_FIELD(ExpirationTTL).with(drover::kDurationText), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ACLTokenBootstrapRequest, "structs.ACLTokenBootstrapRequest",
    DROVER_FIELD(Token), DROVER_FIELD(ResetIndex), DROVER_FIELD(BootstrapSecret), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::ACLTokenEvent, "structs.ACLTokenEvent",
    DROVER_FIELD(ACLToken))

DROVER_DESCRIBE(drover::ACLTokenListStub, "structs.ACLTokenListStub",
    DROVER_FIELD(AccessorID), DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Policies), DROVER_FIELD(Roles),
    DROVER_FIELD(Global), DROVER_FIELD(Hash), DROVER_FIELD(CreateTime), DROVER_FIELD(ExpirationTime),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::OneTimeToken, "structs.OneTimeToken",
    DROVER_FIELD(OneTimeSecretID), DROVER_FIELD(AccessorID), DROVER_FIELD(ExpiresAt), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::OneTimeTokenExchangeRequest, "structs.OneTimeTokenExchangeRequest",
    DROVER_FIELD(OneTimeSecretID), DROVER_WRITE_REQUEST)

DROVER_DESCRIBE(drover::OneTimeTokenExchangeResponse, "structs.OneTimeTokenExchangeResponse",
    DROVER_FIELD(Token), DROVER_FIELD(Index))

DROVER_DESCRIBE(drover::OneTimeTokenUpsertResponse, "structs.OneTimeTokenUpsertResponse",
    DROVER_FIELD(OneTimeToken), DROVER_FIELD(Index))
