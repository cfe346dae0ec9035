#include "cli/client_shapes.h"

#include <algorithm>
#include <iterator>

namespace drover::cli {
namespace {

const JsonShape kShapes[] = {
    {.type = "cstructs.MemoryStats", .lacks = {"MappedFile"}},
    {.type = "psstructs.Attribute", .omits_empty = {"Float", "Int", "String", "Bool"}},
    {.type = "stats.HostStats", .lacks = {"AllocDirStats", "Timestamp"}},
    {.type = "structs.AllocListStub", .lacks = {"DesiredTransition"}, .omits_empty = {"AllocatedResources"}},
    {.type = "structs.AllocatedCpuResources", .lacks = {"ReservedCores"}},
    {.type = "structs.AllocatedResources", .lacks = {"TaskLifecycles"}},
    {.type = "structs.Allocation",
     .lacks = {"SharedResources", "AllocStates", "NetworkStatus", "SignedIdentities", "SigningKeyID"},
     .adds = {{"Services", "null"}},
     .every_field = true},
    {.type = "structs.CSIInfo", .lacks = {"Provider", "ProviderVersion"}, .omits_empty = {"ControllerInfo", "NodeInfo"}},
    {.type = "structs.CSIPlugin", .lacks = {"ControllerJobs", "NodeJobs"}},
    {.type = "structs.CSIVolume", .adds = {{"Allocations", "null"}}},
    {.type = "structs.ClientHostVolumeConfig", .lacks = {"Name"}},
    {.type = "structs.ConsulExposeConfig", .adds = {{"Path", "null"}}},
    {.type = "structs.ConsulGatewayBindAddress", .adds = {{"Name", "\"\""}}},
    {.type = "structs.ConsulProxy", .adds = {{"ExposeConfig", "null"}}},
    {.type = "structs.Deployment", .lacks = {"EvalPriority"}},
    {.type = "structs.DeploymentState", .lacks = {"AutoPromote"}},
    {.type = "structs.DesiredTransition", .lacks = {"ForceReschedule", "NoShutdownDelay"}},
    {.type = "structs.Evaluation", .lacks = {"LeaderACL"}, .every_field = true},
    {.type = "structs.Job", .adds = {{"Reschedule", "null"}, {"Migrate", "null"}}},
    {.type = "structs.JobListStub", .lacks = {"Multiregion"}, .omits_empty = {"Namespace", "Meta"}},
    {.type = "structs.LogConfig", .adds = {{"Enabled", "null"}}},
    {.type = "structs.Namespace", .lacks = {"Hash"}},
    {.type = "structs.Node",
     .lacks = {"SecretID", "ComputedClass", "LastMissedHeartbeatIndex", "LastAllocUpdateIndex"},
     .adds = {{"Drain", "false"}}},
    {.type = "structs.NodeListStub",
     .lacks = {"HostVolumes"},
     .omits_empty = {"Attributes", "NodeResources", "ReservedResources"}},
    {.type = "structs.NodeReservedCpuResources", .lacks = {"ReservedCpuCores"}},
    {.type = "structs.NodeResources", .lacks = {"NodeNetworks"}},
    {.type = "structs.RescheduleEvent", .lacks = {"Delay"}},
    {.type = "structs.ScalingPolicy", .adds = {{"Namespace", "\"\""}}},
    {.type = "structs.Service", .lacks = {"Namespace"}, .adds = {{"CheckRestart", "null"}}},
    {.type = "structs.ServiceCheck", .adds = {{"Advertise", "\"\""}}},
    {.type = "structs.Task", .omits_empty = {"CSIPluginConfig"}},
    {.type = "structs.TaskEvent", .adds = {{"DiskSize", "0"}}},
};

}  // namespace

const JsonShape* client_shape(const TypeInfo& type) {
  auto it = std::find_if(std::begin(kShapes), std::end(kShapes), [&](auto& s) { return s.type == type.name; });
  return it == std::end(kShapes) ? nullptr : it;
}

}  // namespace drover::cli
