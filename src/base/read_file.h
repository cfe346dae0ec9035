// Files that are read in one go.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace drover {

// "no such file or directory": as Go has it, not capital.
std::string errno_text(int error);

// All of a regular file, device or pipe, up to `max` bytes (kTooLarge beyond). kIo or kNotFound "open PATH: no such file or
// directory", "read PATH: is a directory". Blocks; standard streams throw where a directory is read.
Result<std::string> read_file(const std::string& path, size_t max = size_t{64} << 20);

}  // namespace drover
