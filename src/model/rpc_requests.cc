#include "model/rpc_requests.h"

// The fields of the embedded bases, as the wire flattens them.
#define QUERY_OPTIONS                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(MinQueryIndex), DROVER_FIELD(MaxQueryTime),    \
      DROVER_FIELD(AllowStale), DROVER_FIELD(Prefix), DROVER_FIELD(AuthToken), DROVER_FIELD(Filter),         \
      DROVER_FIELD(PerPage), DROVER_FIELD(NextToken), DROVER_FIELD(Reverse), DROVER_FIELD(Forwarded)
#define WRITE_REQUEST                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(AuthToken), DROVER_FIELD(IdempotencyToken),    \
      DROVER_FIELD(Forwarded)
#define QUERY_META DROVER_FIELD(Index), DROVER_FIELD(LastContact), DROVER_FIELD(KnownLeader), DROVER_FIELD(NextToken)
#define WRITE_META DROVER_FIELD(Index)

DROVER_DESCRIBE(drover::NodeStubFields, "structs.NodeStubFields", DROVER_FIELD(Resources), DROVER_FIELD(OS))

DROVER_DESCRIBE(drover::rpc::JobRegisterRequest, "structs.JobRegisterRequest", WRITE_REQUEST,
                DROVER_FIELD(Job),
                DROVER_FIELD(EnforceIndex),
                DROVER_FIELD(JobModifyIndex),
                DROVER_FIELD(PreserveCounts),
                DROVER_FIELD(PolicyOverride),
                DROVER_FIELD(EvalPriority),
                DROVER_FIELD(Eval),
                DROVER_FIELD(Deployment),
                DROVER_FIELD(Submission))
DROVER_DESCRIBE(drover::rpc::JobDeregisterRequest, "structs.JobDeregisterRequest", WRITE_REQUEST,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Purge),
                DROVER_FIELD(Global),
                DROVER_FIELD(EvalPriority),
                DROVER_FIELD(NoShutdownDelay),
                DROVER_FIELD(Eval))
DROVER_DESCRIBE(drover::rpc::JobSpecificRequest, "structs.JobSpecificRequest", QUERY_OPTIONS,
                DROVER_FIELD(JobID),
                DROVER_FIELD(All))
DROVER_DESCRIBE(drover::rpc::JobListRequest, "structs.JobListRequest", QUERY_OPTIONS,
                DROVER_FIELD(Fields))
DROVER_DESCRIBE(drover::rpc::JobVersionsRequest, "structs.JobVersionsRequest", QUERY_OPTIONS,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Diffs))
DROVER_DESCRIBE(drover::rpc::JobSubmissionRequest, "structs.JobSubmissionRequest", QUERY_OPTIONS,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Version))
DROVER_DESCRIBE(drover::rpc::JobPlanRequest, "structs.JobPlanRequest", WRITE_REQUEST,
                DROVER_FIELD(Job),
                DROVER_FIELD(Diff),
                DROVER_FIELD(PolicyOverride))
DROVER_DESCRIBE(drover::rpc::JobValidateRequest, "structs.JobValidateRequest", WRITE_REQUEST,
                DROVER_FIELD(Job))
DROVER_DESCRIBE(drover::rpc::JobScaleRequest, "structs.JobScaleRequest", WRITE_REQUEST,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Target),
                DROVER_FIELD(Count),
                DROVER_FIELD(Message),
                DROVER_FIELD(Error),
                DROVER_FIELD(Meta),
                DROVER_FIELD(PolicyOverride))
DROVER_DESCRIBE(drover::rpc::SingleJobResponse, "structs.SingleJobResponse", QUERY_META,
                DROVER_FIELD(Job))
DROVER_DESCRIBE(drover::rpc::JobListResponse, "structs.JobListResponse", QUERY_META,
                DROVER_FIELD(Jobs))
DROVER_DESCRIBE(drover::rpc::JobSummaryResponse, "structs.JobSummaryResponse", QUERY_META,
                DROVER_FIELD(JobSummary))
DROVER_DESCRIBE(drover::rpc::JobAllocationsResponse, "structs.JobAllocationsResponse", QUERY_META,
                DROVER_FIELD(Allocations))
DROVER_DESCRIBE(drover::rpc::JobEvaluationsResponse, "structs.JobEvaluationsResponse", QUERY_META,
                DROVER_FIELD(Evaluations))
DROVER_DESCRIBE(drover::rpc::JobSubmissionResponse, "structs.JobSubmissionResponse", QUERY_META,
                DROVER_FIELD(Submission))
DROVER_DESCRIBE(drover::rpc::JobScaleStatusResponse, "structs.JobScaleStatusResponse", QUERY_META,
                DROVER_FIELD(JobScaleStatus))
DROVER_DESCRIBE(drover::rpc::EvalSpecificRequest, "structs.EvalSpecificRequest", QUERY_OPTIONS,
                DROVER_FIELD(EvalID),
                DROVER_FIELD(IncludeRelated))
DROVER_DESCRIBE(drover::rpc::EvalListRequest, "structs.EvalListRequest", QUERY_OPTIONS,
                DROVER_FIELD(FilterJobID),
                DROVER_FIELD(FilterEvalStatus))
DROVER_DESCRIBE(drover::rpc::EvalCountRequest, "structs.EvalCountRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::SingleEvalResponse, "structs.SingleEvalResponse", QUERY_META,
                DROVER_FIELD(Eval))
DROVER_DESCRIBE(drover::rpc::EvalListResponse, "structs.EvalListResponse", QUERY_META,
                DROVER_FIELD(Evaluations))
DROVER_DESCRIBE(drover::rpc::EvalAllocationsResponse, "structs.EvalAllocationsResponse", QUERY_META,
                DROVER_FIELD(Allocations))
DROVER_DESCRIBE(drover::rpc::AllocListRequest, "structs.AllocListRequest", QUERY_OPTIONS,
                DROVER_FIELD(Resources),
                DROVER_FIELD(TaskStates))
DROVER_DESCRIBE(drover::rpc::AllocSpecificRequest, "structs.AllocSpecificRequest", QUERY_OPTIONS,
                DROVER_FIELD(AllocID))
DROVER_DESCRIBE(drover::rpc::AllocsGetRequest, "structs.AllocsGetRequest", QUERY_OPTIONS,
                DROVER_FIELD(AllocIDs))
DROVER_DESCRIBE(drover::rpc::AllocStopRequest, "structs.AllocStopRequest", WRITE_REQUEST,
                DROVER_FIELD(AllocID),
                DROVER_FIELD(NoShutdownDelay))
DROVER_DESCRIBE(drover::rpc::AllocListResponse, "structs.AllocListResponse", QUERY_META,
                DROVER_FIELD(Allocations))
DROVER_DESCRIBE(drover::rpc::SingleAllocResponse, "structs.SingleAllocResponse", QUERY_META,
                DROVER_FIELD(Alloc))
DROVER_DESCRIBE(drover::rpc::AllocsGetResponse, "structs.AllocsGetResponse", QUERY_META,
                DROVER_FIELD(Allocs))
DROVER_DESCRIBE(drover::rpc::DeploymentSpecificRequest, "structs.DeploymentSpecificRequest", QUERY_OPTIONS,
                DROVER_FIELD(DeploymentID))
DROVER_DESCRIBE(drover::rpc::DeploymentListRequest, "structs.DeploymentListRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::DeploymentFailRequest, "structs.DeploymentFailRequest", WRITE_REQUEST,
                DROVER_FIELD(DeploymentID))
DROVER_DESCRIBE(drover::rpc::DeploymentListResponse, "structs.DeploymentListResponse", QUERY_META,
                DROVER_FIELD(Deployments))
DROVER_DESCRIBE(drover::rpc::SingleDeploymentResponse, "structs.SingleDeploymentResponse", QUERY_META,
                DROVER_FIELD(Deployment))
DROVER_DESCRIBE(drover::rpc::NodeListRequest, "structs.NodeListRequest", QUERY_OPTIONS,
                DROVER_FIELD(Fields))
DROVER_DESCRIBE(drover::rpc::NodeSpecificRequest, "structs.NodeSpecificRequest", QUERY_OPTIONS,
                DROVER_FIELD(NodeID),
                DROVER_FIELD(SecretID))
DROVER_DESCRIBE(drover::rpc::NodeListResponse, "structs.NodeListResponse", QUERY_META,
                DROVER_FIELD(Nodes))
DROVER_DESCRIBE(drover::rpc::SingleNodeResponse, "structs.SingleNodeResponse", QUERY_META,
                DROVER_FIELD(Node))
DROVER_DESCRIBE(drover::rpc::NodeAllocsResponse, "structs.NodeAllocsResponse", QUERY_META,
                DROVER_FIELD(Allocs))
DROVER_DESCRIBE(drover::rpc::NodeEvaluateRequest, "structs.NodeEvaluateRequest", WRITE_REQUEST,
                DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::NodeDeregisterRequest, "structs.NodeDeregisterRequest", WRITE_REQUEST,
                DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::NodeUpdateDrainRequest, "structs.NodeUpdateDrainRequest", WRITE_REQUEST,
                DROVER_FIELD(NodeID),
                DROVER_FIELD(DrainStrategy),
                DROVER_FIELD(MarkEligible),
                DROVER_FIELD(NodeEvent),
                DROVER_FIELD(UpdatedAt),
                DROVER_FIELD(Meta))
DROVER_DESCRIBE(drover::rpc::GenericRequest, "structs.GenericRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::GenericWriteRequest, "structs.GenericWriteRequest", WRITE_REQUEST)
DROVER_DESCRIBE(drover::rpc::SchedulerSetConfigRequest, "structs.SchedulerSetConfigRequest", WRITE_REQUEST,
                DROVER_FIELD(Config),
                DROVER_FIELD(CAS))
DROVER_DESCRIBE(drover::rpc::NamespaceListRequest, "structs.NamespaceListRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::NamespaceSpecificRequest, "structs.NamespaceSpecificRequest", QUERY_OPTIONS,
                DROVER_FIELD(Name))
DROVER_DESCRIBE(drover::rpc::NamespaceUpsertRequest, "structs.NamespaceUpsertRequest", WRITE_REQUEST,
                DROVER_FIELD(Namespaces))
DROVER_DESCRIBE(drover::rpc::NamespaceDeleteRequest, "structs.NamespaceDeleteRequest", WRITE_REQUEST,
                DROVER_FIELD(Namespaces))
DROVER_DESCRIBE(drover::rpc::NamespaceListResponse, "structs.NamespaceListResponse", QUERY_META,
                DROVER_FIELD(Namespaces))
DROVER_DESCRIBE(drover::rpc::SingleNamespaceResponse, "structs.SingleNamespaceResponse", QUERY_META,
                DROVER_FIELD(Namespace))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationListRequest, "structs.ServiceRegistrationListRequest", QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationByNameRequest, "structs.ServiceRegistrationByNameRequest", QUERY_OPTIONS,
                DROVER_FIELD(ServiceName),
                DROVER_FIELD(Choose))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationDeleteByIDRequest, "structs.ServiceRegistrationDeleteByIDRequest", WRITE_REQUEST,
                DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationListResponse, "structs.ServiceRegistrationListResponse", QUERY_META,
                DROVER_FIELD(Services))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationsResponse, "structs.ServiceRegistrationsResponse", QUERY_META,
                DROVER_FIELD(Services))
