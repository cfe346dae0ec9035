// Small files, with Go's error texts ("open x: no such file or directory").
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::cli {

Result<std::string> read_file(const std::string& path);
// Creates or truncates.
Status write_file(const std::string& path, std::string_view text, mode_t mode);
bool exists(const std::string& path);
bool is_directory(const std::string& path);
std::string working_directory();
// What the reference says of errno, in lower case: "no such file or directory".
std::string errno_text(int err);

}  // namespace drover::cli
