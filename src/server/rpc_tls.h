// Certificates and rules of the RPC port, both ways (reference security, section 7).
#pragma once

#include <string>

#include "net/tls.h"

namespace drover::server {

struct RpcTls {
  net::TlsContextRef incoming, outgoing;   // null: no TLS
  bool verify_server_hostname = false;     // certificates must have a role
  bool upgrade_mode = false;               // plain connections are taken as well
};

}  // namespace drover::server
