// What a client that is stopped has written down, as text for operators.
#pragma once

#include <string>

#include "base/result.h"

namespace drover::client {

// {"Allocations":{"<id>":{"Alloc":..., "DeployStatus":..., "Tasks":{"<name>":{"LocalState":..., "RemoteState":...,
// "DriverState":...}}}}} of the state directory `dir`. Rows that cannot be read are left out.
Result<std::string> client_state_json(const std::string& dir);

}  // namespace drover::client
