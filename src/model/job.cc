#include "model/job.h"

DROVER_DESCRIBE(drover::CSIMountOptions, "structs.CSIMountOptions",
    DROVER_FIELD(FSType), DROVER_FIELD(MountFlags))

DROVER_DESCRIBE(drover::ChangeScript, "structs.ChangeScript",
    DROVER_FIELD(Command), DROVER_FIELD(Args), DROVER_FIELD(Timeout), DROVER_FIELD(FailOnError))

DROVER_DESCRIBE(drover::CheckRestart, "structs.CheckRestart",
    DROVER_FIELD(Limit), DROVER_FIELD(Grace), DROVER_FIELD(IgnoreWarnings))

DROVER_DESCRIBE(drover::Consul, "structs.Consul",
    DROVER_FIELD(Namespace))

DROVER_DESCRIBE(drover::ConsulGatewayBindAddress, "structs.ConsulGatewayBindAddress",
    DROVER_FIELD(Address), DROVER_FIELD(Port))

DROVER_DESCRIBE(drover::ConsulGatewayProxy, "structs.ConsulGatewayProxy",
    DROVER_FIELD(ConnectTimeout), DROVER_FIELD(EnvoyGatewayBindTaggedAddresses),
    DROVER_FIELD(EnvoyGatewayBindAddresses), DROVER_FIELD(EnvoyGatewayNoDefaultBind),
    DROVER_FIELD(EnvoyDNSDiscoveryType), DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::ConsulGatewayTLSConfig, "structs.ConsulGatewayTLSConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(TLSMinVersion), DROVER_FIELD(TLSMaxVersion), DROVER_FIELD(CipherSuites))

DROVER_DESCRIBE(drover::ConsulIngressService, "structs.ConsulIngressService",
    DROVER_FIELD(Name), DROVER_FIELD(Hosts))

DROVER_DESCRIBE(drover::ConsulIngressListener, "structs.ConsulIngressListener",
    DROVER_FIELD(Port), DROVER_FIELD(Protocol), DROVER_FIELD(Services))

DROVER_DESCRIBE(drover::ConsulIngressConfigEntry, "structs.ConsulIngressConfigEntry",
    DROVER_FIELD(TLS), DROVER_FIELD(Listeners))

DROVER_DESCRIBE(drover::ConsulMeshConfigEntry, "structs.ConsulMeshConfigEntry")

DROVER_DESCRIBE(drover::ConsulLinkedService, "structs.ConsulLinkedService",
    DROVER_FIELD(Name), DROVER_FIELD(CAFile), DROVER_FIELD(CertFile), DROVER_FIELD(KeyFile), DROVER_FIELD(SNI))

DROVER_DESCRIBE(drover::ConsulTerminatingConfigEntry, "structs.ConsulTerminatingConfigEntry",
    DROVER_FIELD(Services))

DROVER_DESCRIBE(drover::ConsulGateway, "structs.ConsulGateway",
    DROVER_FIELD(Proxy), DROVER_FIELD(Ingress), DROVER_FIELD(Terminating), DROVER_FIELD(Mesh))

DROVER_DESCRIBE(drover::ConsulExposePath, "structs.ConsulExposePath",
    DROVER_FIELD(Path), DROVER_FIELD(Protocol), DROVER_FIELD(LocalPathPort), DROVER_FIELD(ListenerPort))

DROVER_DESCRIBE(drover::ConsulExposeConfig, "structs.ConsulExposeConfig",
    DROVER_FIELD(Paths))

DROVER_DESCRIBE(drover::ConsulMeshGateway, "structs.ConsulMeshGateway",
    DROVER_FIELD(Mode))

DROVER_DESCRIBE(drover::ConsulUpstream, "structs.ConsulUpstream",
    DROVER_FIELD(DestinationName), DROVER_FIELD(DestinationNamespace), DROVER_FIELD(LocalBindPort),
    DROVER_FIELD(Datacenter), DROVER_FIELD(LocalBindAddress), DROVER_FIELD(MeshGateway), DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::ConsulProxy, "structs.ConsulProxy",
    DROVER_FIELD(LocalServiceAddress), DROVER_FIELD(LocalServicePort), DROVER_FIELD(Upstreams), DROVER_FIELD(Expose),
    DROVER_FIELD(Config))

DROVER_DESCRIBE(drover::ConsulSidecarService, "structs.ConsulSidecarService",
    DROVER_FIELD(Tags), DROVER_FIELD(Port), DROVER_FIELD(Proxy), DROVER_FIELD(DisableDefaultTCPCheck),
    DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::LogConfig, "structs.LogConfig",
    DROVER_FIELD(MaxFiles), DROVER_FIELD(MaxFileSizeMB), DROVER_FIELD(Disabled))

DROVER_DESCRIBE(drover::SidecarTask, "structs.SidecarTask",
    DROVER_FIELD(Name), DROVER_FIELD(Driver), DROVER_FIELD(User), DROVER_FIELD(Config), DROVER_FIELD(Env),
    DROVER_FIELD(Resources), DROVER_FIELD(Meta), DROVER_FIELD(KillTimeout), DROVER_FIELD(LogConfig),
    DROVER_FIELD(ShutdownDelay), DROVER_FIELD(KillSignal))

DROVER_DESCRIBE(drover::ConsulConnect, "structs.ConsulConnect",
    DROVER_FIELD(Native), DROVER_FIELD(SidecarService), DROVER_FIELD(SidecarTask), DROVER_FIELD(Gateway))

DROVER_DESCRIBE(drover::DispatchPayloadConfig, "structs.DispatchPayloadConfig",
    DROVER_FIELD(File))

DROVER_DESCRIBE(drover::EphemeralDisk, "structs.EphemeralDisk",
    DROVER_FIELD(Sticky), DROVER_FIELD(SizeMB), DROVER_FIELD(Migrate))

DROVER_DESCRIBE(drover::MultiregionRegion, "structs.MultiregionRegion",
    DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Datacenters), DROVER_FIELD(Meta))

DROVER_DESCRIBE(drover::MultiregionStrategy, "structs.MultiregionStrategy",
    DROVER_FIELD(MaxParallel), DROVER_FIELD(OnFailure))

DROVER_DESCRIBE(drover::Multiregion, "structs.Multiregion",
    DROVER_FIELD(Strategy), DROVER_FIELD(Regions))

DROVER_DESCRIBE(drover::ParameterizedJobConfig, "structs.ParameterizedJobConfig",
    DROVER_FIELD(Payload), DROVER_FIELD(MetaRequired), DROVER_FIELD(MetaOptional))

DROVER_DESCRIBE(drover::PeriodicConfig, "structs.PeriodicConfig",
    DROVER_FIELD(Enabled), DROVER_FIELD(Spec), DROVER_FIELD(SpecType), DROVER_FIELD(ProhibitOverlap),
    DROVER_FIELD(TimeZone))

DROVER_DESCRIBE(drover::MigrateStrategy, "structs.MigrateStrategy",
    DROVER_FIELD(MaxParallel), DROVER_FIELD(HealthCheck), DROVER_FIELD(MinHealthyTime), DROVER_FIELD(HealthyDeadline))

DROVER_DESCRIBE(drover::ReschedulePolicy, "structs.ReschedulePolicy",
    DROVER_FIELD(Attempts), DROVER_FIELD(Interval), DROVER_FIELD(Delay), DROVER_FIELD(DelayFunction),
    DROVER_FIELD(MaxDelay), DROVER_FIELD(Unlimited))

DROVER_DESCRIBE(drover::RestartPolicy, "structs.RestartPolicy",
    DROVER_FIELD(Attempts), DROVER_FIELD(Interval), DROVER_FIELD(Delay), DROVER_FIELD(Mode))

DROVER_DESCRIBE(drover::ScalingPolicy, "structs.ScalingPolicy",
    DROVER_FIELD(ID), DROVER_FIELD(Type), DROVER_FIELD(Target), DROVER_FIELD(Policy), DROVER_FIELD(Min).wire("int64"),
    DROVER_FIELD(Max).wire("int64"), DROVER_FIELD(Enabled), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::ServiceCheck, "structs.ServiceCheck",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Command), DROVER_FIELD(Args), DROVER_FIELD(Path),
    DROVER_FIELD(Protocol), DROVER_FIELD(PortLabel), DROVER_FIELD(Expose), DROVER_FIELD(AddressMode),
    DROVER_FIELD(Interval), DROVER_FIELD(Timeout), DROVER_FIELD(InitialStatus), DROVER_FIELD(TLSSkipVerify),
    DROVER_FIELD(Method), DROVER_FIELD(Header), DROVER_FIELD(CheckRestart), DROVER_FIELD(GRPCService),
    DROVER_FIELD(GRPCUseTLS), DROVER_FIELD(TaskName), DROVER_FIELD(SuccessBeforePassing),
    DROVER_FIELD(FailuresBeforeCritical), DROVER_FIELD(Body), DROVER_FIELD(OnUpdate))

DROVER_DESCRIBE(drover::Service, "structs.Service",
    DROVER_FIELD(Name), DROVER_FIELD(TaskName), DROVER_FIELD(PortLabel), DROVER_FIELD(AddressMode),
    DROVER_FIELD(Address), DROVER_FIELD(EnableTagOverride), DROVER_FIELD(Tags), DROVER_FIELD(CanaryTags),
    DROVER_FIELD(Checks), DROVER_FIELD(Connect), DROVER_FIELD(Meta), DROVER_FIELD(CanaryMeta),
    DROVER_FIELD(TaggedAddresses), DROVER_FIELD(Namespace), DROVER_FIELD(OnUpdate), DROVER_FIELD(Provider))

DROVER_DESCRIBE(drover::TaskArtifact, "structs.TaskArtifact",
    DROVER_FIELD(GetterSource), DROVER_FIELD(GetterOptions), DROVER_FIELD(GetterHeaders), DROVER_FIELD(GetterMode),
    DROVER_FIELD(RelativeDest))

DROVER_DESCRIBE(drover::TaskCSIPluginConfig, "structs.TaskCSIPluginConfig",
    DROVER_FIELD(ID), DROVER_FIELD(Type).wire("structs.CSIPluginType"), DROVER_FIELD(MountDir),
    DROVER_FIELD(StagePublishBaseDir), DROVER_FIELD(HealthTimeout))

DROVER_DESCRIBE(drover::WaitConfig, "structs.WaitConfig",
    DROVER_FIELD(Min), DROVER_FIELD(Max))

DROVER_DESCRIBE(drover::Template, "structs.Template",
    DROVER_FIELD(SourcePath), DROVER_FIELD(DestPath), DROVER_FIELD(EmbeddedTmpl), DROVER_FIELD(ChangeMode),
    DROVER_FIELD(ChangeSignal), DROVER_FIELD(ChangeScript), DROVER_FIELD(Splay), DROVER_FIELD(Perms),
    DROVER_FIELD(Uid), DROVER_FIELD(Gid), DROVER_FIELD(LeftDelim), DROVER_FIELD(RightDelim), DROVER_FIELD(Envvars),
    DROVER_FIELD(VaultGrace), DROVER_FIELD(Wait), DROVER_FIELD(ErrMissingKey))

DROVER_DESCRIBE(drover::Vault, "structs.Vault",
    DROVER_FIELD(Policies), DROVER_FIELD(Namespace), DROVER_FIELD(Env), DROVER_FIELD(ChangeMode),
    DROVER_FIELD(ChangeSignal))

DROVER_DESCRIBE(drover::VolumeMount, "structs.VolumeMount",
    DROVER_FIELD(Volume), DROVER_FIELD(Destination), DROVER_FIELD(ReadOnly), DROVER_FIELD(PropagationMode))

DROVER_DESCRIBE(drover::WorkloadIdentity, "structs.WorkloadIdentity",
    DROVER_FIELD(Env), DROVER_FIELD(File))

DROVER_DESCRIBE(drover::Task, "structs.Task",
    DROVER_FIELD(Name), DROVER_FIELD(Driver), DROVER_FIELD(User), DROVER_FIELD(Config), DROVER_FIELD(Env),
    DROVER_FIELD(Services), DROVER_FIELD(Vault), DROVER_FIELD(Templates), DROVER_FIELD(Constraints),
    DROVER_FIELD(Affinities), DROVER_FIELD(Resources), DROVER_FIELD(RestartPolicy), DROVER_FIELD(DispatchPayload),
    DROVER_FIELD(Lifecycle), DROVER_FIELD(Meta), DROVER_FIELD(KillTimeout), DROVER_FIELD(LogConfig),
    DROVER_FIELD(Artifacts), DROVER_FIELD(Leader), DROVER_FIELD(ShutdownDelay), DROVER_FIELD(VolumeMounts),
    DROVER_FIELD(ScalingPolicies), DROVER_FIELD(KillSignal), DROVER_FIELD(Kind).wire("structs.TaskKind"),
    DROVER_FIELD(CSIPluginConfig), DROVER_FIELD(Identity))

DROVER_DESCRIBE(drover::UpdateStrategy, "structs.UpdateStrategy",
    DROVER_FIELD(Stagger), DROVER_FIELD(MaxParallel), DROVER_FIELD(HealthCheck), DROVER_FIELD(MinHealthyTime),
    DROVER_FIELD(HealthyDeadline), DROVER_FIELD(ProgressDeadline), DROVER_FIELD(AutoRevert),
    DROVER_FIELD(AutoPromote), DROVER_FIELD(Canary))

DROVER_DESCRIBE(drover::VolumeRequest, "structs.VolumeRequest",
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Source), DROVER_FIELD(ReadOnly),
    DROVER_FIELD(AccessMode).wire("structs.CSIVolumeAccessMode"),
    DROVER_FIELD(AttachmentMode).wire("structs.CSIVolumeAttachmentMode"), DROVER_FIELD(MountOptions),
    DROVER_FIELD(PerAlloc))

DROVER_DESCRIBE(drover::TaskGroup, "structs.TaskGroup",
    DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Update), DROVER_FIELD(Migrate), DROVER_FIELD(Constraints),
    DROVER_FIELD(Scaling), DROVER_FIELD(RestartPolicy), DROVER_FIELD(Tasks), DROVER_FIELD(EphemeralDisk),
    DROVER_FIELD(Meta), DROVER_FIELD(ReschedulePolicy), DROVER_FIELD(Affinities), DROVER_FIELD(Spreads),
    DROVER_FIELD(Networks), DROVER_FIELD(Consul), DROVER_FIELD(Services), DROVER_FIELD(Volumes),
    DROVER_FIELD(ShutdownDelay), DROVER_FIELD(StopAfterClientDisconnect), DROVER_FIELD(MaxClientDisconnect))

DROVER_DESCRIBE(drover::Job, "structs.Job",
    DROVER_FIELD(Stop), DROVER_FIELD(Region), DROVER_FIELD(Namespace), DROVER_FIELD(ID), DROVER_FIELD(ParentID),
    DROVER_FIELD(Name), DROVER_FIELD(Type), DROVER_FIELD(Priority), DROVER_FIELD(AllAtOnce),
    DROVER_FIELD(Datacenters), DROVER_FIELD(Constraints), DROVER_FIELD(Affinities), DROVER_FIELD(Spreads),
    DROVER_FIELD(TaskGroups), DROVER_FIELD(Update), DROVER_FIELD(Multiregion), DROVER_FIELD(Periodic),
    DROVER_FIELD(ParameterizedJob), DROVER_FIELD(Dispatched), DROVER_FIELD(DispatchIdempotencyToken),
    DROVER_FIELD(Payload), DROVER_FIELD(Meta), DROVER_FIELD(ConsulToken), DROVER_FIELD(ConsulNamespace),
    DROVER_FIELD(VaultToken), DROVER_FIELD(VaultNamespace), DROVER_FIELD(NomadTokenID), DROVER_FIELD(Status),
    DROVER_FIELD(StatusDescription), DROVER_FIELD(Stable), DROVER_FIELD(Version),
    DROVER_FIELD(SubmitTime).wire("int64"), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex),
    DROVER_FIELD(JobModifyIndex))
