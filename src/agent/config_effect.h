// What a configuration may say and this version does not do.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config_types.h"

namespace drover::agent {

// One line for each block or key that is given and has no effect although whoever wrote it will expect one:
// "WARNING: vault.enabled has no effect: ...". Values that are the defaults are not given.
std::vector<std::string> without_effect(const Config& config);

// Keys that are read and checked and change nothing, as "block.key" or "block.*". docs/differences.md lists them.
std::span<const std::string_view> keys_without_effect();

}  // namespace drover::agent
