// Settings: a checked agent configuration with every default filled in and every address resolved. What the files and
// flags said is gone from here on; config.h makes these.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "client/config.h"
#include "codec/value.h"
#include "server/config.h"

namespace drover::agent {

// `limits { }`
struct ConnectionLimits {
  Duration https_handshake_timeout = 5s;
  Duration rpc_handshake_timeout = 5s;
  int http_max_conns_per_client = 100;
  int rpc_max_conns_per_client = 100;
};

// `server_join { }` of the part that joins: the server where there is one, else the client.
struct JoinSettings {
  std::vector<std::string> start_join, retry_join;
  int64_t retry_max = 0;           // 0: without end
  Duration retry_interval = 30s;
};

// `tls { }`
struct TlsSettings {
  bool http = false, rpc = false;
  bool verify_server_hostname = false, verify_https_client = false, rpc_upgrade_mode = false;
  std::string ca_file, cert_file, key_file;
  std::string cipher_suites;       // comma list; empty: the usual ones
  std::string min_version;         // empty: tls12
  bool prefer_server_cipher_suites = false;
};

// `telemetry { }`
struct TelemetrySettings {
  bool prometheus = false;
  bool allocations = false, nodes = false;  // publish_allocation_metrics, publish_node_metrics
  bool dispatched_summaries = true;
  Duration interval = 1s;                   // collection_interval
  std::string host;                         // the "host" label; empty: none
  std::string node_in_gauges;               // instead of a label
  std::vector<std::string> prefix_filter;
  bool filter_default = true;
  std::string statsite_address, statsd_address, datadog_address;  // host:port; empty: none
  std::vector<std::string> datadog_tags;
};

struct Settings {
  bool dev_mode = false;
  std::string data_dir;            // empty only in dev mode
  std::string region = "global";
  std::string datacenter = "dc1";
  std::string node_name;
  LogOptions log;
  bool leave_on_interrupt = false;
  bool leave_on_terminate = false;
  bool enable_debug = false;
  bool ui_enabled = true;

  std::vector<std::string> http_binds;  // IP addresses
  std::string rpc_bind, serf_bind;
  uint16_t http_port = 4646, rpc_port = 4647, serf_port = 4648;
  std::string http_advertise, rpc_advertise, serf_advertise;  // host:port
  Map<std::string> http_response_headers;
  ConnectionLimits limits;
  TlsSettings tls;
  JoinSettings join;
  TelemetrySettings telemetry;

  std::optional<server::Config> server;
  std::optional<client::Config> client;
  std::vector<std::string> client_servers;   // host:port of servers that a client-only agent asks
  Map<Value> plugin_configs;                 // driver -> its `config { }`, decoded from HCL
  Map<std::string> options;                  // client.options

  std::string config_json;                   // as /v1/agent/self shows the configuration
};

}  // namespace drover::agent
