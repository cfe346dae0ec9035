// The commands below "node".
#pragma once

#include "cli/command.h"

namespace drover::cli {

std::span<const Command> node_status_commands();
std::span<const Command> node_drain_commands();
std::span<const Command> node_setting_commands();  // eligibility, config, meta

// The id of the node that the agent is; an error when it is none.
Result<std::string> own_node_id(Api& api);

}  // namespace drover::cli
