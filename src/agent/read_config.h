// From command line, files and environment to a checked Config.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/config_flags.h"
#include "agent/config_types.h"
#include "base/result.h"

namespace drover::agent {

// What the steps on the way say: notices for standard error.
using Notice = std::function<void(std::string)>;

// Everything of agent-config section 1.2. Errors are ready to be shown.
Result<Config> read_config(const AgentFlags& flags, const Notice& notice);

}  // namespace drover::agent
