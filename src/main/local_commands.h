// Commands that look at files of agents that are stopped: raft logs, snapshots, clients' state.
#pragma once

#include <span>

#include "cli/command.h"

namespace drover::program {

std::span<const cli::Command> local_commands();

}  // namespace drover::program
