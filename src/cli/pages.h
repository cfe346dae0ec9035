// Lists in pages: what to run for the next one.
#pragma once

#include <string>

#include "cli/command.h"

namespace drover::cli {

// "\nResults have been paginated. To get the next page run: ..." with the command line and the token.
void show_next_page(const Context& c, const std::string& token);

// per_page, next_token and filter, where given.
std::vector<std::pair<std::string, std::string>> page_params(const Context& c);

}  // namespace drover::cli
