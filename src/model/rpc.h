// The remote procedures that a node agent calls: their own requests and answers, and the table of all of them.
// rpc_requests.h has those that operators share. Names are those of the wire.
#pragma once

#include <string_view>

#include "model/rpc_requests.h"

namespace drover {

// A remote procedure: its name on the wire and its types.
template <class Request, class Response>
struct RpcMethod {
  std::string_view name;
};

namespace rpc {

struct NodeRegisterRequest : WriteRequest {
  Box<::drover::Node> Node;
  Box<::drover::NodeEvent> NodeEvent;

  friend bool operator==(const NodeRegisterRequest&, const NodeRegisterRequest&) = default;
};

// The heartbeat, and the leader's own marking of nodes.
struct NodeUpdateStatusRequest : WriteRequest {
  std::string NodeID;
  std::string Status;
  Box<::drover::NodeEvent> NodeEvent;
  int64_t UpdatedAt = 0;  // Unix seconds

  friend bool operator==(const NodeUpdateStatusRequest&, const NodeUpdateStatusRequest&) = default;
};

struct NodeClientAllocsResponse : QueryMeta {
  Map<uint64_t> Allocs;            // allocation id -> AllocModifyIndex
  Map<std::string> MigrateTokens;  // allocation id -> token for the node of its previous allocation

  friend bool operator==(const NodeClientAllocsResponse&, const NodeClientAllocsResponse&) = default;
};

// Allocations are stripped to what the client owns: ID, NodeID, TaskStates, ClientStatus, ClientDescription,
// DeploymentStatus, NetworkStatus. Evals and Job are only in the log entry of the same shape.
struct AllocUpdateRequest : WriteRequest {
  List<Allocation> Alloc;
  List<Evaluation> Evals;
  Ref<::drover::Job> Job;

  friend bool operator==(const AllocUpdateRequest&, const AllocUpdateRequest&) = default;
};

struct EmitNodeEventsRequest : WriteRequest {
  Map<List<NodeEvent>> NodeEvents;  // node id -> events

  friend bool operator==(const EmitNodeEventsRequest&, const EmitNodeEventsRequest&) = default;
};

struct EmitNodeEventsResponse : WriteMeta {
  friend bool operator==(const EmitNodeEventsResponse&, const EmitNodeEventsResponse&) = default;
};

struct ServiceRegistrationUpsertRequest : WriteRequest {
  List<ServiceRegistration> Services;

  friend bool operator==(const ServiceRegistrationUpsertRequest&, const ServiceRegistrationUpsertRequest&) = default;
};

struct ServiceRegistrationUpsertResponse : WriteMeta {
  friend bool operator==(const ServiceRegistrationUpsertResponse&, const ServiceRegistrationUpsertResponse&) = default;
};

struct ServiceRegistrationDeleteByIDResponse : WriteMeta {
  friend bool operator==(const ServiceRegistrationDeleteByIDResponse&,
                         const ServiceRegistrationDeleteByIDResponse&) = default;
};

inline constexpr RpcMethod<NodeRegisterRequest, NodeUpdateResponse> kNodeRegister{"Node.Register"};
inline constexpr RpcMethod<NodeUpdateStatusRequest, NodeUpdateResponse> kNodeUpdateStatus{"Node.UpdateStatus"};
inline constexpr RpcMethod<NodeUpdateDrainRequest, NodeDrainUpdateResponse> kNodeUpdateDrain{"Node.UpdateDrain"};
inline constexpr RpcMethod<NodeSpecificRequest, SingleNodeResponse> kNodeGetNode{"Node.GetNode"};
inline constexpr RpcMethod<NodeSpecificRequest, NodeClientAllocsResponse> kNodeGetClientAllocs{"Node.GetClientAllocs"};
inline constexpr RpcMethod<AllocUpdateRequest, GenericResponse> kNodeUpdateAlloc{"Node.UpdateAlloc"};
inline constexpr RpcMethod<EmitNodeEventsRequest, EmitNodeEventsResponse> kNodeEmitEvents{"Node.EmitEvents"};
inline constexpr RpcMethod<AllocsGetRequest, AllocsGetResponse> kAllocGetAllocs{"Alloc.GetAllocs"};
inline constexpr RpcMethod<AllocSpecificRequest, SingleAllocResponse> kAllocGetAlloc{"Alloc.GetAlloc"};
inline constexpr RpcMethod<ServiceRegistrationUpsertRequest, ServiceRegistrationUpsertResponse>
    kServiceRegistrationUpsert{"ServiceRegistration.Upsert"};
inline constexpr RpcMethod<ServiceRegistrationDeleteByIDRequest, ServiceRegistrationDeleteByIDResponse>
    kServiceRegistrationDeleteByID{"ServiceRegistration.DeleteByID"};

}  // namespace rpc

DROVER_TYPE(rpc::NodeRegisterRequest)
DROVER_TYPE(rpc::NodeUpdateStatusRequest)
DROVER_TYPE(rpc::NodeClientAllocsResponse)
DROVER_TYPE(rpc::AllocUpdateRequest)
DROVER_TYPE(rpc::EmitNodeEventsRequest)
DROVER_TYPE(rpc::EmitNodeEventsResponse)
DROVER_TYPE(rpc::ServiceRegistrationUpsertRequest)
DROVER_TYPE(rpc::ServiceRegistrationUpsertResponse)
DROVER_TYPE(rpc::ServiceRegistrationDeleteByIDResponse)
}  // namespace drover
