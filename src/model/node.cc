#include "model/node.h"

DROVER_DESCRIBE(drover::CSIControllerInfo, "structs.CSIControllerInfo",
    DROVER_FIELD(SupportsCreateDelete), DROVER_FIELD(SupportsAttachDetach), DROVER_FIELD(SupportsListVolumes),
    DROVER_FIELD(SupportsGetCapacity), DROVER_FIELD(SupportsCreateDeleteSnapshot),
    DROVER_FIELD(SupportsListSnapshots), DROVER_FIELD(SupportsClone), DROVER_FIELD(SupportsReadOnlyAttach),
    DROVER_FIELD(SupportsExpand), DROVER_FIELD(SupportsListVolumesAttachedNodes), DROVER_FIELD(SupportsCondition),
    DROVER_FIELD(SupportsGet))

DROVER_DESCRIBE(drover::CSINodeInfo, "structs.CSINodeInfo",
    DROVER_FIELD(ID), DROVER_FIELD(MaxVolumes).wire("int64"), DROVER_FIELD(AccessibleTopology),
    DROVER_FIELD(RequiresNodeStageVolume), DROVER_FIELD(SupportsStats), DROVER_FIELD(SupportsExpand),
    DROVER_FIELD(SupportsCondition))

DROVER_DESCRIBE(drover::CSIInfo, "structs.CSIInfo",
    DROVER_FIELD(PluginID), DROVER_FIELD(AllocID), DROVER_FIELD(Healthy), DROVER_FIELD(HealthDescription),
    DROVER_FIELD(UpdateTime), DROVER_FIELD(Provider), DROVER_FIELD(ProviderVersion),
    DROVER_FIELD(RequiresControllerPlugin), DROVER_FIELD(RequiresTopologies), DROVER_FIELD(ControllerInfo).with(drover::kOmitEmpty),
    DROVER_FIELD(NodeInfo).with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::ClientHostNetworkConfig, "structs.ClientHostNetworkConfig",
    DROVER_FIELD(Name), DROVER_FIELD(CIDR), DROVER_FIELD(Interface), DROVER_FIELD(ReservedPorts))

DROVER_DESCRIBE(drover::ClientHostVolumeConfig, "structs.ClientHostVolumeConfig",
    DROVER_FIELD(Name), DROVER_FIELD(Path), DROVER_FIELD(ReadOnly))

DROVER_DESCRIBE(drover::DrainMetadata, "structs.DrainMetadata",
    DROVER_FIELD(StartedAt), DROVER_FIELD(UpdatedAt), DROVER_FIELD(Status).wire("structs.DrainStatus"),
    DROVER_FIELD(AccessorID), DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::DrainSpec, "structs.DrainSpec",
    DROVER_FIELD(Deadline), DROVER_FIELD(IgnoreSystemJobs))

DROVER_DESCRIBE(drover::DrainStrategy, "structs.DrainStrategy",
    DROVER_FIELD(Deadline), DROVER_FIELD(IgnoreSystemJobs), DROVER_FIELD(ForceDeadline), DROVER_FIELD(StartedAt))

DROVER_DESCRIBE(drover::DriverInfo, "structs.DriverInfo",
    DROVER_FIELD(Attributes), DROVER_FIELD(Detected), DROVER_FIELD(Healthy), DROVER_FIELD(HealthDescription),
    DROVER_FIELD(UpdateTime))

DROVER_DESCRIBE(drover::NodeEvent, "structs.NodeEvent",
    DROVER_FIELD(Message), DROVER_FIELD(Subsystem), DROVER_FIELD(Details), DROVER_FIELD(Timestamp),
    DROVER_FIELD(CreateIndex))

DROVER_DESCRIBE(drover::Node, "structs.Node",
    DROVER_FIELD(ID), DROVER_FIELD(SecretID), DROVER_FIELD(Datacenter), DROVER_FIELD(Name),
    DROVER_FIELD(CgroupParent), DROVER_FIELD(HTTPAddr), DROVER_FIELD(TLSEnabled), DROVER_FIELD(Attributes),
    DROVER_FIELD(NodeResources), DROVER_FIELD(ReservedResources), DROVER_FIELD(Resources), DROVER_FIELD(Reserved),
    DROVER_FIELD(Links), DROVER_FIELD(Meta), DROVER_FIELD(NodeClass), DROVER_FIELD(ComputedClass),
    DROVER_FIELD(DrainStrategy), DROVER_FIELD(SchedulingEligibility), DROVER_FIELD(Status),
    DROVER_FIELD(StatusDescription), DROVER_FIELD(StatusUpdatedAt).wire("int64"), DROVER_FIELD(Events),
    DROVER_FIELD(Drivers), DROVER_FIELD(CSIControllerPlugins), DROVER_FIELD(CSINodePlugins),
    DROVER_FIELD(HostVolumes), DROVER_FIELD(HostNetworks), DROVER_FIELD(LastDrain),
    DROVER_FIELD(LastMissedHeartbeatIndex), DROVER_FIELD(LastAllocUpdateIndex), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(Drain).with(drover::kJsonOnly))

DROVER_DESCRIBE(drover::NodeListStub, "structs.NodeListStub",
    DROVER_FIELD(Address), DROVER_FIELD(ID), DROVER_FIELD(Attributes).with(drover::kOmitEmpty), DROVER_FIELD(Datacenter), DROVER_FIELD(Name),
    DROVER_FIELD(NodeClass), DROVER_FIELD(Version), DROVER_FIELD(Drain), DROVER_FIELD(SchedulingEligibility),
    DROVER_FIELD(Status), DROVER_FIELD(StatusDescription), DROVER_FIELD(Drivers), DROVER_FIELD(HostVolumes),
    DROVER_FIELD(NodeResources).with(drover::kOmitEmpty), DROVER_FIELD(ReservedResources).with(drover::kOmitEmpty), DROVER_FIELD(LastDrain), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))
