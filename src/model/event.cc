#include "model/event.h"

DROVER_DESCRIBE(drover::AllocationEvent, "structs.AllocationEvent",
    DROVER_FIELD(Allocation))

DROVER_DESCRIBE(drover::DeploymentEvent, "structs.DeploymentEvent",
    DROVER_FIELD(Deployment))

DROVER_DESCRIBE(drover::EvaluationEvent, "structs.EvaluationEvent",
    DROVER_FIELD(Evaluation))

DROVER_DESCRIBE(drover::Event, "structs.Event",
    DROVER_FIELD(Topic).wire("structs.Topic"), DROVER_FIELD(Type), DROVER_FIELD(Key), DROVER_FIELD(Namespace),
    DROVER_FIELD(FilterKeys), DROVER_FIELD(Index), DROVER_FIELD(Payload))

DROVER_DESCRIBE(drover::Events, "structs.Events",
    DROVER_FIELD(Index), DROVER_FIELD(Events))

DROVER_DESCRIBE(drover::JobEvent, "structs.JobEvent",
    DROVER_FIELD(Job))

DROVER_DESCRIBE(drover::NodeStreamEvent, "structs.NodeStreamEvent",
    DROVER_FIELD(Node))

DROVER_DESCRIBE(drover::ServiceRegistrationStreamEvent, "structs.ServiceRegistrationStreamEvent",
    DROVER_FIELD(Service))
