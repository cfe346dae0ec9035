#include "net/stream.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sim_loop.h"
#include "net/memory_pipe.h"
#include "net/net_test_util.h"

namespace drover::net {
namespace {

using StreamTest = NetTest;

TEST_F(StreamTest, ListenersCarryBytesBothWays) {
  auto listener = network.listen(Address::tcp("127.0.0.1", 0));
  ASSERT_TRUE(listener);
  run([](StreamTest& t, Listener& l) -> Async<bool> {
    auto client = co_await t.network.dial(l.address(), 1s);
    EXPECT_TRUE(client);
    auto accepted = co_await l.accept();
    EXPECT_TRUE(accepted);
    EXPECT_EQ((*accepted)->remote(), (*client)->local());
    (void)co_await write_all(**client, "ping");
    EXPECT_EQ(co_await read_exactly(**accepted, 4), "ping");
    (*client)->shutdown_write();
    EXPECT_EQ((co_await read_exactly(**accepted, 1)).error().message, "EOF");
    (void)co_await write_all(**accepted, "po");
    accepted->reset();
    EXPECT_EQ((co_await read_exactly(**client, 4)).error().message, "unexpected EOF");
    co_return true;
  }(*this, **listener));
}

TEST_F(StreamTest, ATakenPortIsAClearError) {
  auto first = network.listen(Address::tcp("127.0.0.1", 0));
  ASSERT_TRUE(first);
  auto at = (*first)->address();
  auto second = network.listen(at);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "listen tcp " + at.str() + ": bind: address already in use");
  auto d = network.datagram(Address::tcp("127.0.0.1", 0));
  ASSERT_TRUE(d);
  EXPECT_EQ(network.datagram((*d)->address()).error().message,
            "listen udp " + (*d)->address().str() + ": bind: address already in use");
  EXPECT_EQ(network.listen(Address::tcp("192.0.2.1", 4647)).error().message,
            "listen tcp 192.0.2.1:4647: bind: cannot assign requested address");
  EXPECT_EQ(network.listen(Address::tcp("nope", 1)).error().message, "listen tcp: lookup nope: no such host");
}

TEST_F(StreamTest, ClosingWakesThoseThatWait) {
  auto listener = network.listen(Address::tcp("127.0.0.1", 0));
  run([](StreamTest& t, Listener& l) -> Async<bool> {
    auto client = co_await t.network.dial(l.address(), 1s);
    auto accepted = co_await l.accept();
    bool read_failed = false, accept_failed = false;
    Running reader([](Stream& s, bool& failed) -> Async<void> {
      char c;
      auto n = co_await read_some(s, &c, 1);
      failed = !n && n.error().message.ends_with("use of closed network connection");
    }(**accepted, read_failed));
    Running acceptor([](Listener& l, bool& failed) -> Async<void> { failed = !co_await l.accept(); }(l, accept_failed));
    (*accepted)->close();
    l.close();
    co_await t.until([&] { return read_failed && accept_failed; });
    co_return true;
  }(*this, **listener));
}

TEST_F(StreamTest, ADroppedReaderLeavesTheStreamUsable) {
  auto listener = network.listen(Address::tcp("127.0.0.1", 0));
  run([](StreamTest& t, Listener& l) -> Async<bool> {
    auto client = co_await t.network.dial(l.address(), 1s);
    auto accepted = co_await l.accept();
    {
      Running reader([](Stream& s) -> Async<void> { (void)co_await read_exactly(s, 100); }(**accepted));
    }
    (void)co_await write_all(**client, "abc");
    EXPECT_EQ(co_await read_exactly(**accepted, 3), "abc");
    co_return true;
  }(*this, **listener));
}

TEST_F(StreamTest, DialGivesUpInTime) {
  // A listener whose queue is full answers no further connection.
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof any;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size);
  auto at = Address::tcp("127.0.0.1", ntohs(any.sin_port));
  std::string error;
  run([](StreamTest& t, Address at, std::string& error) -> Async<bool> {
    std::vector<std::unique_ptr<Stream>> kept;
    for (int i = 0; i < 20 && error.empty(); ++i) {
      auto s = co_await t.network.dial(at, 30ms);
      if (s) kept.push_back(std::move(*s));
      else error = s.error().message;
    }
    co_return true;
  }(*this, at, error));
  ::close(fd);
  EXPECT_EQ(error, "dial tcp " + at.str() + ": i/o timeout");
}

TEST_F(StreamTest, DatagramsArriveWithTheirSender) {
  auto a = network.datagram(Address::tcp("127.0.0.1", 0)), b = network.datagram(Address::tcp("", 0));
  ASSERT_TRUE(a && b);
  run([](Datagram& a, Datagram& b) -> Async<bool> {
    EXPECT_TRUE(a.send("hi", Address::tcp("127.0.0.1", b.address().port)));
    auto p = co_await b.receive();
    EXPECT_EQ(p->bytes, "hi");
    EXPECT_EQ(p->from, a.address());
    EXPECT_TRUE(b.send("back", p->from));
    EXPECT_EQ((co_await a.receive())->bytes, "back");
    co_return true;
  }(**a, **b));
}

TEST_F(StreamTest, NamesResolve) {
  auto listener = network.listen(Address::tcp("127.0.0.1", 0));
  run([](StreamTest& t, uint16_t port) -> Async<bool> {
    EXPECT_TRUE(co_await t.network.dial(Address::tcp("localhost", port), 2s));
    co_return true;
  }(*this, (*listener)->address().port));
}

TEST(MemoryPipe, CarriesBytesWithBackPressure) {
  SimWorld sim(1);
  auto [a, b] = make_pipe(sim.loop, 10);
  std::string got;
  bool written = false;
  Running writer([](Stream& s, bool& written) -> Async<void> {
    std::string data(25, 'x');
    (void)co_await write_all(s, data);
    written = true;
  }(*a, written));
  sim.loop.run_ready();
  EXPECT_FALSE(written);
  auto read = run_async(sim.loop, read_exactly(*b, 25));
  ASSERT_TRUE(read && *read);
  sim.loop.run_ready();
  EXPECT_TRUE(written);
}

TEST(MemoryPipe, EndsAndBreaks) {
  SimWorld sim(1);
  auto [a, b] = make_pipe(sim.loop);
  (void)a->try_write("x");
  a.reset();
  EXPECT_EQ(**run_async(sim.loop, read_exactly(*b, 1)), "x");
  char c;
  EXPECT_EQ(**run_async(sim.loop, read_some(*b, &c, 1)), 0u);
  EXPECT_EQ(b->try_write("y").error.message, "write pipe: broken pipe");
}

}  // namespace
}  // namespace drover::net
