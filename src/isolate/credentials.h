// Who a process runs as and what it may use. Names are looked up by the agent; here are only numbers, because name
// services cannot be used from a static program.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "isolate/fault.h"

namespace drover::isolate {

// Sets supplementary groups, group and user, for good. Needs privileges unless they are the caller's own already.
Fault switch_user(uid_t uid, gid_t gid, const gid_t* groups, size_t group_count);

Fault set_limit(int resource, uint64_t soft, uint64_t hard);

}  // namespace drover::isolate
