#include "client/service_core.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/strings.h"
#include "client/task_env.h"
#include "model/client_status.h"

namespace drover::client {

namespace {

constexpr std::string_view kAuto = "auto", kHost = "host", kDriver = "driver", kAlloc = "alloc";
constexpr std::string_view kProvider = "nomad";

const AllocatedPortMapping* port_of(const std::vector<AllocatedPortMapping>& ports, std::string_view label) {
  auto it = std::find_if(ports.begin(), ports.end(), [&](auto& p) { return p.Label == label; });
  return it == ports.end() ? nullptr : &*it;
}

// A port that is given as a number; `unknown` is the error of what is none.
Result<int64_t> numeric_port(std::string_view label, std::string unknown) {
  auto n = parse_int(label);
  if (!n) return internal(std::move(unknown));
  if (*n <= 0) return internal(fmt::format("invalid port: {}: port must be >0", go_quote(label)));
  return *n;
}

List<NetworkResource> networks_of(const Workload& w) {
  if (!w.alloc.AllocatedResources) return {};
  if (w.task.empty()) return w.alloc.AllocatedResources->Shared.Networks;
  auto* task = w.alloc.AllocatedResources->Tasks.find(w.task);
  return task ? task->Networks : List<NetworkResource>{};
}

std::optional<ServiceAddress> in_networks(const List<NetworkResource>& networks, std::string_view label) {
  for (auto& network : networks)
    for (auto* ports : {&network.ReservedPorts, &network.DynamicPorts})
      for (auto& port : *ports)
        if (port.Label == label && port.Value > 0) return ServiceAddress{network.IP, port.Value};
  return std::nullopt;
}

Result<ServiceAddress> custom_address(std::string_view custom, std::string_view label, const Workload& w) {
  ServiceAddress out{std::string(custom), 0};
  if (label.empty()) return out;
  auto ports = alloc_ports(w.alloc);
  if (auto* port = port_of(ports, label)) {
    out.port = port->Value;
    return out;
  }
  DROVER_TRY(out.port, numeric_port(label, fmt::format("invalid port: {}: not a valid port mapping or numeric port", go_quote(label))));
  return out;
}

Result<ServiceAddress> host_address(std::string_view label, const Workload& w) {
  auto networks = networks_of(w);
  if (label.empty()) return ServiceAddress{networks.size() == 1 ? networks[0].IP : "", 0};
  auto ports = alloc_ports(w.alloc);
  if (auto* port = port_of(ports, label)) return ServiceAddress{port->HostIP, port->Value};
  if (auto found = in_networks(networks, label)) return *found;
  DROVER_TRY(auto port, numeric_port(label, fmt::format("invalid port {}: port label not found", go_quote(label))));
  return ServiceAddress{"", port};
}

Result<ServiceAddress> driver_address(std::string_view label, const Workload& w) {
  if (!w.driver_network) return internal("cannot use address_mode=\"driver\": no driver network exists");
  auto& network = *w.driver_network;
  if (label.empty()) return ServiceAddress{network.ip, 0};
  auto ports = alloc_ports(w.alloc);
  if (auto* port = port_of(ports, label)) return ServiceAddress{network.ip, port->To};
  if (auto it = network.port_map.find(std::string(label)); it != network.port_map.end()) return ServiceAddress{network.ip, it->second};
  DROVER_TRY(auto port, numeric_port(label, fmt::format("invalid port label {}: port labels in driver address_mode must be numeric or "
                                                        "in the driver's port map", go_quote(label))));
  return ServiceAddress{network.ip, port};
}

Result<ServiceAddress> alloc_address(std::string_view label, const Workload& w) {
  if (!w.network_status || w.network_status->Address.empty())
    return internal("cannot use address_mode=\"alloc\": no allocation network status reported");
  auto& ip = w.network_status->Address;
  if (label.empty()) return ServiceAddress{ip, 0};
  auto ports = alloc_ports(w.alloc);
  if (auto* port = port_of(ports, label)) return ServiceAddress{ip, port->To > 0 ? port->To : port->Value};
  DROVER_TRY(auto port, numeric_port(label, fmt::format("invalid port {}: port label not found", go_quote(label))));
  return ServiceAddress{ip, port};
}

void replace_in(std::string& s, const RunEnv& env) { s = env.replace(s); }
void replace_in(List<std::string>& list, const RunEnv& env) {
  for (auto& s : list) s = env.replace(s);
}
void replace_in(Map<std::string>& map, const RunEnv& env) {
  Map<std::string> out;
  for (auto& [key, value] : map) out.set(env.replace(key), env.replace(value));
  if (!map.empty()) map = std::move(out);
}

Service replaced(Service s, const RunEnv& env) {
  for (auto* text : {&s.Name, &s.PortLabel, &s.Address}) replace_in(*text, env);
  replace_in(s.Tags, env);
  replace_in(s.CanaryTags, env);
  for (auto* map : {&s.Meta, &s.CanaryMeta, &s.TaggedAddresses}) replace_in(*map, env);
  for (auto& c : s.Checks) {
    for (auto* text : {&c.Name, &c.Type, &c.Command, &c.Path, &c.Protocol, &c.PortLabel, &c.InitialStatus, &c.Method, &c.GRPCService})
      replace_in(*text, env);
    replace_in(c.Args, env);
    Map<List<std::string>> header;
    for (auto& [key, values] : c.Header) {
      auto copy = values;
      replace_in(copy, env);
      header.set(env.replace(key), std::move(copy));
    }
    if (!c.Header.empty()) c.Header = std::move(header);
  }
  return s;
}

const List<Service>* services_of(const Allocation& alloc, std::string_view task) {
  auto* group = task_group_of(alloc);
  if (!group) return nullptr;
  if (task.empty()) return &group->Services;
  auto* found = find_task(*group, task);
  return found ? &found->Services : nullptr;
}

std::string md5_hex(std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!EVP_Digest(text.data(), text.size(), out, &size, EVP_md5(), nullptr)) return "";
  return hex_encode(std::string_view(reinterpret_cast<char*>(out), size));
}

std::string check_id(const Allocation& alloc, const std::string& service, const ServiceCheck& c) {
  // The service is part of it, so that equal checks of two services are two.
  return md5_hex(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", alloc.ID.str(), alloc.Name.view(), service, c.TaskName, c.Name, c.Type,
                             c.PortLabel, c.OnUpdate, c.AddressMode, c.Interval.count(), c.Timeout.count(), c.Protocol, c.Path, c.Method));
}

}  // namespace

Result<ServiceAddress> resolve_address(std::string_view custom, std::string_view mode, std::string_view label, const Workload& w) {
  if (mode.empty() || mode == kAuto) {
    if (!custom.empty()) return custom_address(custom, label, w);
    bool advertised = w.driver_network && w.driver_network->auto_advertise && !w.driver_network->ip.empty();
    return advertised ? driver_address(label, w) : host_address(label, w);
  }
  if (!custom.empty()) return internal(fmt::format("cannot use custom advertise address with {} address mode", go_quote(mode)));
  if (mode == kHost) return host_address(label, w);
  if (mode == kDriver) return driver_address(label, w);
  if (mode == kAlloc) return alloc_address(label, w);
  return internal("invalid address mode " + go_quote(mode));
}

std::vector<Service> nomad_services(const Workload& w) {
  std::vector<Service> out;
  if (auto* services = services_of(w.alloc, w.task))
    for (auto& s : *services)
      if (s.Provider == kProvider) out.push_back(replaced(s, w.env));
  return out;
}

bool has_nomad_services(const Allocation& alloc, std::string_view task) {
  auto* services = services_of(alloc, task);
  return services && std::any_of(services->begin(), services->end(), [](auto& s) { return s.Provider == kProvider; });
}

std::string service_id(const Uuid& alloc, std::string_view group, std::string_view task, const Service& s) {
  auto name = task.empty() ? "group-" + std::string(group) : std::string(task);
  return fmt::format("_nomad-task-{}-{}-{}-{}", alloc.str(), name, s.Name, s.PortLabel);
}

Result<List<ServiceRegistration>> registrations_of(const Workload& w) {
  List<ServiceRegistration> out;
  bool canary = w.alloc.DeploymentStatus && w.alloc.DeploymentStatus->Canary;
  for (auto& s : nomad_services(w)) {
    DROVER_TRY(auto address, resolve_address(s.Address, s.AddressMode, s.PortLabel, w));
    auto& r = out.emplace_back();
    r.ID = service_id(w.alloc.ID, w.alloc.TaskGroup.view(), w.task, s);
    r.ServiceName = s.Name;
    r.Namespace = w.alloc.Namespace;
    r.NodeID = w.node_id;
    r.Datacenter = w.datacenter;
    r.JobID = w.alloc.JobID;
    r.AllocID = w.alloc.ID;
    r.Tags = canary && !s.CanaryTags.empty() ? s.CanaryTags : s.Tags;
    r.Tags.vec();  // never null
    r.Address = std::move(address.ip);
    r.Port = address.port;
  }
  return out;
}

std::vector<std::string> registration_ids(const Workload& w) {
  std::vector<std::string> out;
  for (auto& s : nomad_services(w)) out.push_back(service_id(w.alloc.ID, w.alloc.TaskGroup.view(), w.task, s));
  return out;
}

bool CheckPlan::same_as(const CheckPlan& o) const {
  if (id != o.id || service != o.service || task != o.task || !(check == o.check) || address.has_value() != o.address.has_value()) return false;
  if (!address) return address.error().message == o.address.error().message;
  return address->ip == o.address->ip && address->port == o.address->port;
}

std::vector<CheckPlan> checks_of(const Workload& w) {
  std::vector<CheckPlan> out;
  for (auto& s : nomad_services(w))
    for (auto& c : s.Checks) {
      auto& plan = out.emplace_back();
      plan.id = check_id(w.alloc, s.Name, c);
      plan.owner = w.task;
      plan.service = s.Name;
      plan.task = w.task.empty() ? s.TaskName : std::string(w.task);
      plan.check = c;
      plan.readiness = c.OnUpdate == "ignore";
      auto mode = !c.AddressMode.empty() ? std::string_view(c.AddressMode) : s.Address.empty() ? kHost : kAuto;
      auto label = c.PortLabel.empty() ? s.PortLabel : c.PortLabel;
      auto custom = mode == kAuto ? std::string_view(s.Address) : std::string_view();
      plan.address = resolve_address(custom, mode, label, w);
    }
  return out;
}

CheckQueryResult pending_result(const CheckPlan& plan, const Allocation& alloc, Time now) {
  CheckQueryResult out;
  out.ID = plan.id;
  out.Mode = plan.readiness ? "readiness" : "healthiness";
  out.Status = "pending";
  out.Output = "nomad: waiting to run";
  out.Timestamp = now.unix_seconds();
  out.Group = alloc.Name;
  out.Task = plan.task;
  out.Service = plan.service;
  out.Check = plan.check.Name;
  return out;
}

bool checks_pass(const std::vector<std::string>& ids, const Map<CheckQueryResult>& results) {
  return std::all_of(ids.begin(), ids.end(), [&](auto& id) {
    auto* r = results.find(id);
    return r && (r->Status == "success" || (r->Status == "failure" && r->Mode == "readiness"));
  });
}

bool CheckRestartWatch::observe(std::string_view status, Time now) {
  if (status != "failure") {
    if (status == "success") failing_since_.reset();
    return false;
  }
  if (now < grace_until_) return false;
  if (!failing_since_) failing_since_ = now;
  return now >= *failing_since_ + limit_;
}

}  // namespace drover::client
