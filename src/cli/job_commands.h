// The commands below "job", one file a topic; table.cc lists them.
#pragma once

#include "cli/command.h"

namespace drover::cli {

std::span<const Command> job_run_commands();       // run, plan, validate
std::span<const Command> job_init_commands();
std::span<const Command> job_status_commands();    // status, allocs, deployments
std::span<const Command> job_history_commands();   // history, inspect
std::span<const Command> job_change_commands();    // stop, eval, dispatch, periodic force, promote, revert, scale
std::span<const Command> job_restart_commands();

}  // namespace drover::cli
