// Event stream records.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/alloc.h"
#include "model/deployment.h"
#include "model/eval.h"
#include "model/job.h"
#include "model/node.h"
#include "model/services.h"

namespace drover {

struct AllocationEvent {
  Box<::drover::Allocation> Allocation;

  friend bool operator==(const AllocationEvent&, const AllocationEvent&) = default;
};

struct DeploymentEvent {
  Box<::drover::Deployment> Deployment;

  friend bool operator==(const DeploymentEvent&, const DeploymentEvent&) = default;
};

struct EvaluationEvent {
  Box<::drover::Evaluation> Evaluation;

  friend bool operator==(const EvaluationEvent&, const EvaluationEvent&) = default;
};

struct Event {
  std::string Topic;
  std::string Type;
  std::string Key;
  std::string Namespace;
  List<std::string> FilterKeys;
  uint64_t Index = 0;
  Value Payload;

  friend bool operator==(const Event&, const Event&) = default;
};

struct Events {
  uint64_t Index = 0;
  List<Event> Events;

  friend bool operator==(const struct Events&, const struct Events&) = default;
};

struct JobEvent {
  Box<::drover::Job> Job;

  friend bool operator==(const JobEvent&, const JobEvent&) = default;
};

struct NodeStreamEvent {
  Box<::drover::Node> Node;

  friend bool operator==(const NodeStreamEvent&, const NodeStreamEvent&) = default;
};

struct ServiceRegistrationStreamEvent {
  Box<ServiceRegistration> Service;

  friend bool operator==(const ServiceRegistrationStreamEvent&, const ServiceRegistrationStreamEvent&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(AllocationEvent)
DROVER_TYPE(DeploymentEvent)
DROVER_TYPE(EvaluationEvent)
DROVER_TYPE(Event)
DROVER_TYPE(Events)
DROVER_TYPE(JobEvent)
DROVER_TYPE(NodeStreamEvent)
DROVER_TYPE(ServiceRegistrationStreamEvent)
}  // namespace drover
