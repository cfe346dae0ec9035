#include "net/http_client.h"

#include <thread>

#include "net/blocking_http.h"
#include "net/net_test_util.h"

namespace drover::net {
namespace {

struct HttpClientTest : NetTest {
  HttpClient client{real.world, network};
  Result<HttpResponse> call(std::string method, std::string url, std::string body = "") {
    HttpCall c;
    c.method = std::move(method);
    c.url = std::move(url);
    c.body = std::move(body);
    return run(client.call(std::move(c)));
  }
  // A server that says `text` to whoever connects, whatever was asked, and closes.
  Running say(std::string text, Address& at) {
    auto listener = network.listen(Address::tcp("127.0.0.1", 0));
    at = (*listener)->address();
    return Running([](std::unique_ptr<Listener> l, std::string text) -> Async<void> {
      for (;;) {
        auto s = co_await l->accept();
        if (!s) co_return;
        char buffer[4096];
        (void)co_await read_some(**s, buffer, sizeof buffer);
        (void)co_await write_all(**s, text);
      }
    }(std::move(*listener), std::move(text)));
  }
};

Async<void> echo(HttpRequest& r, HttpExchange& x) {
  auto body = co_await x.read_body(10 << 20);
  x.headers().set("X-Auth", std::string(r.headers.get("Authorization")));
  x.headers().set("X-Accept", std::string(r.headers.get("Accept-Encoding")));
  (void)co_await x.respond(200, r.method + " " + r.target + " " + body.value_or("?"));
}

TEST_F(HttpClientTest, GetsAndPuts) {
  serve(echo);
  auto r = call("PUT", url("/v1/jobs?a=b%20c"), "{}");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->status, 200);
  EXPECT_EQ(r->body, "PUT /v1/jobs?a=b%20c {}");
  EXPECT_EQ(r->headers.get("x-accept"), "gzip");
  std::string large(3 << 20, 'z');
  r = call("PUT", url("/"), large);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->body.size(), large.size() + 6);
  EXPECT_EQ(server->connections(), 1u) << "the connection is used again";
}

TEST_F(HttpClientTest, SendsUserInfoAsBasicAuth) {
  serve(echo);
  auto r = call("GET", "http://user:pa%40ss@" + address.str() + "/");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->headers.get("X-Auth"), "Basic dXNlcjpwYUBzcw==");
}

TEST_F(HttpClientTest, UploadsAreChunkedFromTheirSource) {
  serve(echo);
  HttpCall c;
  c.method = "PUT";
  c.url = url("/");
  int n = 0;
  c.body_source = [&n]() -> Result<std::string> { return ++n > 3 ? "" : std::string(2, static_cast<char>('a' + n)); };
  auto r = run(client.call(std::move(c)));
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->body, "PUT / bbccdd");
}

TEST_F(HttpClientTest, ABodyThatCannotBeReadEndsTheCall) {
  serve(echo);
  HttpClient client(real.world, network);
  HttpCall c;
  c.method = "PUT";
  c.url = url("/");
  int n = 0;
  c.body_source = [&n]() -> Result<std::string> { return ++n > 2 ? Result<std::string>(internal("read x: is a directory")) : "piece"; };
  auto r = run(client.call(std::move(c)));
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().message.find("read x: is a directory"), std::string::npos) << r.error().message;
}

TEST_F(HttpClientTest, AKeptConnectionThatTheServerClosedIsReplaced) {
  serve(echo);
  ASSERT_TRUE(call("GET", url("/1")));
  auto at = address;
  server.reset();
  auto again = std::make_unique<HttpServer>(real.world, HttpServerOptions{}, echo);
  auto listener = network.listen(at);
  ASSERT_TRUE(listener) << listener.error().message;
  again->add_listener(std::move(*listener));
  auto r = call("PUT", url("/2"), "x");
  EXPECT_TRUE(r) << r.error().message;
}

TEST_F(HttpClientTest, ErrorsReadAsGoPrintsThem) {
  auto closed = network.listen(Address::tcp("127.0.0.1", 0));
  std::string at = (*closed)->address().str();
  closed->reset();
  auto error = [&](std::string method, std::string url) {
    auto r = call(method, url);
    return r ? "no error" : r.error().message;
  };
  EXPECT_EQ(error("GET", "http://" + at + "/v1/jobs"),
            "Get \"http://" + at + "/v1/jobs\": dial tcp " + at + ": connect: connection refused");
  EXPECT_EQ(error("DELETE", "http://u:p@" + at + "/"),
            "Delete \"http://u:xxxxx@" + at + "/\": dial tcp " + at + ": connect: connection refused");
  EXPECT_EQ(error("PUT", "ftp://x/"), "Put \"ftp://x/\": unsupported protocol scheme \"ftp\"");
  EXPECT_EQ(error("GET", "http://bad host/"), "parse \"http://bad host/\": invalid character \" \" in host name");
  EXPECT_EQ(error("GET", "http://no-such-host.invalid:1/").substr(0, 79),
            "Get \"http://no-such-host.invalid:1/\": dial tcp: lookup no-such-host.invalid: no");
  Address a;
  auto nothing = say("", a);
  EXPECT_EQ(error("GET", "http://" + a.str()), "Get \"http://" + a.str() + "\": EOF");
  auto garbage = say("\x15\x03\x01\n", a);
  EXPECT_EQ(error("GET", "http://" + a.str() + "/"),
            "Get \"http://" + a.str() +
                "/\": net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\\x03\\x01\"");
  auto plain = say("HTTP/1.1 400 Bad Request\r\n\r\n", a);
  EXPECT_EQ(error("GET", "https://" + a.str() + "/"),
            "Get \"https://" + a.str() + "/\": http: server gave HTTP response to HTTPS client");
  auto cut = say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", a);
  EXPECT_EQ(error("GET", "http://" + a.str() + "/"), "unexpected EOF");
}

TEST_F(HttpClientTest, ReadsBodiesToTheConnectionsEndAndSkipsInformational) {
  Address a;
  auto flow = say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end", a);
  auto r = call("GET", "http://" + a.str() + "/");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->body, "to the end");
}

TEST_F(HttpClientTest, TimesOut) {
  serve([this](HttpRequest&, HttpExchange&) -> Async<void> {
    return [](Loop& loop) -> Async<void> { co_await sleep_for(loop, 1h); }(real.loop);
  });
  HttpCall c;
  c.url = url("/");
  c.timeout = 20ms;
  auto r = run(client.call(c));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "Get \"" + url("/") +
                                   "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
  EXPECT_EQ(r.error().code, ErrorCode::kTimeout);
}

TEST_F(HttpClientTest, FollowsRedirectsWithoutTakingSecretsElsewhere) {
  serve([](HttpRequest& r, HttpExchange& x) -> Async<void> {
    if (r.target == "/loop") {
      x.headers().set("Location", "/loop");
      (void)co_await x.respond(302, "");
    } else if (r.target == "/from") {
      x.headers().set("Location", "/to?x=1");
      (void)co_await x.respond(301, "moved");
    } else {
      (void)co_await x.respond(200, r.target + " " + std::string(r.headers.get("X-Nomad-Token")));
    }
  });
  HttpCall c;
  c.url = url("/from");
  c.headers.set("X-Nomad-Token", "t");
  auto r = run(client.call(c));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->body, "/to?x=1 t");
  EXPECT_EQ(call("PUT", url("/from"))->status, 301);
  EXPECT_TRUE(call("GET", url("/loop")).error().message.ends_with(": stopped after 10 redirects"));
}

TEST_F(HttpClientTest, StreamsAndUnpacksWhatTheServerFlushes) {
  Promise<bool> more;
  serve([more](HttpRequest&, HttpExchange& x) -> Async<void> {
    return [](Promise<bool> more, HttpExchange& x) -> Async<void> {
      (void)co_await x.start(200);
      (void)co_await x.write("one");
      co_await more;
      (void)co_await x.write("two");
    }(more, x);
  });
  auto all = run([](HttpClientTest& t, Promise<bool> more) -> Async<std::string> {
    HttpCall c;
    c.url = t.url("/");
    auto reply = co_await t.client.open(c);
    EXPECT_TRUE(reply);
    std::string first = *co_await (*reply)->read_some();
    EXPECT_EQ(first, "one") << "a flushed frame arrives before the next is written";
    more.set(true);
    std::string rest;
    for (;;) {
      auto piece = co_await (*reply)->read_some();
      EXPECT_TRUE(piece);
      if (piece->empty()) break;
      rest += *piece;
    }
    co_return first + rest;
  }(*this, more));
  EXPECT_EQ(all, "onetwo");
}

TEST_F(HttpClientTest, GoesThroughAProxy) {
  std::string seen;
  serve([&seen](HttpRequest& r, HttpExchange& x) -> Async<void> {
    seen = r.target + " " + r.host;
    return [](HttpExchange& x) -> Async<void> { (void)co_await x.respond(200, "proxied"); }(x);
  });
  HttpClientOptions options;
  options.proxy.http_proxy = address.str();
  HttpClient through(real.world, network, options);
  HttpCall c;
  c.url = "http://nomad.example:4646/v1/jobs";
  auto r = run(through.call(c));
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->body, "proxied");
  EXPECT_EQ(seen, "http://nomad.example:4646/v1/jobs nomad.example:4646");
}

// ---- The blocking wrapper, against a server on another thread.

struct BlockingHttpTest : NetTest {
  std::thread thread;
  void go() {
    thread = std::thread([this] { real.loop.run(); });
  }
  ~BlockingHttpTest() override {
    if (!thread.joinable()) return;
    real.loop.post([this] { server.reset(); });
    real.loop.post([this] { real.loop.stop(); });
    thread.join();
  }
};

TEST_F(BlockingHttpTest, CallsAndStreams) {
  serve(echo);
  go();
  BlockingHttp http;
  HttpCall c;
  c.url = url("/x");
  auto r = http.call(c);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->body, "GET /x ");
  std::string streamed;
  int status = 0;
  ASSERT_TRUE(http.stream(
      c,
      [&](const HttpResponse& head) {
        status = head.status;
        return true;
      },
      [&](std::string_view bytes) {
        streamed += bytes;
        return true;
      }));
  EXPECT_EQ(status, 200);
  EXPECT_EQ(streamed, "GET /x ");
}

TEST_F(BlockingHttpTest, CanBeInterrupted) {
  serve([this](HttpRequest&, HttpExchange& x) -> Async<void> {
    return [](Loop& loop, HttpExchange& x) -> Async<void> {
      (void)co_await x.start(200);
      (void)co_await x.write("x");
      co_await sleep_for(loop, 1h);
    }(real.loop, x);
  });
  go();
  BlockingHttp http;
  HttpCall c;
  c.url = url("/");
  auto s = http.stream(
      c, [](const HttpResponse&) { return true; },
      [&](std::string_view) {
        http.interrupt();
        return true;
      });
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kCancelled);
}

TEST_F(BlockingHttpTest, UnixSocketsCarryTheirOwnErrors) {
  HttpClientOptions options;
  options.unix_socket = "/tmp/drover_no_such.sock";
  BlockingHttp http(options);
  HttpCall c;
  c.url = "http://127.0.0.1/v1/jobs";
  auto r = http.call(c);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "Get \"http://127.0.0.1/v1/jobs\": dial unix /tmp/drover_no_such.sock: connect: "
                               "no such file or directory");
}

}  // namespace
}  // namespace drover::net
