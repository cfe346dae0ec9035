// What tls_context.cc makes and tls.cc uses. Private to net.
#pragma once

#include <openssl/ssl.h>

#include "net/tls.h"

namespace drover::net {

class TlsContext {
 public:
  explicit TlsContext(SSL_CTX* c) : ctx(c) {}
  TlsContext(const TlsContext&) = delete;
  ~TlsContext() { SSL_CTX_free(ctx); }
  SSL_CTX* ctx;
  bool verify_name = true;
  bool skip_verify = false;
};

}  // namespace drover::net
