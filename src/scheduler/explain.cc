#include "scheduler/explain.h"

DROVER_DESCRIBE(drover::scheduler::Exclusion, "scheduler.Exclusion",
    DROVER_FIELD(Reason), DROVER_FIELD(NodeClass), DROVER_FIELD(Exhausted), DROVER_FIELD(Nodes))

DROVER_DESCRIBE(drover::scheduler::Remedy, "scheduler.Remedy",
    DROVER_FIELD(Kind), DROVER_FIELD(Subject), DROVER_FIELD(Amount), DROVER_FIELD(Nodes), DROVER_FIELD(NodeName))

DROVER_DESCRIBE(drover::scheduler::Explanation, "scheduler.Explanation",
    DROVER_FIELD(TaskGroup), DROVER_FIELD(Failed), DROVER_FIELD(NodesInDatacenters), DROVER_FIELD(Exclusions),
    DROVER_FIELD(Remedies))
