// TLS over any Stream (OpenSSL). Error texts are Go's, because operators and scripts know them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/stream.h"

namespace drover::net {

// Whether a certificate's names (DNS or common name) give it a role on the RPC port of `region`:
// client.<region>.nomad, or server.<any region>.nomad.
bool has_rpc_role(const PeerCertificate& peer, std::string_view region);

class TlsContext;  // certificates and rules; shared by connections, immutable
using TlsContextRef = std::shared_ptr<TlsContext>;

struct TlsServerOptions {
  std::string cert_file, key_file;
  std::string ca_file;                      // of client certificates
  bool verify_client = false;               // require and verify a client certificate (any name)
  std::string min_version = "tls12";        // tls10, tls11, tls12
  std::vector<std::string> cipher_suites;   // Go's names; for TLS 1.2 and below; empty: the reference's six
  bool prefer_server_ciphers = false;
};
// `unsupported TLS version "x"`, `unsupported TLS cipher "x"`, `Failed to load cert/key pair: open x: …`,
// `Failed to read CA file: …`.
Result<TlsContextRef> make_tls_server(const TlsServerOptions& options);

struct TlsClientOptions {
  std::string ca_file, ca_path;        // neither: the system's
  std::string cert_file, key_file;     // both or none
  bool skip_verify = false;
  bool verify_name = true;             // false: the chain is verified, the name is not
  std::string min_version = "tls12";
};
Result<TlsContextRef> make_tls_client(const TlsClientOptions& options);

// Server handshake. On failure `plain` still owns the connection, so that a plain-HTTP client can be told.
Async<Result<std::unique_ptr<Stream>>> tls_accept(TlsContextRef context, std::unique_ptr<Stream>& plain);
// The error of tls_accept when the client spoke HTTP.
bool is_plain_http_error(const Error& e);

// Client handshake; `server_name` is verified and sent as SNI (not for IP literals).
Async<Result<std::unique_ptr<Stream>>> tls_connect(TlsContextRef context, std::unique_ptr<Stream> plain,
                                                  std::string server_name);

}  // namespace drover::net
