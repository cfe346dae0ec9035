#include "net/http_server.h"

#include <malloc.h>

#include "net/compress.h"
#include "net/net_test_util.h"

namespace drover::net {
namespace {

using HttpServerTest = NetTest;

Async<void> echo(HttpRequest& r, HttpExchange& x) {
  auto body = co_await x.read_body(1 << 20);
  if (!body) {
    (void)co_await x.respond(body.error().code == ErrorCode::kTooLarge ? 413 : 400, body.error().message);
    co_return;
  }
  (void)co_await x.respond(200, r.method + " " + r.target + " " + *body);
}

std::string body_of(const std::string& reply) {
  auto at = reply.find("\r\n\r\n");
  return at == std::string::npos ? "" : reply.substr(at + 4);
}

TEST_F(HttpServerTest, KeepsAConnectionForManyRequests) {
  serve(echo);
  run([](HttpServerTest& t) -> Async<bool> {
    auto s = co_await t.connect();
    for (int i = 0; i < 3; ++i) {
      std::string request = "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
      (void)co_await write_all(*s, request);
      auto reply = co_await read_until(*s, "GET /" + std::to_string(i) + " ");
      EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
      EXPECT_NE(reply.find("\r\nContent-Length: 7\r\n"), std::string::npos) << reply;
      EXPECT_EQ(reply.find("Connection:"), std::string::npos) << reply;
    }
    EXPECT_EQ(t.server->connections(), 1u);
    co_return true;
  }(*this));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  serve(echo);
  auto all = run(talk("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
                      "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  auto one = all.find("POST /1 ab"), two = all.find("GET /2 "), three = all.find("GET /3 ");
  ASSERT_NE(three, std::string::npos) << all;
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST_F(HttpServerTest, WritesHeadersAsTheReferenceDoes) {
  serve([](HttpRequest&, HttpExchange& x) -> Async<void> {
    x.headers().set("x-nomad-index", "7");
    x.headers().set("content-type", "application/json");
    (void)co_await x.respond(404, "{}");
  });
  auto all = run(talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nVary: Accept-Encoding\r\n"
                              "X-Nomad-Index: 7\r\nDate: "))
      << all;
  EXPECT_TRUE(all.ends_with(" GMT\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")) << all;
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  serve(echo);
  auto all = run(talk("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_NE(all.find("Content-Length: 8\r\n"), std::string::npos) << all;
  EXPECT_EQ(body_of(all), "");
}

TEST_F(HttpServerTest, SniffsTheContentTypeAndSendsNoneWithoutBody) {
  serve([](HttpRequest& r, HttpExchange& x) -> Async<void> {
    if (r.target == "/none") (void)co_await x.respond(404, "");
    else if (r.target == "/204") (void)co_await x.respond(204, "");
    else (void)co_await x.respond(500, "Permission denied");
  });
  auto get = [&](std::string path) {
    return run(talk("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  };
  EXPECT_NE(get("/").find("Content-Type: text/plain; charset=utf-8\r\n"), std::string::npos);
  EXPECT_EQ(get("/none").find("Content-Type"), std::string::npos);
  EXPECT_EQ(get("/204").find("Content-Length"), std::string::npos);
}

TEST_F(HttpServerTest, ReadsChunkedBodiesInPiecesAndDropsTrailers) {
  serve(echo);
  auto all = run([](HttpServerTest& t) -> Async<std::string> {
    auto s = co_await t.connect();
    for (std::string piece : {"PUT /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r",
                              "\nabc\r\n1", "0;ext=1\r\n0123456789abcdef", "\r\n0\r\nTrailer: x\r\n", "\r\n"}) {
      (void)co_await write_all(*s, piece);
      co_await sleep_for(t.real.loop, 2ms);
    }
    co_return co_await read_all(*s);
  }(*this));
  EXPECT_EQ(body_of(all), "PUT /c abc0123456789abcdef");
}

TEST_F(HttpServerTest, StreamsInChunksAndByConnectionEndForOldClients) {
  serve([](HttpRequest&, HttpExchange& x) -> Async<void> {
    (void)co_await x.start(200);
    (void)co_await x.write("hello");
    (void)co_await x.write("");
    (void)co_await x.write(" world");
  });
  auto all = run(talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(body_of(all), "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  all = run(talk("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(body_of(all), "hello world");
}

TEST_F(HttpServerTest, SendsContinueOnlyWhenTheBodyIsRead) {
  serve([](HttpRequest& r, HttpExchange& x) -> Async<void> {
    if (r.target == "/read") return echo(r, x);
    return [](HttpExchange& x) -> Async<void> { (void)co_await x.respond(403, "no"); }(x);
  });
  run([](HttpServerTest& t) -> Async<bool> {
    auto s = co_await t.connect();
    (void)co_await write_all(*s, "PUT /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(co_await read_until(*s, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    (void)co_await write_all(*s, "abc");
    EXPECT_NE((co_await read_until(*s, "PUT /read abc")).find("200 OK"), std::string::npos);
    (void)co_await write_all(*s, "PUT /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    auto rest = co_await read_all(*s);
    EXPECT_TRUE(rest.starts_with("HTTP/1.1 403 Forbidden\r\n")) << rest;
    EXPECT_NE(rest.find("Connection: close"), std::string::npos);
    co_return true;
  }(*this));
}

TEST_F(HttpServerTest, AnUnreadBodyDoesNotSpoilTheNextRequest) {
  serve([](HttpRequest& r, HttpExchange& x) -> Async<void> { (void)co_await x.respond(200, "at " + r.target); });
  auto all = run(talk("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /GET /b HTTP/1.1\r\nHost: x\r\n"
                      "Connection: close\r\n\r\n"));
  EXPECT_NE(all.find("at /a"), std::string::npos);
  EXPECT_TRUE(all.ends_with("at /b")) << all;
}

TEST_F(HttpServerTest, HostsAreOfTheTargetOrWellFormed) {
  serve([](HttpRequest& r, HttpExchange& x) -> Async<void> { (void)co_await x.respond(200, r.host + " " + r.target); });
  auto all = run(talk("GET http://y:1/a%20b?c=d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(all.ends_with("\r\n\r\ny:1 http://y:1/a%20b?c=d")) << all;
  all = run(talk("GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400 Bad Request\r\n") && all.ends_with("malformed Host header")) << all;
}

TEST_F(HttpServerTest, OversizeBodiesAreRefusedAndTheReplyArrives) {
  serve([](HttpRequest& r, HttpExchange& x) -> Async<void> {
    auto body = co_await x.read_body(10);
    (void)co_await x.respond(body ? 200 : 413, body ? "ok" : body.error().message);
  });
  std::string big(3 << 20, 'x');
  auto all = run(talk("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(big.size()) + "\r\n\r\n" + big));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 Request Entity Too Large\r\n")) << all.substr(0, 200);
  EXPECT_EQ(body_of(all), "http: request body too large");
  all = run(talk("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n"));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all;
}

TEST_F(HttpServerTest, MalformedRequestsAreAnsweredAndNeverKill) {
  serve(echo);
  struct {
    std::string request, status;
  } cases[] = {
      {"nonsense\r\n\r\n", "400 Bad Request"},
      {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},                                    // no Host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", "400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"},
      {"GET bad HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"},
      {std::string("\x16\x03\x01\x00\x05hello\r\n\r\n", 14), "400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", "417 Expectation Failed"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2 << 20, 'a') + "\r\n\r\n", "431 Request Header Fields Too Large"},
  };
  for (auto& c : cases) {
    auto reply = run(talk(c.request));
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 " + c.status)) << c.request.substr(0, 60) << "\n" << reply;
  }
  EXPECT_TRUE(run(talk("GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).ends_with("GET /ok "));
}

TEST_F(HttpServerTest, ASlowHeaderIsCutOff) {
  HttpServerOptions options;
  options.header_timeout = 20ms;
  serve(echo, options);
  run([](HttpServerTest& t) -> Async<bool> {
    auto idle = co_await t.connect();  // has sent nothing: may stay
    auto slow = co_await t.connect();
    (void)co_await write_all(*slow, "GET / HT");
    EXPECT_EQ(co_await read_all(*slow), "");
    (void)co_await write_all(*idle, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE((co_await read_all(*idle)).ends_with("GET / "));
    co_return true;
  }(*this));
}

TEST_F(HttpServerTest, AHandlerEndsAtOnceWhenThePeerHasGone) {
  int waiting = 0;
  struct Guard {
    int& n;
    explicit Guard(int& c) : n(c) { ++n; }
    ~Guard() { --n; }
  };
  HttpServerOptions options;
  options.half_close_grace = 1ms;
  serve([&](HttpRequest&, HttpExchange& x) -> Async<void> {
    return [](HttpServerTest& t, int& waiting, HttpExchange& x) -> Async<void> {
      Guard g(waiting);
      (void)co_await x.read_body(100);
      co_await sleep_for(t.real.loop, 1h);
    }(*this, waiting, x);
  }, options);
  run([](HttpServerTest& t, int& waiting) -> Async<bool> {
    for (std::string request : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"}) {
      auto s = co_await t.connect();
      (void)co_await write_all(*s, request);
      co_await t.until([&] { return waiting == 1; });
      s.reset();
      co_await t.until([&] { return waiting == 0 && t.server->connections() == 0; });
    }
    co_return true;
  }(*this, waiting));
}

TEST_F(HttpServerTest, AHalfClosedClientStillGetsAQuickAnswer) {
  serve([this](HttpRequest&, HttpExchange& x) -> Async<void> {
    return [](Loop& loop, HttpExchange& x) -> Async<void> {
      co_await sleep_for(loop, 5ms);
      (void)co_await x.respond(200, "in time");
    }(real.loop, x);
  });
  auto all = run([](HttpServerTest& t) -> Async<std::string> {
    auto s = co_await t.connect();
    (void)co_await write_all(*s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    s->shutdown_write();
    co_return co_await read_all(*s);
  }(*this));
  EXPECT_TRUE(all.ends_with("in time")) << all;
}

TEST_F(HttpServerTest, AStreamingHandlerWaitsForASlowReaderAndEndsWithIt) {
  size_t written = 0;
  bool ended = false;
  serve([&](HttpRequest&, HttpExchange& x) -> Async<void> {
    return [](size_t& written, bool& ended, HttpExchange& x) -> Async<void> {
      struct Mark {
        bool& b;
        ~Mark() { b = true; }
      } mark{ended};
      (void)co_await x.start(200);
      std::string block(64 * 1024, 'x');
      for (;;) {
        if (!co_await x.write(block)) co_return;
        written += block.size();
      }
    }(written, ended, x);
  });
  run([](HttpServerTest& t, size_t& written, bool& ended) -> Async<bool> {
    auto s = co_await t.connect();
    (void)co_await write_all(*s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    size_t last = 1;
    // Nobody reads: the writer comes to a stop, with no more than the kernel's buffers written.
    while (written != last || written == 0) {
      last = written;
      co_await sleep_for(t.real.loop, 50ms);
    }
    EXPECT_LT(written, size_t{64} << 20);
    EXPECT_FALSE(ended);
    s.reset();
    co_await t.until([&] { return ended; });
    co_return true;
  }(*this, written, ended));
}

TEST_F(HttpServerTest, CompressesAsAskedAndTheLargeOnThePool) {
  std::string large;
  for (int i = 0; large.size() < 200'000; ++i) large += "{\"ID\":" + std::to_string(i) + "}";
  serve([&large](HttpRequest& r, HttpExchange& x) -> Async<void> {
    return [](std::string body, bool stream, HttpExchange& x) -> Async<void> {
      if (!stream) {
        (void)co_await x.respond(200, body);
        co_return;
      }
      (void)co_await x.start(200);
      (void)co_await x.write("first ");
      (void)co_await x.write("second");
    }(r.target == "/large" ? large : r.target == "/empty" ? "" : "small", r.target == "/stream", x);
  });
  auto get = [&](std::string path, std::string accept) {
    return run(talk("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: " + accept + "\r\n\r\n"));
  };
  auto unpack = [](const std::string& reply) {
    Decompressor d;
    std::string out;
    EXPECT_TRUE(d.write(body_of(reply), out));
    EXPECT_TRUE(d.complete());
    return out;
  };
  auto small = get("/small", "br, gzip");
  EXPECT_NE(small.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_EQ(unpack(small), "small");
  auto big = get("/large", "gzip, deflate");
  EXPECT_LT(big.size(), large.size() / 4);
  EXPECT_TRUE(unpack(big) == large);
  EXPECT_NE(get("/small", "deflate").find("Content-Encoding: deflate\r\n"), std::string::npos);
  EXPECT_EQ(get("/small", "gzip;q=1.0").find("Content-Encoding"), std::string::npos);
  auto empty = get("/empty", "gzip");
  EXPECT_NE(empty.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(empty.find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_NE(get("/stream", "gzip").find("Transfer-Encoding: chunked"), std::string::npos);
}

TEST_F(HttpServerTest, OverTheLimitPerAddressAnswers429) {
  HttpServerOptions options;
  options.max_conns_per_client = 2;
  int exceeded = 0;
  options.on_limit_exceeded = [&] { ++exceeded; };
  serve(echo, options);
  run([](HttpServerTest& t) -> Async<bool> {
    auto a = co_await t.connect();
    auto b = co_await t.connect();
    co_await t.until([&] { return t.server->connections() == 2; });
    auto c = co_await t.connect();
    EXPECT_EQ(co_await read_all(*c),
              "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
              "Your IP is issuing too many concurrent connections, please rate limit your calls\n");
    c.reset();
    a.reset();
    co_await t.until([&] { return t.server->connections() == 1; });
    EXPECT_TRUE((co_await t.talk("GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).ends_with("GET /d "));
    co_return true;
  }(*this));
  EXPECT_EQ(exceeded, 1);
}

TEST_F(HttpServerTest, RefusalsBeyondTheBurstAreSilent) {
  HttpServerOptions options;
  options.max_conns_per_client = 1;
  serve(echo, options);
  run([](HttpServerTest& t) -> Async<bool> {
    auto keep = co_await t.connect();
    co_await t.until([&] { return t.server->connections() == 1; });
    int answered = 0, silent = 0;
    for (int i = 0; i < 130; ++i) {
      auto c = co_await t.connect();
      (co_await read_all(*c)).empty() ? ++silent : ++answered;
    }
    EXPECT_GE(answered, 100);
    EXPECT_GE(silent, 5);
    co_return true;
  }(*this));
}

TEST_F(HttpServerTest, StopClosesIdleConnectionsAndLetsOthersFinish) {
  Promise<bool> go;
  serve([go](HttpRequest&, HttpExchange& x) -> Async<void> {
    return [](Promise<bool> go, HttpExchange& x) -> Async<void> {
      co_await go;
      (void)co_await x.respond(200, "done");
    }(go, x);
  });
  run([](HttpServerTest& t, Promise<bool> go) -> Async<bool> {
    auto idle = co_await t.connect();
    auto busy = co_await t.connect();
    (void)co_await write_all(*busy, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await t.until([&] { return t.server->connections() == 2; });
    co_await sleep_for(t.real.loop, 5ms);
    t.server->stop();
    EXPECT_EQ(co_await read_all(*idle), "");
    go.set(true);
    auto reply = co_await read_all(*busy);
    EXPECT_TRUE(reply.ends_with("done")) << reply;
    EXPECT_NE(reply.find("Connection: close"), std::string::npos);
    EXPECT_FALSE(co_await t.network.dial(t.address, 1s)) << "nobody accepts";
    co_return true;
  }(*this, go));
}

TEST_F(HttpServerTest, DestroyingTheServerDestroysWaitingHandlers) {
  serve([this](HttpRequest&, HttpExchange&) -> Async<void> {
    return [](Loop& loop) -> Async<void> { co_await sleep_for(loop, 1h); }(real.loop);
  });
  run([](HttpServerTest& t) -> Async<bool> {
    auto s = co_await t.connect();
    (void)co_await write_all(*s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await t.until([&] { return t.server->connections() == 1; });
    co_await sleep_for(t.real.loop, 5ms);
    t.server.reset();
    EXPECT_EQ(co_await read_all(*s), "");
    co_return true;
  }(*this));
}

#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST_F(HttpServerTest, AnIdleConnectionTakesUnderTenKibibytes) {
  serve([](HttpRequest&, HttpExchange& x) -> Async<void> { (void)co_await x.respond(200, std::string(100'000, 'x')); });
  run([](HttpServerTest& t) -> Async<bool> {
    std::vector<std::unique_ptr<Stream>> clients;
    constexpr size_t kMany = 200;
    size_t before = 0;
    for (size_t i = 0; i < kMany + 20; ++i) {
      if (i == 20) before = ::mallinfo2().uordblks;
      auto s = co_await t.connect();
      (void)co_await write_all(*s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      (void)co_await read_until(*s, std::string(100'000, 'x'));
      clients.push_back(std::move(s));
    }
    size_t each = (::mallinfo2().uordblks - before) / kMany;
    EXPECT_LT(each, 10u * 1024) << "both ends of a connection that has served a request";
    RecordProperty("bytes", static_cast<int>(each));
    co_return true;
  }(*this));
}
#endif

TEST_F(HttpServerTest, ServesUnixSockets) {
  serve(echo);
  std::string path = "/tmp/drover_net_" + std::to_string(::getpid()) + ".sock";
  for (int round = 0; round < 2; ++round) {
    auto listener = network.listen(Address::unix_path(path));
    ASSERT_TRUE(listener) << listener.error().message;
    HttpServer unix_server(real.world, {}, echo);
    unix_server.add_listener(std::move(*listener));
    auto all = run([](HttpServerTest& t, std::string path) -> Async<std::string> {
      auto s = co_await t.network.dial(Address::unix_path(path), 1s);
      EXPECT_TRUE(s) << s.error().message;
      (void)co_await write_all(**s, "GET /u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      co_return co_await read_all(**s);
    }(*this, path));
    EXPECT_TRUE(all.ends_with("GET /u ")) << all;
  }
}

}  // namespace
}  // namespace drover::net
