// Merging of configurations, later over earlier (agent-config section 1.3).
#pragma once

#include "agent/config_types.h"

namespace drover::agent {

// Strings and numbers replace when they are not zero, booleans only turn on, optional ones replace when present, lists
// replace when not empty, maps and blocks merge; the exceptions are in a table in config_merge.cc.
void merge_config(Config& into, const Config& later);

}  // namespace drover::agent
