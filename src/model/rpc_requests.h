// Requests and responses of server RPCs that HTTP does not show as they are (reference server-core section 5 and
// http-api). Names of structs and fields are those of the reference's wire. Bodies that HTTP does show are in
// requests.h and api_requests.h.
#pragma once

#include "codec/type_info.h"
#include "model/alloc.h"
#include "model/api_requests.h"
#include "model/config_records.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/job_records.h"
#include "model/node.h"
#include "model/requests.h"
#include "model/services.h"

namespace drover {

// Which optional parts a node list carries.
struct NodeStubFields {
  bool Resources = false;
  bool OS = false;

  friend bool operator==(const NodeStubFields&, const NodeStubFields&) = default;
};

// The same of lists of jobs and of allocations. Where the request names none, its defaults count.
struct JobStubFields {
  bool Meta = false;

  friend bool operator==(const JobStubFields&, const JobStubFields&) = default;
};

struct AllocStubFields {
  bool Resources = false;
  bool TaskStates = true;

  friend bool operator==(const AllocStubFields&, const AllocStubFields&) = default;
};

// namespace rpc: several of these share a name with a body in requests.h or with the record they carry.
namespace rpc {

// ---- Jobs

struct JobRegisterRequest : WriteRequest {
  Box<::drover::Job> Job;
  bool EnforceIndex = false;
  uint64_t JobModifyIndex = 0;
  bool PreserveCounts = false;
  bool PolicyOverride = false;
  int64_t EvalPriority = 0;
  Box<Evaluation> Eval;
  Box<::drover::Deployment> Deployment;
  Box<JobSubmission> Submission;

  friend bool operator==(const JobRegisterRequest&, const JobRegisterRequest&) = default;
};

struct JobDeregisterRequest : WriteRequest {
  std::string JobID;
  bool Purge = false;
  bool Global = false;
  int64_t EvalPriority = 0;
  bool NoShutdownDelay = false;
  Box<Evaluation> Eval;

  friend bool operator==(const JobDeregisterRequest&, const JobDeregisterRequest&) = default;
};

struct JobSpecificRequest : QueryOptions {
  std::string JobID;
  bool All = false;

  friend bool operator==(const JobSpecificRequest&, const JobSpecificRequest&) = default;
};

struct JobListRequest : QueryOptions {
  Box<JobStubFields> Fields;

  friend bool operator==(const JobListRequest&, const JobListRequest&) = default;
};

struct JobVersionsRequest : QueryOptions {
  std::string JobID;
  bool Diffs = false;

  friend bool operator==(const JobVersionsRequest&, const JobVersionsRequest&) = default;
};

struct JobSubmissionRequest : QueryOptions {
  std::string JobID;
  uint64_t Version = 0;

  friend bool operator==(const JobSubmissionRequest&, const JobSubmissionRequest&) = default;
};

struct JobPlanRequest : WriteRequest {
  Box<::drover::Job> Job;
  bool Diff = false;
  bool PolicyOverride = false;

  friend bool operator==(const JobPlanRequest&, const JobPlanRequest&) = default;
};

struct JobValidateRequest : WriteRequest {
  Box<::drover::Job> Job;

  friend bool operator==(const JobValidateRequest&, const JobValidateRequest&) = default;
};

struct JobScaleRequest : WriteRequest {
  std::string JobID;
  Map<std::string> Target;
  std::optional<int64_t> Count;
  std::string Message;
  bool Error = false;
  Map<Value> Meta;
  bool PolicyOverride = false;

  friend bool operator==(const JobScaleRequest&, const JobScaleRequest&) = default;
};

struct SingleJobResponse : QueryMeta {
  Ref<::drover::Job> Job;

  friend bool operator==(const SingleJobResponse&, const SingleJobResponse&) = default;
};

struct JobListResponse : QueryMeta {
  List<JobListStub> Jobs;

  friend bool operator==(const JobListResponse&, const JobListResponse&) = default;
};

struct JobSummaryResponse : QueryMeta {
  Ref<::drover::JobSummary> JobSummary;

  friend bool operator==(const JobSummaryResponse&, const JobSummaryResponse&) = default;
};

struct JobAllocationsResponse : QueryMeta {
  List<AllocListStub> Allocations;

  friend bool operator==(const JobAllocationsResponse&, const JobAllocationsResponse&) = default;
};

struct JobEvaluationsResponse : QueryMeta {
  List<Ref<Evaluation>> Evaluations;

  friend bool operator==(const JobEvaluationsResponse&, const JobEvaluationsResponse&) = default;
};

struct JobSubmissionResponse : QueryMeta {
  Ref<JobSubmission> Submission;

  friend bool operator==(const JobSubmissionResponse&, const JobSubmissionResponse&) = default;
};

struct JobScaleStatusResponse : QueryMeta {
  Box<::drover::JobScaleStatus> JobScaleStatus;

  friend bool operator==(const JobScaleStatusResponse&, const JobScaleStatusResponse&) = default;
};

// ---- Evaluations

struct EvalSpecificRequest : QueryOptions {
  std::string EvalID;
  bool IncludeRelated = false;

  friend bool operator==(const EvalSpecificRequest&, const EvalSpecificRequest&) = default;
};

struct EvalListRequest : QueryOptions {
  std::string FilterJobID;
  std::string FilterEvalStatus;

  friend bool operator==(const EvalListRequest&, const EvalListRequest&) = default;
};

struct EvalCountRequest : QueryOptions {
  friend bool operator==(const EvalCountRequest&, const EvalCountRequest&) = default;
};

struct SingleEvalResponse : QueryMeta {
  Ref<Evaluation> Eval;

  friend bool operator==(const SingleEvalResponse&, const SingleEvalResponse&) = default;
};

struct EvalListResponse : QueryMeta {
  List<Ref<Evaluation>> Evaluations;

  friend bool operator==(const EvalListResponse&, const EvalListResponse&) = default;
};

struct EvalAllocationsResponse : QueryMeta {
  List<AllocListStub> Allocations;

  friend bool operator==(const EvalAllocationsResponse&, const EvalAllocationsResponse&) = default;
};

// ---- Allocations

struct AllocListRequest : QueryOptions {
  Box<AllocStubFields> Fields;

  friend bool operator==(const AllocListRequest&, const AllocListRequest&) = default;
};

struct AllocSpecificRequest : QueryOptions {
  std::string AllocID;

  friend bool operator==(const AllocSpecificRequest&, const AllocSpecificRequest&) = default;
};

struct AllocsGetRequest : QueryOptions {
  List<std::string> AllocIDs;

  friend bool operator==(const AllocsGetRequest&, const AllocsGetRequest&) = default;
};

struct AllocStopRequest : WriteRequest {
  std::string AllocID;
  bool NoShutdownDelay = false;

  friend bool operator==(const AllocStopRequest&, const AllocStopRequest&) = default;
};

struct AllocListResponse : QueryMeta {
  List<AllocListStub> Allocations;

  friend bool operator==(const AllocListResponse&, const AllocListResponse&) = default;
};

struct SingleAllocResponse : QueryMeta {
  Ref<Allocation> Alloc;

  friend bool operator==(const SingleAllocResponse&, const SingleAllocResponse&) = default;
};

struct AllocsGetResponse : QueryMeta {
  List<Ref<Allocation>> Allocs;

  friend bool operator==(const AllocsGetResponse&, const AllocsGetResponse&) = default;
};

// ---- Deployments

struct DeploymentSpecificRequest : QueryOptions {
  std::string DeploymentID;

  friend bool operator==(const DeploymentSpecificRequest&, const DeploymentSpecificRequest&) = default;
};

struct DeploymentListRequest : QueryOptions {
  friend bool operator==(const DeploymentListRequest&, const DeploymentListRequest&) = default;
};

struct DeploymentFailRequest : WriteRequest {
  std::string DeploymentID;

  friend bool operator==(const DeploymentFailRequest&, const DeploymentFailRequest&) = default;
};

struct DeploymentListResponse : QueryMeta {
  List<Ref<::drover::Deployment>> Deployments;

  friend bool operator==(const DeploymentListResponse&, const DeploymentListResponse&) = default;
};

struct SingleDeploymentResponse : QueryMeta {
  Ref<::drover::Deployment> Deployment;

  friend bool operator==(const SingleDeploymentResponse&, const SingleDeploymentResponse&) = default;
};

// ---- Nodes, as operators see them

struct NodeListRequest : QueryOptions {
  Box<NodeStubFields> Fields;

  friend bool operator==(const NodeListRequest&, const NodeListRequest&) = default;
};

struct NodeSpecificRequest : QueryOptions {
  std::string NodeID;
  std::string SecretID;

  friend bool operator==(const NodeSpecificRequest&, const NodeSpecificRequest&) = default;
};

struct NodeListResponse : QueryMeta {
  List<NodeListStub> Nodes;

  friend bool operator==(const NodeListResponse&, const NodeListResponse&) = default;
};

struct SingleNodeResponse : QueryMeta {
  Ref<::drover::Node> Node;

  friend bool operator==(const SingleNodeResponse&, const SingleNodeResponse&) = default;
};

struct NodeAllocsResponse : QueryMeta {
  List<Ref<Allocation>> Allocs;

  friend bool operator==(const NodeAllocsResponse&, const NodeAllocsResponse&) = default;
};

struct NodeEvaluateRequest : WriteRequest {
  std::string NodeID;

  friend bool operator==(const NodeEvaluateRequest&, const NodeEvaluateRequest&) = default;
};

struct NodeDeregisterRequest : WriteRequest {
  std::string NodeID;

  friend bool operator==(const NodeDeregisterRequest&, const NodeDeregisterRequest&) = default;
};

struct NodeUpdateDrainRequest : WriteRequest {
  std::string NodeID;
  Box<::drover::DrainStrategy> DrainStrategy;
  bool MarkEligible = false;
  Box<::drover::NodeEvent> NodeEvent;
  int64_t UpdatedAt = 0;
  Map<std::string> Meta;

  friend bool operator==(const NodeUpdateDrainRequest&, const NodeUpdateDrainRequest&) = default;
};

// ---- Status, regions, system, operator

struct GenericRequest : QueryOptions {
  friend bool operator==(const GenericRequest&, const GenericRequest&) = default;
};

struct GenericWriteRequest : WriteRequest {
  friend bool operator==(const GenericWriteRequest&, const GenericWriteRequest&) = default;
};

struct SchedulerSetConfigRequest : WriteRequest {
  SchedulerConfiguration Config;
  bool CAS = false;

  friend bool operator==(const SchedulerSetConfigRequest&, const SchedulerSetConfigRequest&) = default;
};

// ---- Namespaces

struct NamespaceListRequest : QueryOptions {
  friend bool operator==(const NamespaceListRequest&, const NamespaceListRequest&) = default;
};

struct NamespaceSpecificRequest : QueryOptions {
  std::string Name;

  friend bool operator==(const NamespaceSpecificRequest&, const NamespaceSpecificRequest&) = default;
};

struct NamespaceUpsertRequest : WriteRequest {
  List<::drover::Namespace> Namespaces;

  friend bool operator==(const NamespaceUpsertRequest&, const NamespaceUpsertRequest&) = default;
};

struct NamespaceDeleteRequest : WriteRequest {
  List<std::string> Namespaces;

  friend bool operator==(const NamespaceDeleteRequest&, const NamespaceDeleteRequest&) = default;
};

struct NamespaceListResponse : QueryMeta {
  List<Ref<::drover::Namespace>> Namespaces;

  friend bool operator==(const NamespaceListResponse&, const NamespaceListResponse&) = default;
};

struct SingleNamespaceResponse : QueryMeta {
  Ref<::drover::Namespace> Namespace;

  friend bool operator==(const SingleNamespaceResponse&, const SingleNamespaceResponse&) = default;
};

// ---- Service registrations

struct ServiceRegistrationListRequest : QueryOptions {
  friend bool operator==(const ServiceRegistrationListRequest&, const ServiceRegistrationListRequest&) = default;
};

struct ServiceRegistrationByNameRequest : QueryOptions {
  std::string ServiceName;
  std::string Choose;

  friend bool operator==(const ServiceRegistrationByNameRequest&, const ServiceRegistrationByNameRequest&) = default;
};

struct ServiceRegistrationDeleteByIDRequest : WriteRequest {
  std::string ID;

  friend bool operator==(const ServiceRegistrationDeleteByIDRequest&, const ServiceRegistrationDeleteByIDRequest&) = default;
};

struct ServiceRegistrationListResponse : QueryMeta {
  List<ServiceRegistrationListStub> Services;

  friend bool operator==(const ServiceRegistrationListResponse&, const ServiceRegistrationListResponse&) = default;
};

struct ServiceRegistrationsResponse : QueryMeta {
  List<Ref<ServiceRegistration>> Services;

  friend bool operator==(const ServiceRegistrationsResponse&, const ServiceRegistrationsResponse&) = default;
};

}  // namespace rpc

DROVER_TYPE(NodeStubFields)
DROVER_TYPE(JobStubFields)
DROVER_TYPE(AllocStubFields)
DROVER_TYPE(rpc::JobRegisterRequest)
DROVER_TYPE(rpc::JobDeregisterRequest)
DROVER_TYPE(rpc::JobSpecificRequest)
DROVER_TYPE(rpc::JobListRequest)
DROVER_TYPE(rpc::JobVersionsRequest)
DROVER_TYPE(rpc::JobSubmissionRequest)
DROVER_TYPE(rpc::JobPlanRequest)
DROVER_TYPE(rpc::JobValidateRequest)
DROVER_TYPE(rpc::JobScaleRequest)
DROVER_TYPE(rpc::SingleJobResponse)
DROVER_TYPE(rpc::JobListResponse)
DROVER_TYPE(rpc::JobSummaryResponse)
DROVER_TYPE(rpc::JobAllocationsResponse)
DROVER_TYPE(rpc::JobEvaluationsResponse)
DROVER_TYPE(rpc::JobSubmissionResponse)
DROVER_TYPE(rpc::JobScaleStatusResponse)
DROVER_TYPE(rpc::EvalSpecificRequest)
DROVER_TYPE(rpc::EvalListRequest)
DROVER_TYPE(rpc::EvalCountRequest)
DROVER_TYPE(rpc::SingleEvalResponse)
DROVER_TYPE(rpc::EvalListResponse)
DROVER_TYPE(rpc::EvalAllocationsResponse)
DROVER_TYPE(rpc::AllocListRequest)
DROVER_TYPE(rpc::AllocSpecificRequest)
DROVER_TYPE(rpc::AllocsGetRequest)
DROVER_TYPE(rpc::AllocStopRequest)
DROVER_TYPE(rpc::AllocListResponse)
DROVER_TYPE(rpc::SingleAllocResponse)
DROVER_TYPE(rpc::AllocsGetResponse)
DROVER_TYPE(rpc::DeploymentSpecificRequest)
DROVER_TYPE(rpc::DeploymentListRequest)
DROVER_TYPE(rpc::DeploymentFailRequest)
DROVER_TYPE(rpc::DeploymentListResponse)
DROVER_TYPE(rpc::SingleDeploymentResponse)
DROVER_TYPE(rpc::NodeListRequest)
DROVER_TYPE(rpc::NodeSpecificRequest)
DROVER_TYPE(rpc::NodeListResponse)
DROVER_TYPE(rpc::SingleNodeResponse)
DROVER_TYPE(rpc::NodeAllocsResponse)
DROVER_TYPE(rpc::NodeEvaluateRequest)
DROVER_TYPE(rpc::NodeDeregisterRequest)
DROVER_TYPE(rpc::NodeUpdateDrainRequest)
DROVER_TYPE(rpc::GenericRequest)
DROVER_TYPE(rpc::GenericWriteRequest)
DROVER_TYPE(rpc::SchedulerSetConfigRequest)
DROVER_TYPE(rpc::NamespaceListRequest)
DROVER_TYPE(rpc::NamespaceSpecificRequest)
DROVER_TYPE(rpc::NamespaceUpsertRequest)
DROVER_TYPE(rpc::NamespaceDeleteRequest)
DROVER_TYPE(rpc::NamespaceListResponse)
DROVER_TYPE(rpc::SingleNamespaceResponse)
DROVER_TYPE(rpc::ServiceRegistrationListRequest)
DROVER_TYPE(rpc::ServiceRegistrationByNameRequest)
DROVER_TYPE(rpc::ServiceRegistrationDeleteByIDRequest)
DROVER_TYPE(rpc::ServiceRegistrationListResponse)
DROVER_TYPE(rpc::ServiceRegistrationsResponse)
}  // namespace drover
