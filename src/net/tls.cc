#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "net/tls_context.h"

namespace drover::net {
namespace {

constexpr std::string_view kPlainHttp = "tls: first record does not look like a TLS handshake";

struct AlertRow {
  int number;
  std::string_view text;
};
constexpr AlertRow kAlerts[] = {
    {10, "unexpected message"},     {20, "bad record MAC"},           {22, "record overflow"},
    {40, "handshake failure"},      {42, "bad certificate"},          {43, "unsupported certificate"},
    {44, "revoked certificate"},    {45, "expired certificate"},      {46, "unknown certificate"},
    {47, "illegal parameter"},      {48, "unknown certificate authority"}, {49, "access denied"},
    {50, "error decoding message"}, {51, "error decrypting message"}, {70, "protocol version not supported"},
    {71, "insufficient security level"}, {80, "internal error"},      {86, "inappropriate fallback"},
    {90, "user canceled"},          {100, "no renegotiation"},        {109, "missing extension"},
    {110, "unsupported extension"}, {112, "unrecognized name"},       {116, "certificate required"},
    {120, "no application protocol"},
};

bool is_ip(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

struct Names {
  std::string common_name;
  std::vector<std::string> dns, ips;
};

Names read_names(X509* x) {
  Names out;
  char cn[256];
  int n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof cn);
  if (n > 0) out.common_name.assign(cn, static_cast<size_t>(n));
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); ++i) {
    auto* g = sk_GENERAL_NAME_value(names, i);
    if (g->type == GEN_DNS) {
      out.dns.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(g->d.dNSName)),
                           static_cast<size_t>(ASN1_STRING_length(g->d.dNSName)));
    } else if (g->type == GEN_IPADD) {
      char text[INET6_ADDRSTRLEN] = "";
      int size = ASN1_STRING_length(g->d.iPAddress);
      ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(g->d.iPAddress), text, sizeof text);
      out.ips.emplace_back(text);
    }
  }
  GENERAL_NAMES_free(names);
  return out;
}

std::string asn1_time(const ASN1_TIME* t) {
  struct tm tm{};
  ASN1_TIME_to_tm(t, &tm);
  return format_rfc3339(Time::from_unix_seconds(::timegm(&tm)));
}

// The verification failure in Go's words.
std::string verify_text(int code, X509* leaf, X509* at, const std::string& name) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: {
      bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
      auto now = format_rfc3339(Time::from_unix_seconds(::time(nullptr)));
      return fmt::format("x509: certificate has expired or is not yet valid: current time {} is {} {}", now,
                         expired ? "after" : "before",
                         asn1_time(expired ? X509_get0_notAfter(at) : X509_get0_notBefore(at)));
    }
    case X509_V_ERR_HOSTNAME_MISMATCH: {
      auto names = read_names(leaf);
      if (names.dns.empty())
        return names.common_name == name
                   ? "x509: certificate relies on legacy Common Name field, use SANs instead"
                   : fmt::format("x509: certificate is not valid for any names, but wanted to match {}", name);
      return fmt::format("x509: certificate is valid for {}, not {}", join(names.dns, ", "), name);
    }
    case X509_V_ERR_IP_ADDRESS_MISMATCH: {
      auto names = read_names(leaf);
      if (names.ips.empty())
        return fmt::format("x509: cannot validate certificate for {} because it doesn't contain any IP SANs", name);
      return fmt::format("x509: certificate is valid for {}, not {}", join(names.ips, ", "), name);
    }
    case X509_V_ERR_INVALID_PURPOSE:
      return "x509: certificate specifies an incompatible key usage";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "x509: certificate signed by unknown authority";
  }
  return fmt::format("x509: {}", X509_verify_cert_error_string(code));
}

BIO_METHOD* stream_bio();

class TlsStream : public Stream {
 public:
  TlsStream(TlsContextRef context, std::unique_ptr<Stream> inner)
      : context_(std::move(context)), inner_(std::move(inner)), ssl_(SSL_new(context_->ctx)) {
    DROVER_ASSERT(ssl_, "memory for a TLS connection");
    BIO* bio = BIO_new(stream_bio());
    BIO_set_data(bio, inner_.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_app_data(ssl_, this);
  }
  ~TlsStream() override {
    if (!closed_) shutdown_write();
    SSL_free(ssl_);
  }
  SSL* ssl() { return ssl_; }
  std::unique_ptr<Stream> take_inner() {
    closed_ = true;
    return std::move(inner_);
  }
  void set_name(std::string name) { name_ = std::move(name); }

  Async<Status> handshake() {
    for (;;) {
      ERR_clear_error();
      int rc = SSL_do_handshake(ssl_);
      if (rc == 1) break;
      auto a = outcome(rc);
      if (a.state == Attempt::kEnd) co_return Error(ErrorCode::kIo, "EOF");
      if (a.state == Attempt::kFailed) co_return std::move(a.error);
      co_await inner_->wait(a.event);
    }
    if (X509* x = SSL_get0_peer_certificate(ssl_)) {
      auto names = read_names(x);
      peer_ = std::make_unique<PeerCertificate>(PeerCertificate{std::move(names.common_name), std::move(names.dns)});
    }
    ready_ = true;
    co_return Status{};
  }

  Attempt try_read(char* to, size_t size) override {
    if (closed_) return inner_->try_read(to, size);
    ERR_clear_error();
    int n = SSL_read(ssl_, to, static_cast<int>(std::min<size_t>(size, 1 << 30)));
    return n > 0 ? Attempt::done(static_cast<size_t>(n)) : outcome(n);
  }
  Attempt try_write(std::string_view bytes) override {
    if (closed_) return inner_->try_write(bytes);
    ERR_clear_error();
    int n = SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30)));
    if (n > 0) return Attempt::done(static_cast<size_t>(n));
    auto a = outcome(n);
    return a.state == Attempt::kEnd ? Attempt::failed({ErrorCode::kIo, "write: broken pipe"}) : std::move(a);
  }
  Async<void> wait(FdEvent event) override { return inner_->wait(event); }
  void shutdown_write() override {
    if (!ready_ || failed_) return;
    // The alert is small: where it does not fit, the peer learns by the end of the connection.
    ERR_clear_error();
    SSL_shutdown(ssl_);
    inner_->shutdown_write();
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    shutdown_write();
    inner_->close();
  }
  const Address& local() const override { return inner_->local(); }
  const Address& remote() const override { return inner_->remote(); }
  const PeerCertificate* peer_certificate() const override { return peer_.get(); }

  static int on_verify(int ok, X509_STORE_CTX* store) {
    if (ok) return 1;
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* self = static_cast<TlsStream*>(SSL_get_app_data(ssl));
    self->verify_error_ = verify_text(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get0_cert(store),
                                      X509_STORE_CTX_get_current_cert(store), self->name_);
    return 0;
  }

  // Set by the BIO when the stream below fails.
  Error below_error;

 private:
  Attempt outcome(int rc) {
    switch (SSL_get_error(ssl_, rc)) {
      case SSL_ERROR_WANT_READ: return Attempt::wait(FdEvent::kReadable);
      case SSL_ERROR_WANT_WRITE: return Attempt::wait(FdEvent::kWritable);
      case SSL_ERROR_ZERO_RETURN: return Attempt::end();
      case SSL_ERROR_SYSCALL:
        failed_ = true;
        if (below_error.message.empty()) return Attempt::end();
        return Attempt::failed(below_error);
      default: failed_ = true; return Attempt::failed(protocol_error());
    }
  }
  Error protocol_error() {
    unsigned long e = ERR_get_error();
    ERR_clear_error();
    int reason = ERR_GET_REASON(e);
    if (!verify_error_.empty())
      return {ErrorCode::kPermissionDenied, "tls: failed to verify certificate: " + verify_error_};
    if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
      for (auto& row : kAlerts)
        if (row.number == reason - SSL_AD_REASON_OFFSET)
          return {ErrorCode::kIo, fmt::format("remote error: tls: {}", row.text)};
    }
    switch (reason) {
      case SSL_R_HTTP_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER: return {ErrorCode::kIo, std::string(kPlainHttp)};
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return {ErrorCode::kPermissionDenied, "tls: client didn't provide a certificate"};
      case SSL_R_NO_SHARED_CIPHER: return {ErrorCode::kIo, "tls: no cipher suite supported by both client and server"};
      case SSL_R_UNSUPPORTED_PROTOCOL: return {ErrorCode::kIo, "tls: client offered only unsupported versions"};
    }
    if (!below_error.message.empty()) return below_error;
    const char* text = ERR_reason_error_string(e);
    return {ErrorCode::kIo, fmt::format("tls: {}", text ? text : "protocol error")};
  }

  TlsContextRef context_;
  std::unique_ptr<Stream> inner_;
  SSL* ssl_;
  std::string name_, verify_error_;
  std::unique_ptr<PeerCertificate> peer_;
  bool closed_ = false, failed_ = false, ready_ = false;
};

// ---- The BIO that OpenSSL reads and writes through.

Stream* stream_of(BIO* b) { return static_cast<Stream*>(BIO_get_data(b)); }

int bio_result(BIO* b, Attempt a) {
  BIO_clear_retry_flags(b);
  switch (a.state) {
    case Attempt::kDone: return static_cast<int>(a.size);
    case Attempt::kEnd: BIO_set_flags(b, BIO_FLAGS_IN_EOF); return 0;
    case Attempt::kFailed:
      if (auto* keep = static_cast<Error*>(BIO_get_ex_data(b, 0))) *keep = std::move(a.error);
      return -1;
    case Attempt::kWait:
      if (a.event == FdEvent::kReadable) BIO_set_retry_read(b);
      else BIO_set_retry_write(b);
      return -1;
  }
  return -1;
}

BIO_METHOD* stream_bio() {
  static BIO_METHOD* method = [] {
    auto* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    BIO_meth_set_write(m, [](BIO* b, const char* from, int size) {
      return bio_result(b, stream_of(b)->try_write({from, static_cast<size_t>(size)}));
    });
    BIO_meth_set_read(m, [](BIO* b, char* to, int size) {
      return bio_result(b, stream_of(b)->try_read(to, static_cast<size_t>(size)));
    });
    BIO_meth_set_ctrl(m, [](BIO* b, int command, long, void*) -> long {
      if (command == BIO_CTRL_EOF) return BIO_test_flags(b, BIO_FLAGS_IN_EOF) ? 1 : 0;
      return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
    });
    return m;
  }();
  return method;
}

}  // namespace

bool has_rpc_role(const PeerCertificate& peer, std::string_view region) {
  auto good = [&](const std::string& name) {
    if (name == fmt::format("client.{}.nomad", region)) return true;
    auto parts = split(name, '.');
    return parts.size() >= 3 && parts.front() == "server" && parts.back() == "nomad";
  };
  return good(peer.common_name) || std::any_of(peer.dns_names.begin(), peer.dns_names.end(), good);
}

bool is_plain_http_error(const Error& e) { return e.message == kPlainHttp; }

Async<Result<std::unique_ptr<Stream>>> tls_accept(TlsContextRef context, std::unique_ptr<Stream>& plain) {
  auto tls = std::make_unique<TlsStream>(std::move(context), std::move(plain));
  BIO_set_ex_data(SSL_get_rbio(tls->ssl()), 0, &tls->below_error);
  SSL_set_accept_state(tls->ssl());
  SSL_set_verify(tls->ssl(), SSL_get_verify_mode(tls->ssl()), TlsStream::on_verify);
  auto status = co_await tls->handshake();
  if (!status) {
    plain = tls->take_inner();
    co_return std::move(status).error();
  }
  co_return std::move(tls);
}

Async<Result<std::unique_ptr<Stream>>> tls_connect(TlsContextRef context, std::unique_ptr<Stream> plain,
                                                  std::string name) {
  auto tls = std::make_unique<TlsStream>(context, std::move(plain));
  SSL* ssl = tls->ssl();
  BIO_set_ex_data(SSL_get_rbio(ssl), 0, &tls->below_error);
  tls->set_name(name);
  SSL_set_connect_state(ssl);
  if (!is_ip(name) && !name.empty()) SSL_set_tlsext_host_name(ssl, name.c_str());
  SSL_set_verify(ssl, context->skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                 context->skip_verify ? nullptr : TlsStream::on_verify);
  if (!context->skip_verify && context->verify_name) {
    auto* param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_ip(name)) X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str());
    else X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size());
  }
  auto status = co_await tls->handshake();
  if (!status) co_return std::move(status).error();
  co_return std::move(tls);
}

}  // namespace drover::net
