#include "model/interpolate.h"

#include <memory>

#include "base/strings.h"

namespace drover {
namespace {

void replace_all_in(const TaskEnv& env, std::string& text) { text = env.replace(text); }

void replace_all_in(const TaskEnv& env, List<std::string>& texts) {
  for (auto& text : texts) replace_all_in(env, text);
}

void replace_all_in(const TaskEnv& env, Map<std::string>& map) {
  if (map.is_nil()) return;
  auto out = Map<std::string>::empty_map();
  for (auto& [key, value] : map) out[env.replace(key)] = env.replace(value);
  map = std::move(out);
}

// Keys and text values of the top level; what is nested stays.
void replace_all_in(const TaskEnv& env, Map<Value>& config) {
  if (config.is_nil()) return;
  auto out = Map<Value>::empty_map();
  for (auto& [key, value] : config) {
    auto* text = value.as_string();
    out[env.replace(key)] = text ? Value(env.replace(*text)) : value;
  }
  config = std::move(out);
}

void replace_in_header(const TaskEnv& env, Map<List<std::string>>& header) {
  if (header.is_nil()) return;
  auto out = Map<List<std::string>>::empty_map();
  for (auto& [key, values] : header) {
    auto replaced = values;
    replace_all_in(env, replaced);
    out[env.replace(key)] = std::move(replaced);
  }
  header = std::move(out);
}

void replace_in_check(const TaskEnv& env, ServiceCheck& check) {
  for (auto* text : {&check.Name, &check.Type, &check.Command, &check.Path, &check.Protocol, &check.PortLabel,
                     &check.InitialStatus, &check.Method, &check.GRPCService})
    replace_all_in(env, *text);
  replace_all_in(env, check.Args);
  replace_in_header(env, check.Header);
}

void replace_in_proxy(const TaskEnv& env, ConsulProxy& proxy) {
  replace_all_in(env, proxy.LocalServiceAddress);
  if (proxy.Expose)
    for (auto& path : proxy.Expose->Paths)
      for (auto* text : {&path.Path, &path.Protocol, &path.ListenerPort}) replace_all_in(env, *text);
  for (auto& upstream : proxy.Upstreams) {
    for (auto* text : {&upstream.Datacenter, &upstream.DestinationName, &upstream.LocalBindAddress})
      replace_all_in(env, *text);
    replace_all_in(env, upstream.Config);
  }
  replace_all_in(env, proxy.Config);
}

void replace_in_sidecar_task(const TaskEnv& env, SidecarTask& task) {
  for (auto* text : {&task.Driver, &task.KillSignal, &task.User}) replace_all_in(env, *text);
  replace_all_in(env, task.Config);
  replace_all_in(env, task.Env);
  replace_all_in(env, task.Meta);
  if (!task.Resources) return;
  for (auto& device : task.Resources->Devices) replace_all_in(env, device.Name);
  for (auto& network : task.Resources->Networks) network = env.replace(std::move(network));
}

void replace_in_gateway(const TaskEnv& env, ConsulGateway& gateway) {
  if (auto* proxy = gateway.Proxy.get()) {
    if (!proxy->EnvoyGatewayBindAddresses.is_nil()) {
      auto binds = Map<ConsulGatewayBindAddress>::empty_map();
      for (auto& [name, bind] : proxy->EnvoyGatewayBindAddresses)
        binds[env.replace(name)] = {env.replace(bind.Address), bind.Port};
      proxy->EnvoyGatewayBindAddresses = std::move(binds);
    }
    replace_all_in(env, proxy->Config);
  }
  if (!gateway.Ingress) return;
  for (auto& listener : gateway.Ingress->Listeners) {
    replace_all_in(env, listener.Protocol);
    for (auto& service : listener.Services) {
      replace_all_in(env, service.Name);
      replace_all_in(env, service.Hosts);
    }
  }
}

void replace_in_connect(const TaskEnv& env, ConsulConnect& connect) {
  if (auto* sidecar = connect.SidecarService.get()) {
    replace_all_in(env, sidecar->Port);
    replace_all_in(env, sidecar->Tags);
    if (sidecar->Proxy) replace_in_proxy(env, *sidecar->Proxy);
  }
  if (connect.SidecarTask) replace_in_sidecar_task(env, *connect.SidecarTask);
  if (connect.Gateway) replace_in_gateway(env, *connect.Gateway);
}

void put_meta(const Map<std::string>& meta, std::map<std::string, std::string>& env) {
  for (auto& [key, value] : meta) {
    env[clean_env_name("NOMAD_META_" + key)] = value;
    env[clean_env_name("NOMAD_META_" + to_upper(key))] = value;
  }
}

}  // namespace

std::optional<std::string> TaskEnv::find(std::string_view name) const {
  std::string key(name);
  if (auto at = env_.find(key); at != env_.end()) return at->second;
  if (auto at = node_.find(key); at != node_.end()) return at->second;
  return std::nullopt;
}

std::string TaskEnv::replace(std::string_view text) const {
  return replace_env(text, [this](std::string_view name) { return find(name); });
}

Service TaskEnv::replace(Service service) const {
  for (auto* text : {&service.Name, &service.PortLabel, &service.Address}) replace_all_in(*this, *text);
  replace_all_in(*this, service.Tags);
  replace_all_in(*this, service.CanaryTags);
  for (auto* map : {&service.Meta, &service.CanaryMeta, &service.TaggedAddresses}) replace_all_in(*this, *map);
  for (auto& check : service.Checks) replace_in_check(*this, check);
  if (service.Connect) replace_in_connect(*this, *service.Connect);
  return service;
}

NetworkResource TaskEnv::replace(NetworkResource network) const {
  replace_all_in(*this, network.Hostname);
  if (network.DNS)
    for (auto* texts : {&network.DNS->Servers, &network.DNS->Searches, &network.DNS->Options}) replace_all_in(*this, *texts);
  return network;
}

std::map<std::string, std::string> node_names(const Node& node) {
  std::map<std::string, std::string> out;
  out["node.unique.id"] = node.ID.str();
  out["node.unique.name"] = std::string(node.Name);
  out["node.datacenter"] = std::string(node.Datacenter);
  out["node.class"] = std::string(node.NodeClass);
  for (auto& [key, value] : node.Attributes) out["attr." + key] = std::string(value);
  for (auto& [key, value] : node.Meta) out["meta." + key] = std::string(value);
  return out;
}

std::string clean_env_name(std::string_view name, bool whole) {
  std::string out(name);
  for (size_t i = 0; i < out.size(); ++i) {
    char c = out[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
    bool digit = c >= '0' && c <= '9';
    if (!letter && !(digit && !(whole && i == 0))) out[i] = '_';
  }
  return out;
}

void add_meta(const Job& job, const TaskGroup& group, const Task* task, std::map<std::string, std::string>& env) {
  // A dispatched job's optional keys exist even when they were not given.
  if (job.ParameterizedJob && job.Dispatched)
    for (auto& key : job.ParameterizedJob->MetaOptional) put_meta({{key, ""}}, env);
  put_meta(job.Meta, env);
  put_meta(group.Meta, env);
  if (task) put_meta(task->Meta, env);
}

EnvLookup submission_env(const Job& job, const TaskGroup& group) {
  std::map<std::string, std::string> env{{"NOMAD_JOB_ID", job.ID},
                                         {"NOMAD_JOB_NAME", job.Name},
                                         {"NOMAD_GROUP_NAME", group.Name},
                                         {"NOMAD_ALLOC_INDEX", "0"}};
  add_meta(job, group, nullptr, env);
  return [env = std::move(env)](std::string_view name) -> std::optional<std::string> {
    auto at = env.find(std::string(name));
    return at == env.end() ? std::nullopt : std::optional(at->second);
  };
}

}  // namespace drover
