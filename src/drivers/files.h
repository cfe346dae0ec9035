// Small blocking file helpers of the drivers: on the pool, or at start.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::drivers {

Status make_dirs(const std::string& path, mode_t mode);  // parents too; existing ones are fine
Result<std::string> read_whole(const std::string& path);
Status write_all(int fd, std::string_view bytes);
// Removes the plain files and sockets in `dir` and then `dir`, which holds no directories. A missing one is fine.
Status remove_flat_dir(const std::string& dir);

}  // namespace drover::drivers
