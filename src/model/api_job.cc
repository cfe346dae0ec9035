#include "model/api_job.h"

DROVER_DESCRIBE(drover::api::Affinity, "api.Affinity",
    DROVER_FIELD(LTarget), DROVER_FIELD(RTarget), DROVER_FIELD(Operand), DROVER_FIELD(Weight))

DROVER_DESCRIBE(drover::api::CSIMountOptions, "api.CSIMountOptions",
    DROVER_FIELD(FSType), DROVER_FIELD(MountFlags))

DROVER_DESCRIBE(drover::api::ChangeScript, "api.ChangeScript",
    DROVER_FIELD(Command), DROVER_FIELD(Args), DROVER_FIELD(Timeout), DROVER_FIELD(FailOnError))

DROVER_DESCRIBE(drover::api::CheckRestart, "api.CheckRestart",
    DROVER_FIELD(Limit), DROVER_FIELD(Grace), DROVER_FIELD(IgnoreWarnings))

DROVER_DESCRIBE(drover::api::Constraint, "api.Constraint",
    DROVER_FIELD(LTarget), DROVER_FIELD(RTarget), DROVER_FIELD(Operand))

DROVER_DESCRIBE(drover::api::Consul, "api.Consul",
    DROVER_FIELD(Namespace))

DROVER_DESCRIBE(drover::api::ConsulGatewayBindAddress, "api.ConsulGatewayBindAddress",
    DROVER_FIELD(Name), DROVER_FIELD(Address), DROVER_FIELD(Port))

DROVER_DESCRIBE(drover::api::ConsulGatewayProxy, "api.ConsulGatewayProxy",
    DROVER_FIELD(ConnectTimeout), DROVER_FIELD(EnvoyGatewayBindTaggedAddresses),
    DROVER_FIELD(EnvoyGatewayBindAddresses), DROVER_FIELD(EnvoyGatewayNoDefaultBind),
    DROVER_FIELD(EnvoyDNSDiscoveryType), DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::api::ConsulGatewayTLSConfig, "api.ConsulGatewayTLSConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(TLSMinVersion), DROVER_FIELD(TLSMaxVersion), DROVER_FIELD(CipherSuites))

DROVER_DESCRIBE(drover::api::ConsulIngressService, "api.ConsulIngressService",
    DROVER_FIELD(Name), DROVER_FIELD(Hosts))

DROVER_DESCRIBE(drover::api::ConsulIngressListener, "api.ConsulIngressListener",
    DROVER_FIELD(Port), DROVER_FIELD(Protocol), DROVER_FIELD(Services))

DROVER_DESCRIBE(drover::api::ConsulIngressConfigEntry, "api.ConsulIngressConfigEntry",
    DROVER_FIELD(TLS), DROVER_FIELD(Listeners))

DROVER_DESCRIBE(drover::api::ConsulMeshConfigEntry, "api.ConsulMeshConfigEntry")

DROVER_DESCRIBE(drover::api::ConsulLinkedService, "api.ConsulLinkedService",
    DROVER_FIELD(Name), DROVER_FIELD(CAFile), DROVER_FIELD(CertFile), DROVER_FIELD(KeyFile), DROVER_FIELD(SNI))

DROVER_DESCRIBE(drover::api::ConsulTerminatingConfigEntry, "api.ConsulTerminatingConfigEntry",
    DROVER_FIELD(Services))

DROVER_DESCRIBE(drover::api::ConsulGateway, "api.ConsulGateway",
    DROVER_FIELD(Proxy), DROVER_FIELD(Ingress), DROVER_FIELD(Terminating), DROVER_FIELD(Mesh))

DROVER_DESCRIBE(drover::api::ConsulExposePath, "api.ConsulExposePath",
    DROVER_FIELD(Path), DROVER_FIELD(Protocol), DROVER_FIELD(LocalPathPort), DROVER_FIELD(ListenerPort))

DROVER_DESCRIBE(drover::api::ConsulExposeConfig, "api.ConsulExposeConfig",
    DROVER_FIELD(Paths), DROVER_FIELD(Path))

DROVER_DESCRIBE(drover::api::ConsulMeshGateway, "api.ConsulMeshGateway",
    DROVER_FIELD(Mode))

DROVER_DESCRIBE(drover::api::ConsulUpstream, "api.ConsulUpstream",
    DROVER_FIELD(DestinationName), DROVER_FIELD(DestinationNamespace), DROVER_FIELD(LocalBindPort),
    DROVER_FIELD(Datacenter), DROVER_FIELD(LocalBindAddress), DROVER_FIELD(MeshGateway), DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::api::ConsulProxy, "api.ConsulProxy",
    DROVER_FIELD(LocalServiceAddress), DROVER_FIELD(LocalServicePort), DROVER_FIELD(Expose),
    DROVER_FIELD(ExposeConfig), DROVER_FIELD(Upstreams), DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::api::ConsulSidecarService, "api.ConsulSidecarService",
    DROVER_FIELD(Tags), DROVER_FIELD(Port), DROVER_FIELD(Proxy), DROVER_FIELD(DisableDefaultTCPCheck),
    DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::api::LogConfig, "api.LogConfig",
    DROVER_FIELD(MaxFiles), DROVER_FIELD(MaxFileSizeMB), DROVER_FIELD(Enabled), DROVER_FIELD(Disabled))

DROVER_DESCRIBE(drover::api::DNSConfig, "api.DNSConfig",
    DROVER_FIELD(Servers), DROVER_FIELD(Searches), DROVER_FIELD(Options))

DROVER_DESCRIBE(drover::api::Port, "api.Port",
    DROVER_FIELD(Label), DROVER_FIELD(Value), DROVER_FIELD(To), DROVER_FIELD(HostNetwork))

DROVER_DESCRIBE(drover::api::NetworkResource, "api.NetworkResource",
    DROVER_FIELD(Mode), DROVER_FIELD(Device), DROVER_FIELD(CIDR), DROVER_FIELD(IP), DROVER_FIELD(DNS),
    DROVER_FIELD(ReservedPorts).wire("[]api.Port"), DROVER_FIELD(DynamicPorts).wire("[]api.Port"), DROVER_FIELD(Hostname), DROVER_FIELD(MBits))

DROVER_DESCRIBE(drover::api::RequestedDevice, "api.RequestedDevice",
    DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Constraints), DROVER_FIELD(Affinities))

DROVER_DESCRIBE(drover::api::Resources, "api.Resources",
    DROVER_FIELD(CPU), DROVER_FIELD(Cores), DROVER_FIELD(MemoryMB), DROVER_FIELD(MemoryMaxMB), DROVER_FIELD(DiskMB),
    DROVER_FIELD(Networks), DROVER_FIELD(Devices), DROVER_FIELD(IOPS))

DROVER_DESCRIBE(drover::api::SidecarTask, "api.SidecarTask",
    DROVER_FIELD(Name), DROVER_FIELD(Driver), DROVER_FIELD(User), DROVER_FIELD(Config), DROVER_FIELD(Env),
    DROVER_FIELD(Resources), DROVER_FIELD(Meta), DROVER_FIELD(KillTimeout), DROVER_FIELD(LogConfig),
    DROVER_FIELD(ShutdownDelay), DROVER_FIELD(KillSignal))

DROVER_DESCRIBE(drover::api::ConsulConnect, "api.ConsulConnect",
    DROVER_FIELD(Native), DROVER_FIELD(Gateway), DROVER_FIELD(SidecarService), DROVER_FIELD(SidecarTask))

DROVER_DESCRIBE(drover::api::DispatchPayloadConfig, "api.DispatchPayloadConfig",
    DROVER_FIELD(File))

DROVER_DESCRIBE(drover::api::EphemeralDisk, "api.EphemeralDisk",
    DROVER_FIELD(Sticky), DROVER_FIELD(Migrate), DROVER_FIELD(SizeMB))

DROVER_DESCRIBE(drover::api::MigrateStrategy, "api.MigrateStrategy",
    DROVER_FIELD(MaxParallel), DROVER_FIELD(HealthCheck), DROVER_FIELD(MinHealthyTime), DROVER_FIELD(HealthyDeadline))

DROVER_DESCRIBE(drover::api::MultiregionRegion, "api.MultiregionRegion",
    DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Datacenters), DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::api::MultiregionStrategy, "api.MultiregionStrategy",
    DROVER_FIELD(MaxParallel), DROVER_FIELD(OnFailure))

DROVER_DESCRIBE(drover::api::Multiregion, "api.Multiregion",
    DROVER_FIELD(Strategy), DROVER_FIELD(Regions))

DROVER_DESCRIBE(drover::api::ParameterizedJobConfig, "api.ParameterizedJobConfig",
    DROVER_FIELD(Payload), DROVER_FIELD(MetaRequired), DROVER_FIELD(MetaOptional))

DROVER_DESCRIBE(drover::api::PeriodicConfig, "api.PeriodicConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(Spec), DROVER_FIELD(SpecType), DROVER_FIELD(ProhibitOverlap),
    DROVER_FIELD(TimeZone))

DROVER_DESCRIBE(drover::api::ReschedulePolicy, "api.ReschedulePolicy",
    DROVER_FIELD(Attempts), DROVER_FIELD(Interval), DROVER_FIELD(Delay), DROVER_FIELD(DelayFunction),
    DROVER_FIELD(MaxDelay), DROVER_FIELD(Unlimited))

DROVER_DESCRIBE(drover::api::SpreadTarget, "api.SpreadTarget",
    DROVER_FIELD(Value), DROVER_FIELD(Percent))

DROVER_DESCRIBE(drover::api::Spread, "api.Spread",
    DROVER_FIELD(Attribute), DROVER_FIELD(Weight), DROVER_FIELD(SpreadTarget))

DROVER_DESCRIBE(drover::api::RestartPolicy, "api.RestartPolicy",
    DROVER_FIELD(Interval), DROVER_FIELD(Attempts), DROVER_FIELD(Delay), DROVER_FIELD(Mode))

DROVER_DESCRIBE(drover::api::ScalingPolicy, "api.ScalingPolicy",
    DROVER_FIELD(Min).wire("int64"), DROVER_FIELD(Max).wire("int64"), DROVER_FIELD(Policy), DROVER_FIELD(Enabled),
    DROVER_FIELD(Type), DROVER_FIELD(ID), DROVER_FIELD(Namespace), DROVER_FIELD(Target), DROVER_FIELD(CreateIndex),
    DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::api::ServiceCheck, "api.ServiceCheck",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Command), DROVER_FIELD(Args), DROVER_FIELD(Path),
    DROVER_FIELD(Protocol), DROVER_FIELD(PortLabel), DROVER_FIELD(Expose), DROVER_FIELD(AddressMode),
    DROVER_FIELD(Advertise), DROVER_FIELD(Interval), DROVER_FIELD(Timeout), DROVER_FIELD(InitialStatus),
    DROVER_FIELD(TLSSkipVerify), DROVER_FIELD(Header), DROVER_FIELD(Method), DROVER_FIELD(CheckRestart),
    DROVER_FIELD(GRPCService), DROVER_FIELD(GRPCUseTLS), DROVER_FIELD(TaskName), DROVER_FIELD(SuccessBeforePassing),
    DROVER_FIELD(FailuresBeforeCritical), DROVER_FIELD(Body), DROVER_FIELD(OnUpdate))

DROVER_DESCRIBE(drover::api::Service, "api.Service",
    DROVER_FIELD(Name), DROVER_FIELD(Tags), DROVER_FIELD(CanaryTags), DROVER_FIELD(EnableTagOverride),
    DROVER_FIELD(PortLabel), DROVER_FIELD(AddressMode), DROVER_FIELD(Address), DROVER_FIELD(Checks).wire("[]api.ServiceCheck"),
    DROVER_FIELD(CheckRestart), DROVER_FIELD(Connect), DROVER_FIELD(Meta), DROVER_FIELD(CanaryMeta),
    DROVER_FIELD(TaggedAddresses), DROVER_FIELD(TaskName), DROVER_FIELD(OnUpdate), DROVER_FIELD(Provider))

DROVER_DESCRIBE(drover::api::TaskArtifact, "api.TaskArtifact",
    DROVER_FIELD(GetterSource), DROVER_FIELD(GetterOptions), DROVER_FIELD(GetterHeaders), DROVER_FIELD(GetterMode),
    DROVER_FIELD(RelativeDest))

DROVER_DESCRIBE(drover::api::TaskCSIPluginConfig, "api.TaskCSIPluginConfig",
    DROVER_FIELD(ID), DROVER_FIELD(Type).wire("api.CSIPluginType"), DROVER_FIELD(MountDir),
    DROVER_FIELD(StagePublishBaseDir), DROVER_FIELD(HealthTimeout))

DROVER_DESCRIBE(drover::api::TaskLifecycle, "api.TaskLifecycle",
    DROVER_FIELD(Hook), DROVER_FIELD(Sidecar))

DROVER_DESCRIBE(drover::api::WaitConfig, "api.WaitConfig",
    DROVER_FIELD(Min), DROVER_FIELD(Max))

DROVER_DESCRIBE(drover::api::Template, "api.Template",
    DROVER_FIELD(SourcePath), DROVER_FIELD(DestPath), DROVER_FIELD(EmbeddedTmpl), DROVER_FIELD(ChangeMode),
    DROVER_FIELD(ChangeScript), DROVER_FIELD(ChangeSignal), DROVER_FIELD(Splay), DROVER_FIELD(Perms),
    DROVER_FIELD(Uid), DROVER_FIELD(Gid), DROVER_FIELD(LeftDelim), DROVER_FIELD(RightDelim), DROVER_FIELD(Envvars),
    DROVER_FIELD(VaultGrace), DROVER_FIELD(Wait), DROVER_FIELD(ErrMissingKey))

DROVER_DESCRIBE(drover::api::Vault, "api.Vault",
    DROVER_FIELD(Policies), DROVER_FIELD(Namespace), DROVER_FIELD(Env), DROVER_FIELD(ChangeMode),
    DROVER_FIELD(ChangeSignal))

DROVER_DESCRIBE(drover::api::VolumeMount, "api.VolumeMount",
    DROVER_FIELD(Volume), DROVER_FIELD(Destination), DROVER_FIELD(ReadOnly), DROVER_FIELD(PropagationMode))

DROVER_DESCRIBE(drover::api::WorkloadIdentity, "api.WorkloadIdentity",
    DROVER_FIELD(Env), DROVER_FIELD(File))

DROVER_DESCRIBE(drover::api::Task, "api.Task",
    DROVER_FIELD(Name), DROVER_FIELD(Driver), DROVER_FIELD(User), DROVER_FIELD(Lifecycle), DROVER_FIELD(Config),
    DROVER_FIELD(Constraints), DROVER_FIELD(Affinities), DROVER_FIELD(Env), DROVER_FIELD(Services),
    DROVER_FIELD(Resources), DROVER_FIELD(RestartPolicy), DROVER_FIELD(Meta), DROVER_FIELD(KillTimeout),
    DROVER_FIELD(LogConfig), DROVER_FIELD(Artifacts), DROVER_FIELD(Vault), DROVER_FIELD(Templates),
    DROVER_FIELD(DispatchPayload), DROVER_FIELD(VolumeMounts), DROVER_FIELD(CSIPluginConfig).with(drover::kOmitEmpty),
    DROVER_FIELD(Leader), DROVER_FIELD(ShutdownDelay), DROVER_FIELD(KillSignal), DROVER_FIELD(Kind),
    DROVER_FIELD(ScalingPolicies), DROVER_FIELD(Identity))

DROVER_DESCRIBE(drover::api::UpdateStrategy, "api.UpdateStrategy",
    DROVER_FIELD(Stagger), DROVER_FIELD(MaxParallel), DROVER_FIELD(HealthCheck), DROVER_FIELD(MinHealthyTime),
    DROVER_FIELD(HealthyDeadline), DROVER_FIELD(ProgressDeadline), DROVER_FIELD(Canary), DROVER_FIELD(AutoRevert),
    DROVER_FIELD(AutoPromote))

DROVER_DESCRIBE(drover::api::VolumeRequest, "api.VolumeRequest",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Source), DROVER_FIELD(ReadOnly), DROVER_FIELD(AccessMode),
    DROVER_FIELD(AttachmentMode), DROVER_FIELD(MountOptions), DROVER_FIELD(PerAlloc))

DROVER_DESCRIBE(drover::api::TaskGroup, "api.TaskGroup",
    DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Constraints), DROVER_FIELD(Affinities), DROVER_FIELD(Tasks),
    DROVER_FIELD(Spreads), DROVER_FIELD(Volumes), DROVER_FIELD(RestartPolicy), DROVER_FIELD(ReschedulePolicy),
    DROVER_FIELD(EphemeralDisk), DROVER_FIELD(Update), DROVER_FIELD(Migrate), DROVER_FIELD(Networks),
    DROVER_FIELD(Meta), DROVER_FIELD(Services), DROVER_FIELD(ShutdownDelay), DROVER_FIELD(StopAfterClientDisconnect),
    DROVER_FIELD(MaxClientDisconnect), DROVER_FIELD(Scaling), DROVER_FIELD(Consul))

DROVER_DESCRIBE(drover::api::Job, "api.Job",
    DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(ID), DROVER_FIELD(Name), DROVER_FIELD(Type),
    DROVER_FIELD(Priority), DROVER_FIELD(AllAtOnce), DROVER_FIELD(Datacenters), DROVER_FIELD(Constraints),
    DROVER_FIELD(Affinities), DROVER_FIELD(TaskGroups), DROVER_FIELD(Update), DROVER_FIELD(Multiregion),
    DROVER_FIELD(Spreads), DROVER_FIELD(Periodic), DROVER_FIELD(ParameterizedJob), DROVER_FIELD(Reschedule),
    DROVER_FIELD(Migrate), DROVER_FIELD(Meta), DROVER_FIELD(ConsulToken), DROVER_FIELD(VaultToken),
    DROVER_FIELD(Stop), DROVER_FIELD(ParentID), DROVER_FIELD(Dispatched), DROVER_FIELD(DispatchIdempotencyToken),
    DROVER_FIELD(Payload), DROVER_FIELD(ConsulNamespace), DROVER_FIELD(VaultNamespace), DROVER_FIELD(NomadTokenID),
    DROVER_FIELD(Status), DROVER_FIELD(StatusDescription), DROVER_FIELD(Stable), DROVER_FIELD(Version),
    DROVER_FIELD(SubmitTime).wire("int64"), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex),
    DROVER_FIELD(JobModifyIndex))
