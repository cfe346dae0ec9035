// Requests and answers about variables, root keys, scaling policies, periodic jobs and volumes. Names of structs and
// fields are those of the reference's wire.
#pragma once

#include "model/acl.h"
#include "model/raft_requests.h"
#include "model/volume.h"

namespace drover::rpc {

struct PeriodicForceRequest : WriteRequest {
  std::string JobID;

  friend bool operator==(const PeriodicForceRequest&, const PeriodicForceRequest&) = default;
};

// ---- scaling policies

struct ScalingPolicyListRequest : QueryOptions {
  std::string Job;
  std::string Type;

  friend bool operator==(const ScalingPolicyListRequest&, const ScalingPolicyListRequest&) = default;
};

struct ScalingPolicyListResponse : QueryMeta {
  List<ScalingPolicyListStub> Policies;

  friend bool operator==(const ScalingPolicyListResponse&, const ScalingPolicyListResponse&) = default;
};

struct ScalingPolicySpecificRequest : QueryOptions {
  std::string ID;

  friend bool operator==(const ScalingPolicySpecificRequest&, const ScalingPolicySpecificRequest&) = default;
};

struct SingleScalingPolicyResponse : QueryMeta {
  Ref<ScalingPolicy> Policy;

  friend bool operator==(const SingleScalingPolicyResponse&, const SingleScalingPolicyResponse&) = default;
};

// ---- variables

struct VariablesListRequest : QueryOptions {
  friend bool operator==(const VariablesListRequest&, const VariablesListRequest&) = default;
};

struct VariablesListResponse : QueryMeta {
  List<VariableMetadata> Data;

  friend bool operator==(const VariablesListResponse&, const VariablesListResponse&) = default;
};

struct VariablesReadRequest : QueryOptions {
  std::string Path;

  friend bool operator==(const VariablesReadRequest&, const VariablesReadRequest&) = default;
};

struct VariablesReadResponse : QueryMeta {
  Box<VariableDecrypted> Data;

  friend bool operator==(const VariablesReadResponse&, const VariablesReadResponse&) = default;
};

// Op: set, cas, delete, delete-cas. The index to compare with is Var.ModifyIndex.
struct VariablesApplyRequest : WriteRequest {
  std::string Op;
  Box<VariableDecrypted> Var;

  friend bool operator==(const VariablesApplyRequest&, const VariablesApplyRequest&) = default;
};

// Result: ok, conflict, conflict-redacted, error.
struct VariablesApplyResponse : WriteMeta {
  std::string Op;
  Box<VariableDecrypted> Input;
  std::string Result;
  Box<std::string> Error;  // null: a Go error travels as nothing else, and failures are errors of the call
  Box<VariableDecrypted> Conflict;
  Box<VariableDecrypted> Output;

  friend bool operator==(const VariablesApplyResponse&, const VariablesApplyResponse&) = default;
};

// ---- root keys

struct KeyringListRootKeyMetaResponse : QueryMeta {
  List<Ref<RootKeyMeta>> Keys;

  friend bool operator==(const KeyringListRootKeyMetaResponse&, const KeyringListRootKeyMetaResponse&) = default;
};

struct KeyringRotateRootKeyRequest : WriteRequest {
  std::string Algorithm;
  bool Full = false;

  friend bool operator==(const KeyringRotateRootKeyRequest&, const KeyringRotateRootKeyRequest&) = default;
};

// ---- identities

// Whom a token makes the caller: what a task's identity claims.
struct IdentityClaims {
  std::string Namespace;
  std::string JobID;  // of children: what they were made from
  std::string AllocationID;
  std::string TaskName;
  std::string Issuer;
  std::string Subject;
  List<std::string> Audience;
  Box<Time> ExpiresAt;
  Box<Time> NotBefore;
  Box<Time> IssuedAt;
  std::string ID;

  friend bool operator==(const IdentityClaims&, const IdentityClaims&) = default;
};

struct AuthenticatedIdentity {
  Box<::drover::ACLToken> ACLToken;
  Box<IdentityClaims> Claims;
  std::string ClientID;
  std::string TLSName;
  Bytes RemoteIP;

  friend bool operator==(const AuthenticatedIdentity&, const AuthenticatedIdentity&) = default;
};

struct ACLWhoAmIResponse : QueryMeta {
  Box<AuthenticatedIdentity> Identity;

  friend bool operator==(const ACLWhoAmIResponse&, const ACLWhoAmIResponse&) = default;
};

// ---- volumes and their plugins

struct CSIVolumeListRequest : QueryOptions {
  std::string PluginID;
  std::string NodeID;

  friend bool operator==(const CSIVolumeListRequest&, const CSIVolumeListRequest&) = default;
};

struct CSIVolumeListResponse : QueryMeta {
  List<CSIVolListStub> Volumes;

  friend bool operator==(const CSIVolumeListResponse&, const CSIVolumeListResponse&) = default;
};

struct CSIVolumeGetRequest : QueryOptions {
  std::string ID;

  friend bool operator==(const CSIVolumeGetRequest&, const CSIVolumeGetRequest&) = default;
};

struct CSIVolumeGetResponse : QueryMeta {
  Box<CSIVolume> Volume;

  friend bool operator==(const CSIVolumeGetResponse&, const CSIVolumeGetResponse&) = default;
};

struct CSIPluginListRequest : QueryOptions {
  friend bool operator==(const CSIPluginListRequest&, const CSIPluginListRequest&) = default;
};

struct CSIPluginListResponse : QueryMeta {
  List<CSIPluginListStub> Plugins;

  friend bool operator==(const CSIPluginListResponse&, const CSIPluginListResponse&) = default;
};

struct CSIPluginGetRequest : QueryOptions {
  std::string ID;

  friend bool operator==(const CSIPluginGetRequest&, const CSIPluginGetRequest&) = default;
};

struct CSIPluginGetResponse : QueryMeta {
  Box<CSIPlugin> Plugin;

  friend bool operator==(const CSIPluginGetResponse&, const CSIPluginGetResponse&) = default;
};

}  // namespace drover::rpc

namespace drover {
DROVER_TYPE(rpc::PeriodicForceRequest)
DROVER_TYPE(rpc::ScalingPolicyListRequest)
DROVER_TYPE(rpc::ScalingPolicyListResponse)
DROVER_TYPE(rpc::ScalingPolicySpecificRequest)
DROVER_TYPE(rpc::SingleScalingPolicyResponse)
DROVER_TYPE(rpc::VariablesListRequest)
DROVER_TYPE(rpc::VariablesListResponse)
DROVER_TYPE(rpc::VariablesReadRequest)
DROVER_TYPE(rpc::VariablesReadResponse)
DROVER_TYPE(rpc::VariablesApplyRequest)
DROVER_TYPE(rpc::VariablesApplyResponse)
DROVER_TYPE(rpc::KeyringListRootKeyMetaResponse)
DROVER_TYPE(rpc::KeyringRotateRootKeyRequest)
DROVER_TYPE(rpc::IdentityClaims)
DROVER_TYPE(rpc::AuthenticatedIdentity)
DROVER_TYPE(rpc::ACLWhoAmIResponse)
DROVER_TYPE(rpc::CSIVolumeListRequest)
DROVER_TYPE(rpc::CSIVolumeListResponse)
DROVER_TYPE(rpc::CSIVolumeGetRequest)
DROVER_TYPE(rpc::CSIVolumeGetResponse)
DROVER_TYPE(rpc::CSIPluginListRequest)
DROVER_TYPE(rpc::CSIPluginListResponse)
DROVER_TYPE(rpc::CSIPluginGetRequest)
DROVER_TYPE(rpc::CSIPluginGetResponse)
}  // namespace drover
