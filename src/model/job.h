// A job as servers store it: groups, tasks, services and their policies.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"
#include "model/resources.h"

namespace drover {

struct CSIMountOptions {
  std::string FSType;
  List<std::string> MountFlags;

  friend bool operator==(const CSIMountOptions&, const CSIMountOptions&) = default;
};

struct ChangeScript {
  std::string Command;
  List<std::string> Args;
  Duration Timeout{};
  bool FailOnError = false;

  friend bool operator==(const ChangeScript&, const ChangeScript&) = default;
};

struct CheckRestart {
  int64_t Limit = 0;
  Duration Grace{};
  bool IgnoreWarnings = false;

  friend bool operator==(const CheckRestart&, const CheckRestart&) = default;
};

struct Consul {
  std::string Namespace;

  friend bool operator==(const Consul&, const Consul&) = default;
};

struct ConsulGatewayBindAddress {
  std::string Address;
  int64_t Port = 0;

  friend bool operator==(const ConsulGatewayBindAddress&, const ConsulGatewayBindAddress&) = default;
};

struct ConsulGatewayProxy {
  std::optional<Duration> ConnectTimeout;
  bool EnvoyGatewayBindTaggedAddresses = false;
  Map<ConsulGatewayBindAddress> EnvoyGatewayBindAddresses;
  bool EnvoyGatewayNoDefaultBind = false;
  std::string EnvoyDNSDiscoveryType;
  Map<Value> Config;

  friend bool operator==(const ConsulGatewayProxy&, const ConsulGatewayProxy&) = default;
};

struct ConsulGatewayTLSConfig {
  bool Enabled = false;
  std::string TLSMinVersion;
  std::string TLSMaxVersion;
  List<std::string> CipherSuites;

  friend bool operator==(const ConsulGatewayTLSConfig&, const ConsulGatewayTLSConfig&) = default;
};

struct ConsulIngressService {
  std::string Name;
  List<std::string> Hosts;

  friend bool operator==(const ConsulIngressService&, const ConsulIngressService&) = default;
};

struct ConsulIngressListener {
  int64_t Port = 0;
  std::string Protocol;
  List<ConsulIngressService> Services;

  friend bool operator==(const ConsulIngressListener&, const ConsulIngressListener&) = default;
};

struct ConsulIngressConfigEntry {
  Box<ConsulGatewayTLSConfig> TLS;
  List<ConsulIngressListener> Listeners;

  friend bool operator==(const ConsulIngressConfigEntry&, const ConsulIngressConfigEntry&) = default;
};

struct ConsulMeshConfigEntry {

  friend bool operator==(const ConsulMeshConfigEntry&, const ConsulMeshConfigEntry&) = default;
};

struct ConsulLinkedService {
  std::string Name;
  std::string CAFile;
  std::string CertFile;
  std::string KeyFile;
  std::string SNI;

  friend bool operator==(const ConsulLinkedService&, const ConsulLinkedService&) = default;
};

struct ConsulTerminatingConfigEntry {
  List<ConsulLinkedService> Services;

  friend bool operator==(const ConsulTerminatingConfigEntry&, const ConsulTerminatingConfigEntry&) = default;
};

struct ConsulGateway {
  Box<ConsulGatewayProxy> Proxy;
  Box<ConsulIngressConfigEntry> Ingress;
  Box<ConsulTerminatingConfigEntry> Terminating;
  Box<ConsulMeshConfigEntry> Mesh;

  friend bool operator==(const ConsulGateway&, const ConsulGateway&) = default;
};

struct ConsulExposePath {
  std::string Path;
  std::string Protocol;
  int64_t LocalPathPort = 0;
  std::string ListenerPort;

  friend bool operator==(const ConsulExposePath&, const ConsulExposePath&) = default;
};

struct ConsulExposeConfig {
  List<ConsulExposePath> Paths;

  friend bool operator==(const ConsulExposeConfig&, const ConsulExposeConfig&) = default;
};

struct ConsulMeshGateway {
  std::string Mode;

  friend bool operator==(const ConsulMeshGateway&, const ConsulMeshGateway&) = default;
};

struct ConsulUpstream {
  std::string DestinationName;
  std::string DestinationNamespace;
  int64_t LocalBindPort = 0;
  std::string Datacenter;
  std::string LocalBindAddress;
  ConsulMeshGateway MeshGateway;
  Map<Value> Config;

  friend bool operator==(const ConsulUpstream&, const ConsulUpstream&) = default;
};

struct ConsulProxy {
  std::string LocalServiceAddress;
  int64_t LocalServicePort = 0;
  List<ConsulUpstream> Upstreams;
  Box<ConsulExposeConfig> Expose;
  Map<Value> Config;

  friend bool operator==(const ConsulProxy&, const ConsulProxy&) = default;
};

struct ConsulSidecarService {
  List<std::string> Tags;
  std::string Port;
  Box<ConsulProxy> Proxy;
  bool DisableDefaultTCPCheck = false;
  Map<std::string> Meta;

  friend bool operator==(const ConsulSidecarService&, const ConsulSidecarService&) = default;
};

struct LogConfig {
  int64_t MaxFiles = 0;
  int64_t MaxFileSizeMB = 0;
  bool Disabled = false;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct SidecarTask {
  std::string Name;
  std::string Driver;
  std::string User;
  Map<Value> Config;
  Map<std::string> Env;
  Box<::drover::Resources> Resources;
  Map<std::string> Meta;
  std::optional<Duration> KillTimeout;
  Box<::drover::LogConfig> LogConfig;
  std::optional<Duration> ShutdownDelay;
  std::string KillSignal;

  friend bool operator==(const SidecarTask&, const SidecarTask&) = default;
};

struct ConsulConnect {
  bool Native = false;
  Box<ConsulSidecarService> SidecarService;
  Box<::drover::SidecarTask> SidecarTask;
  Box<ConsulGateway> Gateway;

  friend bool operator==(const ConsulConnect&, const ConsulConnect&) = default;
};

struct DispatchPayloadConfig {
  std::string File;

  friend bool operator==(const DispatchPayloadConfig&, const DispatchPayloadConfig&) = default;
};

struct EphemeralDisk {
  bool Sticky = false;
  int64_t SizeMB = 0;
  bool Migrate = false;

  friend bool operator==(const EphemeralDisk&, const EphemeralDisk&) = default;
};

struct MultiregionRegion {
  std::string Name;
  int64_t Count = 0;
  List<std::string> Datacenters;
  Map<std::string> Meta;

  friend bool operator==(const MultiregionRegion&, const MultiregionRegion&) = default;
};

struct MultiregionStrategy {
  int64_t MaxParallel = 0;
  std::string OnFailure;

  friend bool operator==(const MultiregionStrategy&, const MultiregionStrategy&) = default;
};

struct Multiregion {
  Box<MultiregionStrategy> Strategy;
  List<MultiregionRegion> Regions;

  friend bool operator==(const Multiregion&, const Multiregion&) = default;
};

struct ParameterizedJobConfig {
  std::string Payload;
  List<std::string> MetaRequired;
  List<std::string> MetaOptional;

  friend bool operator==(const ParameterizedJobConfig&, const ParameterizedJobConfig&) = default;
};

struct PeriodicConfig {
  bool Enabled = false;
  std::string Spec;
  std::string SpecType;
  bool ProhibitOverlap = false;
  std::string TimeZone;

  friend bool operator==(const PeriodicConfig&, const PeriodicConfig&) = default;
};

struct MigrateStrategy {
  int64_t MaxParallel = 0;
  std::string HealthCheck;
  Duration MinHealthyTime{};
  Duration HealthyDeadline{};

  friend bool operator==(const MigrateStrategy&, const MigrateStrategy&) = default;
};

struct ReschedulePolicy {
  int64_t Attempts = 0;
  Duration Interval{};
  Duration Delay{};
  std::string DelayFunction;
  Duration MaxDelay{};
  bool Unlimited = false;

  friend bool operator==(const ReschedulePolicy&, const ReschedulePolicy&) = default;
};

struct RestartPolicy {
  int64_t Attempts = 0;
  Duration Interval{};
  Duration Delay{};
  std::string Mode;

  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

struct ScalingPolicy {
  std::string ID;
  std::string Type;
  Map<std::string> Target;
  Map<Value> Policy;
  int64_t Min = 0;
  int64_t Max = 0;
  bool Enabled = false;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ScalingPolicy&, const ScalingPolicy&) = default;
};

struct ServiceCheck {
  std::string Name;
  std::string Type;
  std::string Command;
  List<std::string> Args;
  std::string Path;
  std::string Protocol;
  std::string PortLabel;
  bool Expose = false;
  std::string AddressMode;
  Duration Interval{};
  Duration Timeout{};
  std::string InitialStatus;
  bool TLSSkipVerify = false;
  std::string Method;
  Map<List<std::string>> Header;
  Box<::drover::CheckRestart> CheckRestart;
  std::string GRPCService;
  bool GRPCUseTLS = false;
  std::string TaskName;
  int64_t SuccessBeforePassing = 0;
  int64_t FailuresBeforeCritical = 0;
  std::string Body;
  std::string OnUpdate;

  friend bool operator==(const ServiceCheck&, const ServiceCheck&) = default;
};

struct Service {
  std::string Name;
  std::string TaskName;
  std::string PortLabel;
  std::string AddressMode;
  std::string Address;
  bool EnableTagOverride = false;
  List<std::string> Tags;
  List<std::string> CanaryTags;
  List<ServiceCheck> Checks;
  Box<ConsulConnect> Connect;
  Map<std::string> Meta;
  Map<std::string> CanaryMeta;
  Map<std::string> TaggedAddresses;
  std::string Namespace;
  std::string OnUpdate;
  std::string Provider;

  friend bool operator==(const Service&, const Service&) = default;
};

struct TaskArtifact {
  std::string GetterSource;
  Map<std::string> GetterOptions;
  Map<std::string> GetterHeaders;
  std::string GetterMode;
  std::string RelativeDest;

  friend bool operator==(const TaskArtifact&, const TaskArtifact&) = default;
};

struct TaskCSIPluginConfig {
  std::string ID;
  std::string Type;
  std::string MountDir;
  std::string StagePublishBaseDir;
  Duration HealthTimeout{};

  friend bool operator==(const TaskCSIPluginConfig&, const TaskCSIPluginConfig&) = default;
};

struct WaitConfig {
  std::optional<Duration> Min;
  std::optional<Duration> Max;

  friend bool operator==(const WaitConfig&, const WaitConfig&) = default;
};

struct Template {
  std::string SourcePath;
  std::string DestPath;
  std::string EmbeddedTmpl;
  std::string ChangeMode;
  std::string ChangeSignal;
  Box<::drover::ChangeScript> ChangeScript;
  Duration Splay{};
  std::string Perms;
  std::optional<int64_t> Uid;
  std::optional<int64_t> Gid;
  std::string LeftDelim;
  std::string RightDelim;
  bool Envvars = false;
  Duration VaultGrace{};
  Box<WaitConfig> Wait;
  bool ErrMissingKey = false;

  friend bool operator==(const Template&, const Template&) = default;
};

struct Vault {
  List<std::string> Policies;
  std::string Namespace;
  bool Env = false;
  std::string ChangeMode;
  std::string ChangeSignal;

  friend bool operator==(const Vault&, const Vault&) = default;
};

struct VolumeMount {
  std::string Volume;
  std::string Destination;
  bool ReadOnly = false;
  std::string PropagationMode;

  friend bool operator==(const VolumeMount&, const VolumeMount&) = default;
};

struct WorkloadIdentity {
  bool Env = false;
  bool File = false;

  friend bool operator==(const WorkloadIdentity&, const WorkloadIdentity&) = default;
};

struct Task {
  std::string Name;
  std::string Driver;
  std::string User;
  Map<Value> Config;
  Map<std::string> Env;
  List<Service> Services;
  Box<::drover::Vault> Vault;
  List<Template> Templates;
  List<Constraint> Constraints;
  List<Affinity> Affinities;
  Box<::drover::Resources> Resources;
  Box<::drover::RestartPolicy> RestartPolicy;
  Box<DispatchPayloadConfig> DispatchPayload;
  Box<TaskLifecycleConfig> Lifecycle;
  Map<std::string> Meta;
  Duration KillTimeout{};
  Box<::drover::LogConfig> LogConfig;
  List<TaskArtifact> Artifacts;
  bool Leader = false;
  Duration ShutdownDelay{};
  List<VolumeMount> VolumeMounts;
  List<ScalingPolicy> ScalingPolicies;
  std::string KillSignal;
  std::string Kind;
  Box<TaskCSIPluginConfig> CSIPluginConfig;
  Box<WorkloadIdentity> Identity;

  friend bool operator==(const Task&, const Task&) = default;
};

struct UpdateStrategy {
  Duration Stagger{};
  int64_t MaxParallel = 0;
  std::string HealthCheck;
  Duration MinHealthyTime{};
  Duration HealthyDeadline{};
  Duration ProgressDeadline{};
  bool AutoRevert = false;
  bool AutoPromote = false;
  int64_t Canary = 0;

  friend bool operator==(const UpdateStrategy&, const UpdateStrategy&) = default;
};

struct VolumeRequest {
  std::string Name;
  std::string Type;
  std::string Source;
  bool ReadOnly = false;
  std::string AccessMode;
  std::string AttachmentMode;
  Box<CSIMountOptions> MountOptions;
  bool PerAlloc = false;

  friend bool operator==(const VolumeRequest&, const VolumeRequest&) = default;
};

struct TaskGroup {
  std::string Name;
  int64_t Count = 0;
  Box<UpdateStrategy> Update;
  Box<MigrateStrategy> Migrate;
  List<Constraint> Constraints;
  Box<ScalingPolicy> Scaling;
  Box<::drover::RestartPolicy> RestartPolicy;
  List<Task> Tasks;
  Box<::drover::EphemeralDisk> EphemeralDisk;
  Map<std::string> Meta;
  Box<::drover::ReschedulePolicy> ReschedulePolicy;
  List<Affinity> Affinities;
  List<Spread> Spreads;
  List<NetworkResource> Networks;
  Box<::drover::Consul> Consul;
  List<Service> Services;
  Map<VolumeRequest> Volumes;
  std::optional<Duration> ShutdownDelay;
  std::optional<Duration> StopAfterClientDisconnect;
  std::optional<Duration> MaxClientDisconnect;

  friend bool operator==(const TaskGroup&, const TaskGroup&) = default;
};

struct Job {
  bool Stop = false;
  std::string Region;
  std::string Namespace;
  std::string ID;
  std::string ParentID;
  std::string Name;
  std::string Type;
  int64_t Priority = 0;
  bool AllAtOnce = false;
  List<std::string> Datacenters;
  List<Constraint> Constraints;
  List<Affinity> Affinities;
  List<Spread> Spreads;
  List<TaskGroup> TaskGroups;
  UpdateStrategy Update;
  Box<::drover::Multiregion> Multiregion;
  Box<PeriodicConfig> Periodic;
  Box<ParameterizedJobConfig> ParameterizedJob;
  bool Dispatched = false;
  std::string DispatchIdempotencyToken;
  Bytes Payload;
  Map<std::string> Meta;
  std::string ConsulToken;
  std::string ConsulNamespace;
  std::string VaultToken;
  std::string VaultNamespace;
  std::string NomadTokenID;
  std::string Status;
  std::string StatusDescription;
  bool Stable = false;
  uint64_t Version = 0;
  int64_t SubmitTime = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  uint64_t JobModifyIndex = 0;

  friend bool operator==(const Job&, const Job&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(CSIMountOptions)
DROVER_TYPE(ChangeScript)
DROVER_TYPE(CheckRestart)
DROVER_TYPE(Consul)
DROVER_TYPE(ConsulGatewayBindAddress)
DROVER_TYPE(ConsulGatewayProxy)
DROVER_TYPE(ConsulGatewayTLSConfig)
DROVER_TYPE(ConsulIngressService)
DROVER_TYPE(ConsulIngressListener)
DROVER_TYPE(ConsulIngressConfigEntry)
DROVER_TYPE(ConsulMeshConfigEntry)
DROVER_TYPE(ConsulLinkedService)
DROVER_TYPE(ConsulTerminatingConfigEntry)
DROVER_TYPE(ConsulGateway)
DROVER_TYPE(ConsulExposePath)
DROVER_TYPE(ConsulExposeConfig)
DROVER_TYPE(ConsulMeshGateway)
DROVER_TYPE(ConsulUpstream)
DROVER_TYPE(ConsulProxy)
DROVER_TYPE(ConsulSidecarService)
DROVER_TYPE(LogConfig)
DROVER_TYPE(SidecarTask)
DROVER_TYPE(ConsulConnect)
DROVER_TYPE(DispatchPayloadConfig)
DROVER_TYPE(EphemeralDisk)
DROVER_TYPE(MultiregionRegion)
DROVER_TYPE(MultiregionStrategy)
DROVER_TYPE(Multiregion)
DROVER_TYPE(ParameterizedJobConfig)
DROVER_TYPE(PeriodicConfig)
DROVER_TYPE(MigrateStrategy)
DROVER_TYPE(ReschedulePolicy)
DROVER_TYPE(RestartPolicy)
DROVER_TYPE(ScalingPolicy)
DROVER_TYPE(ServiceCheck)
DROVER_TYPE(Service)
DROVER_TYPE(TaskArtifact)
DROVER_TYPE(TaskCSIPluginConfig)
DROVER_TYPE(WaitConfig)
DROVER_TYPE(Template)
DROVER_TYPE(Vault)
DROVER_TYPE(VolumeMount)
DROVER_TYPE(WorkloadIdentity)
DROVER_TYPE(Task)
DROVER_TYPE(UpdateStrategy)
DROVER_TYPE(VolumeRequest)
DROVER_TYPE(TaskGroup)
DROVER_TYPE(Job)
}  // namespace drover
