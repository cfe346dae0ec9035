#include "client/task_env.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "model/client_status.h"
#include "model/env_text.h"

namespace drover::client {

TaskDirs task_dirs_of(drivers::FsIsolation isolation, const std::string& alloc_root, std::string_view task) {
  if (isolation != drivers::FsIsolation::kNone) return {"/alloc", "/local", "/secrets"};
  auto dir = alloc_root + "/" + std::string(task);
  return {alloc_root + "/alloc", dir + "/local", dir + "/secrets"};
}

namespace {

using Vars = std::map<std::string, std::string>;

std::string host_port(const std::string& ip, int64_t port) {
  auto text = std::to_string(port);
  return ip.find(':') == std::string::npos ? ip + ":" + text : "[" + ip + "]:" + text;
}

// "0-2,5" from sorted core numbers.
std::string cpuset_text(std::vector<uint16_t> cores) {
  std::sort(cores.begin(), cores.end());
  std::string out;
  for (size_t i = 0; i < cores.size();) {
    size_t j = i;
    while (j + 1 < cores.size() && cores[j + 1] == cores[j] + 1) ++j;
    if (!out.empty()) out += ',';
    out += std::to_string(cores[i]);
    if (j > i) out += "-" + std::to_string(cores[j]);
    i = j + 1;
  }
  return out;
}

void set_if(Vars& vars, std::string key, std::string value) {
  if (!value.empty()) vars[std::move(key)] = std::move(value);
}

void add_identity(Vars& vars, const TaskEnvInput& in) {
  auto& alloc = in.alloc;
  auto id = alloc.ID.str();
  set_if(vars, "NOMAD_ALLOC_ID", id);
  set_if(vars, "NOMAD_SHORT_ALLOC_ID", id.substr(0, 8));
  set_if(vars, "NOMAD_ALLOC_NAME", alloc.Name.str());
  if (!alloc.Name.empty()) vars["NOMAD_ALLOC_INDEX"] = std::to_string(alloc_index(alloc));
  set_if(vars, "NOMAD_GROUP_NAME", alloc.TaskGroup.str());
  set_if(vars, "NOMAD_TASK_NAME", in.task.Name);
  set_if(vars, "NOMAD_JOB_ID", alloc.JobID.str());
  if (alloc.Job) {
    set_if(vars, "NOMAD_JOB_NAME", alloc.Job->Name);
    set_if(vars, "NOMAD_JOB_PARENT_ID", alloc.Job->ParentID);
  }
  set_if(vars, "NOMAD_DC", in.node.Datacenter);
  set_if(vars, "NOMAD_REGION", in.region);
  set_if(vars, "NOMAD_NAMESPACE", alloc.Namespace.str());
  set_if(vars, "NOMAD_PARENT_CGROUP", in.node.CgroupParent);
}

void add_resources(Vars& vars, const AllocatedTaskResources* resources) {
  if (!resources) return;
  if (resources->Memory.MemoryMB != 0) vars["NOMAD_MEMORY_LIMIT"] = std::to_string(resources->Memory.MemoryMB);
  if (resources->Memory.MemoryMaxMB != 0) vars["NOMAD_MEMORY_MAX_LIMIT"] = std::to_string(resources->Memory.MemoryMaxMB);
  if (resources->Cpu.CpuShares != 0) vars["NOMAD_CPU_LIMIT"] = std::to_string(resources->Cpu.CpuShares);
  if (!resources->Cpu.ReservedCores.empty())
    vars["NOMAD_CPU_CORES"] = cpuset_text({resources->Cpu.ReservedCores.begin(), resources->Cpu.ReservedCores.end()});
}

// Ports that belong to the task itself (jobs of older make).
void add_task_ports(Vars& vars, const TaskEnvInput& in, const AllocatedTaskResources* resources) {
  if (!resources || resources->Networks.empty()) return;
  auto& network = resources->Networks[0];
  auto add = [&](const Port& port) {
    int64_t inside = port.Value;
    if (in.driver_network)
      if (auto it = in.driver_network->port_map.find(port.Label); it != in.driver_network->port_map.end() && it->second > 0)
        inside = it->second;
    vars["NOMAD_IP_" + port.Label] = network.IP;
    vars["NOMAD_ADDR_" + port.Label] = host_port(network.IP, port.Value);
    vars["NOMAD_HOST_PORT_" + port.Label] = std::to_string(port.Value);
    vars["NOMAD_PORT_" + port.Label] = std::to_string(inside);
  };
  for (auto& port : network.ReservedPorts) add(port);
  for (auto& port : network.DynamicPorts) add(port);
}

void add_other_tasks(Vars& vars, const TaskEnvInput& in) {
  if (!in.alloc.AllocatedResources) return;
  for (auto& [name, resources] : in.alloc.AllocatedResources->Tasks) {
    if (name == in.task.Name) continue;
    for (auto& network : resources.Networks) {
      auto add = [&](const Port& port) {
        auto suffix = name + "_" + port.Label;
        vars["NOMAD_ADDR_" + suffix] = host_port(network.IP, port.Value);
        vars["NOMAD_IP_" + suffix] = network.IP;
        vars["NOMAD_PORT_" + suffix] = std::to_string(port.Value);
      };
      for (auto& port : network.ReservedPorts) add(port);
      for (auto& port : network.DynamicPorts) add(port);
    }
  }
}

void add_group_ports(Vars& vars, const Allocation& alloc) {
  for (auto& port : alloc_ports(alloc)) {
    auto host = std::to_string(port.Value);
    auto inside = port.To > 0 ? std::to_string(port.To) : host;
    vars["NOMAD_IP_" + port.Label] = vars["NOMAD_HOST_IP_" + port.Label] = port.HostIP;
    vars["NOMAD_ADDR_" + port.Label] = vars["NOMAD_HOST_ADDR_" + port.Label] = host_port(port.HostIP, port.Value);
    vars["NOMAD_HOST_PORT_" + port.Label] = host;
    vars["NOMAD_PORT_" + port.Label] = vars["NOMAD_ALLOC_PORT_" + port.Label] = inside;
  }
}

void add_upstreams(Vars& vars, const TaskGroup* group) {
  if (!group) return;
  for (auto& service : group->Services) {
    if (!service.Connect || !service.Connect->SidecarService || !service.Connect->SidecarService->Proxy) continue;
    for (auto& upstream : service.Connect->SidecarService->Proxy->Upstreams) {
      auto port = std::to_string(upstream.LocalBindPort);
      for (auto& name : {upstream.DestinationName, clean_env_name(upstream.DestinationName, true)}) {
        vars["NOMAD_UPSTREAM_ADDR_" + name] = "127.0.0.1:" + port;
        vars["NOMAD_UPSTREAM_IP_" + name] = "127.0.0.1";
        vars["NOMAD_UPSTREAM_PORT_" + name] = port;
      }
    }
  }
}

// Job, group and task meta merged; for dispatched jobs the optional keys exist in any case.
std::map<std::string, std::string> merged_meta(const TaskEnvInput& in, const TaskGroup* group) {
  std::map<std::string, std::string> out;
  if (auto& job = in.alloc.Job) {
    if (job->ParameterizedJob)
      for (auto& key : job->ParameterizedJob->MetaOptional) out[key];
    for (auto& [key, value] : job->Meta) out[key] = value;
  }
  if (group)
    for (auto& [key, value] : group->Meta) out[key] = value;
  for (auto& [key, value] : in.task.Meta) out[key] = value;
  return out;
}

bool cleaned_prefix(std::string_view key) {
  constexpr std::string_view kPrefixes[] = {"NOMAD_ADDR_",      "NOMAD_IP_",         "NOMAD_PORT_",
                                            "NOMAD_HOST_PORT_", "NOMAD_META_",       "NOMAD_HOST_IP_",
                                            "NOMAD_HOST_ADDR_", "NOMAD_ALLOC_PORT_"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [&](auto p) { return key.starts_with(p); });
}

Vars node_values(const Node& node, const std::string& region) {
  auto out = node_names(node);
  out["node.region"] = region;
  return out;
}

}  // namespace

std::vector<AllocatedPortMapping> alloc_ports(const Allocation& alloc) {
  std::vector<AllocatedPortMapping> out;
  if (!alloc.AllocatedResources) return out;
  auto& shared = alloc.AllocatedResources->Shared;
  if (!shared.Ports.is_nil()) return {shared.Ports.begin(), shared.Ports.end()};
  for (auto& network : shared.Networks) {
    for (auto& p : network.ReservedPorts) out.push_back({p.Label, p.Value, p.To, network.IP});
    for (auto& p : network.DynamicPorts) out.push_back({p.Label, p.Value, p.To, network.IP});
  }
  return out;
}

std::map<std::string, std::string> inherited_env(const std::map<std::string, std::string>& host_env,
                                                 const std::vector<std::string>& denied) {
  auto out = host_env;
  for (auto& name : denied) out.erase(name);
  return out;
}

std::string RunEnv::replace(std::string_view text) const {
  return replace_env(text, [this](std::string_view name) -> std::optional<std::string> {
    if (auto it = vars.find(std::string(name)); it != vars.end()) return it->second;
    if (auto it = node.find(std::string(name)); it != node.end()) return it->second;
    return std::nullopt;
  });
}

RunEnv build_task_env(const TaskEnvInput& in) {
  RunEnv out;
  auto* group = task_group_of(in.alloc);
  auto* resources = in.alloc.AllocatedResources ? in.alloc.AllocatedResources->Tasks.find(in.task.Name) : nullptr;
  auto& vars = out.vars;
  set_if(vars, "NOMAD_ALLOC_DIR", in.dirs.alloc);
  set_if(vars, "NOMAD_TASK_DIR", in.dirs.local);
  set_if(vars, "NOMAD_SECRETS_DIR", in.dirs.secrets);
  add_identity(vars, in);
  add_resources(vars, resources);
  add_other_tasks(vars, in);
  add_task_ports(vars, in, resources);
  add_group_ports(vars, in.alloc);
  add_upstreams(vars, group);

  out.node = node_values(in.node, in.region);
  for (auto& [key, value] : merged_meta(in, group)) {
    auto name = out.replace(key), text = out.replace(value);
    vars["NOMAD_META_" + to_upper(name)] = text;
    vars["NOMAD_META_" + name] = text;
  }
  if (in.host_env)
    for (auto& [key, value] : *in.host_env) vars.emplace(key, value);
  Vars own;
  for (auto& [key, value] : in.task.Env) own[key] = out.replace(value);
  for (auto& [key, value] : own) vars[key] = value;
  for (auto* hook : in.hook_env)
    for (auto& [key, value] : *hook) vars[key] = value;

  Vars cleaned;
  for (auto& [key, value] : vars) cleaned[cleaned_prefix(key) ? clean_env_name(key) : key] = value;
  vars = std::move(cleaned);
  return out;
}

}  // namespace drover::client
