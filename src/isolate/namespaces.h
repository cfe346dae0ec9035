// Entering namespaces that somebody else made.
#pragma once

#include "isolate/fault.h"

namespace drover::isolate {

// Moves the caller into the network namespace bound at `path` (as `ip netns` and the CNI do). Needs CAP_SYS_ADMIN.
Fault enter_network_namespace(const char* path);

}  // namespace drover::isolate
