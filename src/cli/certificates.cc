#include "cli/certificates.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/strings.h"

namespace drover::cli {
namespace {

template <auto fn>
struct Free {
  template <class T>
  void operator()(T* p) const {
    fn(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Text = std::unique_ptr<char, decltype([](char* p) { OPENSSL_free(p); })>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, Free<ASN1_OCTET_STRING_free>>;

Error crypto_error(std::string_view what) {
  char text[256] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  return internal(std::string(what) + ": " + text);
}

std::string contents(const Bio& bio) {
  char* data = nullptr;
  long n = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(n)};
}

Bio reader(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// 128 random bits, so that no two certificates of an authority share a serial.
Number random_serial() {
  Number n(BN_new());
  if (n) BN_rand(n.get(), 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
  return n;
}

std::string decimal(const BIGNUM* n) {
  Text text(BN_bn2dec(n));
  return text ? text.get() : "";
}

// SHA-256 of the public key as certificates carry it.
Octets key_id(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int n = i2d_PUBKEY(key, &der);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  Octets out;
  if (n > 0 && EVP_Digest(der, static_cast<size_t>(n), digest, &size, EVP_sha256(), nullptr)) {
    out.reset(ASN1_OCTET_STRING_new());
    if (out && !ASN1_OCTET_STRING_set(out.get(), digest, static_cast<int>(size))) out.reset();
  }
  OPENSSL_free(der);
  return out;
}

bool add_key_ids(X509* cert, EVP_PKEY* own, EVP_PKEY* issuer) {
  auto own_id = key_id(own);
  if (!own_id || X509_add1_ext_i2d(cert, NID_subject_key_identifier, own_id.get(), 0, X509V3_ADD_DEFAULT) != 1) return false;
  std::unique_ptr<AUTHORITY_KEYID, Free<AUTHORITY_KEYID_free>> authority(AUTHORITY_KEYID_new());
  if (!authority) return false;
  authority->keyid = key_id(issuer).release();
  return authority->keyid && X509_add1_ext_i2d(cert, NID_authority_key_identifier, authority.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool add_extension(X509* cert, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> e(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return e && X509_add_ext(cert, e.get(), -1) == 1;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// Serial, dates and key; subject and extensions are the caller's.
bool prepare(X509* cert, EVP_PKEY* key, const BIGNUM* serial, int days, Time now) {
  auto from = static_cast<time_t>(now.unix_seconds());
  return X509_set_version(cert, 2) && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) &&
         ASN1_TIME_set(X509_getm_notBefore(cert), from) &&
         ASN1_TIME_set(X509_getm_notAfter(cert), from + static_cast<time_t>(days) * 86400) && X509_set_pubkey(cert, key);
}

Result<PemPair> as_pem(X509* cert, EVP_PKEY* key) {
  Bio c(BIO_new(BIO_s_mem())), k(BIO_new(BIO_s_mem()));
  if (!c || !k || !PEM_write_bio_X509(c.get(), cert) ||
      !PEM_write_bio_PrivateKey_traditional(k.get(), key, nullptr, nullptr, 0, nullptr, nullptr))
    return crypto_error("writing a certificate");
  return PemPair{contents(c), contents(k)};
}

Result<Cert> parse_cert(const std::string& pem) {
  auto bio = reader(pem);
  Cert cert(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!cert) return invalid("failed to parse certificate PEM");
  return cert;
}

std::string text_of(const ASN1_STRING* s) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)), static_cast<size_t>(ASN1_STRING_length(s))};
}

std::string ip_text(const std::string& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

std::string subject_text(const X509_NAME* name) {
  static constexpr std::pair<int, const char*> kNames[] = {
      {NID_commonName, "CN"}, {NID_organizationName, "O"}, {NID_organizationalUnitName, "OU"}, {NID_countryName, "C"},
      {NID_stateOrProvinceName, "ST"}, {NID_localityName, "L"}, {NID_streetAddress, "STREET"}, {NID_postalCode, "POSTALCODE"},
      {NID_serialNumber, "SERIALNUMBER"}};
  std::string out;
  for (int i = X509_NAME_entry_count(name) - 1; i >= 0; --i) {
    auto* entry = X509_NAME_get_entry(name, i);
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    std::string label = OBJ_nid2sn(nid);
    for (auto& [known, text] : kNames)
      if (known == nid) label = text;
    std::string value;
    for (char c : text_of(X509_NAME_ENTRY_get_data(entry))) {
      if (std::string_view(",+\"\\<>;").find(c) != std::string_view::npos) value += '\\';
      value += c;
    }
    out += (out.empty() ? "" : ",") + label + "=" + value;
  }
  return out;
}

std::string common_name(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), NID_commonName, -1);
  return at < 0 ? "" : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

void read_names(X509* cert, CertificateFacts& facts) {
  std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto* n = sk_GENERAL_NAME_value(names.get(), i);
    if (n->type == GEN_DNS) facts.dns_names.push_back(text_of(n->d.dNSName));
    if (n->type == GEN_IPADD) facts.ips.push_back(ip_text(text_of(n->d.iPAddress)));
  }
}

void read_constraints(X509* cert, CertificateFacts& facts) {
  std::unique_ptr<NAME_CONSTRAINTS, Free<NAME_CONSTRAINTS_free>> constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(cert, NID_name_constraints, nullptr, nullptr)));
  for (int i = 0; constraints && i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    auto* n = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base;
    if (n->type == GEN_DNS) facts.permitted_domains.push_back(text_of(n->d.dNSName));
  }
}

}  // namespace

bool valid_ip(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

Result<PemPair> make_authority(const AuthorityRequest& request, Time now) {
  Key key(EVP_EC_gen("P-256"));
  Cert cert(X509_new());
  auto serial = random_serial();
  if (!key || !cert || !serial || !prepare(cert.get(), key.get(), serial.get(), request.days, now))
    return crypto_error("making an authority");
  auto name = request.common_name.empty() ? "Nomad Agent CA " + decimal(serial.get()) : request.common_name;
  auto* subject = X509_get_subject_name(cert.get());
  const std::pair<const char*, std::string> parts[] = {
      {"C", "US"}, {"ST", "CA"}, {"L", "San Francisco"}, {"street", "101 Second Street"}, {"postalCode", "94105"},
      {"O", "HashiCorp Inc."}, {"CN", name}};
  bool ok = true;
  for (auto& [field, value] : parts) ok = ok && add_name(subject, field, value);
  ok = ok && X509_set_issuer_name(cert.get(), subject) && add_extension(cert.get(), NID_basic_constraints, "critical,CA:TRUE") &&
       add_extension(cert.get(), NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign") &&
       add_key_ids(cert.get(), key.get(), key.get());
  if (ok && !request.permitted_domains.empty()) {
    std::string permitted = "critical";
    for (auto& domain : request.permitted_domains) permitted += ",permitted;DNS:" + domain;
    ok = add_extension(cert.get(), NID_name_constraints, permitted);
  }
  if (!ok || !X509_sign(cert.get(), key.get(), EVP_sha256())) return crypto_error("making an authority");
  return as_pem(cert.get(), key.get());
}

Result<PemPair> make_certificate(const CertificateRequest& request, const PemPair& authority, Time now) {
  DROVER_TRY(auto issuer, parse_cert(authority.certificate));
  auto bio = reader(authority.key);
  Key issuer_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!issuer_key) return invalid("failed to parse the CA's private key");
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1) return invalid("the CA's key does not fit its certificate");
  Key key(EVP_EC_gen("P-256"));
  Cert cert(X509_new());
  auto serial = random_serial();
  if (!key || !cert || !serial || !prepare(cert.get(), key.get(), serial.get(), request.days, now))
    return crypto_error("making a certificate");
  std::vector<std::string> names;
  for (auto& n : request.dns_names) names.push_back("DNS:" + n);
  for (auto& ip : request.ips) names.push_back("IP:" + ip);
  bool ok = add_name(X509_get_subject_name(cert.get()), "CN", request.common_name) &&
            X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.get())) &&
            add_extension(cert.get(), NID_basic_constraints, "critical,CA:FALSE") &&
            add_extension(cert.get(), NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
            add_extension(cert.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
            add_key_ids(cert.get(), key.get(), issuer_key.get()) &&
            (names.empty() || add_extension(cert.get(), NID_subject_alt_name, join(names, ",")));
  if (!ok || !X509_sign(cert.get(), issuer_key.get(), EVP_sha256())) return crypto_error("making a certificate");
  return as_pem(cert.get(), key.get());
}

Result<CertificateFacts> read_certificate(const std::string& pem) {
  DROVER_TRY(auto cert, parse_cert(pem));
  CertificateFacts facts;
  Number serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert.get()), nullptr));
  facts.serial = serial ? decimal(serial.get()) : "";
  facts.issuer_cn = common_name(X509_get_issuer_name(cert.get()));
  facts.subject = subject_text(X509_get_subject_name(cert.get()));
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(cert.get()), &end)) facts.not_after = Time::from_unix_seconds(timegm(&end));
  read_names(cert.get(), facts);
  read_constraints(cert.get(), facts);
  return facts;
}

}  // namespace drover::cli
