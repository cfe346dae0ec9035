#include "model/rpc_requests.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::JobStubFields, "structs.JobStubFields", DROVER_FIELD(Meta))
DROVER_DESCRIBE(drover::AllocStubFields, "structs.AllocStubFields", DROVER_FIELD(Resources), DROVER_FIELD(TaskStates))
DROVER_DESCRIBE(drover::NodeStubFields, "structs.NodeStubFields", DROVER_FIELD(Resources), DROVER_FIELD(OS))

DROVER_DESCRIBE(drover::rpc::JobRegisterRequest, "structs.JobRegisterRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Job),
                DROVER_FIELD(EnforceIndex),
                DROVER_FIELD(JobModifyIndex),
                DROVER_FIELD(PreserveCounts),
                DROVER_FIELD(PolicyOverride),
                DROVER_FIELD(EvalPriority),
                DROVER_FIELD(Eval),
                DROVER_FIELD(Deployment),
                DROVER_FIELD(Submission))
DROVER_DESCRIBE(drover::rpc::JobDeregisterRequest, "structs.JobDeregisterRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Purge),
                DROVER_FIELD(Global),
                DROVER_FIELD(EvalPriority),
                DROVER_FIELD(NoShutdownDelay),
                DROVER_FIELD(Eval))
DROVER_DESCRIBE(drover::rpc::JobSpecificRequest, "structs.JobSpecificRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(JobID),
                DROVER_FIELD(All))
DROVER_DESCRIBE(drover::rpc::JobListRequest, "structs.JobListRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(Fields))
DROVER_DESCRIBE(drover::rpc::JobVersionsRequest, "structs.JobVersionsRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Diffs))
DROVER_DESCRIBE(drover::rpc::JobSubmissionRequest, "structs.JobSubmissionRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Version))
DROVER_DESCRIBE(drover::rpc::JobPlanRequest, "structs.JobPlanRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Job),
                DROVER_FIELD(Diff),
                DROVER_FIELD(PolicyOverride))
DROVER_DESCRIBE(drover::rpc::JobValidateRequest, "structs.JobValidateRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Job))
DROVER_DESCRIBE(drover::rpc::JobScaleRequest, "structs.JobScaleRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(JobID),
                DROVER_FIELD(Target),
                DROVER_FIELD(Count),
                DROVER_FIELD(Message),
                DROVER_FIELD(Error),
                DROVER_FIELD(Meta),
                DROVER_FIELD(PolicyOverride))
DROVER_DESCRIBE(drover::rpc::SingleJobResponse, "structs.SingleJobResponse", DROVER_QUERY_META,
                DROVER_FIELD(Job))
DROVER_DESCRIBE(drover::rpc::JobListResponse, "structs.JobListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Jobs))
DROVER_DESCRIBE(drover::rpc::JobSummaryResponse, "structs.JobSummaryResponse", DROVER_QUERY_META,
                DROVER_FIELD(JobSummary))
DROVER_DESCRIBE(drover::rpc::JobAllocationsResponse, "structs.JobAllocationsResponse", DROVER_QUERY_META,
                DROVER_FIELD(Allocations))
DROVER_DESCRIBE(drover::rpc::JobEvaluationsResponse, "structs.JobEvaluationsResponse", DROVER_QUERY_META,
                DROVER_FIELD(Evaluations))
DROVER_DESCRIBE(drover::rpc::JobSubmissionResponse, "structs.JobSubmissionResponse", DROVER_QUERY_META,
                DROVER_FIELD(Submission))
DROVER_DESCRIBE(drover::rpc::JobScaleStatusResponse, "structs.JobScaleStatusResponse", DROVER_QUERY_META,
                DROVER_FIELD(JobScaleStatus))
DROVER_DESCRIBE(drover::rpc::EvalSpecificRequest, "structs.EvalSpecificRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(EvalID),
                DROVER_FIELD(IncludeRelated))
DROVER_DESCRIBE(drover::rpc::EvalListRequest, "structs.EvalListRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(FilterJobID),
                DROVER_FIELD(FilterEvalStatus))
DROVER_DESCRIBE(drover::rpc::EvalCountRequest, "structs.EvalCountRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::SingleEvalResponse, "structs.SingleEvalResponse", DROVER_QUERY_META,
                DROVER_FIELD(Eval))
DROVER_DESCRIBE(drover::rpc::EvalListResponse, "structs.EvalListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Evaluations))
DROVER_DESCRIBE(drover::rpc::EvalAllocationsResponse, "structs.EvalAllocationsResponse", DROVER_QUERY_META,
                DROVER_FIELD(Allocations))
DROVER_DESCRIBE(drover::rpc::AllocListRequest, "structs.AllocListRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(Fields))
DROVER_DESCRIBE(drover::rpc::AllocSpecificRequest, "structs.AllocSpecificRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(AllocID))
DROVER_DESCRIBE(drover::rpc::AllocsGetRequest, "structs.AllocsGetRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(AllocIDs))
DROVER_DESCRIBE(drover::rpc::AllocStopRequest, "structs.AllocStopRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(AllocID),
                DROVER_FIELD(NoShutdownDelay))
DROVER_DESCRIBE(drover::rpc::AllocListResponse, "structs.AllocListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Allocations))
DROVER_DESCRIBE(drover::rpc::SingleAllocResponse, "structs.SingleAllocResponse", DROVER_QUERY_META,
                DROVER_FIELD(Alloc))
DROVER_DESCRIBE(drover::rpc::AllocsGetResponse, "structs.AllocsGetResponse", DROVER_QUERY_META,
                DROVER_FIELD(Allocs))
DROVER_DESCRIBE(drover::rpc::DeploymentSpecificRequest, "structs.DeploymentSpecificRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(DeploymentID))
DROVER_DESCRIBE(drover::rpc::DeploymentListRequest, "structs.DeploymentListRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::DeploymentFailRequest, "structs.DeploymentFailRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(DeploymentID))
DROVER_DESCRIBE(drover::rpc::DeploymentListResponse, "structs.DeploymentListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Deployments))
DROVER_DESCRIBE(drover::rpc::SingleDeploymentResponse, "structs.SingleDeploymentResponse", DROVER_QUERY_META,
                DROVER_FIELD(Deployment))
DROVER_DESCRIBE(drover::rpc::NodeListRequest, "structs.NodeListRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(Fields))
DROVER_DESCRIBE(drover::rpc::NodeSpecificRequest, "structs.NodeSpecificRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(NodeID),
                DROVER_FIELD(SecretID))
DROVER_DESCRIBE(drover::rpc::NodeListResponse, "structs.NodeListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Nodes))
DROVER_DESCRIBE(drover::rpc::SingleNodeResponse, "structs.SingleNodeResponse", DROVER_QUERY_META,
                DROVER_FIELD(Node))
DROVER_DESCRIBE(drover::rpc::NodeAllocsResponse, "structs.NodeAllocsResponse", DROVER_QUERY_META,
                DROVER_FIELD(Allocs))
DROVER_DESCRIBE(drover::rpc::NodeEvaluateRequest, "structs.NodeEvaluateRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::NodeDeregisterRequest, "structs.NodeDeregisterRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(NodeID))
DROVER_DESCRIBE(drover::rpc::NodeUpdateDrainRequest, "structs.NodeUpdateDrainRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(NodeID),
                DROVER_FIELD(DrainStrategy),
                DROVER_FIELD(MarkEligible),
                DROVER_FIELD(NodeEvent),
                DROVER_FIELD(UpdatedAt),
                DROVER_FIELD(Meta))
DROVER_DESCRIBE(drover::rpc::GenericRequest, "structs.GenericRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::GenericWriteRequest, "structs.GenericWriteRequest", DROVER_WRITE_REQUEST)
DROVER_DESCRIBE(drover::rpc::SchedulerSetConfigRequest, "structs.SchedulerSetConfigRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Config),
                DROVER_FIELD(CAS))
DROVER_DESCRIBE(drover::rpc::NamespaceListRequest, "structs.NamespaceListRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::NamespaceSpecificRequest, "structs.NamespaceSpecificRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(Name))
DROVER_DESCRIBE(drover::rpc::NamespaceUpsertRequest, "structs.NamespaceUpsertRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Namespaces))
DROVER_DESCRIBE(drover::rpc::NamespaceDeleteRequest, "structs.NamespaceDeleteRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(Namespaces))
DROVER_DESCRIBE(drover::rpc::NamespaceListResponse, "structs.NamespaceListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Namespaces))
DROVER_DESCRIBE(drover::rpc::SingleNamespaceResponse, "structs.SingleNamespaceResponse", DROVER_QUERY_META,
                DROVER_FIELD(Namespace))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationListRequest, "structs.ServiceRegistrationListRequest", DROVER_QUERY_OPTIONS)
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationByNameRequest, "structs.ServiceRegistrationByNameRequest", DROVER_QUERY_OPTIONS,
                DROVER_FIELD(ServiceName),
                DROVER_FIELD(Choose))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationDeleteByIDRequest, "structs.ServiceRegistrationDeleteByIDRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(ID))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationListResponse, "structs.ServiceRegistrationListResponse", DROVER_QUERY_META,
                DROVER_FIELD(Services))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationsResponse, "structs.ServiceRegistrationsResponse", DROVER_QUERY_META,
                DROVER_FIELD(Services))
