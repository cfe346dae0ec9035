#include <algorithm>

#include "client/task_runner.h"
#include "model/client_status.h"

namespace drover::client {

namespace {

std::string core_list(const List<uint16_t>& cores) {
  std::string out;
  for (auto core : cores) out += (out.empty() ? "" : ",") + std::to_string(core);
  return out;
}

drivers::TaskResources resources_of(const Allocation& alloc, const Task& task, const Node& node) {
  drivers::TaskResources out;
  auto* r = alloc.AllocatedResources ? alloc.AllocatedResources->Tasks.find(task.Name) : nullptr;
  if (!r) return out;
  out.cpu_shares = r->Cpu.CpuShares;
  out.memory_mb = r->Memory.MemoryMB;
  out.memory_max_mb = r->Memory.MemoryMaxMB;
  out.memory_limit_bytes = std::max(r->Memory.MemoryMB, r->Memory.MemoryMaxMB) << 20;
  out.cpuset_cpus = core_list(r->Cpu.ReservedCores);
  auto total = node.NodeResources ? node.NodeResources->Cpu.CpuShares : 0;
  if (total > 0) out.percent_ticks = static_cast<double>(r->Cpu.CpuShares) / static_cast<double>(total);
  for (auto& p : alloc_ports(alloc))
    out.ports.push_back({p.Label, static_cast<int>(p.Value), static_cast<int>(p.To), p.HostIP});
  return out;
}

std::optional<drivers::DnsSpec> dns_of(const Allocation& alloc, const RunEnv& env) {
  if (!alloc.AllocatedResources || alloc.AllocatedResources->Shared.Networks.empty()) return std::nullopt;
  auto& dns = alloc.AllocatedResources->Shared.Networks[0].DNS;
  if (!dns) return std::nullopt;
  drivers::DnsSpec out;
  for (auto& s : dns->Servers) out.servers.push_back(env.replace(s));
  for (auto& s : dns->Searches) out.searches.push_back(env.replace(s));
  for (auto& s : dns->Options) out.options.push_back(env.replace(s));
  return out;
}

}  // namespace

drivers::TaskSpec base_task_spec(const Allocation& alloc, const Task& task, const Node& node, const AllocPaths& paths,
                                 const RunEnv& env) {
  drivers::TaskSpec spec;
  spec.name = task.Name;
  spec.alloc_id = alloc.ID.str();
  spec.job_id = alloc.JobID.str();
  spec.job_name = alloc.Job ? alloc.Job->Name : spec.job_id;
  spec.task_group_name = alloc.TaskGroup.str();
  spec.ns = alloc.Namespace.str();
  spec.node_id = node.ID.str();
  spec.node_name = node.Name;
  spec.env = env.vars;
  spec.device_env = env.device_vars;
  spec.resources = resources_of(alloc, task, node);
  spec.user = task.User;
  spec.alloc_dir = paths.root;
  spec.logs.dir = paths.logs();
  spec.logs.stdout_name = task.Name + ".stdout";
  spec.logs.stderr_name = task.Name + ".stderr";
  if (task.LogConfig) {
    spec.logs.enabled = !task.LogConfig->Disabled;
    if (task.LogConfig->MaxFiles > 0) spec.logs.max_files = static_cast<int>(task.LogConfig->MaxFiles);
    if (task.LogConfig->MaxFileSizeMB > 0) spec.logs.max_file_bytes = task.LogConfig->MaxFileSizeMB << 20;
  }
  spec.dns = dns_of(alloc, env);
  return spec;
}

}  // namespace drover::client
