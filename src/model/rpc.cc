#include "model/rpc.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::NodeRegisterRequest, "structs.NodeRegisterRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Node),
                DROVER_FIELD(NodeEvent))
DROVER_DESCRIBE(drover::rpc::NodeUpdateStatusRequest, "structs.NodeUpdateStatusRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(NodeID), DROVER_FIELD(Status), DROVER_FIELD(NodeEvent),
                DROVER_FIELD(UpdatedAt).wire("int64"))
DROVER_DESCRIBE(drover::rpc::NodeClientAllocsResponse, "structs.NodeClientAllocsResponse", DROVER_QUERY_META,
                DROVER_FIELD(Allocs), DROVER_FIELD(MigrateTokens))
DROVER_DESCRIBE(drover::rpc::AllocUpdateRequest, "structs.AllocUpdateRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Alloc),
                DROVER_FIELD(Evals), DROVER_FIELD(Job))
DROVER_DESCRIBE(drover::rpc::EmitNodeEventsRequest, "structs.EmitNodeEventsRequest", DROVER_WRITE_REQUEST,
                DROVER_FIELD(NodeEvents))
DROVER_DESCRIBE(drover::rpc::EmitNodeEventsResponse, "structs.EmitNodeEventsResponse", DROVER_FIELD(Index))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationUpsertRequest, "structs.ServiceRegistrationUpsertRequest",
                DROVER_WRITE_REQUEST, DROVER_FIELD(Services))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationUpsertResponse, "structs.ServiceRegistrationUpsertResponse",
                DROVER_FIELD(Index))
DROVER_DESCRIBE(drover::rpc::ServiceRegistrationDeleteByIDResponse, "structs.ServiceRegistrationDeleteByIDResponse",
                DROVER_FIELD(Index))
