// The `agent` command: reads the configuration, runs an agent until a signal ends it (reference agent-config 16-22).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover::agent {

// `args` are the words behind "agent". Writes to standard output and standard error; returns the exit code.
int run_agent(const std::vector<std::string>& args);

// Help text, with flags; and the one line for lists of commands.
std::string_view agent_usage();
inline constexpr std::string_view kAgentSynopsis = "Runs a Nomad agent";

}  // namespace drover::agent
