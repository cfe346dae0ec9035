// The shell over real sockets on the loopback.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "gossip/keyring.h"
#include "gossip/serf.h"
#include "net/network.h"
#include "net/real_world.h"

namespace drover::gossip {
namespace {

class SerfTest : public ::testing::Test {
 public:
  SerfTest() {
    auto dir = (std::filesystem::temp_directory_path() / "gossip_testXXXXXX").string();
    dir_ = mkdtemp(dir.data());
  }
  ~SerfTest() override { std::filesystem::remove_all(dir_); }

  Config config(const std::string& name) {
    Config c;
    c.node_name = name;
    c.bind_addr = "127.0.0.1";
    c.bind_port = 0;
    c.tags = {{"role", "nomad"}};
    c.tuning = Tuning::local();
    c.tuning.gossip_interval = 20ms;
    c.serf.leave_propagate_delay = 50ms;
    c.on_event = [this, name](const Event& e) { events_.push_back(name + ":" + std::to_string(static_cast<int>(e.type)) + ":" + e.member.name); };
    return c;
  }
  std::unique_ptr<Serf> make(Config c) {
    auto made = Serf::create(world_.world, network_, std::move(c));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  template <class T>
  T wait(Async<T> task) {
    return net::block_on(world_.loop, std::move(task));
  }
  bool until(std::function<bool()> done) {
    return wait([](SerfTest* t, std::function<bool()> done) -> Async<bool> {
      for (int i = 0; i < 2000 && !done(); ++i) co_await sleep_for(t->world_.loop, 5ms);
      co_return done();
    }(this, std::move(done)));
  }
  std::string at(const Serf& s) { return "127.0.0.1:" + std::to_string(s.port()); }
  std::string status(const Serf& s, const std::string& name) {
    for (auto& m : s.members())
      if (m.name == name) return std::string(status_text(m.status));
    return "";
  }

  net::RealWorld world_;
  net::RealNetwork network_{world_.loop, &world_.pool};
  std::string dir_;
  std::vector<std::string> events_;
};

TEST_F(SerfTest, JoinTagsLeave) {
  auto a = make(config("a")), b = make(config("b"));
  auto joined = wait(b->join({at(*a)}));
  EXPECT_EQ(joined.count, 1);
  EXPECT_TRUE(joined.errors.empty());
  EXPECT_TRUE(until([&] { return status(*a, "b") == "alive" && status(*b, "a") == "alive"; }));
  EXPECT_TRUE(wait(a->set_tags({{"role", "nomad"}, {"x", "1"}})));
  EXPECT_TRUE(until([&] {
    for (auto& m : b->members())
      if (m.name == "a" && m.tags.get_or("x") == "1") return true;
    return false;
  }));
  EXPECT_EQ(a->stats().get_or("members"), "2");
  EXPECT_EQ(a->stats().get_or("encrypted"), "false");
  EXPECT_TRUE(wait(b->leave()));
  EXPECT_EQ(b->state(), "left");
  b.reset();
  EXPECT_TRUE(until([&] { return status(*a, "b") == "left"; }));
  EXPECT_NE(std::find(events_.begin(), events_.end(), "a:1:b"), events_.end());
}

TEST_F(SerfTest, JoinErrorsNameTheAddress) {
  auto a = make(config("a"));
  auto joined = wait(a->join({"127.0.0.1:1", "no.such.host.invalid", "/x", "127.0.0.1:99999"}));
  EXPECT_EQ(joined.count, 0);
  ASSERT_EQ(joined.errors.size(), 4u);
  EXPECT_EQ(joined.errors[0], "Failed to join 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused");
  EXPECT_TRUE(joined.errors[1].starts_with("Failed to resolve no.such.host.invalid: lookup no.such.host.invalid")) << joined.errors[1];
  EXPECT_EQ(joined.errors[2], "Failed to resolve /x: empty node name provided");
  EXPECT_TRUE(joined.errors[3].starts_with("Failed to resolve 127.0.0.1:99999:")) << joined.errors[3];
  // One that works is enough.
  auto b = make(config("b"));
  joined = wait(a->join({"127.0.0.1:1", "b/" + at(*b)}));
  EXPECT_EQ(joined.count, 1);
  EXPECT_TRUE(joined.errors.empty());
}

TEST_F(SerfTest, WorksOverIpv6) {
  auto on_v6 = [&](const std::string& name) {
    auto c = config(name);
    c.bind_addr = "::1";
    return c;
  };
  auto probe = network_.listen(net::Address::tcp("::1", 0));
  if (!probe) GTEST_SKIP() << probe.error().message;
  auto a = make(on_v6("a")), b = make(on_v6("b"));
  EXPECT_EQ(wait(b->join({"[::1]:" + std::to_string(a->port())})).count, 1);
  EXPECT_TRUE(until([&] { return status(*a, "b") == "alive"; }));
  EXPECT_EQ(a->self().addr, "::1");
  EXPECT_TRUE(a->user_event("deploy", "v1"));
  EXPECT_TRUE(until([&] { return std::find(events_.begin(), events_.end(), "b:5:") != events_.end(); }));
}

TEST_F(SerfTest, PortInUse) {
  auto a = make(config("a"));
  auto c = config("b");
  c.bind_port = a->port();
  auto made = Serf::create(world_.world, network_, c);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("bind: address already in use"), std::string::npos) << made.error().message;
  EXPECT_TRUE(made.error().message.starts_with("Failed to create memberlist: ")) << made.error().message;
}

TEST_F(SerfTest, KeyringFileFollowsTheKeys) {
  auto with_keys = [&](const std::string& name) {
    auto c = config(name);
    c.keys = {std::string(32, 'a')};
    c.keyring_file = dir_ + "/" + name + ".keyring";
    return c;
  };
  auto a = make(with_keys("a")), b = make(with_keys("b")), plain = make(config("plain"));
  ASSERT_EQ(wait(b->join({at(*a)})).count, 1);
  auto refused = wait(plain->join({at(*a)}));
  ASSERT_EQ(refused.errors.size(), 1u);
  EXPECT_EQ(refused.errors[0], "Failed to join " + at(*a) + ": Remote state is encrypted and encryption is not configured");
  ASSERT_TRUE(until([&] { return status(*a, "b") == "alive"; }));
  std::string next(16, 'b');
  EXPECT_EQ(wait(a->keys(KeyOp::kInstall, base64_encode(next))).error, "");
  EXPECT_EQ(wait(b->keys(KeyOp::kUse, base64_encode(next))).error, "");
  auto list = wait(a->keys(KeyOp::kList, ""));
  EXPECT_EQ(list.keys.get_or(base64_encode(next)), 2);
  for (auto* name : {"a", "b"}) {
    auto path = dir_ + "/" + name + ".keyring";
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    auto keys = decode_keyring(text.str());
    ASSERT_TRUE(keys) << text.str();
    EXPECT_EQ(*keys, (std::vector{next, std::string(32, 'a')}));
    struct stat st{};
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
  }
}

TEST_F(SerfTest, RestartFindsThePoolFromTheSnapshot) {
  auto with_snapshot = [&] {
    auto c = config("b");
    c.snapshot_path = dir_ + "/serf/snapshot";
    return c;
  };
  auto a = make(config("a")), b = make(with_snapshot());
  uint16_t port = b->port();
  ASSERT_EQ(wait(b->join({at(*a)})).count, 1);
  ASSERT_TRUE(until([&] { return status(*a, "b") == "alive"; }));
  b.reset();
  auto again = with_snapshot();
  again.bind_port = port;
  b = make(again);
  EXPECT_TRUE(until([&] { return status(*b, "a") == "alive" && status(*a, "b") == "alive"; }));
  // After a leave it stays away.
  EXPECT_TRUE(wait(b->leave()));
  b.reset();
  b = make(again);
  EXPECT_FALSE(wait([](SerfTest* t, Serf& b) -> Async<bool> {
    co_await sleep_for(t->world_.loop, 200ms);
    co_return b.members().size() > 1;
  }(this, *b)));
}

TEST_F(SerfTest, StrangersOnTheSocketsDoNoHarm) {
  auto a = make(config("a"));
  auto stranger = wait([](SerfTest* t, std::string to) -> Async<Result<std::string>> {
    auto address = net::Address::parse(to);
    for (auto* text : {"GET / HTTP/1.1\r\n\r\n", "\xf4\x05pool!", "\x0a\xff\xff\xff\xff", "\x06\xff", ""}) {
      DROVER_CO_TRY(auto stream, co_await t->network_.dial(*address, 1s));
      (void)co_await net::write_all(*stream, text);
      stream->shutdown_write();
      char buffer[100];
      (void)co_await net::read_some(*stream, buffer, sizeof buffer);
    }
    DROVER_CO_TRY(auto socket, t->network_.datagram(net::Address::tcp("127.0.0.1", 0)));
    for (auto* text : {"x", "\x07\xff", "\x09zzz"}) (void)socket->send(text, *address);
    co_return "done";
  }(this, at(*a)));
  EXPECT_TRUE(stranger);
  auto b = make(config("b"));
  EXPECT_EQ(wait(b->join({at(*a)})).count, 1);
}

TEST_F(SerfTest, MayBeDestroyedFromItsOwnEvent) {
  std::unique_ptr<Serf> a;
  auto c = config("a");
  c.on_event = [&](const Event& e) {
    if (e.member.name == "b") a.reset();
  };
  a = make(c);
  auto b = make(config("b"));
  (void)wait(b->join({at(*a)}));
  EXPECT_TRUE(until([&] { return !a; }));
}

}  // namespace
}  // namespace drover::gossip
