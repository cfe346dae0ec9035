#include "model/worker_rpc.h"

#include "model/embedded_fields.h"

DROVER_DESCRIBE(drover::rpc::EvalDequeueRequest, "structs.EvalDequeueRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Schedulers),
                DROVER_FIELD(Timeout), DROVER_FIELD(SchedulerVersion))
DROVER_DESCRIBE(drover::rpc::EvalDequeueResponse, "structs.EvalDequeueResponse", DROVER_QUERY_META, DROVER_FIELD(Eval),
                DROVER_FIELD(Token), DROVER_FIELD(WaitIndex))
DROVER_DESCRIBE(drover::rpc::EvalAckRequest, "structs.EvalAckRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(EvalID), DROVER_FIELD(Token))
DROVER_DESCRIBE(drover::rpc::PlanRequest, "structs.PlanRequest", DROVER_WRITE_REQUEST, DROVER_FIELD(Plan))
DROVER_DESCRIBE(drover::rpc::PlanResponse, "structs.PlanResponse", DROVER_FIELD(Result), DROVER_FIELD(Index))
