// ACL policies, tokens, roles, auth methods.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover {

struct AgentPolicy {
  std::string Policy;

  friend bool operator==(const AgentPolicy&, const AgentPolicy&) = default;
};

struct HostVolumePolicy {
  std::string Name;
  std::string Policy;
  List<std::string> Capabilities;

  friend bool operator==(const HostVolumePolicy&, const HostVolumePolicy&) = default;
};

struct VariablesPathPolicy {
  std::string PathSpec;
  List<std::string> Capabilities;

  friend bool operator==(const VariablesPathPolicy&, const VariablesPathPolicy&) = default;
};

struct VariablesPolicy {
  List<VariablesPathPolicy> Paths;

  friend bool operator==(const VariablesPolicy&, const VariablesPolicy&) = default;
};

struct NamespacePolicy {
  std::string Name;
  std::string Policy;
  List<std::string> Capabilities;
  Box<VariablesPolicy> Variables;

  friend bool operator==(const NamespacePolicy&, const NamespacePolicy&) = default;
};

struct NodePolicy {
  std::string Policy;

  friend bool operator==(const NodePolicy&, const NodePolicy&) = default;
};

struct OperatorPolicy {
  std::string Policy;

  friend bool operator==(const OperatorPolicy&, const OperatorPolicy&) = default;
};

struct PluginPolicy {
  std::string Policy;

  friend bool operator==(const PluginPolicy&, const PluginPolicy&) = default;
};

struct QuotaPolicy {
  std::string Policy;

  friend bool operator==(const QuotaPolicy&, const QuotaPolicy&) = default;
};

struct ACLPolicyRules {
  List<NamespacePolicy> Namespaces;
  List<HostVolumePolicy> HostVolumes;
  Box<AgentPolicy> Agent;
  Box<NodePolicy> Node;
  Box<OperatorPolicy> Operator;
  Box<QuotaPolicy> Quota;
  Box<PluginPolicy> Plugin;
  std::string Raw;

  friend bool operator==(const ACLPolicyRules&, const ACLPolicyRules&) = default;
};

struct ACLAuthMethodConfig {
  List<std::string> JWTValidationPubKeys;
  std::string JWKSURL;
  std::string OIDCDiscoveryURL;
  std::string OIDCClientID;
  std::string OIDCClientSecret;
  List<std::string> OIDCScopes;
  List<std::string> BoundAudiences;
  List<std::string> BoundIssuer;
  List<std::string> AllowedRedirectURIs;
  List<std::string> DiscoveryCaPem;
  std::string JWKSCACert;
  List<std::string> SigningAlgs;
  Duration ExpirationLeeway{};
  Duration NotBeforeLeeway{};
  Duration ClockSkewLeeway{};
  Map<std::string> ClaimMappings;
  Map<std::string> ListClaimMappings;

  friend bool operator==(const ACLAuthMethodConfig&, const ACLAuthMethodConfig&) = default;
};

struct ACLAuthMethod {
  std::string Name;
  std::string Type;
  std::string TokenLocality;
  Duration MaxTokenTTL{};
  bool Default = false;
  Box<ACLAuthMethodConfig> Config;
  Bytes Hash;
  Time CreateTime;
  Time ModifyTime;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLAuthMethod&, const ACLAuthMethod&) = default;
};

struct ACLAuthMethodEvent {
  Box<ACLAuthMethod> AuthMethod;

  friend bool operator==(const ACLAuthMethodEvent&, const ACLAuthMethodEvent&) = default;
};

struct ACLAuthMethodStub {
  std::string Name;
  std::string Type;
  bool Default = false;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLAuthMethodStub&, const ACLAuthMethodStub&) = default;
};

struct ACLBindingRule {
  std::string ID;
  std::string Description;
  std::string AuthMethod;
  std::string Selector;
  std::string BindType;
  std::string BindName;
  Bytes Hash;
  Time CreateTime;
  Time ModifyTime;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLBindingRule&, const ACLBindingRule&) = default;
};

struct ACLBindingRuleEvent {
  Box<::drover::ACLBindingRule> ACLBindingRule;

  friend bool operator==(const ACLBindingRuleEvent&, const ACLBindingRuleEvent&) = default;
};

struct ACLBindingRuleListStub {
  std::string ID;
  std::string Description;
  std::string AuthMethod;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLBindingRuleListStub&, const ACLBindingRuleListStub&) = default;
};

struct ACLLoginRequest {
  std::string AuthMethodName;
  std::string LoginToken;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const ACLLoginRequest&, const ACLLoginRequest&) = default;
};

struct ACLOIDCAuthURLRequest {
  std::string AuthMethodName;
  std::string RedirectURI;
  std::string ClientNonce;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const ACLOIDCAuthURLRequest&, const ACLOIDCAuthURLRequest&) = default;
};

struct ACLOIDCAuthURLResponse {
  std::string AuthURL;

  friend bool operator==(const ACLOIDCAuthURLResponse&, const ACLOIDCAuthURLResponse&) = default;
};

struct ACLOIDCCompleteAuthRequest {
  std::string AuthMethodName;
  std::string ClientNonce;
  std::string State;
  std::string Code;
  std::string RedirectURI;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const ACLOIDCCompleteAuthRequest&, const ACLOIDCCompleteAuthRequest&) = default;
};

struct JobACL {
  std::string Namespace;
  std::string JobID;
  std::string Group;
  std::string Task;

  friend bool operator==(const JobACL&, const JobACL&) = default;
};

struct ACLPolicy {
  std::string Name;
  std::string Description;
  std::string Rules;
  Box<ACLPolicyRules> RulesJSON;
  Box<::drover::JobACL> JobACL;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLPolicy&, const ACLPolicy&) = default;
};

struct ACLPolicyEvent {
  Box<::drover::ACLPolicy> ACLPolicy;

  friend bool operator==(const ACLPolicyEvent&, const ACLPolicyEvent&) = default;
};

struct ACLPolicyListStub {
  std::string Name;
  std::string Description;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLPolicyListStub&, const ACLPolicyListStub&) = default;
};

struct ACLRolePolicyLink {
  std::string Name;

  friend bool operator==(const ACLRolePolicyLink&, const ACLRolePolicyLink&) = default;
};

struct ACLRole {
  std::string ID;
  std::string Name;
  std::string Description;
  List<ACLRolePolicyLink> Policies;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLRole&, const ACLRole&) = default;
};

struct ACLRoleListStub {
  std::string ID;
  std::string Name;
  std::string Description;
  List<ACLRolePolicyLink> Policies;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLRoleListStub&, const ACLRoleListStub&) = default;
};

struct ACLRoleStreamEvent {
  Box<::drover::ACLRole> ACLRole;

  friend bool operator==(const ACLRoleStreamEvent&, const ACLRoleStreamEvent&) = default;
};

struct ACLTokenRoleLink {
  std::string ID;
  std::string Name;

  friend bool operator==(const ACLTokenRoleLink&, const ACLTokenRoleLink&) = default;
};

struct ACLToken {
  std::string AccessorID;
  std::string SecretID;
  std::string Name;
  std::string Type;
  List<std::string> Policies;
  List<ACLTokenRoleLink> Roles;
  bool Global = false;
  Bytes Hash;
  Time CreateTime;
  std::optional<Time> ExpirationTime;
  Duration ExpirationTTL{};
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLToken&, const ACLToken&) = default;
};

struct ACLTokenBootstrapRequest {
  Box<ACLToken> Token;
  uint64_t ResetIndex = 0;
  std::string BootstrapSecret;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const ACLTokenBootstrapRequest&, const ACLTokenBootstrapRequest&) = default;
};

struct ACLTokenEvent {
  Box<::drover::ACLToken> ACLToken;

  friend bool operator==(const ACLTokenEvent&, const ACLTokenEvent&) = default;
};

struct ACLTokenListStub {
  std::string AccessorID;
  std::string Name;
  std::string Type;
  List<std::string> Policies;
  List<ACLTokenRoleLink> Roles;
  bool Global = false;
  Bytes Hash;
  Time CreateTime;
  std::optional<Time> ExpirationTime;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ACLTokenListStub&, const ACLTokenListStub&) = default;
};

struct OneTimeToken {
  std::string OneTimeSecretID;
  std::string AccessorID;
  Time ExpiresAt;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const OneTimeToken&, const OneTimeToken&) = default;
};

struct OneTimeTokenExchangeRequest {
  std::string OneTimeSecretID;
  std::string Region;
  std::string Namespace;
  std::string AuthToken;
  std::string IdempotencyToken;
  bool Forwarded = false;

  friend bool operator==(const OneTimeTokenExchangeRequest&, const OneTimeTokenExchangeRequest&) = default;
};

struct OneTimeTokenExchangeResponse {
  Box<ACLToken> Token;
  uint64_t Index = 0;

  friend bool operator==(const OneTimeTokenExchangeResponse&, const OneTimeTokenExchangeResponse&) = default;
};

struct OneTimeTokenUpsertResponse {
  Box<::drover::OneTimeToken> OneTimeToken;
  uint64_t Index = 0;

  friend bool operator==(const OneTimeTokenUpsertResponse&, const OneTimeTokenUpsertResponse&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(AgentPolicy)
DROVER_TYPE(HostVolumePolicy)
DROVER_TYPE(VariablesPathPolicy)
DROVER_TYPE(VariablesPolicy)
DROVER_TYPE(NamespacePolicy)
DROVER_TYPE(NodePolicy)
DROVER_TYPE(OperatorPolicy)
DROVER_TYPE(PluginPolicy)
DROVER_TYPE(QuotaPolicy)
DROVER_TYPE(ACLPolicyRules)
DROVER_TYPE(ACLAuthMethodConfig)
DROVER_TYPE(ACLAuthMethod)
DROVER_TYPE(ACLAuthMethodEvent)
DROVER_TYPE(ACLAuthMethodStub)
DROVER_TYPE(ACLBindingRule)
DROVER_TYPE(ACLBindingRuleEvent)
DROVER_TYPE(ACLBindingRuleListStub)
DROVER_TYPE(ACLLoginRequest)
DROVER_TYPE(ACLOIDCAuthURLRequest)
DROVER_TYPE(ACLOIDCAuthURLResponse)
DROVER_TYPE(ACLOIDCCompleteAuthRequest)
DROVER_TYPE(JobACL)
DROVER_TYPE(ACLPolicy)
DROVER_TYPE(ACLPolicyEvent)
DROVER_TYPE(ACLPolicyListStub)
DROVER_TYPE(ACLRolePolicyLink)
DROVER_TYPE(ACLRole)
DROVER_TYPE(ACLRoleListStub)
DROVER_TYPE(ACLRoleStreamEvent)
DROVER_TYPE(ACLTokenRoleLink)
DROVER_TYPE(ACLToken)
DROVER_TYPE(ACLTokenBootstrapRequest)
DROVER_TYPE(ACLTokenEvent)
DROVER_TYPE(ACLTokenListStub)
DROVER_TYPE(OneTimeToken)
DROVER_TYPE(OneTimeTokenExchangeRequest)
DROVER_TYPE(OneTimeTokenExchangeResponse)
DROVER_TYPE(OneTimeTokenUpsertResponse)
}  // namespace drover
