#include "base/strings.h"
#include "model/canonicalize_api.h"
#include "model/job_defaults.h"

namespace drover::api_canonical {
namespace {

// The last element of a slash-separated path, as Go's path.Base gives it.
std::string_view base_name(std::string_view path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path == "/") return path;
  return path.substr(path.rfind('/') + 1);
}

void fill_artifact(api::TaskArtifact& artifact) {
  fill(artifact.GetterMode, "any");
  fill(artifact.GetterSource, "");
  null_if_empty(artifact.GetterOptions);
  null_if_empty(artifact.GetterHeaders);
  if (artifact.RelativeDest) return;
  if (*artifact.GetterMode != "file") {
    artifact.RelativeDest = "local/";
    return;
  }
  auto base = base_name(*artifact.GetterSource);
  artifact.RelativeDest = base == "." || base == "/" ? "local" : "local/" + std::string(base);
  if (base == "..") artifact.RelativeDest = ".";
}

void fill_template(api::Template& tmpl) {
  for (auto* text : {&tmpl.SourcePath, &tmpl.DestPath, &tmpl.EmbeddedTmpl}) fill(*text, "");
  fill(tmpl.ChangeMode, "restart");
  if (tmpl.ChangeSignal)
    tmpl.ChangeSignal = to_upper(*tmpl.ChangeSignal);
  else
    tmpl.ChangeSignal = *tmpl.ChangeMode == "signal" ? "SIGHUP" : "";
  if (auto* script = tmpl.ChangeScript.get()) {
    fill(script->Command, "");
    script->Args.vec();
    fill(script->Timeout, Duration(5s));
    fill(script->FailOnError, false);
  }
  fill(tmpl.Splay, Duration(5s));
  fill(tmpl.Perms, "0644");
  fill(tmpl.LeftDelim, "{{");
  fill(tmpl.RightDelim, "}}");
  fill(tmpl.Envvars, false);
  fill(tmpl.ErrMissingKey, false);
  fill(tmpl.VaultGrace, Duration(0));
}

void fill_vault(api::Vault& vault) {
  fill(vault.Env, true);
  fill(vault.Namespace, "");
  fill(vault.ChangeMode, "restart");
  fill(vault.ChangeSignal, "SIGHUP");
}

void fill_logs(Box<api::LogConfig>& logs) { fill_nulls(logs.ensure(), default_log_config()); }

void fill_csi_plugin(api::TaskCSIPluginConfig& plugin) {
  if (plugin.MountDir.empty()) plugin.MountDir = "/csi";
  if (plugin.StagePublishBaseDir.empty()) plugin.StagePublishBaseDir = "/local/csi";
  if (plugin.HealthTimeout == 0s) plugin.HealthTimeout = 30s;
}

void fill_proxy(api::ConsulProxy& proxy) {
  for (auto* expose : {proxy.Expose.get(), proxy.ExposeConfig.get()}) {
    if (!expose) continue;
    null_if_empty(expose->Path);
    null_if_empty(expose->Paths);
  }
  null_if_empty(proxy.Upstreams);
  for (auto& upstream : proxy.Upstreams) null_if_empty(upstream.Config);
  null_if_empty(proxy.Config);
}

void fill_sidecar_task(api::SidecarTask& task) {
  null_if_empty(task.Config);
  null_if_empty(task.Env);
  null_if_empty(task.Meta);
  fill_resources(task.Resources.ensure());
  fill_logs(task.LogConfig);
  fill(task.KillTimeout, kDefaultKillTimeout);
  fill(task.ShutdownDelay, Duration(0));
}

void fill_gateway(api::ConsulGateway& gateway) {
  if (auto* proxy = gateway.Proxy.get()) {
    fill(proxy->ConnectTimeout, Duration(5s));
    null_if_empty(proxy->EnvoyGatewayBindAddresses);
    null_if_empty(proxy->Config);
  }
  if (auto* ingress = gateway.Ingress.get()) {
    null_if_empty(ingress->Listeners);
    for (auto& listener : ingress->Listeners) {
      if (listener.Protocol.empty()) listener.Protocol = "tcp";
      null_if_empty(listener.Services);
      for (auto& service : listener.Services) null_if_empty(service.Hosts);
    }
  }
  if (gateway.Terminating) null_if_empty(gateway.Terminating->Services);
}

void fill_connect(api::ConsulConnect& connect) {
  if (auto* sidecar = connect.SidecarService.get()) {
    null_if_empty(sidecar->Tags);
    null_if_empty(sidecar->Meta);
    if (sidecar->Proxy) fill_proxy(*sidecar->Proxy);
  }
  if (connect.SidecarTask) fill_sidecar_task(*connect.SidecarTask);
  if (connect.Gateway) fill_gateway(*connect.Gateway);
}

// The service's check_restart with the check's laid over it.
Box<api::CheckRestart> merged(const Box<api::CheckRestart>& service, const Box<api::CheckRestart>& check) {
  if (!service || !check) return service ? service : check;
  auto out = service;
  if (check->Limit > 0) out->Limit = check->Limit;
  if (check->Grace) out->Grace = check->Grace;
  if (check->IgnoreWarnings) out->IgnoreWarnings = true;
  return out;
}

void fill_check(api::ServiceCheck& check, const api::Service& service) {
  check.CheckRestart = merged(service.CheckRestart, check.CheckRestart);
  if (check.CheckRestart) fill(check.CheckRestart->Grace, Duration(1s));
  check.SuccessBeforePassing = std::max<int64_t>(check.SuccessBeforePassing, 0);
  check.FailuresBeforeCritical = std::max<int64_t>(check.FailuresBeforeCritical, 0);
  if (check.OnUpdate.empty()) check.OnUpdate = service.OnUpdate;
}

}  // namespace

void fill_resources(api::Resources& resources) {
  // A task that asks for whole cores gets no shares unless it says so.
  if (!resources.CPU) resources.CPU = resources.Cores ? 0 : 100;
  fill(resources.Cores, 0);
  fill(resources.MemoryMB, 300);
  for (auto& device : resources.Devices) {
    fill(device.Count, 1);
    for (auto& affinity : device.Affinities) fill(affinity.Weight, 50);
  }
}

void fill_service(api::Service& service, const api::Task* task, const api::TaskGroup& group, const api::Job& job) {
  if (service.Name.empty()) {
    service.Name = *job.Name + "-" + *group.Name;
    if (task) service.Name += "-" + task->Name;
  }
  if (service.AddressMode.empty()) service.AddressMode = "auto";
  if (service.OnUpdate.empty()) service.OnUpdate = "require_healthy";
  if (service.Provider.empty()) service.Provider = kProviderConsul;
  null_if_empty(service.Meta);
  null_if_empty(service.CanaryMeta);
  null_if_empty(service.TaggedAddresses);
  if (service.Connect) fill_connect(*service.Connect);
  for (auto& check : service.Checks) fill_check(check, service);
}

void fill_task(api::Task& task, const api::TaskGroup& group, const api::Job& job) {
  fill_resources(task.Resources.ensure());
  fill(task.KillTimeout, kDefaultKillTimeout);
  fill_logs(task.LogConfig);
  for (auto& artifact : task.Artifacts) fill_artifact(artifact);
  if (task.Vault) fill_vault(*task.Vault);
  for (auto& tmpl : task.Templates) fill_template(tmpl);
  for (auto& service : task.Services) fill_service(service, &task, group, job);
  for (auto& affinity : task.Affinities) fill(affinity.Weight, 50);
  for (auto& mount : task.VolumeMounts) {
    fill(mount.PropagationMode, "private");
    fill(mount.ReadOnly, false);
  }
  if (task.Lifecycle && task.Lifecycle->Hook.empty()) task.Lifecycle.reset();
  if (task.CSIPluginConfig) fill_csi_plugin(*task.CSIPluginConfig);
  fill_nulls(task.RestartPolicy.ensure(), *group.RestartPolicy);
}

}  // namespace drover::api_canonical
