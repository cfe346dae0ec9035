#include "model/shown.h"

#include "base/snappy.h"
#include "model/task_events.h"

namespace drover {
namespace {

void fill_messages(Map<TaskState>& states) {
  for (auto& [name, state] : states)
    for (auto& event : state.Events)
      if (event.DisplayMessage.empty()) event.DisplayMessage = display_message(event);
}

}  // namespace

Resources legacy_resources(const AllocatedTaskResources& given) {
  Resources r;
  r.CPU = given.Cpu.CpuShares;
  r.Cores = static_cast<int64_t>(given.Cpu.ReservedCores.size());
  r.MemoryMB = given.Memory.MemoryMB;
  r.MemoryMaxMB = given.Memory.MemoryMaxMB;
  r.Networks = given.Networks;
  return r;
}

void add_legacy_resources(Allocation& a) {
  if (!a.AllocatedResources || a.Resources) return;
  auto& total = a.Resources.ensure();
  auto& shared = a.SharedResources.ensure();
  shared.DiskMB = a.AllocatedResources->Shared.DiskMB;
  shared.Networks = a.AllocatedResources->Shared.Networks;
  total.DiskMB = shared.DiskMB;
  total.Networks = shared.Networks;
  for (auto& [name, t] : a.AllocatedResources->Tasks) {
    auto r = legacy_resources(t);
    total.CPU += r.CPU;
    total.Cores += r.Cores;
    total.MemoryMB += r.MemoryMB;
    total.MemoryMaxMB += r.MemoryMaxMB ? r.MemoryMaxMB : r.MemoryMB;
    for (auto& n : r.Networks) total.Networks.push_back(n);
    a.TaskResources[name] = std::move(r);
  }
}

Node shown_node(const Node& node) {
  Node n = node;
  n.SecretID = Uuid{};
  n.Drain = static_cast<bool>(n.DrainStrategy);
  n.CSIControllerPlugins.vec();
  n.CSINodePlugins.vec();
  return n;
}

Allocation shown_alloc(const Allocation& alloc) {
  Allocation a = alloc;
  add_legacy_resources(a);
  if (a.Job && !a.Job->Payload.empty()) {
    if (auto plain = snappy_decode(a.Job->Payload.data)) {
      auto job = std::make_shared<::drover::Job>(*a.Job);
      job->Payload.data = std::move(*plain);
      a.Job = std::move(job);
    }
  }
  fill_messages(a.TaskStates);
  return a;
}

List<AllocListStub> shown_stubs(List<AllocListStub> stubs) {
  for (auto& s : stubs) fill_messages(s.TaskStates);
  return stubs;
}

}  // namespace drover
