// The version that the program tells.
#pragma once

#include <string>
#include <string_view>

namespace drover::cli {

// "1.5.7-dev": the version of the reference that the product is compatible with; clients compare it.
inline constexpr std::string_view kCompatibleVersion = "1.5.7-dev";

// "Nomad v1.5.7-dev", then the build date and the revision where the build knows them.
std::string version_text();

}  // namespace drover::cli
