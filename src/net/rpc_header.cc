#include "net/rpc_header.h"

DROVER_DESCRIBE(drover::net::RpcRequestHeader, "rpc.Request", DROVER_FIELD(ServiceMethod), DROVER_FIELD(Seq))
DROVER_DESCRIBE(drover::net::RpcResponseHeader, "rpc.Response", DROVER_FIELD(ServiceMethod), DROVER_FIELD(Seq),
                DROVER_FIELD(Error))
DROVER_DESCRIBE(drover::net::StreamingRpcHeader, "structs.StreamingRpcHeader", DROVER_FIELD(Method))
DROVER_DESCRIBE(drover::net::StreamingRpcAck, "structs.StreamingRpcAck", DROVER_FIELD(Error))
