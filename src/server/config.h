// What the agent tells its server part: the reference's `server` block, resolved (server-core section 1).
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "base/version.h"
#include "model/config_records.h"
#include "model/state_records.h"
#include "server/bad_nodes.h"
#include "server/heartbeats.h"

namespace drover::server {

// How old a terminal object must be before garbage collection takes it.
struct GcThresholds {
  Duration interval = 5min;           // eval_gc, job_gc, node_gc, deployment_gc run at this interval
  Duration job = 4h;
  Duration eval = 1h;
  Duration batch_eval = 24h;
  Duration node = 24h;
  Duration deployment = 1h;
  Duration root_key_interval = 10min;
  Duration root_key = 1h;
  Duration root_key_rotation = 720h;  // age at which the active key is replaced
};

// Fuzzy search: the rows of a context that are looked at, the results of one that are given.
struct SearchLimits {
  bool fuzzy_enabled = true;
  size_t limit_query = 20;
  size_t limit_results = 100;
  size_t min_term_length = 2;
};

// `limits { }` of the RPC port.
struct RpcLimits {
  Duration handshake_timeout = 5s;   // 0: none
  int max_conns_per_client = 100;    // 0: no limit
};

struct Config {
  std::string region = "global";
  std::string datacenter = "dc1";
  std::string node_name;              // "<name>.<region>" is the member's name
  std::string node_id;                // UUID; empty: made and kept in <data_dir>/server/node-id
  std::string data_dir;               // "<agent data dir>/server"; unused with in_memory
  bool dev_mode = false;
  bool in_memory = false;             // -dev without a data directory: nothing is written
  int bootstrap_expect = 1;
  std::string rpc_advertise;          // host:port for other servers
  std::string client_rpc_advertise;   // host:port for clients; empty: the same
  std::string serf_address;           // IP that gossip advertises
  uint16_t serf_port = 4648;          // port that it advertises
  std::string serf_bind;              // IP that gossip listens on; empty: serf_address
  uint16_t serf_bind_port = 4648;
  std::string encrypt_key;            // base64; begins the keyring file where there is none
  std::string keyring_file;           // "<agent data dir>/server/serf.keyring"; empty: keys are kept in memory
  bool rejoin_after_leave = false;
  bool non_voting_server = false;
  std::string redundancy_zone, upgrade_version;
  std::string build = "1.5.7-dev";
  std::string revision{kBuildRevision};

  int num_schedulers = 1;
  std::vector<std::string> enabled_schedulers = {"system", "sysbatch", "service", "batch", "_core"};
  HeartbeatOptions heartbeats;
  GcThresholds gc;
  Duration eval_nack_timeout = 60s;
  int eval_delivery_limit = 3;
  int64_t job_max_priority = 100;
  int64_t job_default_priority = 50;
  size_t job_max_source_size = 1'000'000;
  SchedulerConfiguration default_scheduler_config;
  AutopilotConfig autopilot;
  SearchLimits search;
  BadNodeOptions plan_rejections;
  double raft_multiplier = 1;
  uint64_t raft_snapshot_threshold = 8192;  // entries since the last snapshot
  Duration raft_snapshot_interval = std::chrono::seconds(120);
  uint64_t raft_trailing_logs = 10240;      // kept behind a snapshot
  RpcLimits rpc_limits;
  bool enable_event_broker = true;
  int64_t event_buffer_size = 100;    // transactions; 0: 100
};

}  // namespace drover::server
