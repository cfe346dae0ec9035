#include "agent/rpc_tls.h"

#include <fmt/format.h>

#include "base/read_file.h"
#include "base/strings.h"

namespace drover::agent {

Result<server::RpcTls> make_rpc_tls(const TlsSettings& s, bool server) {
  server::RpcTls out;
  if (!s.rpc) return out;
  out.verify_server_hostname = s.verify_server_hostname;
  out.upgrade_mode = s.rpc_upgrade_mode;
  net::TlsClientOptions c{.ca_file = s.ca_file, .cert_file = s.cert_file, .key_file = s.key_file};
  c.verify_name = s.verify_server_hostname;
  if (!s.min_version.empty()) c.min_version = s.min_version;
  DROVER_TRY(out.outgoing, net::make_tls_client(c));
  if (!server) return out;
  if (s.ca_file.empty()) return invalid("VerifyIncoming set, and no CA certificate provided!");
  if (s.cert_file.empty() || s.key_file.empty()) return invalid("VerifyIncoming set, and no Cert/Key pair provided!");
  net::TlsServerOptions o{.cert_file = s.cert_file, .key_file = s.key_file, .ca_file = s.ca_file};
  o.verify_client = true;
  o.prefer_server_ciphers = s.prefer_server_cipher_suites;
  if (!s.min_version.empty()) o.min_version = s.min_version;
  for (auto& suite : split(s.cipher_suites, ','))
    if (!suite.empty()) o.cipher_suites.emplace_back(suite);
  DROVER_TRY(out.incoming, net::make_tls_server(o));
  return out;
}

std::string tls_material(const TlsSettings& s) {
  std::string out = fmt::format("{} {} {}", s.http, s.rpc, s.rpc_upgrade_mode);
  for (auto* path : {&s.ca_file, &s.cert_file, &s.key_file}) {
    auto text = path->empty() ? Result<std::string>(std::string()) : read_file(*path);
    out += '\n';
    out += text ? *text : text.error().message;
  }
  return out;
}

}  // namespace drover::agent
