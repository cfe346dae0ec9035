// Certificates of the RPC port from the `tls` block (reference security, sections 7.1 to 7.4).
#pragma once

#include <string>

#include "agent/settings.h"
#include "base/result.h"
#include "server/rpc_tls.h"

namespace drover::agent {

// Empty when tls.rpc is off. The incoming side is made for servers only.
Result<server::RpcTls> make_rpc_tls(const TlsSettings& settings, bool server);

// The text of what decides about TLS: the settings that a reload looks at and the contents of the three files. Another text
// after a reload means new certificates (reference security 7.5).
std::string tls_material(const TlsSettings& settings);

}  // namespace drover::agent
