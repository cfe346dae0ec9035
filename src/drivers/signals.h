// The signal names that task drivers know, with their numbers on this machine.
#pragma once

#include <optional>
#include <string_view>

namespace drover::drivers {

// Exact upper-case names, "SIGTERM"; SIGCHLD and SIGURG are not among them. "SIGNULL" is 0.
std::optional<int> signal_number(std::string_view name);

}  // namespace drover::drivers
