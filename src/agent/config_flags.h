// The flags of the `agent` command (reference agent-config section 16), in the syntax of Go's flag package.
#pragma once

#include <string>
#include <vector>

#include "agent/config_types.h"
#include "base/result.h"

namespace drover::agent {

struct AgentFlags {
  bool dev = false, dev_connect = false;
  bool help = false;
  bool bootstrap_expect = false;           // the flag was given
  std::vector<std::string> config_paths;   // -config, in order
  std::vector<std::string> meta;           // -meta k=v, unchecked
  std::string retry_interval;              // unchecked
  Config config;                           // what the others set, to be merged over the files
};

// Errors: `flag provided but not defined: -x`, `flag needs an argument: -x`,
// `invalid value "x" for flag -y: parse error`. Parsing stops at the first argument that is no flag.
Result<AgentFlags> parse_agent_flags(const std::vector<std::string>& args);

// Puts -meta and -retry-interval into the configuration: `Error parsing Client.Meta value: x`.
Status apply_late_flags(AgentFlags& flags);

}  // namespace drover::agent
