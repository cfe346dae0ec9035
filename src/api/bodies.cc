#include "api/bodies.h"

// The reference decodes into a struct without a name, and says so in its errors.
DROVER_DESCRIBE(drover::api::AllocRestartBody, "struct { TaskName string; AllTasks bool }", DROVER_FIELD(TaskName), DROVER_FIELD(AllTasks))
