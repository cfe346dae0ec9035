// What scheduler workers ask of the leader, and what garbage collection tells it (reference server-core 8.4, 10.1). Names of
// structs and fields are the wire's.
#pragma once

#include <cstdint>
#include <string>

#include "model/eval.h"
#include "model/plan.h"
#include "model/raft_requests.h"

namespace drover::rpc {

struct EvalDequeueRequest : WriteRequest {
  List<std::string> Schedulers;   // types of evaluations
  Duration Timeout{};             // 0: a second
  uint16_t SchedulerVersion = 0;  // must be the leader's

  friend bool operator==(const EvalDequeueRequest&, const EvalDequeueRequest&) = default;
};

// Without an evaluation: none came in time. Token proves to the leader that the evaluation is the caller's; WaitIndex is the
// state that it has to be scheduled on, or a newer one.
struct EvalDequeueResponse : QueryMeta {
  Ref<Evaluation> Eval;
  std::string Token;
  uint64_t WaitIndex = 0;

  friend bool operator==(const EvalDequeueResponse&, const EvalDequeueResponse&) = default;
};

// Eval.Ack and Eval.Nack.
struct EvalAckRequest : WriteRequest {
  Uuid EvalID;
  std::string Token;

  friend bool operator==(const EvalAckRequest&, const EvalAckRequest&) = default;
};

struct PlanRequest : WriteRequest {
  Ref<::drover::Plan> Plan;

  friend bool operator==(const PlanRequest&, const PlanRequest&) = default;
};

struct PlanResponse {
  Box<PlanResult> Result;
  uint64_t Index = 0;

  friend bool operator==(const PlanResponse&, const PlanResponse&) = default;
};

}  // namespace drover::rpc

namespace drover {
DROVER_TYPE(rpc::EvalDequeueRequest)
DROVER_TYPE(rpc::EvalDequeueResponse)
DROVER_TYPE(rpc::EvalAckRequest)
DROVER_TYPE(rpc::PlanRequest)
DROVER_TYPE(rpc::PlanResponse)
}  // namespace drover
