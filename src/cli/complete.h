// Completion of words, flags and identifiers for shells that call the program with COMP_LINE.
#pragma once

#include <span>
#include <string_view>

#include "cli/command.h"

namespace drover::cli {

// Prints what may follow at the end of `line`, one a line; 0.
int complete(std::span<const Command* const> all, std::string_view line, const Io& io);

// Adds the program as completer to the shells' start files below $HOME, or takes it out.
int install_completion(const Io& io, bool install, bool uninstall);

}  // namespace drover::cli
