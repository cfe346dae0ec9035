#include "server/stubs.h"

#include "codec/reflect.h"
#include "model/job_kind.h"

namespace drover::server {

AllocListStub alloc_stub(const Allocation& a, AllocStubFields fields) {
  AllocListStub s;
  s.ID = a.ID;
  s.EvalID = a.EvalID;
  s.Name = a.Name.str();
  s.Namespace = a.Namespace.str();
  s.NodeID = a.NodeID;
  s.NodeName = a.NodeName.str();
  s.JobID = a.JobID.str();
  if (a.Job) {
    s.JobType = a.Job->Type;
    s.JobVersion = a.Job->Version;
  }
  s.TaskGroup = a.TaskGroup.str();
  if (fields.Resources && a.AllocatedResources) s.AllocatedResources = *a.AllocatedResources;
  s.DesiredStatus = a.DesiredStatus.str();
  s.DesiredDescription = a.DesiredDescription.str();
  s.ClientStatus = a.ClientStatus.str();
  s.ClientDescription = a.ClientDescription.str();
  s.DesiredTransition = a.DesiredTransition;
  if (fields.TaskStates) s.TaskStates = a.TaskStates;
  s.DeploymentStatus = a.DeploymentStatus;
  s.FollowupEvalID = a.FollowupEvalID;
  s.NextAllocation = a.NextAllocation;
  s.RescheduleTracker = a.RescheduleTracker;
  s.PreemptedAllocations = a.PreemptedAllocations;
  s.PreemptedByAllocation = a.PreemptedByAllocation;
  s.CreateIndex = a.CreateIndex;
  s.ModifyIndex = a.ModifyIndex;
  s.CreateTime = a.CreateTime;
  s.ModifyTime = a.ModifyTime;
  return s;
}

NodeListStub node_stub(const Node& n, NodeStubParts parts) {
  NodeListStub s;
  auto colon = n.HTTPAddr.rfind(':');
  s.Address = n.HTTPAddr.substr(0, colon);
  if (s.Address.size() > 2 && s.Address.front() == '[') s.Address = s.Address.substr(1, s.Address.size() - 2);
  s.ID = n.ID;
  s.Datacenter = n.Datacenter;
  s.Name = n.Name;
  s.NodeClass = n.NodeClass;
  s.Version = n.Attributes.get_or("nomad.version");
  s.Drain = static_cast<bool>(n.DrainStrategy);
  s.SchedulingEligibility = n.SchedulingEligibility;
  s.Status = n.Status;
  s.StatusDescription = n.StatusDescription;
  s.Drivers = n.Drivers;
  s.HostVolumes = n.HostVolumes;
  s.LastDrain = n.LastDrain;
  s.CreateIndex = n.CreateIndex;
  s.ModifyIndex = n.ModifyIndex;
  if (parts.resources) {
    s.NodeResources = n.NodeResources;
    s.ReservedResources = n.ReservedResources;
  }
  if (parts.os) s.Attributes = {{"os.name", n.Attributes.get_or("os.name")}};
  return s;
}

JobListStub job_stub(const Job& job, const JobSummary* summary, bool with_meta) {
  JobListStub s;
  s.ID = job.ID;
  s.ParentID = job.ParentID;
  s.Name = job.Name;
  s.Namespace = job.Namespace;
  s.Datacenters = job.Datacenters;
  s.Multiregion = job.Multiregion;
  s.Type = job.Type;
  s.Priority = job.Priority;
  s.Stop = job.Stop;
  s.Status = job.Status;
  s.StatusDescription = job.StatusDescription;
  s.CreateIndex = job.CreateIndex;
  s.ModifyIndex = job.ModifyIndex;
  s.JobModifyIndex = job.JobModifyIndex;
  s.SubmitTime = job.SubmitTime;
  s.Periodic = static_cast<bool>(job.Periodic);
  s.ParameterizedJob = is_parameterized(job);
  if (with_meta) s.Meta = job.Meta;
  if (summary) s.JobSummary = *summary;
  return s;
}

EvaluationStub eval_stub(const Evaluation& e) {
  EvaluationStub s;
  reflect_convert(type_of<Evaluation>(), &e, type_of<EvaluationStub>(), &s);
  return s;
}

}  // namespace drover::server
