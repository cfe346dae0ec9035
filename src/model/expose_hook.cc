// Checks that a sidecar's proxy exposes (reference jobspec sections 7.2 and 7.3).
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "model/admission_hooks.h"

namespace drover::admission {
namespace {

std::string bridge_problem(const TaskGroup& group) {
  if (group.Networks.size() != 1)
    return fmt::format("group {} must specify one bridge network for exposing service check(s)", go_quote(group.Name));
  if (group.Networks.front().Mode != "bridge")
    return fmt::format("group {} must use bridge network for exposing service check(s)", go_quote(group.Name));
  return "";
}

bool exposable(const ServiceCheck& check) {
  return check.Expose && check.Path.starts_with('/') && (check.Type == "http" || check.Type == "grpc");
}

bool has_sidecar(const Service& service) { return service.Connect && service.Connect->SidecarService; }

// A stable name for a check's port: any hash does, as long as the same check gets the same name.
std::string check_digest(const Service& service, const ServiceCheck& check) {
  uint64_t hash = 0xcbf29ce484222325;
  for (auto& text : {service.Name, check.Name, check.Type, check.Path, check.Protocol, check.Method}) {
    for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  }
  return fmt::format("{:016x}", hash).substr(0, 6);
}

// The port that the service listens on inside the network namespace, 0 when it cannot be told yet.
int64_t local_port(const TaskGroup& group, const Service& service) {
  for (auto& network : group.Networks)
    for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
      for (auto& port : *ports)
        if (port.Label == service.PortLabel && port.Value > 0) return port.Value;
  return parse_int(service.PortLabel).value_or(0);
}

Status expose(ServiceCheck& check, Service& service, TaskGroup& group) {
  if (auto problem = bridge_problem(group); !problem.empty()) return invalid(problem);
  if (check.PortLabel.empty()) {
    check.PortLabel = fmt::format("svc_{}_ck_{}", service.Name, check_digest(service, check));
    group.Networks.front().DynamicPorts.push_back({.Label = check.PortLabel, .To = -1, .HostNetwork = "default"});
  }
  int64_t port = local_port(group, service);
  if (port <= 0)
    return invalid(fmt::format("unable to determine local service port for service check {}->{}->{}", group.Name,
                               service.Name, check.Name));
  ConsulExposePath path{check.Path, check.Protocol, port, check.PortLabel};
  auto& paths = service.Connect->SidecarService->Proxy.ensure().Expose.ensure().Paths;
  if (!paths.contains(path)) paths.push_back(std::move(path));
  return {};
}

std::string group_problem(const TaskGroup& group) {
  auto exposes = [](const Service& service) {
    return std::any_of(service.Checks.begin(), service.Checks.end(), [](auto& check) { return check.Expose; });
  };
  if (std::any_of(group.Services.begin(), group.Services.end(), exposes))
    if (auto problem = bridge_problem(group); !problem.empty()) return problem;
  for (auto& service : group.Services)
    for (auto& check : service.Checks)
      if (check.Expose && !has_sidecar(service))
        return fmt::format("exposed service check {}->{}->{} requires use of sidecar_proxy", group.Name, service.Name,
                           check.Name);
  for (auto& task : group.Tasks)
    for (auto& service : task.Services)
      for (auto& check : service.Checks)
        if (check.Expose)
          return fmt::format("exposed service check {}[{}]->{}->{} is not a task-group service", group.Name, task.Name,
                             service.Name, check.Name);
  return "";
}

}  // namespace

Status expose_mutate(Job& job) {
  for (auto& group : job.TaskGroups)
    for (auto& service : group.Services)
      for (auto& check : service.Checks)
        if (exposable(check) && has_sidecar(service)) DROVER_CHECK(expose(check, service, group));
  return {};
}

std::string expose_problem(const Job& job) {
  for (auto& group : job.TaskGroups)
    if (auto problem = group_problem(group); !problem.empty()) return problem;
  return "";
}

}  // namespace drover::admission
