#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/strings.h"

namespace drover::net {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

struct Suite {
  std::string_view go, openssl;
};
// TLS 1.2 and below; the first six are the reference's default, in its order.
constexpr Suite kSuites[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
};
constexpr size_t kDefaultSuites = 6;

Status set_suites(SSL_CTX* ctx, const std::vector<std::string>& names, bool old_versions) {
  std::string list;
  auto add = [&](std::string_view s) { list += (list.empty() ? "" : ":") + std::string(s); };
  if (names.empty())
    for (size_t i = 0; i < kDefaultSuites; ++i) add(kSuites[i].openssl);
  for (auto& name : names) {
    auto it = std::find_if(std::begin(kSuites), std::end(kSuites), [&](auto& s) { return s.go == name; });
    if (it == std::end(kSuites)) return invalid("unsupported TLS cipher " + go_quote(name));
    add(it->openssl);
  }
  if (old_versions) {
    // OpenSSL's default security level knows no suite for TLS 1.0 and 1.1.
    if (names.empty()) add("ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA");
    list += ":@SECLEVEL=0";
  }
  if (SSL_CTX_set_cipher_list(ctx, list.c_str()) != 1) return internal("tls: no usable cipher suite in " + list);
  return {};
}

// Suites that the operator named must have one for the kind of key that the certificate has.
Status check_suites_fit_key(SSL_CTX* ctx, const std::vector<std::string>& names) {
  EVP_PKEY* key = SSL_CTX_get0_privatekey(ctx);
  int type = EVP_PKEY_get_base_id(key);
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC)
    return invalid(std::string("Unsupported signature algorithm ") + OBJ_nid2sn(type) +
                   "; RSA and ECDSA only are supported.");
  std::string kind = type == EVP_PKEY_RSA ? "RSA" : "ECDSA";
  auto fits = [&](const std::string& n) { return n.find("_" + kind + "_") != std::string::npos; };
  if (names.empty() || std::any_of(names.begin(), names.end(), fits)) return {};
  return invalid("Specified cipher suites don't support the certificate signature algorithm " + kind +
                 ", consider adding more cipher suites to match this signature algorithm.");
}

Status set_version(SSL_CTX* ctx, const std::string& name, bool& old) {
  struct Row {
    std::string_view name;
    int version;
  };
  static constexpr Row rows[] = {{"tls10", TLS1_VERSION}, {"tls11", TLS1_1_VERSION}, {"tls12", TLS1_2_VERSION}};
  for (auto& r : rows) {
    if (name != r.name && !(name.empty() && r.version == TLS1_2_VERSION)) continue;
    SSL_CTX_set_min_proto_version(ctx, r.version);
    old = r.version != TLS1_2_VERSION;
    return {};
  }
  return invalid("unsupported TLS version " + go_quote(name));
}

Result<std::string> read_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("open " + path, errno);
  std::string out;
  char buffer[16384];
  ssize_t n;
  while ((n = ::read(fd, buffer, sizeof buffer)) > 0) out.append(buffer, static_cast<size_t>(n));
  int err = errno;
  ::close(fd);
  if (n < 0) return errno_error("read " + path, err);
  return out;
}

// All certificates of a PEM text; others blocks are skipped.
std::vector<X509Ptr> read_certificates(const std::string& pem) {
  std::vector<X509Ptr> out;
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509* x = PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)) out.emplace_back(x);
  ERR_clear_error();
  return out;
}

bool add_authorities(SSL_CTX* ctx, const std::string& pem, bool announce) {
  auto certificates = read_certificates(pem);
  for (auto& x : certificates) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x.get());
    if (announce) SSL_CTX_add_client_CA(ctx, x.get());
  }
  ERR_clear_error();
  return !certificates.empty();
}

Status load_pair(SSL_CTX* ctx, const std::string& cert_file, const std::string& key_file) {
  DROVER_TRY(auto cert_pem, read_file(cert_file));
  DROVER_TRY(auto key_pem, read_file(key_file));
  auto chain = read_certificates(cert_pem);
  if (chain.empty()) return invalid("tls: failed to find any PEM data in certificate input");
  BioPtr bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  // An encrypted key would otherwise ask on the terminal.
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
  ERR_clear_error();
  if (!key) return invalid("tls: failed to find any PEM data in key input");
  if (X509_check_private_key(chain[0].get(), key.get()) != 1) {
    ERR_clear_error();
    return invalid("tls: private key does not match public key");
  }
  if (SSL_CTX_use_certificate(ctx, chain[0].get()) != 1 || SSL_CTX_use_PrivateKey(ctx, key.get()) != 1) {
    ERR_clear_error();
    return invalid("tls: unsupported certificate");
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(ctx, chain[i].get());
  return {};
}

TlsContextRef make_context(const SSL_METHOD* method) {
  SSL_CTX* ctx = SSL_CTX_new(method);
  DROVER_ASSERT(ctx, "memory for a TLS context");
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  return std::make_shared<TlsContext>(ctx);
}

Status add_directory(SSL_CTX* ctx, const std::string& path) {
  DIR* dir = ::opendir(path.c_str());
  if (!dir) return errno_error("open " + path, errno);
  std::vector<std::string> names;
  while (auto* e = ::readdir(dir))
    if (e->d_name[0] != '.') names.emplace_back(e->d_name);
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  for (auto& n : names) {
    DROVER_TRY(auto pem, read_file(path + "/" + n));
    if (!add_authorities(ctx, pem, false)) return invalid("Couldn't parse PEM in: " + path + "/" + n);
  }
  return {};
}

}  // namespace

Result<TlsContextRef> make_tls_server(const TlsServerOptions& o) {
  auto context = make_context(TLS_server_method());
  bool old = false;
  DROVER_CHECK(set_version(context->ctx, o.min_version, old));
  DROVER_CHECK(set_suites(context->ctx, o.cipher_suites, old));
  if (o.prefer_server_ciphers) SSL_CTX_set_options(context->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (auto s = load_pair(context->ctx, o.cert_file, o.key_file); !s)
    return Error(std::move(s).error()).with_context("Failed to load cert/key pair");
  DROVER_CHECK(check_suites_fit_key(context->ctx, o.cipher_suites));
  if (!o.ca_file.empty()) {
    auto pem = read_file(o.ca_file);
    if (!pem) return Error(std::move(pem).error()).with_context("Failed to read CA file");
    if (!add_authorities(context->ctx, *pem, true))
      return invalid("Failed to parse any valid certificates in CA file: " + o.ca_file);
  }
  if (o.verify_client) {
    if (o.ca_file.empty()) return invalid("VerifyIncoming set, and no CA certificate provided!");
    SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  // Sessions are for one process and one set of rules.
  static const unsigned char id[] = "drover";
  SSL_CTX_set_session_id_context(context->ctx, id, sizeof id - 1);
  return context;
}

Result<TlsContextRef> make_tls_client(const TlsClientOptions& o) {
  auto context = make_context(TLS_client_method());
  context->verify_name = o.verify_name;
  context->skip_verify = o.skip_verify;
  bool old = false;
  DROVER_CHECK(set_version(context->ctx, o.min_version, old));
  if (o.cert_file.empty() != o.key_file.empty()) return invalid("Both client cert and client key must be provided");
  if (!o.cert_file.empty()) DROVER_CHECK(load_pair(context->ctx, o.cert_file, o.key_file));
  if (!o.ca_file.empty()) {
    auto pem = read_file(o.ca_file);
    if (!pem) return Error(std::move(pem).error()).with_context("Error loading CA File");
    if (!add_authorities(context->ctx, *pem, false))
      return invalid("Error loading CA File: Couldn't parse PEM in: " + o.ca_file);
  } else if (!o.ca_path.empty()) {
    if (auto s = add_directory(context->ctx, o.ca_path); !s)
      return Error(std::move(s).error()).with_context("Error loading CA Path");
  } else {
    SSL_CTX_set_default_verify_paths(context->ctx);
  }
  return context;
}

}  // namespace drover::net
