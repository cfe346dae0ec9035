#include "model/state_records.h"

DROVER_DESCRIBE(drover::PeriodicLaunch, "structs.PeriodicLaunch",
    DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(Launch), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::OpaqueRecord, "state.OpaqueRecord", DROVER_FIELD(Type), DROVER_FIELD(Order), DROVER_FIELD(Body))
DROVER_DESCRIBE(drover::ClusterMetadata, "structs.ClusterMetadata",
    DROVER_FIELD(ClusterID), DROVER_FIELD(CreateTime).wire("int64"))

DROVER_DESCRIBE(drover::AutopilotConfig, "structs.AutopilotConfig",
    DROVER_FIELD(CleanupDeadServers), DROVER_FIELD(ServerStabilizationTime), DROVER_FIELD(LastContactThreshold),
    DROVER_FIELD(MaxTrailingLogs), DROVER_FIELD(MinQuorum).wire("uint"), DROVER_FIELD(EnableRedundancyZones),
    DROVER_FIELD(DisableUpgradeMigration), DROVER_FIELD(EnableCustomUpgrades), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::JobScalingEvents, "structs.JobScalingEvents",
    DROVER_FIELD(Namespace), DROVER_FIELD(JobID), DROVER_FIELD(ScalingEvents), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::VariableEncrypted, "structs.VariableEncrypted",
    DROVER_FIELD(Namespace), DROVER_FIELD(Path), DROVER_FIELD(CreateIndex), DROVER_FIELD(CreateTime).wire("int64"),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(ModifyTime).wire("int64"), DROVER_FIELD(Data), DROVER_FIELD(KeyID))

DROVER_DESCRIBE(drover::VariablesQuota, "structs.VariablesQuota",
    DROVER_FIELD(Namespace), DROVER_FIELD(Size).wire("int64"), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::VaultAccessor, "structs.VaultAccessor",
    DROVER_FIELD(AllocID), DROVER_FIELD(Task), DROVER_FIELD(NodeID), DROVER_FIELD(Accessor),
    DROVER_FIELD(CreationTTL), DROVER_FIELD(CreateIndex))

DROVER_DESCRIBE(drover::SITokenAccessor, "structs.SITokenAccessor",
    DROVER_FIELD(ConsulNamespace), DROVER_FIELD(NodeID), DROVER_FIELD(AllocID), DROVER_FIELD(AccessorID),
    DROVER_FIELD(TaskName), DROVER_FIELD(CreateIndex))

DROVER_DESCRIBE(drover::IndexEntry, "state.IndexEntry", DROVER_FIELD(Key), DROVER_FIELD(Value))

DROVER_DESCRIBE(drover::TimeTableEntry, "nomad.TimeTableEntry", DROVER_FIELD(Index), DROVER_FIELD(Time))
