#include "agent/config.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "agent/config_addresses.h"
#include "agent/config_decode.h"
#include "agent/config_merge.h"
#include "base/strings.h"
#include "base/version.h"
#include "model/multi_error.h"

namespace drover::agent {
namespace {

ServerJoin default_join() {
  ServerJoin j;
  j.RetryJoin = List<std::string>::empty_list();
  j.RetryInterval = 30s;
  return j;
}

ArtifactConfig default_artifact() {
  ArtifactConfig a;
  a.HTTPReadTimeout = a.GCSTimeout = a.GitTimeout = a.HgTimeout = a.S3Timeout = "30m";
  a.HTTPMaxSize = a.DecompressionSizeLimit = "100GB";
  a.DecompressionFileCountLimit = 4096;
  a.DisableFilesystemIsolation = false;
  a.SetEnvironmentVariables = "";
  return a;
}

ClientConfig default_client() {
  ClientConfig c;
  c.MaxKillTimeout = "30s";
  c.ClientMinPort = 14000;
  c.ClientMaxPort = 14512;
  c.MinDynamicPort = 20000;
  c.MaxDynamicPort = 32000;
  c.Reserved = Resources{};
  c.GCInterval = 1min;
  c.GCParallelDestroys = 2;
  c.GCDiskUsageThreshold = 80;
  c.GCInodeUsageThreshold = 70;
  c.GCMaxAllocs = 50;
  c.NoHostUUID = true;
  c.ServerJoin = default_join();
  auto& t = c.TemplateConfig.emplace();
  t.FunctionDenylist = {"plugin", "writeToFile"};
  c.BindWildcardDefaultHostNetwork = true;
  c.CNIPath = "/opt/cni/bin";
  c.CNIConfigDir = "/opt/cni/config";
  c.NomadServiceDiscovery = true;
  c.Artifact = default_artifact();
  return c;
}

ServerConfig default_server() {
  ServerConfig s;
  s.RaftProtocol = 3;
  s.StartJoin = List<std::string>::empty_list();
  s.EnableEventBroker = true;
  s.EventBufferSize = 100;
  auto& tracker = s.PlanRejectionTracker.emplace();
  tracker.Enabled = false;
  tracker.NodeThreshold = 100;
  tracker.NodeWindow = 5min;
  s.ServerJoin = default_join();
  auto& search = s.Search.emplace();
  search.FuzzyEnabled = true;
  search.LimitQuery = 20;
  search.LimitResults = 100;
  search.MinTermLength = 2;
  s.JobMaxSourceSize = "1M";
  return s;
}

ConsulConfig default_consul() {
  ConsulConfig c;
  c.ServerServiceName = "nomad";
  c.ServerHTTPCheckName = "Nomad Server HTTP Check";
  c.ServerSerfCheckName = "Nomad Server Serf Check";
  c.ServerRPCCheckName = "Nomad Server RPC Check";
  c.ClientServiceName = "nomad-client";
  c.ClientHTTPCheckName = "Nomad Client HTTP Check";
  c.AutoAdvertise = true;
  c.ChecksUseAdvertise = false;
  c.AllowUnauthenticated = true;
  c.ServerAutoJoin = true;
  c.ClientAutoJoin = true;
  c.Timeout = 5s;
  return c;
}

// What the Consul client takes from the environment.
void consul_environment(ConsulConfig& c, const std::function<std::string(const char*)>& env) {
  auto text = [&](std::string& field, const char* name, std::string_view fallback = "") {
    if (!field.empty()) return;
    field = env(name);
    if (field.empty()) field = fallback;
  };
  auto flag = [&](std::optional<bool>& field, const char* name, bool fallback) {
    if (!field) field = parse_bool(env(name)).value_or(fallback);
  };
  text(c.Addr, "CONSUL_HTTP_ADDR", "127.0.0.1:8500");
  text(c.CAFile, "CONSUL_CACERT");
  text(c.Namespace, "CONSUL_NAMESPACE");
  flag(c.EnableSSL, "CONSUL_HTTP_SSL", false);
  flag(c.VerifySSL, "CONSUL_HTTP_SSL_VERIFY", true);
}

AutopilotConfig default_autopilot() {
  AutopilotConfig a;
  a.ServerStabilizationTime = 10s;
  a.LastContactThreshold = 200ms;
  a.MaxTrailingLogs = 250;
  return a;
}

Telemetry default_telemetry() {
  Telemetry t;
  t.CollectionInterval = "1s";
  return t;
}

VersionInfo version_info() {
  VersionInfo v;
  v.Revision = kBuildRevision;
  v.Version = kVersionNumber;
  v.VersionPrerelease = kVersionPrerelease;
  return v;
}

std::string clean_path(std::string path) {
  while (path.starts_with("./") && path.size() > 2) path.erase(0, 2);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Result<std::string> read_whole(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return errno_error("open " + path, errno);
  std::string text;
  char buffer[16384];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) text.append(buffer, n);
  if (std::ferror(file.get())) return errno_error("read " + path, errno);
  return text;
}

Result<Config> load_file(const std::string& path) {
  auto text = read_whole(path);
  if (!text) return std::move(text).error().with_context("Error loading " + path);
  auto decoded = decode_config(*text);
  if (!decoded) {
    auto failure = std::move(decoded).error();
    if (failure.syntax) failure.error = std::move(failure.error).with_context("failed to decode HCL file " + path);
    return std::move(failure.error).with_context("Error loading " + path);
  }
  decoded->Files = {path};
  return std::move(*decoded);
}

bool is_config_name(std::string_view name) {
  bool temporary = name.ends_with('~') || name.starts_with(".#") || (name.starts_with('#') && name.ends_with('#'));
  return !temporary && (name.ends_with(".hcl") || name.ends_with(".json"));
}

Result<std::vector<std::string>> config_files(const std::string& dir) {
  std::unique_ptr<DIR, int (*)(DIR*)> d(opendir(dir.c_str()), &closedir);
  if (!d) return errno_error("open " + dir, errno);
  std::vector<std::string> out;
  while (auto* e = readdir(d.get())) {
    auto path = (dir == "/" ? "" : dir) + "/" + e->d_name;
    struct stat info{};
    if (is_config_name(e->d_name) && stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) out.push_back(path);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Config default_config() {
  Config c;
  c.LogLevel = "INFO";
  c.Region = "global";
  c.Datacenter = "dc1";
  c.BindAddr = "0.0.0.0";
  c.Ports = Ports{.HTTP = 4646, .RPC = 4647, .Serf = 4648};
  c.Addresses.emplace();
  c.AdvertiseAddrs.emplace();
  c.Consul = default_consul();
  auto& vault = c.Vault.emplace();
  vault.Addr = "https://vault.service.consul:8200";
  vault.AllowUnauthenticated = true;
  vault.ConnectionRetryIntv = 30s;
  auto& ui = c.UI.emplace();
  ui.Enabled = true;
  ui.Consul.emplace();
  ui.Vault.emplace();
  ui.Label.emplace();
  c.Client = default_client();
  c.Server = default_server();
  auto& acl = c.ACL.emplace();
  acl.TokenTTL = acl.PolicyTTL = acl.RoleTTL = 30s;
  c.SyslogFacility = "LOCAL0";
  c.Telemetry = default_telemetry();
  c.TLSConfig.emplace();
  c.Sentinel.emplace();
  c.Version = version_info();
  c.Autopilot = default_autopilot();
  c.Audit.emplace();
  c.DisableUpdateCheck = false;
  c.Limits = Limits{"5s", 100, "5s", 100};
  return c;
}

Config dev_config() {
  auto c = default_config();
  c.BindAddr = "127.0.0.1";
  c.DevMode = true;
  c.LogLevel = "DEBUG";
  c.EnableDebug = true;
  c.DisableAnonymousSignature = true;
  c.Consul->AutoAdvertise = true;
  auto& server = *c.Server;
  server.Enabled = true;
  server.BootstrapExpect = 1;
  auto& client = *c.Client;
  client.Enabled = true;
  client.NetworkInterface = "lo";
  client.Options = {{"driver.raw_exec.enable", "true"},
                    {"driver.docker.volumes", "true"},
                    {"test.tighten_network_timeouts", "true"}};
  client.GCInterval = 10min;
  client.GCDiskUsageThreshold = 99;
  client.GCInodeUsageThreshold = 99;
  client.GCMaxAllocs = 50;
  auto& telemetry = *c.Telemetry;
  telemetry.PrometheusMetrics = true;
  telemetry.PublishAllocationMetrics = true;
  telemetry.PublishNodeMetrics = true;
  return c;
}

Result<Config> load_config(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return errno_error("stat " + path, errno);
  auto cleaned = clean_path(path);
  if (!S_ISDIR(info.st_mode)) return load_file(cleaned);
  DROVER_TRY(auto files, config_files(cleaned));
  Config merged;
  for (auto& file : files) {
    DROVER_TRY(auto one, load_file(file));
    merge_config(merged, one);
  }
  return merged;
}

Status finish_config(Config& c, const HostNetworks& host, const std::function<std::string(const char*)>& env) {
  DROVER_CHECK(resolve_addresses(c, host));
  if (c.Vault->Token.empty()) c.Vault->Token = env("VAULT_TOKEN");
  if (c.Vault->Namespace.empty()) c.Vault->Namespace = env("VAULT_NAMESPACE");
  consul_environment(*c.Consul, env);
  if (c.NodeName.empty()) {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0) return errno_error("failed to get the host's name", errno);
    c.NodeName = name;
  }
  if (c.PluginDir.empty() && !c.DataDir.empty()) c.PluginDir = c.DataDir + "/plugins";
  if (auto& s = c.Server->DefaultSchedulerConfig; s && s->SchedulerAlgorithm.empty()) s->SchedulerAlgorithm = "binpack";
  return {};
}

int validate_config_files(const std::vector<std::string>& paths, const std::function<void(std::string)>& out,
                          const std::function<void(std::string)>& err) {
  auto config = default_config();
  MultiError problems;
  for (auto& path : paths) {
    auto one = load_config(path);
    if (one) merge_config(config, *one);
    else problems.add(fmt::format("Error loading configuration from {}: {}", path, one.error().message));
  }
  if (problems) {
    err(problems.text());
    return 1;
  }
  if (auto checked = check_config(config, {}, err); !checked) {
    err(checked.error().message);
    err("Configuration is invalid");
    return 1;
  }
  out("Configuration is valid!");
  return 0;
}

}  // namespace drover::agent
