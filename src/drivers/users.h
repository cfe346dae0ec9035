// Looking up who a task runs as. Blocks (name services): on the pool only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace drover::drivers {

struct UserIds {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // supplementary, the primary one included
};

// By name, or by a decimal uid that has an entry. Error: "failed to identify user NAME: user: unknown user NAME".
Result<UserIds> lookup_user(const std::string& name);

}  // namespace drover::drivers
