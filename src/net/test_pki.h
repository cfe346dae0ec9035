// Certificates made on the spot for tests: nothing to expire, nothing to keep.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace drover::net {

class TestPki {
 public:
  TestPki() {
    char name[] = "/tmp/drover_pki_XXXXXX";
    dir_ = ::mkdtemp(name);
    ca_key_ = EVP_EC_gen("P-256");
    ca_ = sign("test ca", ca_key_, "", "critical,CA:TRUE", 3600);
    write("ca", ca_, ca_key_);
  }
  TestPki(const TestPki&) = delete;
  ~TestPki() {
    for (auto& f : files_) ::unlink(f.c_str());
    ::rmdir(dir_.c_str());
    X509_free(ca_);
    EVP_PKEY_free(ca_key_);
  }
  // Makes <name>.pem and <name>-key.pem; `san` as in openssl.cnf: "DNS:localhost,IP:127.0.0.1".
  void issue(const std::string& name, const std::string& san, long valid_seconds = 3600) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x = sign(name, key, san, "", valid_seconds);
    write(name, x, key);
    X509_free(x);
    EVP_PKEY_free(key);
  }
  std::string cert(const std::string& name) const { return dir_ + "/" + name + ".pem"; }
  std::string key(const std::string& name) const { return dir_ + "/" + name + "-key.pem"; }

 private:
  X509* sign(const std::string& cn, EVP_PKEY* key, const std::string& san, const char* constraints, long valid) {
    X509* x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(x), valid < 0 ? -7200 : -60);
    X509_gmtime_adj(X509_getm_notAfter(x), valid);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(cn.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(ca_ ? ca_ : x));
    auto add = [&](int nid, const char* value) {
      X509V3_CTX ctx;
      X509V3_set_ctx_nodb(&ctx);
      X509V3_set_ctx(&ctx, ca_ ? ca_ : x, x, nullptr, nullptr, 0);
      X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, &ctx, nid, value);
      X509_add_ext(x, e, -1);
      X509_EXTENSION_free(e);
    };
    if (*constraints) add(NID_basic_constraints, constraints);
    if (!san.empty()) add(NID_subject_alt_name, san.c_str());
    X509_sign(x, ca_key_, EVP_sha256());
    return x;
  }
  void write(const std::string& name, X509* x, EVP_PKEY* k) {
    FILE* f = std::fopen(cert(name).c_str(), "w");
    PEM_write_X509(f, x);
    std::fclose(f);
    f = std::fopen(key(name).c_str(), "w");
    PEM_write_PrivateKey(f, k, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(f);
    files_.push_back(cert(name));
    files_.push_back(key(name));
  }

  std::string dir_;
  std::vector<std::string> files_;
  long serial_ = 0;
  EVP_PKEY* ca_key_ = nullptr;
  X509* ca_ = nullptr;
};

}  // namespace drover::net
