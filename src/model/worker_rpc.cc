#include "model/worker_rpc.h"

// The fields of the embedded bases, as the wire flattens them.
#define WRITE_REQUEST                                                                                        \
  DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(AuthToken), DROVER_FIELD(IdempotencyToken),    \
      DROVER_FIELD(Forwarded)
#define QUERY_META DROVER_FIELD(Index), DROVER_FIELD(LastContact), DROVER_FIELD(KnownLeader), DROVER_FIELD(NextToken)

DROVER_DESCRIBE(drover::rpc::EvalDequeueRequest, "structs.EvalDequeueRequest", WRITE_REQUEST, DROVER_FIELD(Schedulers),
                DROVER_FIELD(Timeout), DROVER_FIELD(SchedulerVersion))
DROVER_DESCRIBE(drover::rpc::EvalDequeueResponse, "structs.EvalDequeueResponse", QUERY_META, DROVER_FIELD(Eval),
                DROVER_FIELD(Token), DROVER_FIELD(WaitIndex))
DROVER_DESCRIBE(drover::rpc::EvalAckRequest, "structs.EvalAckRequest", WRITE_REQUEST, DROVER_FIELD(EvalID), DROVER_FIELD(Token))
DROVER_DESCRIBE(drover::rpc::PlanRequest, "structs.PlanRequest", WRITE_REQUEST, DROVER_FIELD(Plan))
DROVER_DESCRIBE(drover::rpc::PlanResponse, "structs.PlanResponse", DROVER_FIELD(Result), DROVER_FIELD(Index))
