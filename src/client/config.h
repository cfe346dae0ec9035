// What the agent tells its client part: the reference's `client` block, resolved (paths absolute, defaults filled in).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/node.h"

namespace drover::client {

// `client { reserved { } }`
struct ReservedConfig {
  int64_t cpu_mhz = 0;
  int64_t memory_mb = 0;
  int64_t disk_mb = 0;
  std::string cores;           // cpuset, "0-1,4"
  std::string ports;           // "22,80,8000-8100"
};

// `client { drain_on_shutdown { } }`
struct DrainOnShutdown {
  Duration deadline = std::chrono::hours(1);  // 0: no deadline
  bool ignore_system_jobs = false;
};

struct Config {
  bool dev_mode = false;       // identity and state are not kept, retries are quick, shutdown destroys allocations
  std::string state_dir;       // private, 0700
  std::string alloc_dir;       // 0711

  std::string region = "global";
  std::string datacenter = "dc1";
  std::string node_name;       // empty: the host's name
  std::string node_class;
  Map<std::string> meta;
  Map<std::string> options;    // driver.allowlist, fingerprint.denylist, env.denylist ...

  std::string http_advertise;  // host:port of the agent's HTTP API
  bool tls_http = false;
  std::string version = "1.5.7-dev";  // what the servers see as nomad.version
  std::string revision;

  std::string network_interface;     // empty: that of the default route
  int64_t network_speed_mbits = 0;   // 0: detected
  int64_t cpu_total_compute = 0;     // MHz; 0: detected
  int64_t memory_total_mb = 0;       // 0: detected
  int64_t disk_total_mb = 0;         // 0: detected
  int64_t disk_free_mb = 0;          // 0: detected
  std::string reservable_cores;      // cpuset; empty: detected
  ReservedConfig reserved;
  int64_t min_dynamic_port = 20000;
  int64_t max_dynamic_port = 32000;

  Duration max_kill_timeout = std::chrono::seconds(30);
  Duration stats_interval = std::chrono::seconds(1);

  Duration gc_interval = std::chrono::minutes(1);
  int gc_parallel_destroys = 2;
  double gc_disk_usage_threshold = 80;   // percent
  double gc_inode_usage_threshold = 70;  // percent
  int gc_max_allocs = 50;

  bool no_host_uuid = true;          // false: the node id comes from the machine's DMI uuid
  bool disable_remote_exec = false;
  bool nomad_service_discovery = true;
  bool bind_wildcard_default_host_network = true;
  std::vector<ClientHostVolumeConfig> host_volumes;
  std::vector<ClientHostNetworkConfig> host_networks;
  std::string cgroup_parent;         // empty: "/nomad" on cgroup v1, "nomad.slice" on v2
  std::string bridge_network_name = "nomad";
  std::string bridge_network_subnet = "172.26.64.0/20";
  bool bridge_network_hairpin_mode = false;
  std::string cni_path = "/opt/cni/bin";
  std::string cni_config_dir = "/opt/cni/config";
  std::map<std::string, std::string> chroot_env;  // empty: kDefaultChrootEnv, each to its own path
  std::optional<DrainOnShutdown> drain_on_shutdown;

  bool mount_secrets = true;         // secrets directories as tmpfs where permitted; off where nothing is secret (tests)

  // Environment of the agent process, inherited by tasks of drivers without an image (less env.denylist).
  std::map<std::string, std::string> host_env;

  // The value of an option under the first of its spellings that is set; nullptr when none is.
  const std::string* option(std::initializer_list<std::string_view> spellings) const;
};

// A comma-separated option as a list: trimmed, empty parts dropped.
std::vector<std::string> option_list(const Config& config, std::initializer_list<std::string_view> spellings,
                                     std::string_view fallback = "");

// Allow and deny lists of one kind: an empty allow list allows all, deny wins.
struct NameFilter {
  std::vector<std::string> allow, deny;
  bool admits(std::string_view name) const;
};
NameFilter driver_filter(const Config& config);
NameFilter fingerprint_filter(const Config& config);

inline constexpr std::string_view kDefaultEnvDenylist =
    "CONSUL_TOKEN,CONSUL_HTTP_TOKEN,VAULT_TOKEN,NOMAD_LICENSE,AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,"
    "AWS_SESSION_TOKEN,GOOGLE_APPLICATION_CREDENTIALS";
inline constexpr std::string_view kDefaultUserDenylist = "root,Administrator";
inline constexpr std::string_view kDefaultUserCheckedDrivers = "exec,qemu,java";

}  // namespace drover::client
