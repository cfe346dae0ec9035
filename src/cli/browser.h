// Opening pages for the user.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/io.h"

namespace drover::cli {

// Runs the desktop's opener. Error: `exec: "xdg-open": executable file not found in $PATH`.
Status open_in_browser(const Io& io, const std::string& url);

}  // namespace drover::cli
