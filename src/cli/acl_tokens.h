// Showing tokens, for the commands that make or read them.
#pragma once

#include "cli/acl_shapes.h"
#include "cli/command.h"

namespace drover::cli {

// As -json or -t ask, else the block of facts. The exit code.
int show_token(Context& c, const AclToken& token);

}  // namespace drover::cli
