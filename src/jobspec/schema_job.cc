// Jobs, groups, tasks and their policies.
#include "jobspec/schema_parts.h"

namespace drover::jobspec {

static const Spec* csi_mount_options() {
  static const Spec spec = Spec(type_of<api::CSIMountOptions>(), {
      {"fs_type", "FSType"}, {"mount_flags", "MountFlags"},
  });
  return &spec;
}

static const Spec* change_script() {
  static const Spec spec = Spec(type_of<api::ChangeScript>(), {
      {"command", "Command"}, {"args", "Args"}, {"timeout", "Timeout"}, {"fail_on_error", "FailOnError"},
  });
  return &spec;
}

static const Spec* consul() {
  static const Spec spec = Spec(type_of<api::Consul>(), {
      {"namespace", "Namespace"},
  });
  return &spec;
}

static const Spec* dispatch_payload_config() {
  static const Spec spec = Spec(type_of<api::DispatchPayloadConfig>(), {
      {"file", "File"},
  });
  return &spec;
}

static const Spec* ephemeral_disk() {
  static const Spec spec = Spec(type_of<api::EphemeralDisk>(), {
      {"sticky", "Sticky"}, {"migrate", "Migrate"}, {"size", "SizeMB"},
  });
  return &spec;
}

static const Spec* migrate_strategy() {
  static const Spec spec = Spec(type_of<api::MigrateStrategy>(), {
      {"max_parallel", "MaxParallel"}, {"health_check", "HealthCheck"}, {"min_healthy_time", "MinHealthyTime"},
      {"healthy_deadline", "HealthyDeadline"},
  });
  return &spec;
}

static const Spec* multiregion_region() {
  static const Spec spec = Spec(type_of<api::MultiregionRegion>(), {
      {"count", "Count"}, {"datacenters", "Datacenters"}, block_map("meta", "Meta"),
  }).labelled("Name", "");
  return &spec;
}

static const Spec* multiregion_strategy() {
  static const Spec spec = Spec(type_of<api::MultiregionStrategy>(), {
      {"max_parallel", "MaxParallel"}, {"on_failure", "OnFailure"},
  });
  return &spec;
}

static const Spec* multiregion() {
  static const Spec spec = Spec(type_of<api::Multiregion>(), {
      block("strategy", "Strategy", multiregion_strategy), blocks("region", "Regions", multiregion_region),
  });
  return &spec;
}

static const Spec* parameterized_job_config() {
  static const Spec spec = Spec(type_of<api::ParameterizedJobConfig>(), {
      {"payload", "Payload"}, {"meta_required", "MetaRequired"}, {"meta_optional", "MetaOptional"},
  });
  return &spec;
}

static const Spec* periodic_config() {
  static const Spec spec = Spec(type_of<api::PeriodicConfig>(), {
      {"enabled", "Enabled"}, {"cron", "Spec"}, {"prohibit_overlap", "ProhibitOverlap"}, {"time_zone", "TimeZone"},
  });
  return &spec;
}

static const Spec* reschedule_policy() {
  static const Spec spec = Spec(type_of<api::ReschedulePolicy>(), {
      {"attempts", "Attempts"}, {"interval", "Interval"}, {"delay", "Delay"}, {"delay_function", "DelayFunction"},
      {"max_delay", "MaxDelay"}, {"unlimited", "Unlimited"},
  });
  return &spec;
}

static const Spec* spread_target() {
  static const Spec spec = Spec(type_of<api::SpreadTarget>(), {
      {"percent", "Percent"},
  }).labelled("Value", "");
  return &spec;
}

static const Spec* spread() {
  static const Spec spec = Spec(type_of<api::Spread>(), {
      {"attribute", "Attribute"}, {"weight", "Weight"}, blocks("target", "SpreadTarget", spread_target),
  });
  return &spec;
}

static const Spec* restart_policy() {
  static const Spec spec = Spec(type_of<api::RestartPolicy>(), {
      {"interval", "Interval"}, {"attempts", "Attempts"}, {"delay", "Delay"}, {"mode", "Mode"},
  });
  return &spec;
}

const Spec* group_scaling_spec() {
  static const Spec spec = Spec(type_of<api::ScalingPolicy>(), {
      {"min", "Min"}, {"max", "Max"}, opaque("policy", "Policy"), {"enabled", "Enabled"}, {"type", "Type"},
  }, decode_group_scaling).require("max");
  return &spec;
}

const Spec* task_scaling_spec() {
  static const Spec spec = Spec(type_of<api::ScalingPolicy>(), {
      {"min", "Min"}, {"max", "Max"}, opaque("policy", "Policy"), {"enabled", "Enabled"}, {"type", "Type"},
  }).labelled("", "name");
  return &spec;
}

static const Spec* task_artifact() {
  static const Spec spec = Spec(type_of<api::TaskArtifact>(), {
      {"source", "GetterSource"}, block_map("options", "GetterOptions"), block_map("headers", "GetterHeaders"),
      {"mode", "GetterMode"}, {"destination", "RelativeDest"},
  });
  return &spec;
}

static const Spec* csi_plugin_config() {
  static const Spec spec = Spec(type_of<api::TaskCSIPluginConfig>(), {
      {"id", "ID"}, {"type", "Type"}, {"mount_dir", "MountDir"}, {"stage_publish_base_dir", "StagePublishBaseDir"},
      {"health_timeout", "HealthTimeout"},
  });
  return &spec;
}

static const Spec* task_lifecycle() {
  static const Spec spec = Spec(type_of<api::TaskLifecycle>(), {
      {"hook", "Hook"}, {"sidecar", "Sidecar"},
  });
  return &spec;
}

static const Spec* wait_config() {
  static const Spec spec = Spec(type_of<api::WaitConfig>(), {
      {"min", "Min"}, {"max", "Max"},
  });
  return &spec;
}

static const Spec* template_block() {
  static const Spec spec = Spec(type_of<api::Template>(), {
      {"source", "SourcePath"}, {"destination", "DestPath"}, {"data", "EmbeddedTmpl"}, {"change_mode", "ChangeMode"},
      block("change_script", "ChangeScript", change_script), {"change_signal", "ChangeSignal"}, {"splay", "Splay"},
      {"perms", "Perms"}, {"uid", "Uid"}, {"gid", "Gid"}, {"left_delimiter", "LeftDelim"},
      {"right_delimiter", "RightDelim"}, {"env", "Envvars"}, {"vault_grace", "VaultGrace"},
      block("wait", "Wait", wait_config), {"error_on_missing_key", "ErrMissingKey"},
  });
  return &spec;
}

const Spec* vault_spec() {
  static const Spec spec = Spec(type_of<api::Vault>(), {
      {"policies", "Policies"}, {"namespace", "Namespace"}, {"env", "Env"}, {"change_mode", "ChangeMode"},
      {"change_signal", "ChangeSignal"},
  });
  return &spec;
}

static const Spec* volume_mount() {
  static const Spec spec = Spec(type_of<api::VolumeMount>(), {
      {"volume", "Volume"}, {"destination", "Destination"}, {"read_only", "ReadOnly"},
      {"propagation_mode", "PropagationMode"},
  });
  return &spec;
}

static const Spec* volume_request() {
  static const Spec spec = Spec(type_of<api::VolumeRequest>(), {
      {"type", "Type"}, {"source", "Source"}, {"read_only", "ReadOnly"}, {"access_mode", "AccessMode"},
      {"attachment_mode", "AttachmentMode"}, block("mount_options", "MountOptions", csi_mount_options),
      {"per_alloc", "PerAlloc"},
  }).labelled("Name", "name");
  return &spec;
}

static const Spec* workload_identity() {
  static const Spec spec = Spec(type_of<api::WorkloadIdentity>(), {
      {"env", "Env"}, {"file", "File"},
  });
  return &spec;
}

const Spec* task_spec() {
  static const Spec spec = Spec(type_of<api::Task>(), {
      {"driver", "Driver"}, {"user", "User"}, block("lifecycle", "Lifecycle", task_lifecycle),
      opaque("config", "Config"), blocks("constraint", "Constraints", constraint),
      blocks("affinity", "Affinities", affinity), block_map("env", "Env"), blocks("service", "Services", service),
      block("resources", "Resources", resources), block("restart", "RestartPolicy", restart_policy),
      block_map("meta", "Meta"), {"kill_timeout", "KillTimeout"}, block("logs", "LogConfig", log_config),
      blocks("artifact", "Artifacts", task_artifact), block("vault", "Vault", vault_spec),
      blocks("template", "Templates", template_block),
      block("dispatch_payload", "DispatchPayload", dispatch_payload_config),
      blocks("volume_mount", "VolumeMounts", volume_mount),
      block("csi_plugin", "CSIPluginConfig", csi_plugin_config), {"leader", "Leader"},
      {"shutdown_delay", "ShutdownDelay"}, {"kill_signal", "KillSignal"}, {"kind", "Kind"},
      block("identity", "Identity", workload_identity),
  }, decode_task).labelled("Name", "name");
  return &spec;
}

static const Spec* update_strategy() {
  static const Spec spec = Spec(type_of<api::UpdateStrategy>(), {
      {"stagger", "Stagger"}, {"max_parallel", "MaxParallel"}, {"health_check", "HealthCheck"},
      {"min_healthy_time", "MinHealthyTime"}, {"healthy_deadline", "HealthyDeadline"},
      {"progress_deadline", "ProgressDeadline"}, {"canary", "Canary"}, {"auto_revert", "AutoRevert"},
      {"auto_promote", "AutoPromote"},
  });
  return &spec;
}

const Spec* group_spec() {
  static const Spec spec = Spec(type_of<api::TaskGroup>(), {
      {"count", "Count"}, blocks("constraint", "Constraints", constraint),
      blocks("affinity", "Affinities", affinity), blocks("task", "Tasks", task_spec),
      blocks("spread", "Spreads", spread), named("volume", "Volumes", volume_request),
      block("restart", "RestartPolicy", restart_policy), block("reschedule", "ReschedulePolicy", reschedule_policy),
      block("ephemeral_disk", "EphemeralDisk", ephemeral_disk), block("update", "Update", update_strategy),
      block("migrate", "Migrate", migrate_strategy), blocks("network", "Networks", network_resource),
      block_map("meta", "Meta"), blocks("service", "Services", service), {"shutdown_delay", "ShutdownDelay"},
      {"stop_after_client_disconnect", "StopAfterClientDisconnect"},
      {"max_client_disconnect", "MaxClientDisconnect"}, block("scaling", "Scaling", group_scaling_spec),
      block("consul", "Consul", consul),
  }, decode_group).labelled("Name", "name");
  return &spec;
}

const Spec* job_spec() {
  static const Spec spec = Spec(type_of<api::Job>(), {
      {"region", "Region"}, {"namespace", "Namespace"}, {"id", "ID"}, {"name", "Name"}, {"type", "Type"},
      {"priority", "Priority"}, {"all_at_once", "AllAtOnce"}, {"datacenters", "Datacenters"},
      blocks("constraint", "Constraints", constraint), blocks("affinity", "Affinities", affinity),
      blocks("group", "TaskGroups", group_spec), block("update", "Update", update_strategy),
      block("multiregion", "Multiregion", multiregion), blocks("spread", "Spreads", spread),
      block("periodic", "Periodic", periodic_config),
      block("parameterized", "ParameterizedJob", parameterized_job_config),
      block("reschedule", "Reschedule", reschedule_policy), block("migrate", "Migrate", migrate_strategy),
      block_map("meta", "Meta"), {"consul_token", "ConsulToken"}, {"vault_token", "VaultToken"},
  });
  return &spec;
}

}  // namespace drover::jobspec
