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
struct Limits {
  Duration https_handshake_timeout = 5s;
  Duration rpc_handshake_timeout = 5s;
  int http_max_conns_per_client = 100;
  int rpc_max_conns_per_client = 100;
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
  Limits limits;

  std::optional<server::Config> server;
  std::optional<client::Config> client;
  std::vector<std::string> client_servers;   // host:port of servers that a client-only agent asks
  Map<Value> plugin_configs;                 // driver -> its `config { }`, decoded from HCL
  Map<std::string> options;                  // client.options

  std::string config_json;                   // as /v1/agent/self shows the configuration
};

}  // namespace drover::agent
