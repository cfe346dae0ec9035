// Services, Consul Connect, networks and resources.
#include "jobspec/schema_parts.h"

namespace drover::jobspec {

static const Spec* consul_gateway_bind_address() {
  static const Spec spec = Spec(type_of<api::ConsulGatewayBindAddress>(), {
      {"address", "Address"}, {"port", "Port"},
  }).labelled("Name", "");
  return &spec;
}

static const Spec* consul_gateway_proxy() {
  static const Spec spec = Spec(type_of<api::ConsulGatewayProxy>(), {
      {"connect_timeout", "ConnectTimeout"},
      {"envoy_gateway_bind_tagged_addresses", "EnvoyGatewayBindTaggedAddresses"},
      named("envoy_gateway_bind_addresses", "EnvoyGatewayBindAddresses", consul_gateway_bind_address),
      {"envoy_gateway_no_default_bind", "EnvoyGatewayNoDefaultBind"},
      {"envoy_dns_discovery_type", "EnvoyDNSDiscoveryType"}, opaque("config", "Config"),
  });
  return &spec;
}

static const Spec* consul_gateway_tls() {
  static const Spec spec = Spec(type_of<api::ConsulGatewayTLSConfig>(), {
      {"enabled", "Enabled"}, {"tls_min_version", "TLSMinVersion"}, {"tls_max_version", "TLSMaxVersion"},
      {"cipher_suites", "CipherSuites"},
  });
  return &spec;
}

static const Spec* consul_ingress_service() {
  static const Spec spec = Spec(type_of<api::ConsulIngressService>(), {
      {"name", "Name"}, {"hosts", "Hosts"},
  });
  return &spec;
}

static const Spec* consul_ingress_listener() {
  static const Spec spec = Spec(type_of<api::ConsulIngressListener>(), {
      {"port", "Port"}, {"protocol", "Protocol"}, blocks("service", "Services", consul_ingress_service),
  });
  return &spec;
}

static const Spec* consul_ingress_config_entry() {
  static const Spec spec = Spec(type_of<api::ConsulIngressConfigEntry>(), {
      block("tls", "TLS", consul_gateway_tls), blocks("listener", "Listeners", consul_ingress_listener),
  });
  return &spec;
}

static const Spec* consul_mesh_config_entry() {
  static const Spec spec = Spec(type_of<api::ConsulMeshConfigEntry>(), {});
  return &spec;
}

static const Spec* consul_linked_service() {
  static const Spec spec = Spec(type_of<api::ConsulLinkedService>(), {
      {"name", "Name"}, {"ca_file", "CAFile"}, {"cert_file", "CertFile"}, {"key_file", "KeyFile"}, {"sni", "SNI"},
  });
  return &spec;
}

static const Spec* consul_terminating_config_entry() {
  static const Spec spec = Spec(type_of<api::ConsulTerminatingConfigEntry>(), {
      blocks("service", "Services", consul_linked_service),
  });
  return &spec;
}

static const Spec* consul_gateway() {
  static const Spec spec = Spec(type_of<api::ConsulGateway>(), {
      block("proxy", "Proxy", consul_gateway_proxy), block("ingress", "Ingress", consul_ingress_config_entry),
      block("terminating", "Terminating", consul_terminating_config_entry),
      block("mesh", "Mesh", consul_mesh_config_entry),
  });
  return &spec;
}

static const Spec* consul_expose_path() {
  static const Spec spec = Spec(type_of<api::ConsulExposePath>(), {
      {"path", "Path"}, {"protocol", "Protocol"}, {"local_path_port", "LocalPathPort"},
      {"listener_port", "ListenerPort"},
  });
  return &spec;
}

static const Spec* consul_expose_config() {
  static const Spec spec = Spec(type_of<api::ConsulExposeConfig>(), {
      blocks("path", "Paths", consul_expose_path),
  });
  return &spec;
}

static const Spec* consul_mesh_gateway() {
  static const Spec spec = Spec(type_of<api::ConsulMeshGateway>(), {
      {"mode", "Mode"},
  });
  return &spec;
}

static const Spec* consul_upstream() {
  static const Spec spec = Spec(type_of<api::ConsulUpstream>(), {
      {"destination_name", "DestinationName"}, {"destination_namespace", "DestinationNamespace"},
      {"local_bind_port", "LocalBindPort"}, {"datacenter", "Datacenter"}, {"local_bind_address", "LocalBindAddress"},
      block("mesh_gateway", "MeshGateway", consul_mesh_gateway), opaque("config", "Config"),
  });
  return &spec;
}

static const Spec* consul_proxy() {
  static const Spec spec = Spec(type_of<api::ConsulProxy>(), {
      {"local_service_address", "LocalServiceAddress"}, {"local_service_port", "LocalServicePort"},
      block("expose", "Expose", consul_expose_config), blocks("upstreams", "Upstreams", consul_upstream),
      opaque("config", "Config"),
  });
  return &spec;
}

static const Spec* consul_sidecar_service() {
  static const Spec spec = Spec(type_of<api::ConsulSidecarService>(), {
      {"tags", "Tags"}, {"port", "Port"}, block("proxy", "Proxy", consul_proxy),
      {"disable_default_tcp_check", "DisableDefaultTCPCheck"}, block_map("meta", "Meta"),
  });
  return &spec;
}

const Spec* log_config() {
  static const Spec spec = Spec(type_of<api::LogConfig>(), {
      {"max_files", "MaxFiles"}, {"max_file_size", "MaxFileSizeMB"}, {"enabled", "Enabled"},
      {"disabled", "Disabled"},
  });
  return &spec;
}

static const Spec* dnsconfig() {
  static const Spec spec = Spec(type_of<api::DNSConfig>(), {
      {"servers", "Servers"}, {"searches", "Searches"}, {"options", "Options"},
  });
  return &spec;
}

static const Spec* port() {
  static const Spec spec = Spec(type_of<api::Port>(), {
      {"static", "Value"}, {"to", "To"}, {"host_network", "HostNetwork"},
  }).labelled("Label", "");
  return &spec;
}

const Spec* network_resource() {
  static const Spec spec = Spec(type_of<api::NetworkResource>(), {
      {"mode", "Mode"}, {"device", "Device"}, {"cidr", "CIDR"}, {"ip", "IP"}, block("dns", "DNS", dnsconfig),
      blocks("reserved_ports", "ReservedPorts", port), blocks("port", "DynamicPorts", port),
      {"hostname", "Hostname"}, {"mbits", "MBits"},
  });
  return &spec;
}

static const Spec* requested_device() {
  static const Spec spec = Spec(type_of<api::RequestedDevice>(), {
      {"count", "Count"}, blocks("constraint", "Constraints", constraint),
      blocks("affinity", "Affinities", affinity),
  }).labelled("Name", "");
  return &spec;
}

const Spec* resources() {
  static const Spec spec = Spec(type_of<api::Resources>(), {
      {"cpu", "CPU"}, {"cores", "Cores"}, {"memory", "MemoryMB"}, {"memory_max", "MemoryMaxMB"}, {"disk", "DiskMB"},
      blocks("network", "Networks", network_resource), blocks("device", "Devices", requested_device),
      {"iops", "IOPS"},
  });
  return &spec;
}

static const Spec* sidecar_task() {
  static const Spec spec = Spec(type_of<api::SidecarTask>(), {
      {"name", "Name"}, {"driver", "Driver"}, {"user", "User"}, opaque("config", "Config"), block_map("env", "Env"),
      block("resources", "Resources", resources), block_map("meta", "Meta"), {"kill_timeout", "KillTimeout"},
      block("logs", "LogConfig", log_config), {"shutdown_delay", "ShutdownDelay"}, {"kill_signal", "KillSignal"},
  });
  return &spec;
}

static const Spec* consul_connect() {
  static const Spec spec = Spec(type_of<api::ConsulConnect>(), {
      {"native", "Native"}, block("gateway", "Gateway", consul_gateway),
      block("sidecar_service", "SidecarService", consul_sidecar_service),
      block("sidecar_task", "SidecarTask", sidecar_task),
  });
  return &spec;
}

static const Spec* check_restart() {
  static const Spec spec = Spec(type_of<api::CheckRestart>(), {
      {"limit", "Limit"}, {"grace", "Grace"}, {"ignore_warnings", "IgnoreWarnings"},
  });
  return &spec;
}

static const Spec* service_check() {
  static const Spec spec = Spec(type_of<api::ServiceCheck>(), {
      {"name", "Name"}, {"type", "Type"}, {"command", "Command"}, {"args", "Args"}, {"path", "Path"},
      {"protocol", "Protocol"}, {"port", "PortLabel"}, {"expose", "Expose"}, {"address_mode", "AddressMode"},
      {"advertise", "Advertise"}, {"interval", "Interval"}, {"timeout", "Timeout"},
      {"initial_status", "InitialStatus"}, {"tls_skip_verify", "TLSSkipVerify"}, list_map("header", "Header"),
      {"method", "Method"}, block("check_restart", "CheckRestart", check_restart), {"grpc_service", "GRPCService"},
      {"grpc_use_tls", "GRPCUseTLS"}, {"task", "TaskName"}, {"success_before_passing", "SuccessBeforePassing"},
      {"failures_before_critical", "FailuresBeforeCritical"}, {"body", "Body"}, {"on_update", "OnUpdate"},
  });
  return &spec;
}

const Spec* service() {
  static const Spec spec = Spec(type_of<api::Service>(), {
      {"name", "Name"}, {"tags", "Tags"}, {"canary_tags", "CanaryTags"},
      {"enable_tag_override", "EnableTagOverride"}, {"port", "PortLabel"}, {"address_mode", "AddressMode"},
      {"address", "Address"}, blocks("check", "Checks", service_check),
      block("check_restart", "CheckRestart", check_restart), block("connect", "Connect", consul_connect),
      block_map("meta", "Meta"), block_map("canary_meta", "CanaryMeta"),
      block_map("tagged_addresses", "TaggedAddresses"), {"task", "TaskName"}, {"on_update", "OnUpdate"},
      {"provider", "Provider"},
  });
  return &spec;
}

}  // namespace drover::jobspec
