// A job as clients send it: every scalar nullable, so that absence is kept until canonicalization.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover::api {

struct Affinity {
  std::string LTarget;
  std::string RTarget;
  std::string Operand;
  std::optional<int8_t> Weight;

  friend bool operator==(const Affinity&, const Affinity&) = default;
};

struct CSIMountOptions {
  std::string FSType;
  List<std::string> MountFlags;

  friend bool operator==(const CSIMountOptions&, const CSIMountOptions&) = default;
};

struct ChangeScript {
  std::optional<std::string> Command;
  List<std::string> Args;
  std::optional<Duration> Timeout;
  std::optional<bool> FailOnError;

  friend bool operator==(const ChangeScript&, const ChangeScript&) = default;
};

struct CheckRestart {
  int64_t Limit = 0;
  std::optional<Duration> Grace;
  bool IgnoreWarnings = false;

  friend bool operator==(const CheckRestart&, const CheckRestart&) = default;
};

struct Constraint {
  std::string LTarget;
  std::string RTarget;
  std::string Operand;

  friend bool operator==(const Constraint&, const Constraint&) = default;
};

struct Consul {
  std::string Namespace;

  friend bool operator==(const Consul&, const Consul&) = default;
};

struct ConsulGatewayBindAddress {
  std::string Name;
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
  List<ConsulExposePath> Path;

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
  Box<ConsulMeshGateway> MeshGateway;
  Map<Value> Config;

  friend bool operator==(const ConsulUpstream&, const ConsulUpstream&) = default;
};

struct ConsulProxy {
  std::string LocalServiceAddress;
  int64_t LocalServicePort = 0;
  Box<ConsulExposeConfig> Expose;
  Box<ConsulExposeConfig> ExposeConfig;
  List<ConsulUpstream> Upstreams;
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
  std::optional<int64_t> MaxFiles;
  std::optional<int64_t> MaxFileSizeMB;
  std::optional<bool> Enabled;
  std::optional<bool> Disabled;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct DNSConfig {
  List<std::string> Servers;
  List<std::string> Searches;
  List<std::string> Options;

  friend bool operator==(const DNSConfig&, const DNSConfig&) = default;
};

struct Port {
  std::string Label;
  int64_t Value = 0;
  int64_t To = 0;
  std::string HostNetwork;

  friend bool operator==(const Port&, const Port&) = default;
};

struct NetworkResource {
  std::string Mode;
  std::string Device;
  std::string CIDR;
  std::string IP;
  Box<DNSConfig> DNS;
  List<Port> ReservedPorts;
  List<Port> DynamicPorts;
  std::string Hostname;
  std::optional<int64_t> MBits;

  friend bool operator==(const NetworkResource&, const NetworkResource&) = default;
};

struct RequestedDevice {
  std::string Name;
  std::optional<uint64_t> Count;
  List<Constraint> Constraints;
  List<Affinity> Affinities;

  friend bool operator==(const RequestedDevice&, const RequestedDevice&) = default;
};

struct Resources {
  std::optional<int64_t> CPU;
  std::optional<int64_t> Cores;
  std::optional<int64_t> MemoryMB;
  std::optional<int64_t> MemoryMaxMB;
  std::optional<int64_t> DiskMB;
  List<NetworkResource> Networks;
  List<RequestedDevice> Devices;
  std::optional<int64_t> IOPS;

  friend bool operator==(const Resources&, const Resources&) = default;
};

struct SidecarTask {
  std::string Name;
  std::string Driver;
  std::string User;
  Map<Value> Config;
  Map<std::string> Env;
  Box<::drover::api::Resources> Resources;
  Map<std::string> Meta;
  std::optional<Duration> KillTimeout;
  Box<::drover::api::LogConfig> LogConfig;
  std::optional<Duration> ShutdownDelay;
  std::string KillSignal;

  friend bool operator==(const SidecarTask&, const SidecarTask&) = default;
};

struct ConsulConnect {
  bool Native = false;
  Box<ConsulGateway> Gateway;
  Box<ConsulSidecarService> SidecarService;
  Box<::drover::api::SidecarTask> SidecarTask;

  friend bool operator==(const ConsulConnect&, const ConsulConnect&) = default;
};

struct DispatchPayloadConfig {
  std::string File;

  friend bool operator==(const DispatchPayloadConfig&, const DispatchPayloadConfig&) = default;
};

struct EphemeralDisk {
  std::optional<bool> Sticky;
  std::optional<bool> Migrate;
  std::optional<int64_t> SizeMB;

  friend bool operator==(const EphemeralDisk&, const EphemeralDisk&) = default;
};

struct MigrateStrategy {
  std::optional<int64_t> MaxParallel;
  std::optional<std::string> HealthCheck;
  std::optional<Duration> MinHealthyTime;
  std::optional<Duration> HealthyDeadline;

  friend bool operator==(const MigrateStrategy&, const MigrateStrategy&) = default;
};

struct MultiregionRegion {
  std::string Name;
  std::optional<int64_t> Count;
  List<std::string> Datacenters;
  Map<std::string> Meta;

  friend bool operator==(const MultiregionRegion&, const MultiregionRegion&) = default;
};

struct MultiregionStrategy {
  std::optional<int64_t> MaxParallel;
  std::optional<std::string> OnFailure;

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
  std::optional<bool> Enabled;
  std::optional<std::string> Spec;
  std::optional<std::string> SpecType;
  std::optional<bool> ProhibitOverlap;
  std::optional<std::string> TimeZone;

  friend bool operator==(const PeriodicConfig&, const PeriodicConfig&) = default;
};

struct ReschedulePolicy {
  std::optional<int64_t> Attempts;
  std::optional<Duration> Interval;
  std::optional<Duration> Delay;
  std::optional<std::string> DelayFunction;
  std::optional<Duration> MaxDelay;
  std::optional<bool> Unlimited;

  friend bool operator==(const ReschedulePolicy&, const ReschedulePolicy&) = default;
};

struct SpreadTarget {
  std::string Value;
  uint8_t Percent = 0;

  friend bool operator==(const SpreadTarget&, const SpreadTarget&) = default;
};

struct Spread {
  std::string Attribute;
  std::optional<int8_t> Weight;
  List<::drover::api::SpreadTarget> SpreadTarget;

  friend bool operator==(const Spread&, const Spread&) = default;
};

struct RestartPolicy {
  std::optional<Duration> Interval;
  std::optional<int64_t> Attempts;
  std::optional<Duration> Delay;
  std::optional<std::string> Mode;

  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

struct ScalingPolicy {
  std::optional<int64_t> Min;
  std::optional<int64_t> Max;
  Map<Value> Policy;
  std::optional<bool> Enabled;
  std::string Type;
  std::string ID;
  std::string Namespace;
  Map<std::string> Target;
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
  std::string Advertise;
  Duration Interval{};
  Duration Timeout{};
  std::string InitialStatus;
  bool TLSSkipVerify = false;
  Map<List<std::string>> Header;
  std::string Method;
  Box<::drover::api::CheckRestart> CheckRestart;
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
  List<std::string> Tags;
  List<std::string> CanaryTags;
  bool EnableTagOverride = false;
  std::string PortLabel;
  std::string AddressMode;
  std::string Address;
  List<ServiceCheck> Checks;
  Box<::drover::api::CheckRestart> CheckRestart;
  Box<ConsulConnect> Connect;
  Map<std::string> Meta;
  Map<std::string> CanaryMeta;
  Map<std::string> TaggedAddresses;
  std::string TaskName;
  std::string OnUpdate;
  std::string Provider;

  friend bool operator==(const Service&, const Service&) = default;
};

struct TaskArtifact {
  std::optional<std::string> GetterSource;
  Map<std::string> GetterOptions;
  Map<std::string> GetterHeaders;
  std::optional<std::string> GetterMode;
  std::optional<std::string> RelativeDest;

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

struct TaskLifecycle {
  std::string Hook;
  bool Sidecar = false;

  friend bool operator==(const TaskLifecycle&, const TaskLifecycle&) = default;
};

struct WaitConfig {
  std::optional<Duration> Min;
  std::optional<Duration> Max;

  friend bool operator==(const WaitConfig&, const WaitConfig&) = default;
};

struct Template {
  std::optional<std::string> SourcePath;
  std::optional<std::string> DestPath;
  std::optional<std::string> EmbeddedTmpl;
  std::optional<std::string> ChangeMode;
  Box<::drover::api::ChangeScript> ChangeScript;
  std::optional<std::string> ChangeSignal;
  std::optional<Duration> Splay;
  std::optional<std::string> Perms;
  std::optional<int64_t> Uid;
  std::optional<int64_t> Gid;
  std::optional<std::string> LeftDelim;
  std::optional<std::string> RightDelim;
  std::optional<bool> Envvars;
  std::optional<Duration> VaultGrace;
  Box<WaitConfig> Wait;
  std::optional<bool> ErrMissingKey;

  friend bool operator==(const Template&, const Template&) = default;
};

struct Vault {
  List<std::string> Policies;
  std::optional<std::string> Namespace;
  std::optional<bool> Env;
  std::optional<std::string> ChangeMode;
  std::optional<std::string> ChangeSignal;

  friend bool operator==(const Vault&, const Vault&) = default;
};

struct VolumeMount {
  std::optional<std::string> Volume;
  std::optional<std::string> Destination;
  std::optional<bool> ReadOnly;
  std::optional<std::string> PropagationMode;

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
  Box<TaskLifecycle> Lifecycle;
  Map<Value> Config;
  List<Constraint> Constraints;
  List<Affinity> Affinities;
  Map<std::string> Env;
  List<Service> Services;
  Box<::drover::api::Resources> Resources;
  Box<::drover::api::RestartPolicy> RestartPolicy;
  Map<std::string> Meta;
  std::optional<Duration> KillTimeout;
  Box<::drover::api::LogConfig> LogConfig;
  List<TaskArtifact> Artifacts;
  Box<::drover::api::Vault> Vault;
  List<Template> Templates;
  Box<DispatchPayloadConfig> DispatchPayload;
  List<VolumeMount> VolumeMounts;
  Box<TaskCSIPluginConfig> CSIPluginConfig;
  bool Leader = false;
  Duration ShutdownDelay{};
  std::string KillSignal;
  std::string Kind;
  List<ScalingPolicy> ScalingPolicies;
  Box<WorkloadIdentity> Identity;

  friend bool operator==(const Task&, const Task&) = default;
};

struct UpdateStrategy {
  std::optional<Duration> Stagger;
  std::optional<int64_t> MaxParallel;
  std::optional<std::string> HealthCheck;
  std::optional<Duration> MinHealthyTime;
  std::optional<Duration> HealthyDeadline;
  std::optional<Duration> ProgressDeadline;
  std::optional<int64_t> Canary;
  std::optional<bool> AutoRevert;
  std::optional<bool> AutoPromote;

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
  std::optional<std::string> Name;
  std::optional<int64_t> Count;
  List<Constraint> Constraints;
  List<Affinity> Affinities;
  List<Task> Tasks;
  List<Spread> Spreads;
  Map<VolumeRequest> Volumes;
  Box<::drover::api::RestartPolicy> RestartPolicy;
  Box<::drover::api::ReschedulePolicy> ReschedulePolicy;
  Box<::drover::api::EphemeralDisk> EphemeralDisk;
  Box<UpdateStrategy> Update;
  Box<MigrateStrategy> Migrate;
  List<NetworkResource> Networks;
  Map<std::string> Meta;
  List<Service> Services;
  std::optional<Duration> ShutdownDelay;
  std::optional<Duration> StopAfterClientDisconnect;
  std::optional<Duration> MaxClientDisconnect;
  Box<ScalingPolicy> Scaling;
  Box<::drover::api::Consul> Consul;

  friend bool operator==(const TaskGroup&, const TaskGroup&) = default;
};

struct Job {
  std::optional<std::string> Region;
  std::optional<std::string> Namespace;
  std::optional<std::string> ID;
  std::optional<std::string> Name;
  std::optional<std::string> Type;
  std::optional<int64_t> Priority;
  std::optional<bool> AllAtOnce;
  List<std::string> Datacenters;
  List<Constraint> Constraints;
  List<Affinity> Affinities;
  List<TaskGroup> TaskGroups;
  Box<UpdateStrategy> Update;
  Box<::drover::api::Multiregion> Multiregion;
  List<Spread> Spreads;
  Box<PeriodicConfig> Periodic;
  Box<ParameterizedJobConfig> ParameterizedJob;
  Box<ReschedulePolicy> Reschedule;
  Box<MigrateStrategy> Migrate;
  Map<std::string> Meta;
  std::optional<std::string> ConsulToken;
  std::optional<std::string> VaultToken;
  std::optional<bool> Stop;
  std::optional<std::string> ParentID;
  bool Dispatched = false;
  std::optional<std::string> DispatchIdempotencyToken;
  Bytes Payload;
  std::optional<std::string> ConsulNamespace;
  std::optional<std::string> VaultNamespace;
  std::optional<std::string> NomadTokenID;
  std::optional<std::string> Status;
  std::optional<std::string> StatusDescription;
  std::optional<bool> Stable;
  std::optional<uint64_t> Version;
  std::optional<int64_t> SubmitTime;
  std::optional<uint64_t> CreateIndex;
  std::optional<uint64_t> ModifyIndex;
  std::optional<uint64_t> JobModifyIndex;

  friend bool operator==(const Job&, const Job&) = default;
};

}  // namespace drover::api

namespace drover {
DROVER_TYPE(api::Affinity)
DROVER_TYPE(api::CSIMountOptions)
DROVER_TYPE(api::ChangeScript)
DROVER_TYPE(api::CheckRestart)
DROVER_TYPE(api::Constraint)
DROVER_TYPE(api::Consul)
DROVER_TYPE(api::ConsulGatewayBindAddress)
DROVER_TYPE(api::ConsulGatewayProxy)
DROVER_TYPE(api::ConsulGatewayTLSConfig)
DROVER_TYPE(api::ConsulIngressService)
DROVER_TYPE(api::ConsulIngressListener)
DROVER_TYPE(api::ConsulIngressConfigEntry)
DROVER_TYPE(api::ConsulMeshConfigEntry)
DROVER_TYPE(api::ConsulLinkedService)
DROVER_TYPE(api::ConsulTerminatingConfigEntry)
DROVER_TYPE(api::ConsulGateway)
DROVER_TYPE(api::ConsulExposePath)
DROVER_TYPE(api::ConsulExposeConfig)
DROVER_TYPE(api::ConsulMeshGateway)
DROVER_TYPE(api::ConsulUpstream)
DROVER_TYPE(api::ConsulProxy)
DROVER_TYPE(api::ConsulSidecarService)
DROVER_TYPE(api::LogConfig)
DROVER_TYPE(api::DNSConfig)
DROVER_TYPE(api::Port)
DROVER_TYPE(api::NetworkResource)
DROVER_TYPE(api::RequestedDevice)
DROVER_TYPE(api::Resources)
DROVER_TYPE(api::SidecarTask)
DROVER_TYPE(api::ConsulConnect)
DROVER_TYPE(api::DispatchPayloadConfig)
DROVER_TYPE(api::EphemeralDisk)
DROVER_TYPE(api::MigrateStrategy)
DROVER_TYPE(api::MultiregionRegion)
DROVER_TYPE(api::MultiregionStrategy)
DROVER_TYPE(api::Multiregion)
DROVER_TYPE(api::ParameterizedJobConfig)
DROVER_TYPE(api::PeriodicConfig)
DROVER_TYPE(api::ReschedulePolicy)
DROVER_TYPE(api::SpreadTarget)
DROVER_TYPE(api::Spread)
DROVER_TYPE(api::RestartPolicy)
DROVER_TYPE(api::ScalingPolicy)
DROVER_TYPE(api::ServiceCheck)
DROVER_TYPE(api::Service)
DROVER_TYPE(api::TaskArtifact)
DROVER_TYPE(api::TaskCSIPluginConfig)
DROVER_TYPE(api::TaskLifecycle)
DROVER_TYPE(api::WaitConfig)
DROVER_TYPE(api::Template)
DROVER_TYPE(api::Vault)
DROVER_TYPE(api::VolumeMount)
DROVER_TYPE(api::WorkloadIdentity)
DROVER_TYPE(api::Task)
DROVER_TYPE(api::UpdateStrategy)
DROVER_TYPE(api::VolumeRequest)
DROVER_TYPE(api::TaskGroup)
DROVER_TYPE(api::Job)
}  // namespace drover
