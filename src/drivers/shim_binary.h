// The drover-shim program that is embedded in this binary, and its place on disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::drivers {

// The program's bytes.
std::string_view shim_image();

// Puts the program into `dir` (made if missing, with its parents) as "drover-shim-<hash of its content>", mode 0755, and
// returns the path. What is there already and intact is left. An empty `dir` is a fresh temporary directory, for an
// agent without a data directory. Blocks; called once when the client starts.
Result<std::string> unpack_shim(std::string dir);

}  // namespace drover::drivers
