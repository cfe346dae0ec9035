#include "model/client_stats.h"

DROVER_DESCRIBE(drover::AllocFileInfo, "cstructs.AllocFileInfo",
    DROVER_FIELD(Name), DROVER_FIELD(IsDir), DROVER_FIELD(Size).wire("int64"), DROVER_FIELD(FileMode),
    DROVER_FIELD(ModTime), DROVER_FIELD(ContentType).with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::CpuStats, "cstructs.CpuStats",
    DROVER_FIELD(SystemMode), DROVER_FIELD(UserMode), DROVER_FIELD(TotalTicks), DROVER_FIELD(ThrottledPeriods),
    DROVER_FIELD(ThrottledTime), DROVER_FIELD(Percent), DROVER_FIELD(Measured))

DROVER_DESCRIBE(drover::MemoryStats, "cstructs.MemoryStats",
    DROVER_FIELD(RSS), DROVER_FIELD(Cache), DROVER_FIELD(Swap), DROVER_FIELD(MappedFile), DROVER_FIELD(Usage),
    DROVER_FIELD(MaxUsage), DROVER_FIELD(KernelUsage), DROVER_FIELD(KernelMaxUsage), DROVER_FIELD(Measured))

DROVER_DESCRIBE(drover::StatValue, "psstructs.StatValue",
    DROVER_FIELD(FloatNumeratorVal).with(drover::kOmitEmpty),
    DROVER_FIELD(FloatDenominatorVal).with(drover::kOmitEmpty),
    DROVER_FIELD(IntNumeratorVal).wire("int64").with(drover::kOmitEmpty),
    DROVER_FIELD(IntDenominatorVal).wire("int64").with(drover::kOmitEmpty),
    DROVER_FIELD(StringVal).with(drover::kOmitEmpty), DROVER_FIELD(BoolVal).with(drover::kOmitEmpty),
    DROVER_FIELD(Unit).with(drover::kOmitEmpty), DROVER_FIELD(Desc).with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::StatObject, "psstructs.StatObject",
    DROVER_FIELD(Nested), DROVER_FIELD(Attributes))

DROVER_DESCRIBE(drover::DeviceStats, "device.DeviceStats",
    DROVER_FIELD(Summary), DROVER_FIELD(Stats), DROVER_FIELD(Timestamp))

DROVER_DESCRIBE(drover::DeviceGroupStats, "device.DeviceGroupStats",
    DROVER_FIELD(Vendor), DROVER_FIELD(Type), DROVER_FIELD(Name), DROVER_FIELD(InstanceStats))

DROVER_DESCRIBE(drover::ResourceUsage, "cstructs.ResourceUsage",
    DROVER_FIELD(MemoryStats), DROVER_FIELD(CpuStats), DROVER_FIELD(DeviceStats))

DROVER_DESCRIBE(drover::TaskResourceUsage, "cstructs.TaskResourceUsage",
    DROVER_FIELD(ResourceUsage), DROVER_FIELD(Timestamp).wire("int64"), DROVER_FIELD(Pids))

DROVER_DESCRIBE(drover::AllocResourceUsage, "cstructs.AllocResourceUsage",
    DROVER_FIELD(ResourceUsage), DROVER_FIELD(Tasks), DROVER_FIELD(Timestamp).wire("int64"))

DROVER_DESCRIBE(drover::ExecTaskStreamingIOOperation, "dproto.ExecTaskStreamingIOOperation",
    DROVER_FIELD(Data).json("data").with(drover::kOmitEmpty),
    DROVER_FIELD(Close).json("close").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::ExecTaskStreamingSetup, "dproto.ExecTaskStreamingRequest_Setup",
    DROVER_FIELD(TaskId).json("task_id").with(drover::kOmitEmpty),
    DROVER_FIELD(Command).json("command").with(drover::kOmitEmpty),
    DROVER_FIELD(Tty).json("tty").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::ExecTaskStreamingTerminalSize, "dproto.ExecTaskStreamingRequest_TerminalSize",
    DROVER_FIELD(Height).json("height").with(drover::kOmitEmpty),
    DROVER_FIELD(Width).json("width").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::ExecTaskStreamingRequest, "dproto.ExecTaskStreamingRequest",
    DROVER_FIELD(Setup).json("setup").with(drover::kOmitEmpty),
    DROVER_FIELD(TtySize).json("tty_size").with(drover::kOmitEmpty),
    DROVER_FIELD(Stdin).json("stdin").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::ExecExitResult, "dproto.ExitResult",
    DROVER_FIELD(ExitCode).json("exit_code").with(drover::kOmitEmpty),
    DROVER_FIELD(Signal).json("signal").with(drover::kOmitEmpty),
    DROVER_FIELD(OomKilled).json("oom_killed").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::ExecTaskStreamingResponse, "dproto.ExecTaskStreamingResponse",
    DROVER_FIELD(Stdout).json("stdout").with(drover::kOmitEmpty),
    DROVER_FIELD(Stderr).json("stderr").with(drover::kOmitEmpty),
    DROVER_FIELD(Exited).json("exited").with(drover::kOmitEmpty),
    DROVER_FIELD(Result).json("result").with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::StreamFrame, "framer.StreamFrame",
    DROVER_FIELD(Offset).wire("int64").with(drover::kOmitEmpty), DROVER_FIELD(Data).with(drover::kOmitEmpty),
    DROVER_FIELD(File).with(drover::kOmitEmpty), DROVER_FIELD(FileEvent).with(drover::kOmitEmpty))

DROVER_DESCRIBE(drover::HostDiskUsage, "host.DiskUsage",
    DROVER_FIELD(DiskMB).wire("int64"), DROVER_FIELD(UsedMB).wire("int64"))

DROVER_DESCRIBE(drover::HostData, "host.HostData",
    DROVER_FIELD(OS), DROVER_FIELD(Network), DROVER_FIELD(ResolvConf), DROVER_FIELD(Hosts), DROVER_FIELD(Environment),
    DROVER_FIELD(Disk))

DROVER_DESCRIBE(drover::Attribute, "psstructs.Attribute",
    DROVER_FIELD(Float), DROVER_FIELD(Int).wire("int64"), DROVER_FIELD(String), DROVER_FIELD(Bool),
    DROVER_FIELD(Unit))

DROVER_DESCRIBE(drover::HostCPUStats, "stats.CPUStats",
    DROVER_FIELD(CPU), DROVER_FIELD(User), DROVER_FIELD(System), DROVER_FIELD(Idle), DROVER_FIELD(Total))

DROVER_DESCRIBE(drover::HostDiskStats, "stats.DiskStats",
    DROVER_FIELD(Device), DROVER_FIELD(Mountpoint), DROVER_FIELD(Size), DROVER_FIELD(Used), DROVER_FIELD(Available),
    DROVER_FIELD(UsedPercent), DROVER_FIELD(InodesUsedPercent))

DROVER_DESCRIBE(drover::HostMemoryStats, "stats.MemoryStats",
    DROVER_FIELD(Total), DROVER_FIELD(Available), DROVER_FIELD(Used), DROVER_FIELD(Free))

DROVER_DESCRIBE(drover::HostStats, "stats.HostStats",
    DROVER_FIELD(Memory), DROVER_FIELD(CPU), DROVER_FIELD(DiskStats), DROVER_FIELD(AllocDirStats),
    DROVER_FIELD(DeviceStats), DROVER_FIELD(Uptime), DROVER_FIELD(Timestamp).wire("int64"),
    DROVER_FIELD(CPUTicksConsumed))
