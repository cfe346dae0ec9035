// The commands below "alloc".
#pragma once

#include "cli/command.h"

namespace drover::cli {

std::span<const Command> alloc_status_commands();
std::span<const Command> alloc_action_commands();  // stop, restart, signal, checks
std::span<const Command> alloc_file_commands();    // fs, logs
std::span<const Command> alloc_exec_commands();

// Restarts an allocation in place: one task, or all that runs, or all.
Status restart_alloc(Api& api, const std::string& id, const std::string& task, bool all_tasks);

}  // namespace drover::cli
