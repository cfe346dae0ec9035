// The timer of a log entry (reference metrics section 15).
#pragma once

#include <string_view>

namespace drover::server {

// Full key; empty where the entry's type is not measured.
std::string_view fsm_timer(std::string_view entry);

}  // namespace drover::server
