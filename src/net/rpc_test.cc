#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "base/strings.h"
#include "net/memory_pipe.h"
#include "net/net_test_util.h"
#include "net/rpc_listener.h"
#include "net/rpc_wire.h"
#include "net/test_pki.h"

namespace drover::net {
namespace {

using namespace std::string_literals;

TEST(MsgpackScanner, FindsTheEndOfEveryKindOfValue) {
  for (auto& value : {"\x01"s, "\xc0"s, "\x80"s, "\x90"s, "\xa3" "abc"s, "\xd9\x02" "ab"s, "\xda\x00\x01" "a"s, "\xc4\x01" "a"s,
                      "\xcf" "12345678"s, "\xcb" "12345678"s, "\xd4" "tx"s, "\xc7\x03" "tabc"s, "\x82\xa1" "a\x01\xa1" "b\x92\x01\x02"s,
                      "\xdc\x00\x02\x01\x02"s, "\xde\x00\x01\xa1k\xc3"s, "\xdd\x00\x00\x00\x01\xc2"s, "\xe0"s}) {
    std::string buffer = value + "rest";
    for (size_t n = 0; n < value.size(); ++n) {
      MsgpackScanner s;
      auto r = s.scan(std::string_view(buffer).substr(0, n));
      ASSERT_TRUE(r && !*r) << hex_encode(value) << " at " << n;
      auto whole = s.scan(buffer);
      ASSERT_TRUE(whole && *whole) << hex_encode(value);
      EXPECT_EQ(s.size(), value.size()) << hex_encode(value);
    }
  }
  MsgpackScanner s;
  EXPECT_FALSE(s.scan("\xc1"));
}

TEST(RpcWire, WritesHeadersAsTheReferenceDoes) {
  EXPECT_EQ(encode_rpc(RpcRequestMessage{"Status.Ping", 1, "\x80"}),
            "\x82\xa3Seq\x01\xadServiceMethod\xabStatus.Ping\x80");
  EXPECT_EQ(encode_rpc(RpcResponseMessage{"S.P", 2, "bad", "ignored"}),
            "\x83\xa5" "Error\xa3" "bad\xa3Seq\x02\xadServiceMethod\xa3S.P\x80");
}

TEST(RpcWire, CallsOverAPipe) {
  SimWorld sim(1);
  auto [a, b] = make_pipe(sim.loop, 7);
  Running server([](Stream& s) -> Async<void> {
    RpcWire wire(s);
    for (;;) {
      auto r = co_await wire.read_request();
      if (!r) co_return;
      RpcResponseMessage m{r->method, r->seq, r->method == "Bad.Call" ? "rpc: can't find service Bad.Call" : "", r->body};
      (void)co_await wire.write(encode_rpc(m));
    }
  }(*b));
  RpcWire wire(*a);
  for (int i = 0; i < 3; ++i) {
    std::string body = "\xda\x03\xe8" + std::string(1000, static_cast<char>('a' + i));
    auto r = run_async(sim.loop, wire.call("Echo.Echo", body));
    ASSERT_TRUE(r && *r);
    EXPECT_EQ(**r, body);
  }
  auto bad = run_async(sim.loop, wire.call("Bad.Call", "\x80"));
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->error().message, "rpc: can't find service Bad.Call");
}

TEST(RpcWire, OversizeAndCutMessagesAreErrors) {
  SimWorld sim(1);
  auto [a, b] = make_pipe(sim.loop);
  RpcWire small(*b, 100);
  (void)a->try_write("\xdb\x00\x01\x00\x00" + std::string(200, 'x'));
  EXPECT_EQ(run_async(sim.loop, small.read_value())->error().code, ErrorCode::kTooLarge);
  auto [c, d] = make_pipe(sim.loop);
  (void)c->try_write("\x82\xa3Seq");
  c.reset();
  RpcWire cut(*d);
  EXPECT_EQ(run_async(sim.loop, cut.read_request())->error().message, "unexpected EOF");
}

struct RpcListenerTest : NetTest {
  TestPki pki;
  std::unique_ptr<RpcListener> listener;
  void listen(RpcListenerOptions options) {
    RpcHandlers h;
    auto say = [](std::string what) {
      return [what](std::unique_ptr<Stream> s, std::shared_ptr<RpcConnection> c) -> Async<void> {
        return [](std::string what, std::unique_ptr<Stream> s, std::shared_ptr<RpcConnection> c) -> Async<void> {
          std::string text = what + (c->tls ? " tls " + c->peer.common_name : "");
          (void)co_await write_all(*s, text);
        }(what, std::move(s), std::move(c));
      };
    };
    h.rpc = say("rpc");
    h.streaming = say("streaming");
    h.raft = say("raft");
    listener = std::make_unique<RpcListener>(real.world, std::move(options), std::move(h));
    auto l = network.listen(Address::tcp("127.0.0.1", 0));
    ASSERT_TRUE(l);
    address = (*l)->address();
    listener->add_listener(std::move(*l));
  }
  ~RpcListenerTest() override { listener.reset(); }
  // What the stream that `type` opens on a new session says.
  std::string ask(RpcByte type, TlsContextRef tls = nullptr) {
    return run([](RpcListenerTest& t, RpcByte type, TlsContextRef tls) -> Async<std::string> {
      auto session = co_await dial_rpc(t.network, t.address, 2s, tls, "server.global.nomad");
      if (!session) co_return session.error().message;
      auto s = co_await open_rpc_stream(**session, type);
      if (!s) co_return s.error().message;
      co_return co_await read_all(**s);
    }(*this, type, tls));
  }
};

TEST(RpcRole, NeedsAClientOfTheRegionOrAnyServer) {
  EXPECT_TRUE(has_rpc_role({"client.global.nomad", {}}, "global"));
  EXPECT_TRUE(has_rpc_role({"", {"x", "server.far.nomad"}}, "global"));
  EXPECT_TRUE(has_rpc_role({"server.a.b.nomad", {}}, "global"));
  for (auto bad : {"", "client.far.nomad", "server.nomad", "server.global.example", "cli.global.nomad", "xserver.global.nomad"})
    EXPECT_FALSE(has_rpc_role({bad, {}}, "global")) << bad;
}

TEST_F(RpcListenerTest, TheFirstByteChooses) {
  listen({});
  EXPECT_EQ(run(talk("\x01")), "rpc");
  EXPECT_EQ(run(talk("\x02")), "raft");
  EXPECT_EQ(run(talk("\x05")), "streaming");
  EXPECT_EQ(run(talk("\x09")), "");
  EXPECT_EQ(run(talk("\x04")), "") << "TLS is not configured";
  EXPECT_EQ(ask(RpcByte::kNomad), "rpc");
  EXPECT_EQ(ask(RpcByte::kStreaming), "streaming");
  EXPECT_EQ(ask(RpcByte::kRaft), "");
  run(until([&] { return listener->connections() == 0; }));
}

TEST_F(RpcListenerTest, ServesMutualTlsAndRefusesPlainWhenRequired) {
  pki.issue("server.global.nomad", "DNS:server.global.nomad");
  pki.issue("client.global.nomad", "DNS:client.global.nomad");
  TlsServerOptions so;
  so.cert_file = pki.cert("server.global.nomad");
  so.key_file = pki.key("server.global.nomad");
  so.ca_file = pki.cert("ca");
  so.verify_client = true;
  RpcListenerOptions o;
  o.tls = *make_tls_server(so);
  o.require_tls = true;
  listen(o);
  TlsClientOptions co;
  co.ca_file = pki.cert("ca");
  co.cert_file = pki.cert("client.global.nomad");
  co.key_file = pki.key("client.global.nomad");
  EXPECT_EQ(ask(RpcByte::kNomad, *make_tls_client(co)), "rpc tls client.global.nomad");
  EXPECT_EQ(run(talk("\x01")), "");
  pki.issue("client.other.nomad", "DNS:client.other.nomad");
  o.verify_region = "global";
  listen(o);
  EXPECT_EQ(ask(RpcByte::kNomad, *make_tls_client(co)), "rpc tls client.global.nomad");
  co.cert_file = pki.cert("client.other.nomad");
  co.key_file = pki.key("client.other.nomad");
  EXPECT_EQ(ask(RpcByte::kNomad, *make_tls_client(co)), "") << "a role of another region";
  co.cert_file = co.key_file = "";
  EXPECT_EQ(ask(RpcByte::kNomad, *make_tls_client(co)), "");
}

TEST_F(RpcListenerTest, SilenceIsCutOffAndAddressesAreLimited) {
  RpcListenerOptions o;
  o.handshake_timeout = 20ms;
  o.max_conns_per_client = 2;
  listen(o);
  run([](RpcListenerTest& t) -> Async<bool> {
    auto a = co_await t.connect();
    auto b = co_await t.connect();
    co_await t.until([&] { return t.listener->connections() == 2; });
    EXPECT_EQ(co_await t.talk("\x01"), "");
    EXPECT_EQ(co_await read_all(*a), "");
    EXPECT_EQ(co_await read_all(*b), "");
    co_await t.until([&] { return t.listener->connections() == 0; });
    EXPECT_EQ(co_await t.talk("\x01"), "rpc");
    co_return true;
  }(*this));
}

TEST_F(RpcListenerTest, DestroyingItEndsSessionsAndTheirHandlers) {
  listen({});
  run([](RpcListenerTest& t) -> Async<bool> {
    auto session = co_await dial_rpc(t.network, t.address, 2s, nullptr, "");
    auto s = (*session)->open();
    co_await t.until([&] { return t.listener->connections() == 1; });
    t.listener.reset();
    co_await t.until([&] { return (*session)->ended(); });
    co_return true;
  }(*this));
}

}  // namespace
}  // namespace drover::net
