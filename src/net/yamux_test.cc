#include "net/yamux.h"

#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "net/memory_pipe.h"

namespace drover::net {
namespace {

using namespace std::string_literals;

// ---- The core: bytes in, bytes out.

std::string header(int type, int flags, uint32_t id, uint32_t length) {
  std::string out{0, static_cast<char>(type), 0, static_cast<char>(flags)};
  for (uint32_t v : {id, length})
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift);
  return out;
}
enum { kSyn = 1, kAck = 2, kFin = 4, kRst = 8 };

std::string drain(YamuxCore& c) {
  auto out = c.take_output();
  c.wrote_output();
  return out;
}

TEST(YamuxCore, WritesTheFramesOfTheProtocol) {
  YamuxCore c(true, {});
  auto id = c.open();
  ASSERT_TRUE(id);
  EXPECT_EQ(*id, 1u);
  EXPECT_EQ(drain(c), header(1, kSyn, 1, 0));
  EXPECT_EQ(c.write(1, "hi").size, 2u);
  c.finish(1);
  c.ping(7);
  EXPECT_EQ(drain(c), header(0, 0, 1, 2) + "hi" + header(1, kFin, 1, 0) + header(2, kSyn, 0, 7));
  EXPECT_EQ(c.open().value_or(0), 3u);
}

TEST(YamuxCore, ReadsFramesInAnyPieces) {
  std::string wire = header(0, kSyn, 1, 5) + "hello" + header(2, kSyn, 0, 9) + header(0, kFin, 1, 1) + "!";
  for (size_t step = 1; step <= wire.size(); ++step) {
    YamuxCore c(false, {});
    for (size_t at = 0; at < wire.size(); at += step) ASSERT_TRUE(c.receive(std::string_view(wire).substr(at, step)));
    EXPECT_EQ(c.accept(), 1u);
    char buffer[10];
    auto a = c.read(1, buffer, sizeof buffer);
    EXPECT_EQ(std::string(buffer, a.size), "hello!");
    EXPECT_EQ(c.read(1, buffer, 1).state, Attempt::kEnd);
    EXPECT_EQ(drain(c), header(2, kAck, 0, 9) + header(1, kAck, 1, 0));
    c.release(1);
    EXPECT_EQ(c.streams(), 0u);
  }
}

TEST(YamuxCore, StopsAtTheWindowAndGoesOnWithCredit) {
  YamuxCore c(true, {});
  auto id = *c.open();
  std::string big(300 * 1024, 'x');
  EXPECT_EQ(c.write(id, big).size, 256u * 1024);
  EXPECT_EQ(c.write(id, "more").state, Attempt::kWait);
  drain(c);
  (void)c.take_changes();
  ASSERT_TRUE(c.receive(header(1, kAck, id, 1000)));
  EXPECT_TRUE(c.take_changes().writable.contains(id));
  EXPECT_EQ(c.write(id, big).size, 1000u);
}

TEST(YamuxCore, GivesCreditBackOnceHalfIsRead) {
  YamuxCore c(false, {});
  ASSERT_TRUE(c.receive(header(0, kSyn, 1, 256 * 1024) + std::string(256 * 1024, 'y')));
  c.accept();
  drain(c);
  std::string buffer(256 * 1024, 0);
  c.read(1, buffer.data(), 100 * 1024);
  EXPECT_EQ(drain(c), "");
  c.read(1, buffer.data(), 28 * 1024);
  EXPECT_EQ(drain(c), header(1, 0, 1, 128 * 1024));
}

TEST(YamuxCore, ViolationsEndTheSession) {
  for (auto& bad : {"\x01"s + std::string(11, '\0'), header(9, 0, 0, 0), header(0, kSyn, 1, 256 * 1024 + 1),
                    header(1, kSyn, 1, 0) + header(1, kSyn, 1, 0), header(1, kSyn, 2, 0), header(1, kSyn, 0, 0),
                    header(1, kSyn, 1, 0xffffffff), header(3, 0, 0, 1)}) {
    YamuxCore c(false, {});
    EXPECT_FALSE(c.receive(bad));
  }
}

TEST(YamuxCore, FramesOfUnknownStreamsArePassedOver) {
  YamuxCore c(false, {});
  EXPECT_TRUE(c.receive(header(0, 0, 5, 3) + "abc" + header(1, kRst, 7, 0) + header(1, kSyn, 1, 0)));
  EXPECT_EQ(c.accept(), 1u);
}

TEST(YamuxCore, ExcessStreamsAreResetAndAFloodIsCut) {
  YamuxLimits limits;
  limits.backlog = 2;
  YamuxCore c(false, limits);
  for (uint32_t id : {1, 3, 5}) ASSERT_TRUE(c.receive(header(1, kSyn, id, 0)));
  EXPECT_EQ(drain(c), header(1, kRst, 5, 0));
  YamuxCore client(true, limits);
  EXPECT_TRUE(client.open());
  EXPECT_TRUE(client.open());
  EXPECT_FALSE(client.open());
  Status status;
  for (int i = 0; status && i < 2'000'000; ++i) status = c.receive(header(2, kSyn, 0, 1));
  EXPECT_EQ(status.error().message, "yamux: the peer does not read");
}

TEST(YamuxCore, AResetReachesTheReader) {
  YamuxCore c(true, {});
  auto id = *c.open();
  ASSERT_TRUE(c.receive(header(1, kRst, id, 0)));
  char b;
  EXPECT_EQ(c.read(id, &b, 1).error.message, "stream reset");
  EXPECT_EQ(c.write(id, "x").state, Attempt::kFailed);
  c.release(id);
  EXPECT_EQ(c.streams(), 0u);
}

TEST(YamuxCore, GoAwayStopsNewStreamsOnly) {
  YamuxCore c(true, {});
  auto id = *c.open();
  ASSERT_TRUE(c.receive(header(3, 0, 0, 0)));
  EXPECT_EQ(c.open().error().message, "remote end is not accepting connections");
  EXPECT_EQ(c.write(id, "x").state, Attempt::kDone);
}

// ---- The session, over pipes in memory and on virtual time.

struct YamuxTest : testing::Test {
  SimWorld sim{1};
  std::unique_ptr<YamuxSession> client, server;
  void connect(YamuxOptions options = {}, size_t capacity = 64 * 1024) {
    auto [a, b] = make_pipe(sim.loop, capacity);
    client = std::make_unique<YamuxSession>(sim.loop, std::move(a), true, options);
    server = std::make_unique<YamuxSession>(sim.loop, std::move(b), false, options);
  }
  static Async<void> echo(std::unique_ptr<Stream> s) {
    for (;;) {
      char buffer[4096];
      auto n = co_await read_some(*s, buffer, sizeof buffer);
      if (!n || *n == 0) co_return;
      if (!co_await write_all(*s, {buffer, *n})) co_return;
    }
  }
  static Async<void> serve_echo(YamuxSession& session, std::vector<Running>& flows) {
    for (;;) {
      auto s = co_await session.accept();
      if (!s) co_return;
      flows.emplace_back(echo(std::move(*s)));
    }
  }
};

TEST_F(YamuxTest, CarriesManyStreamsAtOnceThroughASmallPipe) {
  connect({}, 100);
  std::vector<Running> flows;
  Running acceptor(serve_echo(*server, flows));
  int done = 0;
  std::vector<Running> callers;
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back([](YamuxSession& session, int i, int& done) -> Async<void> {
      auto s = session.open();
      EXPECT_TRUE(s);
      std::string data(static_cast<size_t>(i) * 997, static_cast<char>('a' + i));
      Running writer([](Stream& s, const std::string& data) -> Async<void> {
        (void)co_await write_all(s, data);
        s.shutdown_write();
      }(**s, data));
      auto back = co_await read_exactly(**s, data.size());
      EXPECT_TRUE(back && *back == data) << i;
      ++done;
    }(*client, i, done));
  }
  sim.loop.advance(1s);
  EXPECT_EQ(done, 20);
  callers.clear();
  sim.loop.advance(1s);
  EXPECT_EQ(client->streams(), 0u);
  EXPECT_EQ(server->streams(), 0u);
}

TEST_F(YamuxTest, ASlowReaderHoldsUpItsOwnStreamOnly) {
  connect();
  auto slow = std::move(*client->open()), quick = std::move(*client->open());
  std::string big(2 << 20, 'b');
  Running writer([](Stream& s, const std::string& big) -> Async<void> { (void)co_await write_all(s, big); }(*slow, big));
  sim.loop.advance(1s);
  auto slow_end = std::move(**run_async(sim.loop, server->accept())), quick_end = std::move(**run_async(sim.loop, server->accept()));
  Running ping([](Stream& s) -> Async<void> { (void)co_await write_all(s, "ping"); }(*quick));
  auto got = run_async(sim.loop, read_exactly(*quick_end, 4));
  ASSERT_TRUE(got && *got);
  EXPECT_EQ(**got, "ping");
  EXPECT_FALSE(writer.done());
  auto all = run_async(sim.loop, read_exactly(*slow_end, big.size()));
  ASSERT_TRUE(all && *all);
  EXPECT_TRUE(**all == big);
}

TEST_F(YamuxTest, EndsReachEverybody) {
  connect();
  auto s = std::move(*client->open());
  sim.loop.advance(1s);
  auto e = std::move(**run_async(sim.loop, server->accept()));
  std::string error, accept_error;
  Running reader([](Stream& s, std::string& error) -> Async<void> {
    char c;
    auto n = co_await read_some(s, &c, 1);
    error = n ? "none" : n.error().message;
  }(*e, error));
  Running acceptor([](YamuxSession& y, std::string& error) -> Async<void> {
    auto n = co_await y.accept();
    error = n ? "none" : n.error().message;
  }(*server, accept_error));
  client.reset();
  sim.loop.advance(1s);
  EXPECT_EQ(error, "session shutdown");
  EXPECT_EQ(accept_error, "session shutdown");
  EXPECT_TRUE(server->ended());
  EXPECT_FALSE(server->open());
  char c;
  EXPECT_EQ(s->try_read(&c, 1).state, Attempt::kFailed) << "a stream outlives its session";
}

TEST_F(YamuxTest, KeepalivePassesWhileThePeerAnswersAndEndsWhenItDoesNot) {
  connect();
  sim.loop.advance(5min);
  EXPECT_FALSE(client->ended());
  EXPECT_FALSE(server->ended());
  auto [a, b] = make_pipe(sim.loop);  // nobody answers on b
  YamuxSession lonely(sim.loop, std::move(a), true);
  sim.loop.advance(41s);
  EXPECT_TRUE(lonely.ended());
  EXPECT_EQ(lonely.end_error().message, "keepalive timeout");
}

TEST_F(YamuxTest, AnOwnerMayDestroyTheSessionWhereverItRuns) {
  connect();
  Running flow([](YamuxTest& t) -> Async<void> {
    auto s = std::move(*t.client->open());
    (void)co_await write_all(*s, "x");
    char c;
    (void)co_await read_some(*s, &c, 1);
    t.client.reset();
    s.reset();
  }(*this));
  std::vector<Running> flows;
  Running acceptor(serve_echo(*server, flows));
  sim.loop.advance(1s);
  EXPECT_TRUE(flow.done());
  EXPECT_TRUE(server->ended());
}

}  // namespace
}  // namespace drover::net
