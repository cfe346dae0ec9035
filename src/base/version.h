// What this build calls itself. The number is that of the system it is compatible with; clients compare it.
#pragma once

#include <string_view>

namespace drover {

inline constexpr std::string_view kVersionNumber = "1.5.7";
inline constexpr std::string_view kVersionPrerelease = "dev";
inline constexpr std::string_view kVersion = "1.5.7-dev";

// The commit that was built, as far as the build knew; "" otherwise.
extern const std::string_view kBuildRevision;

}  // namespace drover
