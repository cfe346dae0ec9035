// The agent's configuration: defaults, files, merging, checking (reference agent-config). What comes out of here is a
// Config in the shape that /v1/agent/self shows; make_settings() turns it into what the agent is built from.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config_types.h"
#include "agent/settings.h"
#include "agent/sockaddr.h"
#include "base/result.h"

namespace drover::agent {

Config default_config();
// `-dev`: defaults for one agent on loopback that is everything and keeps nothing.
Config dev_config();

// One file, or the files of a directory (not its sub-directories) merged in the order of their names.
//   `stat x: no such file or directory`, `Error loading x: failed to decode HCL file x: At 3:1: ...`
Result<Config> load_config(const std::string& path);

// Fills in what depends on other values or on the environment: addresses, plugin directory, tokens. `env` looks up a
// variable ("" when unset).
Status finish_config(Config& config, const HostNetworks& host, const std::function<std::string(const char*)>& env);

struct CheckOptions {
  bool dev_mode = false;
  bool bootstrap_flag = false;  // -bootstrap-expect was given
};
// The checks of the whole, in the reference's order and words. Notices are told on the way; the error is the first one.
Status check_config(const Config& config, const CheckOptions& options, const std::function<void(std::string)>& notice);

// The rest of the checks, and the values that the agent is built from. Errors begin "server config setup failed: " or
// "client setup failed: ".
Result<Settings> make_settings(const Config& config);

// `config validate`: messages for standard output and standard error, without newlines; returns the exit code.
int validate_config_files(const std::vector<std::string>& paths, const std::function<void(std::string)>& out,
                          const std::function<void(std::string)>& err);

}  // namespace drover::agent
