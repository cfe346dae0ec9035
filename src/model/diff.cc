#include "model/diff.h"

DROVER_DESCRIBE(drover::FieldDiff, "structs.FieldDiff",
    DROVER_FIELD(Type).wire("structs.DiffType"), DROVER_FIELD(Name), DROVER_FIELD(Old), DROVER_FIELD(New),
    DROVER_FIELD(Annotations))

DROVER_DESCRIBE(drover::ObjectDiff, "structs.ObjectDiff",
    DROVER_FIELD(Type).wire("structs.DiffType"), DROVER_FIELD(Name), DROVER_FIELD(Fields), DROVER_FIELD(Objects))

DROVER_DESCRIBE(drover::TaskDiff, "structs.TaskDiff",
    DROVER_FIELD(Type).wire("structs.DiffType"), DROVER_FIELD(Name), DROVER_FIELD(Fields), DROVER_FIELD(Objects),
    DROVER_FIELD(Annotations))

DROVER_DESCRIBE(drover::TaskGroupDiff, "structs.TaskGroupDiff",
    DROVER_FIELD(Type).wire("structs.DiffType"), DROVER_FIELD(Name), DROVER_FIELD(Fields), DROVER_FIELD(Objects),
    DROVER_FIELD(Tasks), DROVER_FIELD(Updates))

DROVER_DESCRIBE(drover::JobDiff, "structs.JobDiff",
    DROVER_FIELD(Type).wire("structs.DiffType"), DROVER_FIELD(ID), DROVER_FIELD(Fields), DROVER_FIELD(Objects),
    DROVER_FIELD(TaskGroups))
