// The agent configuration as /v1/agent/self shows it.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/agent_info.h"
#include "model/config_records.h"
#include "model/node.h"

namespace drover::agent {

struct ACLConfig {
  bool Enabled = false;
  Duration TokenTTL{};
  Duration PolicyTTL{};
  Duration RoleTTL{};
  std::string ReplicationToken;
  Duration TokenMinExpirationTTL{};
  Duration TokenMaxExpirationTTL{};

  friend bool operator==(const ACLConfig&, const ACLConfig&) = default;
};

struct Addresses {
  std::string HTTP;
  std::string RPC;
  std::string Serf;

  friend bool operator==(const Addresses&, const Addresses&) = default;
};

struct AdvertiseAddrs {
  std::string HTTP;
  std::string RPC;
  std::string Serf;

  friend bool operator==(const AdvertiseAddrs&, const AdvertiseAddrs&) = default;
};

struct Resources {
  int64_t CPU = 0;
  int64_t MemoryMB = 0;
  int64_t DiskMB = 0;
  std::string ReservedPorts;
  std::string Cores;

  friend bool operator==(const Resources&, const Resources&) = default;
};

struct ServerJoin {
  List<std::string> StartJoin;
  List<std::string> RetryJoin;
  int64_t RetryMaxAttempts = 0;
  Duration RetryInterval{};

  friend bool operator==(const ServerJoin&, const ServerJoin&) = default;
};

struct RetryConfig {
  std::optional<int64_t> Attempts;
  std::optional<Duration> Backoff;
  std::optional<Duration> MaxBackoff;

  friend bool operator==(const RetryConfig&, const RetryConfig&) = default;
};

// `wait { }` and `wait_bounds { }` of the template block.
struct WaitConfig {
  std::optional<Duration> Min;
  std::optional<Duration> Max;

  friend bool operator==(const WaitConfig&, const WaitConfig&) = default;
};

struct ClientTemplateConfig {
  List<std::string> FunctionDenylist;
  List<std::string> FunctionBlacklist;
  bool DisableSandbox = false;
  std::optional<Duration> MaxStale;
  std::string MaxStaleHCL;
  std::optional<Duration> BlockQueryWaitTime;
  std::string BlockQueryWaitTimeHCL;
  Box<WaitConfig> Wait;        // not shown
  Box<WaitConfig> WaitBounds;  // not shown
  Box<RetryConfig> ConsulRetry;
  Box<RetryConfig> VaultRetry;
  Box<RetryConfig> NomadRetry;

  friend bool operator==(const ClientTemplateConfig&, const ClientTemplateConfig&) = default;
};

struct ArtifactConfig {
  std::optional<std::string> HTTPReadTimeout;
  std::optional<std::string> HTTPMaxSize;
  std::optional<std::string> GCSTimeout;
  std::optional<std::string> GitTimeout;
  std::optional<std::string> HgTimeout;
  std::optional<std::string> S3Timeout;
  std::optional<int64_t> DecompressionFileCountLimit;
  std::optional<std::string> DecompressionSizeLimit;
  std::optional<bool> DisableFilesystemIsolation;
  std::optional<std::string> SetEnvironmentVariables;

  friend bool operator==(const ArtifactConfig&, const ArtifactConfig&) = default;
};

struct DrainConfig {
  std::optional<std::string> Deadline;
  std::optional<bool> IgnoreSystemJobs;
  std::optional<bool> Force;

  friend bool operator==(const DrainConfig&, const DrainConfig&) = default;
};

struct ClientConfig {
  bool Enabled = false;
  std::string StateDir;
  std::string AllocDir;
  List<std::string> Servers;
  std::string NodeClass;
  Map<std::string> Options;
  Map<std::string> Meta;
  Map<std::string> ChrootEnv;
  std::string NetworkInterface;
  int64_t NetworkSpeed = 0;
  int64_t CpuCompute = 0;
  int64_t MemoryMB = 0;
  int64_t DiskTotalMB = 0;
  int64_t DiskFreeMB = 0;
  std::string ReserveableCores;
  std::string MaxKillTimeout;
  int64_t ClientMaxPort = 0;
  int64_t ClientMinPort = 0;
  int64_t MaxDynamicPort = 0;
  int64_t MinDynamicPort = 0;
  Box<Resources> Reserved;
  Duration GCInterval{};
  int64_t GCParallelDestroys = 0;
  double GCDiskUsageThreshold = 0;
  double GCInodeUsageThreshold = 0;
  int64_t GCMaxAllocs = 0;
  std::optional<bool> NoHostUUID;
  bool DisableRemoteExec = false;
  Box<ClientTemplateConfig> TemplateConfig;
  Box<::drover::agent::ServerJoin> ServerJoin;
  List<::drover::ClientHostVolumeConfig> HostVolumes;
  std::string CNIPath;
  std::string CNIConfigDir;
  std::string BridgeNetworkName;
  std::string BridgeNetworkSubnet;
  bool BridgeNetworkHairpinMode = false;
  List<::drover::ClientHostNetworkConfig> HostNetworks;
  bool BindWildcardDefaultHostNetwork = false;
  std::string CgroupParent;
  std::optional<bool> NomadServiceDiscovery;
  Box<ArtifactConfig> Artifact;
  Box<DrainConfig> Drain;

  friend bool operator==(const ClientConfig&, const ClientConfig&) = default;
};

struct Ports {
  int64_t HTTP = 0;
  int64_t RPC = 0;
  int64_t Serf = 0;

  friend bool operator==(const Ports&, const Ports&) = default;
};

struct PlanRejectionTracker {
  std::optional<bool> Enabled;
  int64_t NodeThreshold = 0;
  Duration NodeWindow{};

  friend bool operator==(const PlanRejectionTracker&, const PlanRejectionTracker&) = default;
};

struct RaftBoltConfig {
  bool NoFreelistSync = false;

  friend bool operator==(const RaftBoltConfig&, const RaftBoltConfig&) = default;
};

struct Search {
  bool FuzzyEnabled = false;
  int64_t LimitQuery = 0;
  int64_t LimitResults = 0;
  int64_t MinTermLength = 0;

  friend bool operator==(const Search&, const Search&) = default;
};

struct ServerConfig {
  bool Enabled = false;
  std::string AuthoritativeRegion;
  int64_t BootstrapExpect = 0;
  std::string DataDir;
  int64_t ProtocolVersion = 0;  // not shown; deprecated
  int64_t RaftProtocol = 0;
  std::optional<int64_t> RaftMultiplier;
  std::optional<int64_t> NumSchedulers;
  List<std::string> EnabledSchedulers;
  std::string NodeGCThreshold;
  std::string JobGCInterval;
  std::string JobGCThreshold;
  std::string EvalGCThreshold;
  std::string BatchEvalGCThreshold;
  std::string DeploymentGCThreshold;
  std::string CSIVolumeClaimGCInterval;
  std::string CSIVolumeClaimGCThreshold;
  std::string CSIPluginGCThreshold;
  std::string ACLTokenGCThreshold;
  std::string RootKeyGCInterval;
  std::string RootKeyGCThreshold;
  std::string RootKeyRotationThreshold;
  Duration HeartbeatGrace{};
  Duration MinHeartbeatTTL{};
  double MaxHeartbeatsPerSecond = 0;
  Duration FailoverHeartbeatTTL{};
  List<std::string> StartJoin;
  List<std::string> RetryJoin;
  int64_t RetryMaxAttempts = 0;
  Duration RetryInterval{};
  std::string EncryptKey;       // not shown: a secret
  bool RejoinAfterLeave = false;
  bool NonVotingServer = false;
  std::string RedundancyZone;
  std::string UpgradeVersion;
  Box<::drover::agent::ServerJoin> ServerJoin;
  Box<::drover::SchedulerConfiguration> DefaultSchedulerConfig;
  Box<::drover::agent::PlanRejectionTracker> PlanRejectionTracker;
  std::optional<bool> EnableEventBroker;
  std::optional<int64_t> EventBufferSize;
  std::string LicensePath;
  std::string LicenseEnv;
  Box<::drover::agent::Search> Search;
  double DeploymentQueryRateLimit = 0;
  Box<::drover::agent::RaftBoltConfig> RaftBoltConfig;
  std::optional<int64_t> RaftSnapshotThreshold;
  std::optional<std::string> RaftSnapshotInterval;
  std::optional<int64_t> RaftTrailingLogs;
  std::optional<int64_t> JobDefaultPriority;
  std::optional<int64_t> JobMaxPriority;
  std::optional<std::string> JobMaxSourceSize;

  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

struct Telemetry {
  std::string StatsiteAddr;
  std::string StatsdAddr;
  std::string DataDogAddr;
  List<std::string> DataDogTags;
  bool PrometheusMetrics = false;
  bool DisableHostname = false;
  bool UseNodeName = false;
  std::string CollectionInterval;
  bool PublishAllocationMetrics = false;
  bool PublishNodeMetrics = false;
  List<std::string> PrefixFilter;
  std::optional<bool> FilterDefault;
  bool DisableDispatchedJobSummaryMetrics = false;
  bool DisableRPCRateMetricsLabels = false;
  std::string CirconusAPIToken;
  std::string CirconusAPIApp;
  std::string CirconusAPIURL;
  std::string CirconusSubmissionInterval;
  std::string CirconusCheckSubmissionURL;
  std::string CirconusCheckID;
  std::string CirconusCheckForceMetricActivation;
  std::string CirconusCheckInstanceID;
  std::string CirconusCheckSearchTag;
  std::string CirconusCheckTags;
  std::string CirconusCheckDisplayName;
  std::string CirconusBrokerID;
  std::string CirconusBrokerSelectTag;

  friend bool operator==(const Telemetry&, const Telemetry&) = default;
};

struct AuditFilter {
  std::string Name;
  std::string Type;
  List<std::string> Endpoints;
  List<std::string> Stages;
  List<std::string> Operations;

  friend bool operator==(const AuditFilter&, const AuditFilter&) = default;
};

struct AuditSink {
  std::string Name;
  std::string DeliveryGuarantee;
  std::string Type;
  std::string Format;
  std::string Path;
  Duration RotateDuration{};
  int64_t RotateBytes = 0;
  int64_t RotateMaxFiles = 0;
  std::string Mode;

  friend bool operator==(const AuditSink&, const AuditSink&) = default;
};

struct AuditConfig {
  std::optional<bool> Enabled;
  List<AuditSink> Sinks;
  List<AuditFilter> Filters;

  friend bool operator==(const AuditConfig&, const AuditConfig&) = default;
};

struct AutopilotConfig {
  std::optional<bool> CleanupDeadServers;
  Duration ServerStabilizationTime{};
  Duration LastContactThreshold{};
  int64_t MaxTrailingLogs = 0;
  int64_t MinQuorum = 0;
  std::optional<bool> EnableRedundancyZones;
  std::optional<bool> DisableUpgradeMigration;
  std::optional<bool> EnableCustomUpgrades;

  friend bool operator==(const AutopilotConfig&, const AutopilotConfig&) = default;
};

struct ConsulConfig {
  std::string ServerServiceName;
  std::string ServerHTTPCheckName;
  std::string ServerSerfCheckName;
  std::string ServerRPCCheckName;
  std::string ClientServiceName;
  std::string ClientHTTPCheckName;
  List<std::string> Tags;
  std::optional<bool> AutoAdvertise;
  std::optional<bool> ChecksUseAdvertise;
  std::string Addr;
  std::string GRPCAddr;
  Duration Timeout{};
  std::string Token;
  std::optional<bool> AllowUnauthenticated;
  std::string Auth;
  std::optional<bool> EnableSSL;
  std::optional<bool> ShareSSL;
  std::optional<bool> VerifySSL;
  std::string GRPCCAFile;
  std::string CAFile;
  std::string CertFile;
  std::string KeyFile;
  std::optional<bool> ServerAutoJoin;
  std::optional<bool> ClientAutoJoin;
  std::string Namespace;

  friend bool operator==(const ConsulConfig&, const ConsulConfig&) = default;
};

struct Limits {
  std::string HTTPSHandshakeTimeout;
  std::optional<int64_t> HTTPMaxConnsPerClient;
  std::string RPCHandshakeTimeout;
  std::optional<int64_t> RPCMaxConnsPerClient;

  friend bool operator==(const Limits&, const Limits&) = default;
};

struct PluginConfig {
  std::string Name;
  List<std::string> Args;
  Map<Value> Config;

  friend bool operator==(const PluginConfig&, const PluginConfig&) = default;
};

struct SentinelImport {
  std::string Name;
  std::string Path;
  List<std::string> Args;

  friend bool operator==(const SentinelImport&, const SentinelImport&) = default;
};

struct SentinelConfig {
  List<SentinelImport> Imports;

  friend bool operator==(const SentinelConfig&, const SentinelConfig&) = default;
};

struct KeyLoader {

  friend bool operator==(const KeyLoader&, const KeyLoader&) = default;
};

struct TLSConfig {
  bool EnableHTTP = false;
  bool EnableRPC = false;
  bool VerifyServerHostname = false;
  std::string CAFile;
  std::string CertFile;
  Box<::drover::agent::KeyLoader> KeyLoader;
  std::string KeyFile;
  bool RPCUpgradeMode = false;
  bool VerifyHTTPSClient = false;
  std::string Checksum;
  std::string TLSCipherSuites;
  std::string TLSMinVersion;
  bool TLSPreferServerCipherSuites = false;

  friend bool operator==(const TLSConfig&, const TLSConfig&) = default;
};

struct ConsulUIConfig {
  std::string BaseUIURL;

  friend bool operator==(const ConsulUIConfig&, const ConsulUIConfig&) = default;
};

struct LabelUIConfig {
  std::string Text;
  std::string BackgroundColor;
  std::string TextColor;

  friend bool operator==(const LabelUIConfig&, const LabelUIConfig&) = default;
};

struct VaultUIConfig {
  std::string BaseUIURL;

  friend bool operator==(const VaultUIConfig&, const VaultUIConfig&) = default;
};

struct UIConfig {
  bool Enabled = false;
  Box<ConsulUIConfig> Consul;
  Box<VaultUIConfig> Vault;
  Box<LabelUIConfig> Label;

  friend bool operator==(const UIConfig&, const UIConfig&) = default;
};

struct VaultConfig {
  std::optional<bool> Enabled;
  std::string Token;
  std::string Role;
  std::string Namespace;
  std::optional<bool> AllowUnauthenticated;
  std::string TaskTokenTTL;
  std::string Addr;
  Duration ConnectionRetryIntv{};
  std::string TLSCaFile;
  std::string TLSCaPath;
  std::string TLSCertFile;
  std::string TLSKeyFile;
  std::optional<bool> TLSSkipVerify;
  std::string TLSServerName;

  friend bool operator==(const VaultConfig&, const VaultConfig&) = default;
};

struct Config {
  std::string Region;
  std::string Datacenter;
  std::string NodeName;
  std::string DataDir;
  std::string PluginDir;
  std::string LogLevel;
  bool LogJson = false;
  std::string LogFile;
  std::string LogRotateDuration;
  int64_t LogRotateBytes = 0;
  int64_t LogRotateMaxFiles = 0;
  std::string BindAddr;
  bool EnableDebug = false;
  Box<::drover::agent::Ports> Ports;
  Box<::drover::agent::Addresses> Addresses;
  Box<::drover::agent::AdvertiseAddrs> AdvertiseAddrs;
  Box<ClientConfig> Client;
  Box<ServerConfig> Server;
  Box<ACLConfig> ACL;
  Box<::drover::agent::Telemetry> Telemetry;
  bool LeaveOnInt = false;
  bool LeaveOnTerm = false;
  bool EnableSyslog = false;
  std::string SyslogFacility;
  std::optional<bool> DisableUpdateCheck;
  bool DisableAnonymousSignature = false;
  Box<ConsulConfig> Consul;
  Box<VaultConfig> Vault;
  Box<UIConfig> UI;
  bool DevMode = false;
  Box<::drover::VersionInfo> Version;
  List<std::string> Files;
  Box<::drover::agent::TLSConfig> TLSConfig;
  Map<std::string> HTTPAPIResponseHeaders;
  Box<SentinelConfig> Sentinel;
  Box<AutopilotConfig> Autopilot;
  List<PluginConfig> Plugins;
  ::drover::agent::Limits Limits;
  Box<AuditConfig> Audit;

  friend bool operator==(const Config&, const Config&) = default;
};

struct AgentSelf {
  Box<::drover::agent::Config> Config;
  ::drover::AgentMember Member;
  Map<Map<std::string>> Stats;

  friend bool operator==(const AgentSelf&, const AgentSelf&) = default;
};

}  // namespace drover::agent

namespace drover {
DROVER_TYPE(agent::ACLConfig)
DROVER_TYPE(agent::Addresses)
DROVER_TYPE(agent::AdvertiseAddrs)
DROVER_TYPE(agent::Resources)
DROVER_TYPE(agent::ServerJoin)
DROVER_TYPE(agent::RetryConfig)
DROVER_TYPE(agent::WaitConfig)
DROVER_TYPE(agent::ClientTemplateConfig)
DROVER_TYPE(agent::ArtifactConfig)
DROVER_TYPE(agent::DrainConfig)
DROVER_TYPE(agent::ClientConfig)
DROVER_TYPE(agent::Ports)
DROVER_TYPE(agent::PlanRejectionTracker)
DROVER_TYPE(agent::RaftBoltConfig)
DROVER_TYPE(agent::Search)
DROVER_TYPE(agent::ServerConfig)
DROVER_TYPE(agent::Telemetry)
DROVER_TYPE(agent::AuditFilter)
DROVER_TYPE(agent::AuditSink)
DROVER_TYPE(agent::AuditConfig)
DROVER_TYPE(agent::AutopilotConfig)
DROVER_TYPE(agent::ConsulConfig)
DROVER_TYPE(agent::Limits)
DROVER_TYPE(agent::PluginConfig)
DROVER_TYPE(agent::SentinelImport)
DROVER_TYPE(agent::SentinelConfig)
DROVER_TYPE(agent::KeyLoader)
DROVER_TYPE(agent::TLSConfig)
DROVER_TYPE(agent::ConsulUIConfig)
DROVER_TYPE(agent::LabelUIConfig)
DROVER_TYPE(agent::VaultUIConfig)
DROVER_TYPE(agent::UIConfig)
DROVER_TYPE(agent::VaultConfig)
DROVER_TYPE(agent::Config)
DROVER_TYPE(agent::AgentSelf)
}  // namespace drover
