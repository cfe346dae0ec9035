#include "net/tls.h"

#include "net/http_client.h"
#include "net/net_test_util.h"
#include "net/test_pki.h"

namespace drover::net {
namespace {

struct TlsTest : NetTest {
  TestPki pki;
  TlsTest() { pki.issue("server", "DNS:localhost,DNS:server.global.nomad,IP:127.0.0.1"); }

  TlsServerOptions server_options() {
    TlsServerOptions o;
    o.cert_file = pki.cert("server");
    o.key_file = pki.key("server");
    o.ca_file = pki.cert("ca");
    return o;
  }
  void serve_tls(TlsServerOptions o, HttpServerOptions http = {}) {
    auto tls = make_tls_server(o);
    ASSERT_TRUE(tls) << tls.error().message;
    serve(
        [](HttpRequest& r, HttpExchange& x) -> Async<void> {
          std::string who = r.peer ? r.peer->common_name : "nobody";
          (void)co_await x.respond(200, std::string(r.tls ? "tls " : "plain ") + who);
        },
        http, *tls);
  }
  // The body, or the error with the URL cut off.
  std::string get(TlsClientOptions o, std::string server_name = "") {
    auto tls = make_tls_client(o);
    if (!tls) return tls.error().message;
    HttpClientOptions options;
    options.tls = *tls;
    options.tls_server_name = server_name;
    HttpClient client(real.world, network, options);
    HttpCall c;
    c.url = "https://" + address.str() + "/";
    auto r = run(client.call(c));
    if (r) return r->body;
    return r.error().message.substr(r.error().message.find("/\": ") + 4);
  }
  TlsClientOptions trust() {
    TlsClientOptions o;
    o.ca_file = pki.cert("ca");
    return o;
  }
};

TEST_F(TlsTest, ServesOverTls) {
  serve_tls(server_options());
  EXPECT_EQ(get(trust()), "tls nobody");
  EXPECT_EQ(get(trust(), "server.global.nomad"), "tls nobody");
}

TEST_F(TlsTest, ServerNamesAndAuthoritiesAreVerifiedInGoWords) {
  serve_tls(server_options());
  EXPECT_EQ(get({}), "tls: failed to verify certificate: x509: certificate signed by unknown authority");
  EXPECT_EQ(get(trust(), "other.nomad"), "tls: failed to verify certificate: x509: certificate is valid for localhost, "
                                         "server.global.nomad, not other.nomad");
  TestPki stranger;
  TlsClientOptions wrong;
  wrong.ca_file = stranger.cert("ca");
  EXPECT_EQ(get(wrong), "tls: failed to verify certificate: x509: certificate signed by unknown authority");
  TlsClientOptions skip;
  skip.skip_verify = true;
  EXPECT_EQ(get(skip), "tls nobody");
  auto chain_only = trust();
  chain_only.verify_name = false;
  EXPECT_EQ(get(chain_only, "other.nomad"), "tls nobody");
}

TEST_F(TlsTest, NamesMustBeInTheCertificate) {
  pki.issue("named", "DNS:a.nomad");
  auto o = server_options();
  o.cert_file = pki.cert("named");
  o.key_file = pki.key("named");
  serve_tls(o);
  EXPECT_EQ(get(trust()), "tls: failed to verify certificate: x509: cannot validate certificate for 127.0.0.1 because it "
                          "doesn't contain any IP SANs");
}

TEST_F(TlsTest, ExpiredCertificatesAreRefused) {
  pki.issue("old", "IP:127.0.0.1", -60);
  auto o = server_options();
  o.cert_file = pki.cert("old");
  o.key_file = pki.key("old");
  serve_tls(o);
  auto error = get(trust());
  EXPECT_TRUE(error.starts_with("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: "
                                "current time "))
      << error;
}

TEST_F(TlsTest, ClientCertificatesAreRequiredWhenAsked) {
  auto o = server_options();
  o.verify_client = true;
  serve_tls(o);
  pki.issue("cli.global.nomad", "DNS:cli.global.nomad");
  auto with = trust();
  with.cert_file = pki.cert("cli.global.nomad");
  with.key_file = pki.key("cli.global.nomad");
  EXPECT_EQ(get(with), "tls cli.global.nomad");
  EXPECT_EQ(get(trust()), "remote error: tls: certificate required");
  TestPki stranger;
  stranger.issue("x", "DNS:x");
  with.cert_file = stranger.cert("x");
  with.key_file = stranger.key("x");
  auto refused = get(with);
  EXPECT_TRUE(refused.starts_with("remote error: tls: ")) << refused;
}

TEST_F(TlsTest, PlainHttpOnTheTlsPortIsTold) {
  serve_tls(server_options());
  EXPECT_EQ(run(talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
            "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
}

TEST_F(TlsTest, ASilentHandshakeIsCutOff) {
  HttpServerOptions http;
  http.tls_handshake_timeout = 20ms;
  serve_tls(server_options(), http);
  EXPECT_EQ(run(talk("")), "");
  EXPECT_EQ(run(talk("\x16\x03\x01")), "");
  EXPECT_EQ(get(trust()), "tls nobody");
}

TEST_F(TlsTest, BadOptionsAreClearErrors) {
  auto error = [](TlsServerOptions o) {
    auto r = make_tls_server(o);
    return r ? "no error" : r.error().message;
  };
  auto o = server_options();
  o.min_version = "tls13";
  EXPECT_EQ(error(o), "unsupported TLS version \"tls13\"");
  o = server_options();
  o.cipher_suites = {"TLS_NONE"};
  EXPECT_EQ(error(o), "unsupported TLS cipher \"TLS_NONE\"");
  o = server_options();
  o.cipher_suites = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
  EXPECT_TRUE(error(o).starts_with("Specified cipher suites don't support the certificate signature algorithm ECDSA, "));
  o = server_options();
  o.cert_file = "/nonexistent.pem";
  EXPECT_EQ(error(o), "Failed to load cert/key pair: open /nonexistent.pem: no such file or directory");
  o = server_options();
  o.key_file = pki.key("ca");
  EXPECT_EQ(error(o), "Failed to load cert/key pair: tls: private key does not match public key");
  o = server_options();
  o.ca_file = pki.key("ca");
  EXPECT_EQ(error(o), "Failed to parse any valid certificates in CA file: " + pki.key("ca"));
  o = server_options();
  o.ca_file.clear();
  o.verify_client = true;
  EXPECT_EQ(error(o), "VerifyIncoming set, and no CA certificate provided!");
  TlsClientOptions c;
  c.cert_file = "x";
  EXPECT_EQ(make_tls_client(c).error().message, "Both client cert and client key must be provided");
  c = {};
  c.ca_file = "/nonexistent.pem";
  EXPECT_EQ(make_tls_client(c).error().message, "Error loading CA File: open /nonexistent.pem: no such file or directory");
}

TEST_F(TlsTest, OldVersionsServeOnlyWhenAllowed) {
  auto o = server_options();
  o.min_version = "tls10";
  o.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  serve_tls(o);
  EXPECT_EQ(get(trust()), "tls nobody");
}

TEST_F(TlsTest, LargeBodiesPassWholeAndADroppedClientEndsItsHandler) {
  auto tls = make_tls_server(server_options());
  int waiting = 0;
  struct Guard {
    int& n;
    explicit Guard(int& c) : n(c) { ++n; }
    ~Guard() { --n; }
  };
  HttpServerOptions options;
  options.half_close_grace = 1ms;
  std::string large(3 << 20, 'q');
  serve([&](HttpRequest& r, HttpExchange& x) -> Async<void> {
    return [](TlsTest& t, int& waiting, const std::string& large, bool wait, HttpExchange& x) -> Async<void> {
      Guard g(waiting);
      if (wait) co_await sleep_for(t.real.loop, 1h);
      (void)co_await x.respond(200, large);
    }(*this, waiting, large, r.target == "/wait", x);
  }, options, *tls);
  EXPECT_EQ(get(trust()).size(), large.size());
  auto client_tls = *make_tls_client(trust());
  run([](TlsTest& t, TlsContextRef tls, int& waiting) -> Async<bool> {
    auto s = co_await tls_connect(tls, co_await t.connect(), "localhost");
    EXPECT_TRUE(s) << s.error().message;
    (void)co_await write_all(**s, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await t.until([&] { return waiting == 1; });
    s->reset();
    co_await t.until([&] { return waiting == 0; });
    co_return true;
  }(*this, client_tls, waiting));
}

}  // namespace
}  // namespace drover::net
