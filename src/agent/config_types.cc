#include "agent/config_types.h"

DROVER_DESCRIBE(drover::agent::ACLConfig, "agent.ACLConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(TokenTTL), DROVER_FIELD(PolicyTTL), DROVER_FIELD(RoleTTL),
    DROVER_FIELD(ReplicationToken), DROVER_FIELD(TokenMinExpirationTTL), DROVER_FIELD(TokenMaxExpirationTTL))

DROVER_DESCRIBE(drover::agent::Addresses, "agent.Addresses",
    DROVER_FIELD(HTTP), DROVER_FIELD(RPC), DROVER_FIELD(Serf))

DROVER_DESCRIBE(drover::agent::AdvertiseAddrs, "agent.AdvertiseAddrs",
    DROVER_FIELD(HTTP), DROVER_FIELD(RPC), DROVER_FIELD(Serf))

DROVER_DESCRIBE(drover::agent::Resources, "agent.Resources",
    DROVER_FIELD(CPU), DROVER_FIELD(MemoryMB), DROVER_FIELD(DiskMB), DROVER_FIELD(ReservedPorts), DROVER_FIELD(Cores))

DROVER_DESCRIBE(drover::agent::ServerJoin, "agent.ServerJoin",
    DROVER_FIELD(StartJoin), DROVER_FIELD(RetryJoin), DROVER_FIELD(RetryMaxAttempts), DROVER_FIELD(RetryInterval))

DROVER_DESCRIBE(drover::agent::RetryConfig, "cconfig.RetryConfig",
    DROVER_FIELD(Attempts), DROVER_FIELD(Backoff), DROVER_FIELD(MaxBackoff))

DROVER_DESCRIBE(drover::agent::WaitConfig, "cconfig.WaitConfig",
    DROVER_FIELD(Min), DROVER_FIELD(Max))

DROVER_DESCRIBE(drover::agent::ClientTemplateConfig, "cconfig.ClientTemplateConfig",
    DROVER_FIELD(FunctionDenylist), DROVER_FIELD(FunctionBlacklist), DROVER_FIELD(DisableSandbox),
    DROVER_FIELD(MaxStale), DROVER_FIELD(MaxStaleHCL), DROVER_FIELD(BlockQueryWaitTime),
    DROVER_FIELD(BlockQueryWaitTimeHCL), DROVER_FIELD(Wait).with(drover::kNotInJson),
    DROVER_FIELD(WaitBounds).with(drover::kNotInJson), DROVER_FIELD(ConsulRetry), DROVER_FIELD(VaultRetry),
    DROVER_FIELD(NomadRetry))

DROVER_DESCRIBE(drover::agent::ArtifactConfig, "config.ArtifactConfig",
    DROVER_FIELD(HTTPReadTimeout), DROVER_FIELD(HTTPMaxSize), DROVER_FIELD(GCSTimeout), DROVER_FIELD(GitTimeout),
    DROVER_FIELD(HgTimeout), DROVER_FIELD(S3Timeout), DROVER_FIELD(DecompressionFileCountLimit),
    DROVER_FIELD(DecompressionSizeLimit), DROVER_FIELD(DisableFilesystemIsolation),
    DROVER_FIELD(SetEnvironmentVariables))

DROVER_DESCRIBE(drover::agent::DrainConfig, "config.DrainConfig",
    DROVER_FIELD(Deadline), DROVER_FIELD(IgnoreSystemJobs), DROVER_FIELD(Force))

DROVER_DESCRIBE(drover::agent::ClientConfig, "agent.ClientConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(StateDir), DROVER_FIELD(AllocDir), DROVER_FIELD(Servers),
    DROVER_FIELD(NodeClass), DROVER_FIELD(Options), DROVER_FIELD(Meta), DROVER_FIELD(ChrootEnv),
    DROVER_FIELD(NetworkInterface), DROVER_FIELD(NetworkSpeed), DROVER_FIELD(CpuCompute), DROVER_FIELD(MemoryMB),
    DROVER_FIELD(DiskTotalMB), DROVER_FIELD(DiskFreeMB), DROVER_FIELD(ReserveableCores), DROVER_FIELD(MaxKillTimeout),
    DROVER_FIELD(ClientMaxPort), DROVER_FIELD(ClientMinPort), DROVER_FIELD(MaxDynamicPort),
    DROVER_FIELD(MinDynamicPort), DROVER_FIELD(Reserved), DROVER_FIELD(GCInterval), DROVER_FIELD(GCParallelDestroys),
    DROVER_FIELD(GCDiskUsageThreshold), DROVER_FIELD(GCInodeUsageThreshold), DROVER_FIELD(GCMaxAllocs),
    DROVER_FIELD(NoHostUUID), DROVER_FIELD(DisableRemoteExec), DROVER_FIELD(TemplateConfig), DROVER_FIELD(ServerJoin),
    DROVER_FIELD(HostVolumes), DROVER_FIELD(CNIPath), DROVER_FIELD(CNIConfigDir), DROVER_FIELD(BridgeNetworkName),
    DROVER_FIELD(BridgeNetworkSubnet), DROVER_FIELD(BridgeNetworkHairpinMode), DROVER_FIELD(HostNetworks),
    DROVER_FIELD(BindWildcardDefaultHostNetwork), DROVER_FIELD(CgroupParent), DROVER_FIELD(NomadServiceDiscovery),
    DROVER_FIELD(Artifact), DROVER_FIELD(Drain))

DROVER_DESCRIBE(drover::agent::Ports, "agent.Ports",
    DROVER_FIELD(HTTP), DROVER_FIELD(RPC), DROVER_FIELD(Serf))

DROVER_DESCRIBE(drover::agent::PlanRejectionTracker, "agent.PlanRejectionTracker",
    DROVER_FIELD(Enabled), DROVER_FIELD(NodeThreshold), DROVER_FIELD(NodeWindow))

DROVER_DESCRIBE(drover::agent::RaftBoltConfig, "agent.RaftBoltConfig",
    DROVER_FIELD(NoFreelistSync))

DROVER_DESCRIBE(drover::agent::Search, "agent.Search",
    DROVER_FIELD(FuzzyEnabled), DROVER_FIELD(LimitQuery), DROVER_FIELD(LimitResults), DROVER_FIELD(MinTermLength))

DROVER_DESCRIBE(drover::agent::ServerConfig, "agent.ServerConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(AuthoritativeRegion), DROVER_FIELD(BootstrapExpect), DROVER_FIELD(DataDir),
    DROVER_FIELD(ProtocolVersion).with(drover::kNotInJson), DROVER_FIELD(RaftProtocol), DROVER_FIELD(RaftMultiplier), DROVER_FIELD(NumSchedulers),
    DROVER_FIELD(EnabledSchedulers), DROVER_FIELD(NodeGCThreshold), DROVER_FIELD(JobGCInterval),
    DROVER_FIELD(JobGCThreshold), DROVER_FIELD(EvalGCThreshold), DROVER_FIELD(BatchEvalGCThreshold),
    DROVER_FIELD(DeploymentGCThreshold), DROVER_FIELD(CSIVolumeClaimGCInterval),
    DROVER_FIELD(CSIVolumeClaimGCThreshold), DROVER_FIELD(CSIPluginGCThreshold), DROVER_FIELD(ACLTokenGCThreshold),
    DROVER_FIELD(RootKeyGCInterval), DROVER_FIELD(RootKeyGCThreshold), DROVER_FIELD(RootKeyRotationThreshold),
    DROVER_FIELD(HeartbeatGrace), DROVER_FIELD(MinHeartbeatTTL), DROVER_FIELD(MaxHeartbeatsPerSecond),
    DROVER_FIELD(FailoverHeartbeatTTL), DROVER_FIELD(StartJoin), DROVER_FIELD(RetryJoin),
    DROVER_FIELD(RetryMaxAttempts), DROVER_FIELD(RetryInterval),
    DROVER_FIELD(EncryptKey).with(drover::kNotInJson), DROVER_FIELD(RejoinAfterLeave),
    DROVER_FIELD(NonVotingServer), DROVER_FIELD(RedundancyZone), DROVER_FIELD(UpgradeVersion),
    DROVER_FIELD(ServerJoin), DROVER_FIELD(DefaultSchedulerConfig), DROVER_FIELD(PlanRejectionTracker),
    DROVER_FIELD(EnableEventBroker), DROVER_FIELD(EventBufferSize), DROVER_FIELD(LicensePath),
    DROVER_FIELD(LicenseEnv), DROVER_FIELD(Search), DROVER_FIELD(DeploymentQueryRateLimit),
    DROVER_FIELD(RaftBoltConfig), DROVER_FIELD(RaftSnapshotThreshold), DROVER_FIELD(RaftSnapshotInterval),
    DROVER_FIELD(RaftTrailingLogs), DROVER_FIELD(JobDefaultPriority), DROVER_FIELD(JobMaxPriority),
    DROVER_FIELD(JobMaxSourceSize))

DROVER_DESCRIBE(drover::agent::Telemetry, "agent.Telemetry",
    DROVER_FIELD(StatsiteAddr), DROVER_FIELD(StatsdAddr), DROVER_FIELD(DataDogAddr), DROVER_FIELD(DataDogTags),
    DROVER_FIELD(PrometheusMetrics), DROVER_FIELD(DisableHostname), DROVER_FIELD(UseNodeName),
    DROVER_FIELD(CollectionInterval), DROVER_FIELD(PublishAllocationMetrics), DROVER_FIELD(PublishNodeMetrics),
    DROVER_FIELD(PrefixFilter), DROVER_FIELD(FilterDefault), DROVER_FIELD(DisableDispatchedJobSummaryMetrics),
    DROVER_FIELD(DisableRPCRateMetricsLabels), DROVER_FIELD(CirconusAPIToken), DROVER_FIELD(CirconusAPIApp),
    DROVER_FIELD(CirconusAPIURL), DROVER_FIELD(CirconusSubmissionInterval), DROVER_FIELD(CirconusCheckSubmissionURL),
    DROVER_FIELD(CirconusCheckID), DROVER_FIELD(CirconusCheckForceMetricActivation),
    DROVER_FIELD(CirconusCheckInstanceID), DROVER_FIELD(CirconusCheckSearchTag), DROVER_FIELD(CirconusCheckTags),
    DROVER_FIELD(CirconusCheckDisplayName), DROVER_FIELD(CirconusBrokerID), DROVER_FIELD(CirconusBrokerSelectTag))

DROVER_DESCRIBE(drover::agent::AuditFilter, "config.AuditFilter",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Endpoints), DROVER_FIELD(Stages), DROVER_FIELD(Operations))

DROVER_DESCRIBE(drover::agent::AuditSink, "config.AuditSink",
    DROVER_FIELD(Name), DROVER_FIELD(DeliveryGuarantee), DROVER_FIELD(Type), DROVER_FIELD(Format), DROVER_FIELD(Path),
    DROVER_FIELD(RotateDuration), DROVER_FIELD(RotateBytes), DROVER_FIELD(RotateMaxFiles), DROVER_FIELD(Mode))

DROVER_DESCRIBE(drover::agent::AuditConfig, "config.AuditConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(Sinks), DROVER_FIELD(Filters))

DROVER_DESCRIBE(drover::agent::AutopilotConfig, "config.AutopilotConfig",
    DROVER_FIELD(CleanupDeadServers), DROVER_FIELD(ServerStabilizationTime), DROVER_FIELD(LastContactThreshold),
    DROVER_FIELD(MaxTrailingLogs), DROVER_FIELD(MinQuorum), DROVER_FIELD(EnableRedundancyZones),
    DROVER_FIELD(DisableUpgradeMigration), DROVER_FIELD(EnableCustomUpgrades))

DROVER_DESCRIBE(drover::agent::ConsulConfig, "config.ConsulConfig",
    DROVER_FIELD(ServerServiceName), DROVER_FIELD(ServerHTTPCheckName), DROVER_FIELD(ServerSerfCheckName),
    DROVER_FIELD(ServerRPCCheckName), DROVER_FIELD(ClientServiceName), DROVER_FIELD(ClientHTTPCheckName),
    DROVER_FIELD(Tags), DROVER_FIELD(AutoAdvertise), DROVER_FIELD(ChecksUseAdvertise), DROVER_FIELD(Addr),
    DROVER_FIELD(GRPCAddr), DROVER_FIELD(Timeout), DROVER_FIELD(Token), DROVER_FIELD(AllowUnauthenticated),
    DROVER_FIELD(Auth), DROVER_FIELD(EnableSSL), DROVER_FIELD(ShareSSL), DROVER_FIELD(VerifySSL),
    DROVER_FIELD(GRPCCAFile), DROVER_FIELD(CAFile), DROVER_FIELD(CertFile), DROVER_FIELD(KeyFile),
    DROVER_FIELD(ServerAutoJoin), DROVER_FIELD(ClientAutoJoin), DROVER_FIELD(Namespace))

DROVER_DESCRIBE(drover::agent::Limits, "config.Limits",
    DROVER_FIELD(HTTPSHandshakeTimeout), DROVER_FIELD(HTTPMaxConnsPerClient), DROVER_FIELD(RPCHandshakeTimeout),
    DROVER_FIELD(RPCMaxConnsPerClient))

DROVER_DESCRIBE(drover::agent::PluginConfig, "config.PluginConfig",
    DROVER_FIELD(Name), DROVER_FIELD(Args), DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::agent::SentinelImport, "config.SentinelImport",
    DROVER_FIELD(Name), DROVER_FIELD(Path), DROVER_FIELD(Args))

DROVER_DESCRIBE(drover::agent::SentinelConfig, "config.SentinelConfig",
    DROVER_FIELD(Imports))

DROVER_DESCRIBE(drover::agent::KeyLoader, "config.KeyLoader")

DROVER_DESCRIBE(drover::agent::TLSConfig, "config.TLSConfig",
    DROVER_FIELD(EnableHTTP), DROVER_FIELD(EnableRPC), DROVER_FIELD(VerifyServerHostname), DROVER_FIELD(CAFile),
    DROVER_FIELD(CertFile), DROVER_FIELD(KeyLoader), DROVER_FIELD(KeyFile), DROVER_FIELD(RPCUpgradeMode),
    DROVER_FIELD(VerifyHTTPSClient), DROVER_FIELD(Checksum), DROVER_FIELD(TLSCipherSuites),
    DROVER_FIELD(TLSMinVersion), DROVER_FIELD(TLSPreferServerCipherSuites))

DROVER_DESCRIBE(drover::agent::ConsulUIConfig, "config.ConsulUIConfig",
    DROVER_FIELD(BaseUIURL))

DROVER_DESCRIBE(drover::agent::LabelUIConfig, "config.LabelUIConfig",
    DROVER_FIELD(Text), DROVER_FIELD(BackgroundColor), DROVER_FIELD(TextColor))

DROVER_DESCRIBE(drover::agent::VaultUIConfig, "config.VaultUIConfig",
    DROVER_FIELD(BaseUIURL))

DROVER_DESCRIBE(drover::agent::UIConfig, "config.UIConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(Consul), DROVER_FIELD(Vault), DROVER_FIELD(Label))

DROVER_DESCRIBE(drover::agent::VaultConfig, "config.VaultConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(Token), DROVER_FIELD(Role), DROVER_FIELD(Namespace),
    DROVER_FIELD(AllowUnauthenticated), DROVER_FIELD(TaskTokenTTL), DROVER_FIELD(Addr),
    DROVER_FIELD(ConnectionRetryIntv), DROVER_FIELD(TLSCaFile), DROVER_FIELD(TLSCaPath), DROVER_FIELD(TLSCertFile),
    DROVER_FIELD(TLSKeyFile), DROVER_FIELD(TLSSkipVerify), DROVER_FIELD(TLSServerName))

DROVER_DESCRIBE(drover::agent::Config, "agent.Config",
    DROVER_FIELD(Region), DROVER_FIELD(Datacenter), DROVER_FIELD(NodeName), DROVER_FIELD(DataDir),
    DROVER_FIELD(PluginDir), DROVER_FIELD(LogLevel), DROVER_FIELD(LogJson), DROVER_FIELD(LogFile),
    DROVER_FIELD(LogRotateDuration), DROVER_FIELD(LogRotateBytes), DROVER_FIELD(LogRotateMaxFiles),
    DROVER_FIELD(BindAddr), DROVER_FIELD(EnableDebug), DROVER_FIELD(Ports), DROVER_FIELD(Addresses),
    DROVER_FIELD(AdvertiseAddrs), DROVER_FIELD(Client), DROVER_FIELD(Server), DROVER_FIELD(ACL),
    DROVER_FIELD(Telemetry), DROVER_FIELD(LeaveOnInt), DROVER_FIELD(LeaveOnTerm), DROVER_FIELD(EnableSyslog),
    DROVER_FIELD(SyslogFacility), DROVER_FIELD(DisableUpdateCheck), DROVER_FIELD(DisableAnonymousSignature),
    DROVER_FIELD(Consul), DROVER_FIELD(Vault), DROVER_FIELD(UI), DROVER_FIELD(DevMode), DROVER_FIELD(Version),
    DROVER_FIELD(Files), DROVER_FIELD(TLSConfig), DROVER_FIELD(HTTPAPIResponseHeaders), DROVER_FIELD(Sentinel),
    DROVER_FIELD(Autopilot), DROVER_FIELD(Plugins), DROVER_FIELD(Limits), DROVER_FIELD(Audit))

DROVER_DESCRIBE(drover::agent::AgentSelf, "agent.agentSelf",
    DROVER_FIELD(Config).json("config"), DROVER_FIELD(Member).json("member").with(drover::kOmitEmpty),
    DROVER_FIELD(Stats).json("stats"))
