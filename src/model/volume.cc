#include "model/volume.h"

DROVER_DESCRIBE(drover::JobDescription, "structs.JobDescription",
    DROVER_FIELD(Namespace), DROVER_FIELD(ID), DROVER_FIELD(Expected))

DROVER_DESCRIBE(drover::CSIPlugin, "structs.CSIPlugin",
    DROVER_FIELD(ID), DROVER_FIELD(Provider), DROVER_FIELD(Version), DROVER_FIELD(ControllerRequired),
    DROVER_FIELD(Controllers), DROVER_FIELD(Nodes), DROVER_FIELD(Allocations), DROVER_FIELD(ControllerJobs),
    DROVER_FIELD(NodeJobs), DROVER_FIELD(ControllersHealthy), DROVER_FIELD(ControllersExpected),
    DROVER_FIELD(NodesHealthy), DROVER_FIELD(NodesExpected), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::CSIPluginListStub, "structs.CSIPluginListStub",
    DROVER_FIELD(ID), DROVER_FIELD(Provider), DROVER_FIELD(ControllerRequired), DROVER_FIELD(ControllersHealthy),
    DROVER_FIELD(ControllersExpected), DROVER_FIELD(NodesHealthy), DROVER_FIELD(NodesExpected),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::CSISnapshot, "structs.CSISnapshot",
    DROVER_FIELD(ID), DROVER_FIELD(ExternalSourceVolumeID), DROVER_FIELD(SizeBytes).wire("int64"),
    DROVER_FIELD(CreateTime).wire("int64"), DROVER_FIELD(IsReady), DROVER_FIELD(SourceVolumeID),
    DROVER_FIELD(PluginID), DROVER_FIELD(Name), DROVER_FIELD(Secrets), DROVER_FIELD(Parameters))

DROVER_DESCRIBE(drover::CSITopologyRequest, "structs.CSITopologyRequest",
    DROVER_FIELD(Required), DROVER_FIELD(Preferred))

DROVER_DESCRIBE(drover::CSIVolListStub, "structs.CSIVolListStub",
    DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(Name), DROVER_FIELD(ExternalID), DROVER_FIELD(Topologies),
    DROVER_FIELD(AccessMode).wire("structs.CSIVolumeAccessMode"),
    DROVER_FIELD(AttachmentMode).wire("structs.CSIVolumeAttachmentMode"), DROVER_FIELD(CurrentReaders),
    DROVER_FIELD(CurrentWriters), DROVER_FIELD(Schedulable), DROVER_FIELD(PluginID), DROVER_FIELD(Provider),
    DROVER_FIELD(ControllerRequired), DROVER_FIELD(ControllersHealthy), DROVER_FIELD(ControllersExpected),
    DROVER_FIELD(NodesHealthy), DROVER_FIELD(NodesExpected), DROVER_FIELD(ResourceExhausted),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::CSIVolumeCapability, "structs.CSIVolumeCapability",
    DROVER_FIELD(AttachmentMode).wire("structs.CSIVolumeAttachmentMode"),
    DROVER_FIELD(AccessMode).wire("structs.CSIVolumeAccessMode"))

DROVER_DESCRIBE(drover::CSIVolume, "structs.CSIVolume",
    DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(ExternalID), DROVER_FIELD(Namespace),
    DROVER_FIELD(RequestedTopologies), DROVER_FIELD(Topologies),
    DROVER_FIELD(AccessMode).wire("structs.CSIVolumeAccessMode"),
    DROVER_FIELD(AttachmentMode).wire("structs.CSIVolumeAttachmentMode"), DROVER_FIELD(MountOptions),
    DROVER_FIELD(Secrets), DROVER_FIELD(Parameters), DROVER_FIELD(Context), DROVER_FIELD(Capacity).wire("int64"),
    DROVER_FIELD(RequestedCapacityMin).wire("int64"), DROVER_FIELD(RequestedCapacityMax).wire("int64"),
    DROVER_FIELD(RequestedCapabilities), DROVER_FIELD(CloneID), DROVER_FIELD(SnapshotID), DROVER_FIELD(ReadAllocs),
    DROVER_FIELD(WriteAllocs), DROVER_FIELD(ReadClaims).with(drover::kNotInJson),
    DROVER_FIELD(WriteClaims).with(drover::kNotInJson), DROVER_FIELD(PastClaims).with(drover::kNotInJson), DROVER_FIELD(Schedulable), DROVER_FIELD(PluginID), DROVER_FIELD(Provider),
    DROVER_FIELD(ProviderVersion), DROVER_FIELD(ControllerRequired), DROVER_FIELD(ControllersHealthy),
    DROVER_FIELD(ControllersExpected), DROVER_FIELD(NodesHealthy), DROVER_FIELD(NodesExpected),
    DROVER_FIELD(ResourceExhausted), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex),
    DROVER_FIELD(Allocations).with(drover::kJsonOnly))

DROVER_DESCRIBE(drover::CSIVolumeClaim, "structs.CSIVolumeClaim",
    DROVER_FIELD(AllocationID), DROVER_FIELD(NodeID), DROVER_FIELD(ExternalNodeID),
    DROVER_FIELD(Mode).wire("structs.CSIVolumeClaimMode"),
    DROVER_FIELD(AccessMode).wire("structs.CSIVolumeAccessMode"),
    DROVER_FIELD(AttachmentMode).wire("structs.CSIVolumeAttachmentMode"),
    DROVER_FIELD(State).wire("structs.CSIVolumeClaimState"))

DROVER_DESCRIBE(drover::CSIVolumeExternalStub, "structs.CSIVolumeExternalStub",
    DROVER_FIELD(ExternalID), DROVER_FIELD(CapacityBytes).wire("int64"), DROVER_FIELD(VolumeContext),
    DROVER_FIELD(CloneID), DROVER_FIELD(SnapshotID), DROVER_FIELD(PublishedExternalNodeIDs), DROVER_FIELD(IsAbnormal),
    DROVER_FIELD(Status))
