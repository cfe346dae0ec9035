// The version that the program tells.
#pragma once

#include <string>
#include <string_view>

namespace drover::cli {

// "Nomad v1.5.7-dev", then the build date and the revision where the build knows them.
std::string version_text();

}  // namespace drover::cli
