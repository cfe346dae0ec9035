// Certificates of the RPC port from the `tls` block (reference security, sections 7.1 to 7.4).
#pragma once

#include "agent/settings.h"
#include "base/result.h"
#include "server/rpc_tls.h"

namespace drover::agent {

// Empty when tls.rpc is off. The incoming side is made for servers only.
Result<server::RpcTls> make_rpc_tls(const TlsSettings& settings, bool server);

}  // namespace drover::agent
