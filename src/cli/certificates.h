// Certificates of a cluster's own authority (reference cli section 9.14). OpenSSL stays in the .cc.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace drover::cli {

struct PemPair {
  std::string certificate, key;
};

struct AuthorityRequest {
  std::string common_name;                     // "": "Nomad Agent CA <serial>"
  int days = 0;
  std::vector<std::string> permitted_domains;  // empty: no constraint on names
};
Result<PemPair> make_authority(const AuthorityRequest& request, Time now);

struct CertificateRequest {
  std::string common_name;
  int days = 0;
  std::vector<std::string> dns_names, ips;
};
// Signed by the authority, whose certificate and key are given as PEM.
Result<PemPair> make_certificate(const CertificateRequest& request, const PemPair& authority, Time now);

struct CertificateFacts {
  std::string serial;      // decimal
  std::string issuer_cn;
  std::string subject;     // "CN=...,O=...": last part first
  Time not_after;
  std::vector<std::string> permitted_domains, dns_names, ips;
};
Result<CertificateFacts> read_certificate(const std::string& pem);

bool valid_ip(const std::string& text);

}  // namespace drover::cli
