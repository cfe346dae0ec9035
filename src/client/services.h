// What the hooks of services and checks work with: shared by all runners of a client, and built from the allocation at
// hand.
#pragma once

#include <vector>

#include "client/checks.h"
#include "client/service_core.h"
#include "client/service_sync.h"

namespace drover::net {
class Network;
}

namespace drover::client {

struct AllocHookContext;

struct ServiceParts {
  ServiceSync sync;
  CheckStore checks;
  net::Network* network;  // null: checks stay pending
};

// Deregistration is waited for before anything is stopped, but not for longer than this.
inline constexpr Duration kDeregisterLimit = std::chrono::seconds(2);

// The checks of the group's services and of its tasks'.
std::vector<CheckPlan> all_checks(const AllocHookContext& ctx);

}  // namespace drover::client
