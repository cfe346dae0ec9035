// From a checked Config to Settings: texts become values, and the checks that need the values are made.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "agent/config.h"
#include "agent/units.h"
#include "base/strings.h"
#include "client/host_source.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "net/address.h"
#include "net/url.h"

extern char** environ;

namespace drover::agent {
namespace {

// Sets `out` from a duration's text, unless it is empty.
Status take(Duration& out, const std::string& text, std::string_view what = "") {
  if (text.empty()) return {};
  auto d = parse_duration(text);
  if (!d) return what.empty() ? Status(std::move(d).error()) : Status(std::move(d).error().with_context(what));
  out = *d;
  return {};
}

Result<net::HostPort> host_port(const std::string& text) { return net::split_host_port(text); }

// ---- logging -------------------------------------------------------------------------------------------------------

Status log_options(const Config& c, LogOptions& log) {
  if (!parse_log_level(c.LogLevel, log.level))
    return invalid(fmt::format("Invalid log level: {}. Valid log levels are: [TRACE DEBUG INFO WARN ERROR OFF]", to_upper(c.LogLevel)));
  log.json = c.LogJson;
  log.indent = !c.LogJson;
  if (c.EnableSyslog && log.level != LogLevel::kOff) log.syslog_facility = c.SyslogFacility;
  if (c.LogFile.empty()) return {};
  log.file = c.LogFile.ends_with('/') ? c.LogFile + "nomad.log" : c.LogFile;
  log.rotate_after = 24h;
  DROVER_CHECK(take(log.rotate_after, c.LogRotateDuration, "Failed to parse log rotation duration"));
  log.rotate_bytes = static_cast<uint64_t>(std::max<int64_t>(0, c.LogRotateBytes));
  log.rotate_keep = static_cast<int>(std::max<int64_t>(0, c.LogRotateMaxFiles));
  return {};
}

// ---- limits --------------------------------------------------------------------------------------------------------

Status rpc_limits(const Limits& from, ConnectionLimits& to) {
  DROVER_CHECK(take(to.rpc_handshake_timeout, from.RPCHandshakeTimeout, "error parsing rpc_handshake_timeout"));
  if (to.rpc_handshake_timeout < Duration::zero()) return invalid("rpc_handshake_timeout must be >= 0");
  if (auto n = from.RPCMaxConnsPerClient) {
    if (*n != 0 && *n <= 25) return invalid(fmt::format("rpc_max_conns_per_client must be > 25; found: {}", *n));
    to.rpc_max_conns_per_client = static_cast<int>(*n);
  }
  return {};
}

Status http_limits(const Limits& from, ConnectionLimits& to) {
  DROVER_CHECK(take(to.https_handshake_timeout, from.HTTPSHandshakeTimeout, "error parsing https_handshake_timeout"));
  if (to.https_handshake_timeout < Duration::zero()) return invalid("https_handshake_timeout must be >= 0");
  if (auto n = from.HTTPMaxConnsPerClient) {
    if (*n < 0) return invalid("http_max_conns_per_client must be >= 0");
    to.http_max_conns_per_client = static_cast<int>(*n);
  }
  return {};
}

// ---- joining -------------------------------------------------------------------------------------------------------

// The deprecated keys of the server block and server_join may not say the same thing twice.
Status check_join(const ServerConfig& s) {
  auto& join = *s.ServerJoin;
  bool block = !join.StartJoin.empty() || !join.RetryJoin.empty() || join.RetryMaxAttempts != 0;
  auto both = [](std::string_view key) {
    return invalid(fmt::format("server_join and {} cannot both be defined; prefer setting the server_join block", key));
  };
  if (block && !s.RetryJoin.empty()) return both("retry_join");
  if (block && !s.StartJoin.empty()) return both("start_join");
  if (block && s.RetryMaxAttempts != 0) return both("retry_max");
  if (block && s.RetryInterval != Duration::zero() && s.RetryInterval != 30s) return both("retry_interval");
  auto& start = join.StartJoin.empty() ? s.StartJoin : join.StartJoin;
  auto& retry = join.RetryJoin.empty() ? s.RetryJoin : join.RetryJoin;
  if (!start.empty() && !retry.empty()) return invalid("retry_join and start_join cannot both be defined");
  return {};
}

JoinSettings join_settings(const Config& c) {
  JoinSettings out;
  auto take_from = [&](const ServerJoin& join) {
    out.retry_join.assign(join.RetryJoin.begin(), join.RetryJoin.end());
    out.retry_max = join.RetryMaxAttempts;
    out.retry_interval = join.RetryInterval;
  };
  auto& s = *c.Server;
  if (!s.Enabled) {
    if (c.Client->ServerJoin) take_from(*c.Client->ServerJoin);
    return out;
  }
  take_from(*s.ServerJoin);
  auto& start = s.ServerJoin->StartJoin.empty() ? s.StartJoin : s.ServerJoin->StartJoin;
  out.start_join.assign(start.begin(), start.end());
  if (out.retry_join.empty()) out.retry_join.assign(s.RetryJoin.begin(), s.RetryJoin.end());
  if (s.RetryMaxAttempts != 0) out.retry_max = s.RetryMaxAttempts;
  if (s.RetryInterval != Duration::zero()) out.retry_interval = s.RetryInterval;
  return out;
}

// ---- server --------------------------------------------------------------------------------------------------------

Status server_schedulers(const ServerConfig& from, server::Config& to) {
  to.num_schedulers = static_cast<int>(from.NumSchedulers.value_or(std::max(1u, std::thread::hardware_concurrency())));
  if (from.EnabledSchedulers.empty()) return {};
  to.enabled_schedulers.clear();
  constexpr std::string_view kKnown[] = {"service", "batch", "system", "sysbatch", "_core"};
  for (auto& name : from.EnabledSchedulers) {
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      return invalid(fmt::format("invalid configuration: unknown scheduler {} in enabled schedulers", go_quote(name)));
    if (std::find(to.enabled_schedulers.begin(), to.enabled_schedulers.end(), name) == to.enabled_schedulers.end())
      to.enabled_schedulers.push_back(name);
  }
  if (std::find(to.enabled_schedulers.begin(), to.enabled_schedulers.end(), "_core") == to.enabled_schedulers.end())
    to.enabled_schedulers.push_back("_core");
  return {};
}

Status server_gc(const ServerConfig& from, server::GcThresholds& gc) {
  DROVER_CHECK(take(gc.node, from.NodeGCThreshold));
  DROVER_CHECK(take(gc.interval, from.JobGCInterval, "failed to parse job_gc_interval"));
  if (gc.interval <= Duration::zero()) return invalid("job_gc_interval should be greater than 0s");
  DROVER_CHECK(take(gc.job, from.JobGCThreshold));
  DROVER_CHECK(take(gc.eval, from.EvalGCThreshold));
  DROVER_CHECK(take(gc.batch_eval, from.BatchEvalGCThreshold));
  DROVER_CHECK(take(gc.deployment, from.DeploymentGCThreshold));
  DROVER_CHECK(take(gc.root_key_interval, from.RootKeyGCInterval));
  DROVER_CHECK(take(gc.root_key, from.RootKeyGCThreshold));
  DROVER_CHECK(take(gc.root_key_rotation, from.RootKeyRotationThreshold));
  // Checked although the parts that would use them do not run here.
  Duration unused{};
  for (auto* text : {&from.CSIVolumeClaimGCThreshold, &from.CSIPluginGCThreshold, &from.ACLTokenGCThreshold})
    DROVER_CHECK(take(unused, *text));
  unused = 5min;
  DROVER_CHECK(take(unused, from.CSIVolumeClaimGCInterval));
  if (unused <= Duration::zero()) return invalid("csi_volume_claim_gc_interval should be greater than 0s");
  return {};
}

Status server_raft(const ServerConfig& from, server::Config& to) {
  if (from.RaftProtocol != 3) return invalid(fmt::format("raft_protocol must be 3 in Nomad v1.4 and later, got {}", from.RaftProtocol));
  if (auto m = from.RaftMultiplier.value_or(1); m != 0) {
    if (m < 1 || m > 10) return invalid(fmt::format("raft_multiplier cannot be {}. Must be between 1 and 10", m));
    to.raft_multiplier = static_cast<double>(m);
  }
  auto positive = [](const std::optional<int64_t>& n) { return n && *n >= 1; };
  if (positive(from.RaftTrailingLogs)) to.raft_trailing_logs = static_cast<uint64_t>(*from.RaftTrailingLogs);
  if (positive(from.RaftSnapshotThreshold)) to.raft_snapshot_threshold = static_cast<uint64_t>(*from.RaftSnapshotThreshold);
  if (auto n = from.RaftTrailingLogs; n && *n < 1) return invalid(fmt::format("raft_trailing_logs must be non-negative, got {}", *n));
  if (auto n = from.RaftSnapshotThreshold; n && *n < 1)
    return invalid(fmt::format("raft_snapshot_threshold must be non-negative, got {}", *n));
  if (from.RaftSnapshotInterval) {
    Duration interval = 120s;
    DROVER_CHECK(take(interval, *from.RaftSnapshotInterval));
    if (interval < 5ms)
      return invalid(fmt::format("raft_snapshot_interval must be greater than 5ms, got {}", go_quote(*from.RaftSnapshotInterval)));
    to.raft_snapshot_interval = interval;
  }
  return {};
}

Status server_jobs(const ServerConfig& from, server::Config& to) {
  auto max = from.JobMaxPriority.value_or(0);
  if (max != 0) {
    if (max < 100 || max > 32766) return invalid(fmt::format("job_max_priority cannot be {}. Must be between 100 and 32766", max));
    to.job_max_priority = max;
  }
  auto fallback = from.JobDefaultPriority.value_or(0);
  if (fallback != 0) {
    if (fallback < 50 || fallback >= to.job_max_priority)
      return invalid(fmt::format("job_default_priority cannot be {}. Must be between 50 and {}", fallback, to.job_max_priority));
    to.job_default_priority = fallback;
  }
  if (from.JobMaxSourceSize) {
    auto n = parse_byte_size(*from.JobMaxSourceSize);
    if (!n) return std::move(n).error().with_context("failed to parse job_max_source_size");
    to.job_max_source_size = static_cast<size_t>(*n);
  }
  return {};
}

Status server_misc(const ServerConfig& from, server::Config& to) {
  if (auto& t = from.PlanRejectionTracker; t && t->NodeWindow <= Duration::zero())
    return invalid("plan_rejection_tracker.node_window must be greater than 0");
  if (auto& t = from.PlanRejectionTracker)
    to.plan_rejections = {t->Enabled.value_or(false), static_cast<int>(std::clamp<int64_t>(t->NodeThreshold, 1, 1'000'000)), t->NodeWindow};
  if (from.EventBufferSize && *from.EventBufferSize < 0) return invalid("Invalid Config, event_buffer_size must be non-negative");
  to.enable_event_broker = from.EnableEventBroker.value_or(true);
  to.event_buffer_size = from.EventBufferSize.value_or(100);
  if (from.DeploymentQueryRateLimit < 0) return invalid("deploy_query_rate_limit must be greater than 0");
  auto& h = to.heartbeats;
  if (from.HeartbeatGrace != Duration::zero()) h.grace = from.HeartbeatGrace;
  if (from.MinHeartbeatTTL != Duration::zero()) h.min_ttl = from.MinHeartbeatTTL;
  if (from.MaxHeartbeatsPerSecond != 0) h.max_per_second = from.MaxHeartbeatsPerSecond;
  if (from.FailoverHeartbeatTTL != Duration::zero()) h.failover_ttl = from.FailoverHeartbeatTTL;
  if (auto& search = from.Search) {
    to.search.fuzzy_enabled = search->FuzzyEnabled;
    to.search.limit_query = static_cast<size_t>(std::max<int64_t>(search->LimitQuery, 0));
    to.search.limit_results = static_cast<size_t>(std::max<int64_t>(search->LimitResults, 0));
    to.search.min_term_length = static_cast<size_t>(std::max<int64_t>(search->MinTermLength, 0));
  }
  if (from.DefaultSchedulerConfig) to.default_scheduler_config = *from.DefaultSchedulerConfig;
  else {
    to.default_scheduler_config.SchedulerAlgorithm = "binpack";
    to.default_scheduler_config.PreemptionConfig.SystemSchedulerEnabled = true;
  }
  return {};
}

Result<server::Config> server_config(const Config& c, ConnectionLimits& limits) {
  server::Config s;
  s.region = c.Region;
  s.datacenter = c.Datacenter;
  s.node_name = c.NodeName;
  s.data_dir = c.Server->DataDir.empty() ? c.DataDir + "/server" : c.Server->DataDir;
  s.dev_mode = s.in_memory = c.DevMode;
  s.bootstrap_expect = static_cast<int>(c.Server->BootstrapExpect);
  DROVER_CHECK(check_join(*c.Server));
  DROVER_CHECK(server_raft(*c.Server, s));
  DROVER_CHECK(server_schedulers(*c.Server, s));
  DROVER_CHECK(server_gc(*c.Server, s.gc));
  DROVER_CHECK(server_misc(*c.Server, s));
  DROVER_CHECK(server_jobs(*c.Server, s));
  DROVER_CHECK(rpc_limits(c.Limits, limits));
  s.rpc_limits = {limits.rpc_handshake_timeout, limits.rpc_max_conns_per_client};
  s.autopilot = convert<drover::AutopilotConfig>(*c.Autopilot);
  s.autopilot.CleanupDeadServers = c.Autopilot->CleanupDeadServers.value_or(true);
  if (c.Consul->AutoAdvertise.value_or(false) && c.Consul->ServerServiceName.empty())
    return invalid("server_service_name must be set when auto_advertise is enabled");

  auto serf = host_port(c.AdvertiseAddrs->Serf);
  auto port = serf ? parse_int(serf->port) : std::nullopt;
  if (!serf || serf->host.empty() || !port || *port < 1 || *port > 65535)
    return invalid(fmt::format("Failed to resolve Serf advertise address {}: {}", go_quote(c.AdvertiseAddrs->Serf),
                               serf ? "missing host or port" : serf.error().message));
  auto rpc = host_port(c.AdvertiseAddrs->RPC);
  if (!rpc || rpc->host.empty())
    return invalid(fmt::format("Failed to resolve RPC advertise address {}: {}", go_quote(c.AdvertiseAddrs->RPC),
                               rpc ? "missing host" : rpc.error().message));
  s.serf_address = serf->host;
  s.serf_port = static_cast<uint16_t>(*port);
  s.serf_bind = c.Addresses->Serf;
  s.serf_bind_port = static_cast<uint16_t>(c.Ports->Serf);
  s.client_rpc_advertise = c.AdvertiseAddrs->RPC;
  s.encrypt_key = c.Server->EncryptKey;
  if (!c.DataDir.empty()) s.keyring_file = c.DataDir + "/server/serf.keyring";
  s.rejoin_after_leave = c.Server->RejoinAfterLeave;
  s.non_voting_server = c.Server->NonVotingServer;
  s.redundancy_zone = c.Server->RedundancyZone;
  s.upgrade_version = c.Server->UpgradeVersion;
  // Servers reach each other at the gossip address and the RPC port.
  s.rpc_advertise = net::join_host_port(serf->host, rpc->port);
  return s;
}

// ---- client --------------------------------------------------------------------------------------------------------

Status client_reserved(const ClientConfig& from, client::Config& to) {
  if (!from.Reserved) return {};
  auto& r = *from.Reserved;
  to.reserved = {.cpu_mhz = r.CPU, .memory_mb = r.MemoryMB, .disk_mb = r.DiskMB, .cores = r.Cores, .ports = r.ReservedPorts};
  if (auto cores = client::parse_cpuset(r.Cores); !cores)
    return invalid(fmt::format("failed to parse client > reserved > cores value {}: {}", go_quote(r.Cores), cores.error().message));
  return {};
}

void client_network(const ClientConfig& from, client::Config& to) {
  to.network_interface = from.NetworkInterface;
  to.network_speed_mbits = from.NetworkSpeed;
  to.min_dynamic_port = from.MinDynamicPort;
  to.max_dynamic_port = from.MaxDynamicPort;
  to.host_networks.assign(from.HostNetworks.begin(), from.HostNetworks.end());
  to.bind_wildcard_default_host_network = from.BindWildcardDefaultHostNetwork;
  auto text = [](std::string& field, const std::string& given) {
    if (!given.empty()) field = given;
  };
  text(to.bridge_network_name, from.BridgeNetworkName);
  text(to.bridge_network_subnet, from.BridgeNetworkSubnet);
  to.bridge_network_hairpin_mode = from.BridgeNetworkHairpinMode;
  text(to.cni_path, from.CNIPath);
  text(to.cni_config_dir, from.CNIConfigDir);
}

void client_resources(const ClientConfig& from, client::Config& to) {
  to.cpu_total_compute = from.CpuCompute;
  to.memory_total_mb = from.MemoryMB;
  to.disk_total_mb = from.DiskTotalMB;
  to.disk_free_mb = from.DiskFreeMB;
  to.reservable_cores = from.ReserveableCores;
  to.gc_interval = from.GCInterval;
  to.gc_parallel_destroys = static_cast<int>(from.GCParallelDestroys);
  to.gc_disk_usage_threshold = from.GCDiskUsageThreshold;
  to.gc_inode_usage_threshold = from.GCInodeUsageThreshold;
  to.gc_max_allocs = static_cast<int>(from.GCMaxAllocs);
}

Status client_drain(const ClientConfig& from, client::Config& to) {
  if (!from.Drain) return {};
  client::DrainOnShutdown drain;
  if (from.Drain->Deadline) {
    drain.deadline = Duration::zero();
    DROVER_CHECK(take(drain.deadline, *from.Drain->Deadline, "invalid drain_on_shutdown config: error parsing Deadline"));
  }
  drain.ignore_system_jobs = from.Drain->IgnoreSystemJobs.value_or(false);
  to.drain_on_shutdown = drain;
  return {};
}

Status check_template(const ClientTemplateConfig& t) {
  if (t.Wait && t.Wait->Min && t.Wait->Max && *t.Wait->Min > *t.Wait->Max)
    return invalid(fmt::format("wait config min {} is greater than max {}", t.Wait->Min->count(), t.Wait->Max->count()));
  for (auto* retry : {&t.ConsulRetry, &t.VaultRetry, &t.NomadRetry}) {
    if (!*retry || !(*retry)->Backoff) continue;
    auto backoff = *(*retry)->Backoff;
    if ((*retry)->MaxBackoff && backoff > *(*retry)->MaxBackoff)
      return invalid(fmt::format("retry config backoff {} is greater than max_backoff {}", backoff.count(), (*retry)->MaxBackoff->count()));
    if (!(*retry)->MaxBackoff && backoff > 1min)
      return invalid(fmt::format("retry config backoff {} is greater than default max_backoff {}", backoff.count(), Duration(1min).count()));
  }
  return {};
}

void client_environment(client::Config& to) {
  for (char** e = environ; *e; ++e) {
    std::string_view pair = *e;
    if (auto eq = pair.find('='); eq != std::string_view::npos) to.host_env.emplace(pair.substr(0, eq), pair.substr(eq + 1));
  }
}

Result<client::Config> client_config(const Config& c) {
  auto& from = *c.Client;
  client::Config to;
  to.dev_mode = c.DevMode;
  auto in_data_dir = [&](const char* name) { return c.DataDir.empty() ? std::string() : c.DataDir + "/" + name; };
  to.state_dir = from.StateDir.empty() ? in_data_dir("client") : from.StateDir;
  to.alloc_dir = from.AllocDir.empty() ? in_data_dir("alloc") : from.AllocDir;
  to.region = c.Region;
  to.datacenter = c.Datacenter;
  to.node_name = c.NodeName;
  to.node_class = from.NodeClass;
  to.meta = from.Meta;
  to.options = from.Options;
  to.http_advertise = c.AdvertiseAddrs->HTTP;
  to.tls_http = c.TLSConfig->EnableHTTP;
  to.revision = c.Version->Revision;
  if (from.ServerJoin && !from.ServerJoin->StartJoin.empty()) return invalid("start_join is not supported for Nomad clients");
  client_network(from, to);
  client_resources(from, to);
  DROVER_CHECK(client_reserved(from, to));
  DROVER_CHECK(take(to.max_kill_timeout, from.MaxKillTimeout, "Error parsing max kill timeout"));
  DROVER_CHECK(take(to.stats_interval, c.Telemetry->CollectionInterval));
  if (from.TemplateConfig) DROVER_CHECK(check_template(*from.TemplateConfig));
  to.no_host_uuid = from.NoHostUUID.value_or(true);
  to.disable_remote_exec = from.DisableRemoteExec;
  to.nomad_service_discovery = from.NomadServiceDiscovery.value_or(true);
  to.host_volumes.assign(from.HostVolumes.begin(), from.HostVolumes.end());
  to.cgroup_parent = from.CgroupParent;
  for (auto& [source, target] : from.ChrootEnv) to.chroot_env.emplace(source, target);
  DROVER_CHECK(client_drain(from, to));
  client_environment(to);
  if (c.Consul->AutoAdvertise.value_or(false) && c.Consul->ClientServiceName.empty())
    return invalid("client_service_name must be set when auto_advertise is enabled");
  return to;
}

// A driver's configuration: its plugin block, else the older client options.
Map<Value> plugin_configs(const Config& c) {
  auto out = Map<Value>::empty_map();
  for (auto& p : c.Plugins) out.set(p.Name, Value(p.Config.is_nil() ? Value::Object::empty_map() : p.Config));
  constexpr std::tuple<std::string_view, std::string_view, std::string_view> kOptions[] = {
      {"driver.raw_exec.enable", "raw_exec", "enabled"},
      {"driver.raw_exec.no_cgroups", "raw_exec", "no_cgroups"},
  };
  for (auto& [option, driver, key] : kOptions) {
    auto* text = c.Client->Options.find(option);
    bool has_block = std::any_of(c.Plugins.begin(), c.Plugins.end(), [&](auto& p) { return p.Name == driver; });
    if (!text || has_block) continue;
    auto& config = out[driver];
    if (!config.as_object()) config = Value(Value::Object::empty_map());
    config.as_object()->set(key, parse_bool(*text).value_or(false));
  }
  return out;
}

// ---- telemetry -----------------------------------------------------------------------------------------------------

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

Status telemetry_settings(const Telemetry& from, const std::string& node_name, TelemetrySettings& to) {
  to.prometheus = from.PrometheusMetrics;
  to.allocations = from.PublishAllocationMetrics;
  to.nodes = from.PublishNodeMetrics;
  to.dispatched_summaries = !from.DisableDispatchedJobSummaryMetrics;
  DROVER_CHECK(take(to.interval, from.CollectionInterval, "Error initializing telemetry: error parsing collection_interval"));
  if (to.interval <= Duration::zero()) return invalid("Error initializing telemetry: collection_interval must be greater than 0s");
  if (!from.DisableHostname) to.host = from.UseNodeName ? node_name : host_name();
  else if (from.UseNodeName) to.node_in_gauges = node_name;
  const std::tuple<std::string_view, const std::string&, std::string&> sinks[] = {
      {"statsite", from.StatsiteAddr, to.statsite_address},
      {"statsd", from.StatsdAddr, to.statsd_address},
      {"datadog", from.DataDogAddr, to.datadog_address}};
  for (auto& [sink, address, out] : sinks) {
    if (auto parts = host_port(address); !address.empty() && !parts)
      return std::move(parts).error().with_context(fmt::format("Error initializing telemetry: failed to start {} sink. Got", sink));
    out = address;
  }
  to.datadog_tags.assign(from.DataDogTags.begin(), from.DataDogTags.end());
  to.filter_default = from.FilterDefault.value_or(true);
  for (auto& rule : from.PrefixFilter) {
    if (rule.empty()) continue;
    if (rule[0] != '+' && rule[0] != '-')
      return invalid(fmt::format("Error initializing telemetry: Filter rule must begin with either '+' or '-': {}", go_quote(rule)));
    to.prefix_filter.push_back(rule);
  }
  return {};
}

// ---- what the API shows --------------------------------------------------------------------------------------------

std::string shown(Config c) {
  auto hide = [](std::string& secret) {
    if (!secret.empty()) secret = "<redacted>";
  };
  hide(c.Vault->Token);
  hide(c.ACL->ReplicationToken);
  hide(c.Consul->Token);
  hide(c.Telemetry->CirconusAPIToken);
  // Empty, not null, where the reference has made them.
  c.Client->ChrootEnv.vec();
  c.HTTPAPIResponseHeaders.vec();
  if (c.Server->RetryJoin.is_nil()) c.Server->RetryJoin = List<std::string>::empty_list();
  c.TLSConfig->KeyLoader.ensure();
  return to_json(c);
}

Status port_of(int64_t port, std::string_view what, uint16_t& out) {
  if (port < 0 || port > 65535) return invalid(fmt::format("{} port {} is out of range", what, port));
  out = static_cast<uint16_t>(port);
  return {};
}

}  // namespace

Result<Settings> make_settings(const Config& c) {
  Settings s;
  s.dev_mode = c.DevMode;
  s.data_dir = c.DataDir;
  s.region = c.Region;
  s.datacenter = c.Datacenter;
  s.node_name = c.NodeName;
  DROVER_CHECK(log_options(c, s.log));
  s.leave_on_interrupt = c.LeaveOnInt;
  s.leave_on_terminate = c.LeaveOnTerm;
  s.enable_debug = c.EnableDebug;
  s.ui_enabled = c.UI->Enabled;
  for (auto& ip : split(c.Addresses->HTTP, ' '))
    if (!ip.empty()) s.http_binds.push_back(ip);
  s.rpc_bind = c.Addresses->RPC;
  s.serf_bind = c.Addresses->Serf;
  DROVER_CHECK(port_of(c.Ports->HTTP, "http", s.http_port));
  DROVER_CHECK(port_of(c.Ports->RPC, "rpc", s.rpc_port));
  DROVER_CHECK(port_of(c.Ports->Serf, "serf", s.serf_port));
  s.http_advertise = c.AdvertiseAddrs->HTTP;
  s.rpc_advertise = c.AdvertiseAddrs->RPC;
  s.serf_advertise = c.AdvertiseAddrs->Serf;
  s.http_response_headers = c.HTTPAPIResponseHeaders;
  s.options = c.Client->Options;
  s.join = join_settings(c);
  s.tls = {.http = c.TLSConfig->EnableHTTP,
           .rpc = c.TLSConfig->EnableRPC,
           .verify_server_hostname = c.TLSConfig->VerifyServerHostname,
           .verify_https_client = c.TLSConfig->VerifyHTTPSClient,
           .rpc_upgrade_mode = c.TLSConfig->RPCUpgradeMode,
           .ca_file = c.TLSConfig->CAFile,
           .cert_file = c.TLSConfig->CertFile,
           .key_file = c.TLSConfig->KeyFile,
           .cipher_suites = c.TLSConfig->TLSCipherSuites,
           .min_version = c.TLSConfig->TLSMinVersion,
           .prefer_server_cipher_suites = c.TLSConfig->TLSPreferServerCipherSuites};
  DROVER_CHECK(telemetry_settings(*c.Telemetry, c.NodeName, s.telemetry));
  if (c.Server->Enabled) {
    auto made = server_config(c, s.limits);
    if (!made) return std::move(made).error().with_context("server config setup failed");
    s.server = std::move(*made);
  }
  if (c.Client->Enabled) {
    auto made = client_config(c);
    if (!made) return std::move(made).error().with_context("client setup failed");
    s.client = std::move(*made);
    s.client_servers.assign(c.Client->Servers.begin(), c.Client->Servers.end());
  }
  DROVER_CHECK(http_limits(c.Limits, s.limits));
  s.plugin_configs = plugin_configs(c);
  s.config_json = shown(c);
  return s;
}

}  // namespace drover::agent
