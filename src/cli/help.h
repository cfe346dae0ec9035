// Help texts, made from the table of commands.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace drover::cli {

// The command as its alias has it.
const Command& resolved(const Command& command, std::span<const Command* const> all);

// The words directly below `group` ("job" -> "allocs", "periodic", ...), sorted, with their synopses.
struct Child {
  std::string word;
  std::string synopsis;
};
std::vector<Child> children(std::span<const Command* const> all, std::string_view group, bool hidden_too = false);

std::string top_help(std::span<const Command* const> all);
// With the list of subcommands. Parents that the table does not have get a general text.
std::string full_help(std::span<const Command* const> all, std::string_view name);

}  // namespace drover::cli
