// Whether a new version of a job can be given to running allocations as it is, or needs new ones.
// Rules: reference scheduler 4.13.2.
#pragma once

#include <optional>
#include <string>

#include "model/job.h"

namespace drover::scheduler {

// Null when nothing differs that a running allocation would have to be replaced for; else the first such thing, in
// words ("task config", "network ports").
std::optional<std::string> tasks_updated(const Job& next, const Job& previous, const std::string& group);

}  // namespace drover::scheduler
