// The server against hostile bytes, on virtual time over pipes in memory: the same seed gives the same run.
#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "net/compress.h"
#include "net/http_parser.h"
#include "net/http_server.h"
#include "net/memory_pipe.h"
#include "net/rpc_wire.h"
#include "net/url.h"
#include "net/ws_frame.h"
#include "net/yamux_core.h"

namespace drover::net {
namespace {

const std::string kGood[] = {
    "GET /v1/jobs?prefix=a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
    "PUT /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{\"Job\":null}GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\nHEAD / HTTP/1.0\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
};

std::string mutate(SimRandom& random, std::string s) {
  for (uint64_t n = random.below(4) + 1; n > 0; --n) {
    if (s.empty()) break;
    size_t at = random.below(s.size());
    switch (random.below(5)) {
      case 0: s[at] = static_cast<char>(random.next()); break;
      case 1: s.insert(at, 1, static_cast<char>(random.next())); break;
      case 2: s.erase(at, random.below(8) + 1); break;
      case 3: s.insert(at, s.substr(random.below(s.size()), random.below(20))); break;
      case 4: s.resize(at); break;
    }
  }
  return s;
}

Async<void> feed(Stream& s, SimLoop& loop, std::string bytes, std::vector<size_t> pieces) {
  std::string_view rest = bytes;
  for (size_t n : pieces) {
    auto piece = rest.substr(0, n);
    rest.remove_prefix(piece.size());
    if (!co_await write_all(s, piece)) co_return;
    co_await sleep_for(loop, 1ms);
  }
  (void)co_await write_all(s, rest);
}

Async<void> collect(Stream& s, std::string& all) {
  for (;;) {
    char buffer[1024];
    auto n = co_await read_some(s, buffer, sizeof buffer);
    if (!n || *n == 0) co_return;
    all.append(buffer, *n);
  }
}

TEST(HttpRobust, HostileBytesGetAnAnswerOrAnEndAndNothingStaysBehind) {
  SimWorld sim(20261124);
  HttpServer server(sim.world, {}, [](HttpRequest& r, HttpExchange& x) -> Async<void> {
    auto body = co_await x.read_body(1000);
    (void)co_await x.respond(body ? 200 : 400, body ? r.target + *body : body.error().message);
  });
  int answered = 0;
  for (int i = 0; i < 3000; ++i) {
    auto [ours, theirs] = make_pipe(sim.loop, 256);
    server.add_connection(std::move(theirs));
    std::string bytes = mutate(sim.random, kGood[sim.random.below(std::size(kGood))]);
    std::vector<size_t> pieces;
    for (int k = 0; k < 3; ++k) pieces.push_back(sim.random.below(bytes.size() + 1));
    std::string reply;
    {
      Running writer(feed(*ours, sim.loop, bytes, pieces));
      Running reader(collect(*ours, reply));
      sim.loop.advance(1s);
      if (!reply.empty()) {
        EXPECT_TRUE(reply.starts_with("HTTP/1.1 ")) << reply;
        ++answered;
      }
    }
    ours.reset();
    // All of the server's time limits pass: whatever the bytes were, the connection is over.
    sim.loop.advance(i % 50 == 0 ? Duration(11min) : Duration(1s));
  }
  sim.loop.advance(11min);
  EXPECT_EQ(server.connections(), 0u);
  EXPECT_GT(answered, 1000);
}

const std::string kReplies[] = {
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=\"y\"\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end",
    "HTTP/1.1 204 No Content\r\n\r\n",
};

TEST(HttpRobust, TheParserTakesOrRefusesAnyReplyInAnyPieces) {
  SimRandom random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = mutate(random, kReplies[random.below(std::size(kReplies))]);
    HttpParser p(HttpParser::Kind::kResponse);
    std::string body, buffer;
    bool failed = false;
    for (size_t at = 0; at < bytes.size();) {
      size_t n = random.below(20) + 1;
      buffer += bytes.substr(at, n);
      at += n;
      auto used = p.put(buffer, body);
      failed = !used;
      EXPECT_LE(used.value_or(0), buffer.size());
      buffer.erase(0, used.value_or(0));
      if (failed) EXPECT_FALSE(p.put(buffer, body)) << "an error stays";
    }
    (void)p.end();
    EXPECT_LE(body.size(), bytes.size());
  }
}

TEST(HttpRobust, OtherMachinesSurviveNoiseToo) {
  SimRandom random(9);
  for (int i = 0; i < 5000; ++i) {
    std::string noise(random.below(200), '\0');
    random.fill(noise.data(), noise.size());
    // Small numbers reach further into a machine than random ones.
    for (auto& c : noise)
      if (random.below(2)) c = static_cast<char>(c & 0x0f);
    YamuxCore core(random.below(2), {});
    (void)core.receive(noise);
    while (auto id = core.accept()) core.release(*id);
    std::string frames = noise;
    while (true) {
      auto f = take_ws_frame(frames, random.below(2), 1000);
      if (!f || !*f) break;
    }
    MsgpackScanner scanner;
    auto whole = scanner.scan(noise);
    if (whole && *whole) EXPECT_LE(scanner.size(), noise.size());
    Decompressor d;
    std::string out;
    (void)d.write(noise, out);
    (void)Url::parse(noise);
    (void)Query::parse(noise);
    (void)split_host_port(noise);
  }
}

}  // namespace
}  // namespace drover::net
