// The files that `job init` writes.
#pragma once

#include <string_view>

namespace drover::cli {

extern const std::string_view kExampleJob;
extern const std::string_view kShortJob;
extern const std::string_view kConnectJob;

}  // namespace drover::cli
