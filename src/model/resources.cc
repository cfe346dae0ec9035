#include "model/resources.h"

DROVER_DESCRIBE(drover::Affinity, "structs.Affinity",
    DROVER_FIELD(LTarget), DROVER_FIELD(RTarget), DROVER_FIELD(Operand), DROVER_FIELD(Weight))

DROVER_DESCRIBE(drover::AllocatedCpuResources, "structs.AllocatedCpuResources",
    DROVER_FIELD(CpuShares).wire("int64"), DROVER_FIELD(ReservedCores))

DROVER_DESCRIBE(drover::AllocatedDeviceResource, "structs.AllocatedDeviceResource",
    DROVER_FIELD(Vendor), DROVER_FIELD(Type), DROVER_FIELD(Name), DROVER_FIELD(DeviceIDs))

DROVER_DESCRIBE(drover::AllocatedMemoryResources, "structs.AllocatedMemoryResources",
    DROVER_FIELD(MemoryMB).wire("int64"), DROVER_FIELD(MemoryMaxMB).wire("int64"))

DROVER_DESCRIBE(drover::AllocatedPortMapping, "structs.AllocatedPortMapping",
    DROVER_FIELD(Label), DROVER_FIELD(Value), DROVER_FIELD(To), DROVER_FIELD(HostIP))

DROVER_DESCRIBE(drover::DNSConfig, "structs.DNSConfig",
    DROVER_FIELD(Servers), DROVER_FIELD(Searches), DROVER_FIELD(Options))

DROVER_DESCRIBE(drover::Port, "structs.Port",
    DROVER_FIELD(Label), DROVER_FIELD(Value), DROVER_FIELD(To), DROVER_FIELD(HostNetwork))

DROVER_DESCRIBE(drover::NetworkResource, "structs.NetworkResource",
    DROVER_FIELD(Mode), DROVER_FIELD(Device), DROVER_FIELD(CIDR), DROVER_FIELD(IP), DROVER_FIELD(Hostname).with(drover::kOmitEmpty),
    DROVER_FIELD(MBits), DROVER_FIELD(DNS), DROVER_FIELD(ReservedPorts), DROVER_FIELD(DynamicPorts))

DROVER_DESCRIBE(drover::AllocatedSharedResources, "structs.AllocatedSharedResources",
    DROVER_FIELD(Networks), DROVER_FIELD(DiskMB).wire("int64"), DROVER_FIELD(Ports))

DROVER_DESCRIBE(drover::AllocatedTaskResources, "structs.AllocatedTaskResources",
    DROVER_FIELD(Cpu), DROVER_FIELD(Memory), DROVER_FIELD(Networks), DROVER_FIELD(Devices))

DROVER_DESCRIBE(drover::TaskLifecycleConfig, "structs.TaskLifecycleConfig",
    DROVER_FIELD(Hook), DROVER_FIELD(Sidecar))

DROVER_DESCRIBE(drover::AllocatedResources, "structs.AllocatedResources",
    DROVER_FIELD(Tasks), DROVER_FIELD(TaskLifecycles), DROVER_FIELD(Shared))

DROVER_DESCRIBE(drover::CSITopology, "structs.CSITopology",
    DROVER_FIELD(Segments))

DROVER_DESCRIBE(drover::Constraint, "structs.Constraint",
    DROVER_FIELD(LTarget), DROVER_FIELD(RTarget), DROVER_FIELD(Operand))

DROVER_DESCRIBE(drover::NodeCpuResources, "structs.NodeCpuResources",
    DROVER_FIELD(CpuShares).wire("int64"), DROVER_FIELD(TotalCpuCores), DROVER_FIELD(ReservableCpuCores))

DROVER_DESCRIBE(drover::NodeDeviceLocality, "structs.NodeDeviceLocality",
    DROVER_FIELD(PciBusID))

DROVER_DESCRIBE(drover::NodeDevice, "structs.NodeDevice",
    DROVER_FIELD(ID), DROVER_FIELD(Healthy), DROVER_FIELD(HealthDescription), DROVER_FIELD(Locality))

DROVER_DESCRIBE(drover::NodeDeviceResource, "structs.NodeDeviceResource",
    DROVER_FIELD(Vendor), DROVER_FIELD(Type), DROVER_FIELD(Name), DROVER_FIELD(Instances), DROVER_FIELD(Attributes))

DROVER_DESCRIBE(drover::NodeDiskResources, "structs.NodeDiskResources",
    DROVER_FIELD(DiskMB).wire("int64"))

DROVER_DESCRIBE(drover::NodeMemoryResources, "structs.NodeMemoryResources",
    DROVER_FIELD(MemoryMB).wire("int64"))

DROVER_DESCRIBE(drover::NodeNetworkAddress, "structs.NodeNetworkAddress",
    DROVER_FIELD(Family).wire("structs.NodeNetworkAF"), DROVER_FIELD(Alias), DROVER_FIELD(Address),
    DROVER_FIELD(ReservedPorts), DROVER_FIELD(Gateway))

DROVER_DESCRIBE(drover::NodeNetworkResource, "structs.NodeNetworkResource",
    DROVER_FIELD(Mode), DROVER_FIELD(Device), DROVER_FIELD(MacAddress), DROVER_FIELD(Speed), DROVER_FIELD(Addresses))

DROVER_DESCRIBE(drover::NodeReservedCpuResources, "structs.NodeReservedCpuResources",
    DROVER_FIELD(CpuShares).wire("int64"), DROVER_FIELD(ReservedCpuCores))

DROVER_DESCRIBE(drover::NodeReservedDiskResources, "structs.NodeReservedDiskResources",
    DROVER_FIELD(DiskMB).wire("int64"))

DROVER_DESCRIBE(drover::NodeReservedMemoryResources, "structs.NodeReservedMemoryResources",
    DROVER_FIELD(MemoryMB).wire("int64"))

DROVER_DESCRIBE(drover::NodeReservedNetworkResources, "structs.NodeReservedNetworkResources",
    DROVER_FIELD(ReservedHostPorts))

DROVER_DESCRIBE(drover::NodeReservedResources, "structs.NodeReservedResources",
    DROVER_FIELD(Cpu), DROVER_FIELD(Memory), DROVER_FIELD(Disk), DROVER_FIELD(Networks))

DROVER_DESCRIBE(drover::NodeResources, "structs.NodeResources",
    DROVER_FIELD(Cpu), DROVER_FIELD(Memory), DROVER_FIELD(Disk), DROVER_FIELD(Devices), DROVER_FIELD(NodeNetworks),
    DROVER_FIELD(Networks), DROVER_FIELD(MinDynamicPort), DROVER_FIELD(MaxDynamicPort))

DROVER_DESCRIBE(drover::RequestedDevice, "structs.RequestedDevice",
    DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Constraints), DROVER_FIELD(Affinities))

DROVER_DESCRIBE(drover::Resources, "structs.Resources",
    DROVER_FIELD(CPU), DROVER_FIELD(Cores), DROVER_FIELD(MemoryMB), DROVER_FIELD(MemoryMaxMB), DROVER_FIELD(DiskMB),
    DROVER_FIELD(IOPS), DROVER_FIELD(Networks), DROVER_FIELD(Devices))

DROVER_DESCRIBE(drover::SpreadTarget, "structs.SpreadTarget",
    DROVER_FIELD(Value), DROVER_FIELD(Percent))

DROVER_DESCRIBE(drover::Spread, "structs.Spread",
    DROVER_FIELD(Attribute), DROVER_FIELD(Weight), DROVER_FIELD(SpreadTarget))
