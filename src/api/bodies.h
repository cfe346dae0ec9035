// Request bodies that only the HTTP layer knows.
#pragma once

#include <string>

#include "codec/type_info.h"

namespace drover::api {

// PUT /v1/client/allocation/:id/restart
struct AllocRestartBody {
  std::string TaskName;
  bool AllTasks = false;
};

}  // namespace drover::api

namespace drover {
DROVER_TYPE(api::AllocRestartBody)
}  // namespace drover
