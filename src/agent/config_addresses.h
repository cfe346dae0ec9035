// Which addresses the agent binds and which it advertises (reference agent-config section 3).
#pragma once

#include "agent/config_types.h"
#include "agent/sockaddr.h"

namespace drover::agent {

// Evaluates every address template of the configuration and fills in what is unset: `Addresses` becomes IPs or names,
// `AdvertiseAddrs` becomes host:port. May ask DNS. Errors carry the reference's texts.
Status resolve_addresses(Config& config, const HostNetworks& host);

}  // namespace drover::agent
