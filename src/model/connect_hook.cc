// Consul Connect at submission (reference jobspec sections 7.1 and 7.3).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "model/admission_hooks.h"
#include "model/canonicalize.h"
#include "model/env_text.h"
#include "model/interpolate.h"
#include "model/job_defaults.h"
#include "model/task_kind.h"

namespace drover::admission {
namespace {

Task* find_kind(TaskGroup& group, const std::string& kind) {
  for (auto& task : group.Tasks)
    if (task.Kind == kind) return &task;
  return nullptr;
}

bool uses_driver(const TaskGroup& group, std::string_view driver) {
  return std::any_of(group.Tasks.begin(), group.Tasks.end(), [&](auto& t) { return t.Driver == driver; });
}

void add_port(TaskGroup& group, const std::string& label) {
  auto& ports = group.Networks.front().DynamicPorts;
  for (auto& port : ports)
    if (port.Label == label) return;
  ports.push_back({.Label = label, .To = -1, .HostNetwork = "default"});
}

// What sidecars and gateways have alike.
Task envoy_task(std::string name, std::string kind, std::string driver, std::string_view image) {
  Task task;
  task.Name = std::move(name);
  task.Kind = std::move(kind);
  task.Driver = std::move(driver);
  task.Config = {{"image", Value(image)},
                 {"args", Value(List<Value>{Value("-c"), Value("${NOMAD_SECRETS_DIR}/envoy_bootstrap.json"), Value("-l"),
                                            Value("${meta.connect.log_level}"), Value("--concurrency"),
                                            Value("${meta.connect.proxy_concurrency}"), Value("--disable-hot-restart")})}};
  task.ShutdownDelay = 5s;
  task.LogConfig = LogConfig{.MaxFiles = 2, .MaxFileSizeMB = 2};
  task.Resources = Resources{.CPU = 250, .MemoryMB = 128};
  task.Constraints = {{"${attr.consul.version}", ">= 1.8.0", "semver"}, {"${attr.consul.grpc}", "0", ">"}};
  return task;
}

template <class T>
void overlay(T& to, const T& from) {
  for (auto& [key, value] : from) to[key] = value;
}

void overlay(Resources& to, const Resources& from) {
  for (auto member : {&Resources::CPU, &Resources::Cores, &Resources::MemoryMB, &Resources::MemoryMaxMB, &Resources::DiskMB})
    if (from.*member != 0) to.*member = from.*member;
  if (!from.Networks.empty()) to.Networks = from.Networks;
  if (!from.Devices.empty()) to.Devices = from.Devices;
}

// The author's sidecar_task over the task that was made.
void merge(const SidecarTask& from, Task& to) {
  if (!from.Name.empty()) to.Name = from.Name;
  if (!from.Driver.empty() && from.Driver != to.Driver) {
    to.Driver = from.Driver;
    to.Config = from.Config;
  } else {
    overlay(to.Config, from.Config);
  }
  if (!from.User.empty()) to.User = from.User;
  overlay(to.Env, from.Env);
  overlay(to.Meta, from.Meta);
  if (from.Resources) overlay(to.Resources.ensure(), *from.Resources);
  if (from.KillTimeout) to.KillTimeout = *from.KillTimeout;
  if (from.ShutdownDelay) to.ShutdownDelay = *from.ShutdownDelay;
  if (!from.KillSignal.empty()) to.KillSignal = from.KillSignal;
  if (!from.LogConfig) return;
  auto& logs = to.LogConfig.ensure();
  if (from.LogConfig->MaxFiles > 0) logs.MaxFiles = from.LogConfig->MaxFiles;
  if (from.LogConfig->MaxFileSizeMB > 0) logs.MaxFileSizeMB = from.LogConfig->MaxFileSizeMB;
}

std::string six_hex(Random* random) {
  return fmt::format("{:06x}", (random ? random->next() : 0) & 0xffffff);
}

void sidecar(Service& service, TaskGroup& group, const Job& job, Random* random) {
  auto kind = task_kind(kConnectProxyPrefix, service.Name);
  auto name = fmt::format("{}-{}", kConnectProxyPrefix, service.Name);
  auto port = service.Connect->SidecarService->Port.empty() ? name : service.Connect->SidecarService->Port;
  auto* task = find_kind(group, kind);
  if (!task) {
    bool podman = uses_driver(group, "podman") && !uses_driver(group, "docker");
    auto taken = [&](auto& t) { return t.Name == name; };
    if (std::any_of(group.Tasks.begin(), group.Tasks.end(), taken)) name += "-" + six_hex(random);
    auto made = envoy_task(name, kind, podman ? "podman" : "docker", "${meta.connect.sidecar_image}");
    made.Lifecycle = TaskLifecycleConfig{.Hook = "prestart", .Sidecar = true};
    group.Tasks.push_back(std::move(made));
    task = &group.Tasks.back();
  }
  if (service.Connect->SidecarTask) merge(*service.Connect->SidecarTask, *task);
  canonicalize(*task, job, group);
  add_port(group, port);
}

// The task behind a native service: the one that it names, or the only one.
Result<Task*> native_task(TaskGroup& group, const Service& service) {
  if (service.TaskName.empty()) {
    if (group.Tasks.size() == 1) return &group.Tasks.front();
    return invalid(fmt::format("task for Consul Connect Native service {}->{} is ambiguous and must be set", group.Name,
                               service.Name));
  }
  for (auto& task : group.Tasks)
    if (task.Name == service.TaskName) return &task;
  return invalid(fmt::format("task {} named by Consul Connect Native service {}->{} does not exist", service.TaskName,
                             group.Name, service.Name));
}

void default_binds(const ConsulGateway& gateway, Map<ConsulGatewayBindAddress>& binds) {
  auto anywhere = [](int64_t port) { return ConsulGatewayBindAddress{.Address = "0.0.0.0", .Port = port}; };
  if (gateway.Ingress) {
    for (auto& listener : gateway.Ingress->Listeners)
      for (auto& service : listener.Services) binds[service.Name] = anywhere(listener.Port);
  } else if (gateway.Terminating) {
    binds["default"] = anywhere(-1);
  } else {
    binds["wan"] = anywhere(-1);
    binds["lan"] = anywhere(-1);
  }
}

void fill_proxy(ConsulGateway& gateway, std::string_view network_mode) {
  auto& proxy = gateway.Proxy.ensure();
  if (proxy.EnvoyGatewayNoDefaultBind || proxy.EnvoyGatewayBindTaggedAddresses || !proxy.EnvoyGatewayBindAddresses.empty())
    return;
  if (!proxy.ConnectTimeout) proxy.ConnectTimeout = Duration(5s);
  if (network_mode != "bridge") return;
  proxy.EnvoyGatewayNoDefaultBind = true;
  proxy.EnvoyGatewayBindTaggedAddresses = false;
  proxy.EnvoyGatewayBindAddresses.vec();
  default_binds(gateway, proxy.EnvoyGatewayBindAddresses);
}

bool tuned_tls(const ConsulGateway& gateway) {
  auto* tls = gateway.Ingress ? gateway.Ingress->TLS.get() : nullptr;
  return tls && (!tls->TLSMinVersion.empty() || !tls->TLSMaxVersion.empty() || !tls->CipherSuites.empty());
}

Status gateway_ports(Service& service, TaskGroup& group) {
  auto& gateway = *service.Connect->Gateway;
  if (gateway.Terminating && service.PortLabel.empty()) {
    service.PortLabel = fmt::format("{}-{}", kConnectTerminatingPrefix, service.Name);
    add_port(group, service.PortLabel);
  }
  if (gateway.Mesh) {
    if (service.PortLabel.empty()) return invalid("service.port must be set for mesh gateway service");
    add_port(group, fmt::format("{}-{}-lan", kConnectMeshPrefix, service.Name));
  }
  return {};
}

Status gateway(Service& service, TaskGroup& group, const Job& job) {
  auto& gateway = *service.Connect->Gateway;
  auto& mode = group.Networks.front().Mode;
  fill_proxy(gateway, mode);
  DROVER_CHECK(gateway_ports(service, group));
  auto prefix = gateway.Ingress ? kConnectIngressPrefix : gateway.Terminating ? kConnectTerminatingPrefix : kConnectMeshPrefix;
  for (auto any : {kConnectIngressPrefix, kConnectTerminatingPrefix, kConnectMeshPrefix})
    if (find_kind(group, task_kind(any, service.Name))) return {};
  auto task = envoy_task(fmt::format("{}-{}", prefix, service.Name), task_kind(prefix, service.Name), "docker",
                         "${meta.connect.gateway_image}");
  if (mode == "host") task.Config["network_mode"] = Value("host");
  if (tuned_tls(gateway)) task.Constraints.push_back({"${attr.consul.version}", ">= 1.11.2", "semver"});
  if (service.Connect->SidecarTask) merge(*service.Connect->SidecarTask, task);
  canonicalize(task, job, group);
  group.Tasks.push_back(std::move(task));
  return {};
}

Status mutate(Service& service, TaskGroup& group, const Job& job, Random* random) {
  auto& connect = *service.Connect;
  if (connect.SidecarService || connect.Gateway) service.Name = replace_env(service.Name, submission_env(job, group));
  if (connect.SidecarService) {
    sidecar(service, group, job, random);
  } else if (connect.Native) {
    DROVER_TRY(auto* task, native_task(group, service));
    task->Kind = task_kind(kConnectNativePrefix, service.Name);
    service.TaskName = task->Name;
  } else if (connect.Gateway) {
    return gateway(service, group, job);
  }
  return {};
}

std::string sidecar_problem(const TaskGroup& group, const Service& service) {
  auto group_name = go_quote(group.Name), service_name = go_quote(service.Name);
  if (group.Networks.size() != 1)
    return fmt::format("Consul Connect sidecars require exactly 1 network, found {} in group {}", group.Networks.size(),
                       group_name);
  if (auto& mode = group.Networks.front().Mode; mode != "bridge")
    return fmt::format("Consul Connect sidecar requires bridge network, found {} in group {}", go_quote(mode), group_name);
  if (to_lower(service.Name) != service.Name)
    return fmt::format("Consul Connect service name {} in group {} must not contain uppercase characters", service_name,
                       group_name);
  if (to_lower(group.Name) != group.Name)
    return fmt::format("Consul Connect group {} with service {} must not contain uppercase characters", group_name,
                       service_name);
  return "";
}

std::string gateway_problem(const TaskGroup& group) {
  if (group.Networks.size() != 1)
    return fmt::format("Consul Connect gateways require exactly 1 network, found {} in group {}", group.Networks.size(),
                       go_quote(group.Name));
  auto& mode = group.Networks.front().Mode;
  if (mode != "bridge" && mode != "host")
    return R"(Consul Connect Gateway service requires Task Group with network mode of type "bridge" or "host")";
  return "";
}

std::string upstreams_problem(const TaskGroup& group) {
  std::map<std::string, std::string> users;  // address -> service
  for (auto& service : group.Services) {
    if (!service.Connect || !service.Connect->SidecarService || !service.Connect->SidecarService->Proxy) continue;
    for (auto& upstream : service.Connect->SidecarService->Proxy->Upstreams) {
      bool v6 = upstream.LocalBindAddress.find(':') != std::string::npos;
      auto address = fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), upstream.LocalBindAddress, upstream.LocalBindPort);
      auto [at, fresh] = users.emplace(address, service.Name);
      if (!fresh)
        return fmt::format("Consul Connect services {} and {} in group {} using same address for upstreams ({})",
                           go_quote(service.Name), go_quote(at->second), go_quote(group.Name), address);
    }
  }
  return "";
}

std::string group_problem(const TaskGroup& group) {
  for (auto& service : group.Services) {
    if (!service.Connect) continue;
    std::string problem;
    if (service.Connect->SidecarService) {
      problem = sidecar_problem(group, service);
    } else if (service.Connect->Native) {
      auto found = native_task(const_cast<TaskGroup&>(group), service);
      if (!found) problem = found.error().message;
    } else if (service.Connect->Gateway) {
      problem = gateway_problem(group);
    }
    if (!problem.empty()) return problem;
  }
  return upstreams_problem(group);
}

}  // namespace

Status connect_mutate(Job& job, Random* random) {
  for (auto& group : job.TaskGroups) {
    // Without a network there is nothing to put a proxy in; validation says so.
    if (group.Networks.empty()) continue;
    for (auto& service : group.Services)
      if (service.Connect) DROVER_CHECK(mutate(service, group, job, random));
  }
  return {};
}

std::string connect_problem(const Job& job) {
  for (auto& group : job.TaskGroups)
    if (auto problem = group_problem(group); !problem.empty()) return problem;
  return "";
}

}  // namespace drover::admission
