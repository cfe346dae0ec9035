#include "net/websocket.h"

#include <map>

#include "base/sim_loop.h"
#include "net/http_client.h"
#include "net/memory_pipe.h"
#include "net/net_test_util.h"

namespace drover::net {
namespace {

struct WebSocketTest : NetTest {
  HttpClient client{real.world, network};
  std::string server_saw;
  bool handler_ended = false;

  void serve_echo() {
    serve([this](HttpRequest& r, HttpExchange& x) -> Async<void> { return echo(*this, r, x); });
  }
  static Async<void> echo(WebSocketTest& t, HttpRequest& r, HttpExchange& x) {
    struct Mark {
      bool& b;
      ~Mark() { b = true; }
    } mark{t.handler_ended};
    if (r.target == "/refuse") {
      (void)co_await x.respond(403, "Permission denied");
      co_return;
    }
    auto ws = co_await x.upgrade_websocket();
    if (!ws) {
      t.server_saw = ws.error().message;
      co_return;
    }
    for (;;) {
      auto m = co_await (*ws)->read();
      if (!m) {
        t.server_saw = m.error().message;
        co_return;
      }
      if (m->data == "bye") {
        (void)co_await (*ws)->close(1008, "told to");
      } else {
        (void)co_await (*ws)->write(m->data, m->text);
      }
    }
  }
  HttpCall at(std::string path) {
    HttpCall c;
    c.url = "ws://" + address.str() + path;
    return c;
  }
};

TEST_F(WebSocketTest, EchoesMessagesOfAnySize) {
  serve_echo();
  run([](WebSocketTest& t) -> Async<bool> {
    auto ws = co_await t.client.websocket(t.at("/"));
    EXPECT_TRUE(ws) << ws.error().message;
    for (size_t size : {0, 1, 125, 126, 70'000, 1 << 20}) {
      std::string data(size, 'w');
      EXPECT_TRUE(co_await (*ws)->write(data, size % 2));
      auto back = co_await (*ws)->read();
      EXPECT_TRUE(back) << back.error().message;
      EXPECT_EQ(back->data, data);
      EXPECT_EQ(back->text, size % 2);
    }
    (void)co_await (*ws)->close(1000, "done");
    auto end = co_await (*ws)->read();
    EXPECT_EQ((*ws)->close_code(), 1000);
    co_await t.until([&] { return t.handler_ended; });
    EXPECT_EQ(t.server_saw, "websocket: close 1000 (normal): done");
    co_return true;
  }(*this));
}

TEST_F(WebSocketTest, TheServersReasonReachesTheClient) {
  serve_echo();
  run([](WebSocketTest& t) -> Async<bool> {
    auto ws = co_await t.client.websocket(t.at("/"));
    (void)co_await (*ws)->write("bye");
    auto end = co_await (*ws)->read();
    EXPECT_EQ(end.error().message, "websocket: close 1008 (policy violation): told to");
    EXPECT_EQ((*ws)->close_reason(), "told to");
    co_return true;
  }(*this));
}

TEST_F(WebSocketTest, ALostClientEndsTheHandler) {
  serve_echo();
  run([](WebSocketTest& t) -> Async<bool> {
    auto ws = co_await t.client.websocket(t.at("/"));
    ws->reset();
    co_await t.until([&] { return t.handler_ended && t.server->connections() == 0; });
    EXPECT_TRUE(t.server_saw.starts_with("websocket: close 1006 (abnormal closure)")) << t.server_saw;
    co_return true;
  }(*this));
}

TEST_F(WebSocketTest, OversizeAndGarbageEndTheSocketOnly) {
  serve_echo();
  run([](WebSocketTest& t) -> Async<bool> {
    auto ws = co_await t.client.websocket(t.at("/"));
    std::string big((1 << 20) + 1, 'x');
    (void)co_await (*ws)->write(big);
    auto end = co_await (*ws)->read();
    EXPECT_FALSE(end);
    EXPECT_EQ((*ws)->close_code(), 1009) << end.error().message;
    auto s = co_await t.connect();
    (void)co_await write_all(*s, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n\r\n\xff\xff\xff\xff");
    auto all = co_await read_all(*s);
    EXPECT_TRUE(all.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << all;
    auto again = co_await t.client.websocket(t.at("/"));
    EXPECT_TRUE(again);
    co_return true;
  }(*this));
}

TEST_F(WebSocketTest, BadUpgradesAreAnswered) {
  serve_echo();
  auto reply = run(talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 400 Bad Request\r\n")) << reply;
  EXPECT_NE(reply.find("Sec-Websocket-Version: 13\r\n"), std::string::npos);
  EXPECT_TRUE(reply.ends_with("Bad Request\n"));
  EXPECT_TRUE(server_saw.starts_with("websocket: the client is not using")) << server_saw;
  run([](WebSocketTest& t) -> Async<bool> {
    HttpResponse refused;
    auto ws = co_await t.client.websocket(t.at("/refuse"), &refused);
    EXPECT_FALSE(ws);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.body, "Permission denied");
    co_return true;
  }(*this));
}

TEST(WebSocketPipe, ConcurrentWritersNeverMixAndPingsAreAnswered) {
  SimWorld sim(3);
  auto [a, b] = make_pipe(sim.loop, 16);  // frames never fit: writers wait in the middle
  WebSocket::Options client_options;
  client_options.client = true;
  WebSocket client(sim.world, *a, "", client_options), server(sim.world, *b, "", {});
  std::vector<Running> writers;
  for (char c : {'x', 'y', 'z'}) {
    writers.emplace_back([](WebSocket& ws, char c) -> Async<void> {
      for (int i = 0; i < 5; ++i) (void)co_await ws.write(std::string(50, c));
    }(client, c));
  }
  std::map<char, int> counts;
  Running reader([](WebSocket& ws, std::map<char, int>& counts) -> Async<void> {
    for (;;) {
      auto m = co_await ws.read();
      if (!m) co_return;
      EXPECT_EQ(m->data, std::string(50, m->data[0]));
      ++counts[m->data[0]];
    }
  }(server, counts));
  sim.loop.run_ready();
  EXPECT_EQ(counts, (std::map<char, int>{{'x', 5}, {'y', 5}, {'z', 5}}));
  // A ping from below the API, and fragments.
  std::string raw = write_ws_frame(WsOpcode::kPing, "p", 1u) + write_ws_frame(WsOpcode::kText, std::string(25, 'q'), 2u, false) +
                    write_ws_frame(WsOpcode::kContinuation, std::string(25, 'q'), 3u);
  Running sender([](Stream& s, std::string raw) -> Async<void> { (void)co_await write_all(s, raw); }(*a, raw));
  sim.loop.run_ready();
  EXPECT_EQ(counts['q'], 1);
  auto pong = run_async(sim.loop, read_exactly(*a, 3));
  ASSERT_TRUE(pong && *pong);
  EXPECT_EQ(**pong, "\x8a\x01p");
}

}  // namespace
}  // namespace drover::net
