#include "net/rpc_pool.h"

#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "codec/msgpack.h"
#include "net/memory_network.h"
#include "net/rpc_error.h"
#include "net/rpc_header.h"
#include "net/rpc_wire.h"

namespace drover::net {
namespace {

TEST(RpcError, TextsKeepTheirCode) {
  EXPECT_EQ(rpc_error_text(invalid("bad")), "RPC Error:: 400,bad");
  EXPECT_EQ(rpc_error_text(internal("odd")), "odd");
  EXPECT_EQ(rpc_error_text(Error(ErrorCode::kPermissionDenied, "Permission denied")), "Permission denied");
  for (auto& e : {invalid("bad, very"), not_found("no"), internal("x"), Error(ErrorCode::kNoLeader, "No cluster leader"),
                  not_found("Unknown allocation \"a\""), not_found("open /x: no such file or directory"), Error(ErrorCode::kPermissionDenied, "Permission denied")}) {
    auto back = rpc_error(rpc_error_text(e));
    EXPECT_EQ(back.code, e.code) << e.message;
    EXPECT_EQ(back.message, e.message);
  }
  // What nodes answer travels as it is.
  for (auto text : {"open /x: no such file or directory", "Could not find task runner for task: t",
                    "No such allocation on client, or allocation not eligible for GC"}) {
    EXPECT_EQ(rpc_error_text(not_found(text)), text);
    EXPECT_EQ(rpc_error(text).code, ErrorCode::kNotFound) << text;
  }
  EXPECT_EQ(rpc_error("rpc error: RPC Error:: 404,gone").message, "gone");
  EXPECT_EQ(rpc_error("rpc error: Permission denied").code, ErrorCode::kPermissionDenied);
}

// A server of echoes: "Echo.Fail" fails, "Echo.Hang" never answers.
struct RpcPoolTest : testing::Test {
  SimWorld sim{3};
  MemoryNetwork lan{sim.loop, 1ms};
  Address address = Address::tcp("10.0.0.1", 4647);
  std::unique_ptr<RpcListener> listener;
  int ended = 0;  // streams that the peer has left
  RpcPoolOptions options;
  std::unique_ptr<RpcPool> pool;

  void SetUp() override { serve(); }
  void serve() {
    RpcHandlers h;
    h.rpc = [this](std::unique_ptr<Stream> s, std::shared_ptr<RpcConnection>) { return echo(*this, std::move(s)); };
    h.streaming = [](std::unique_ptr<Stream> s, std::shared_ptr<RpcConnection>) { return shout(std::move(s)); };
    h.raft = h.streaming;
    listener = std::make_unique<RpcListener>(sim.world, RpcListenerOptions{}, std::move(h));
    listener->add_listener(std::move(*lan.host("10.0.0.1").listen(address)));
  }
  RpcPool& made() {
    if (!pool) pool = std::make_unique<RpcPool>(sim.world, lan.host("10.0.0.2"), options);
    return *pool;
  }
  static Async<void> echo(RpcPoolTest& t, std::unique_ptr<Stream> s) {
    RpcWire wire(*s);
    for (;;) {
      auto r = co_await wire.read_request();
      if (!r) {
        ++t.ended;
        co_return;
      }
      if (r->method == "Echo.Hang") {
        co_await wire.ended();
        ++t.ended;
        co_return;
      }
      RpcResponseMessage m{r->method, r->seq, r->method == "Echo.Fail" ? "RPC Error:: 404,nothing" : "", r->body};
      (void)co_await wire.write(encode_rpc(m));
    }
  }
  static Async<void> shout(std::unique_ptr<Stream> s) {
    std::string unread;
    auto method = co_await read_streaming_method(*s, unread);
    bool known = *method == "Shout";
    (void)co_await answer_streaming(*s, known ? Status{} : Status(internal("Unknown rpc method: \"" + *method + "\"")));
    if (!known) co_return;
    RpcWire wire(*s);
    auto word = co_await wire.read_value();
    (void)co_await wire.write(*word + *word);
  }
  Result<std::string> call(std::string method) {
    auto r = run_async(sim.loop, made().call(address, "global", std::move(method), "\xa2hi"), 30s);
    return r ? std::move(*r) : Error(ErrorCode::kTimeout, "hangs");
  }
};

TEST_F(RpcPoolTest, CallsShareAConnectionAndItsStreams) {
  for (int i = 0; i < 3; ++i) {
    auto r = call("Echo.Echo");
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(*r, "\xa2hi");
  }
  EXPECT_EQ(listener->connections(), 1u);
  EXPECT_EQ(ended, 0) << "the stream is kept for the next call";
  auto failed = call("Echo.Fail");
  EXPECT_EQ(failed.error().message, "nothing");
  EXPECT_EQ(failed.error().code, ErrorCode::kNotFound);
}

TEST_F(RpcPoolTest, NothingWasSentWhereNobodyListens) {
  listener.reset();
  auto r = call("Echo.Echo");
  EXPECT_EQ(r.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(r.error().message, "rpc error: failed to get conn: dial tcp 10.0.0.1:4647: connect: connection refused");
  serve();
  EXPECT_TRUE(call("Echo.Echo"));
}

TEST_F(RpcPoolTest, ABrokenConnectionIsToldAndReplaced) {
  ASSERT_TRUE(call("Echo.Echo"));
  std::optional<Result<std::string>> answer;
  Running hanging([](RpcPoolTest& t, auto& out) -> Async<void> {
    out = co_await t.made().call(t.address, "global", "Echo.Hang", "\xc0");
  }(*this, answer));
  sim.loop.advance(1s);
  EXPECT_FALSE(answer);
  listener.reset();
  ASSERT_TRUE(sim.loop.run_until([&] { return answer.has_value(); }, 5s));
  EXPECT_EQ((*answer).error().code, ErrorCode::kIo);
  serve();
  auto again = call("Echo.Echo");
  EXPECT_TRUE(again) << again.error().message;
}

TEST_F(RpcPoolTest, DroppingACallEndsItAtTheServer) {
  Running hanging([](RpcPoolTest& t) -> Async<void> {
    (void)co_await t.made().call(t.address, "global", "Echo.Hang", "\xc0");
  }(*this));
  sim.loop.advance(1s);
  EXPECT_EQ(ended, 0);
  hanging.reset();
  EXPECT_TRUE(sim.loop.run_until([&] { return ended == 1; }, 5s));
}

TEST_F(RpcPoolTest, IdleConnectionsGo) {
  ASSERT_TRUE(call("Echo.Echo"));
  EXPECT_EQ(pool->connections(), 1u);
  sim.loop.advance(3min);
  EXPECT_EQ(pool->connections(), 0u);
  EXPECT_EQ(listener->connections(), 0u);
}

TEST_F(RpcPoolTest, StreamingCallsBeginWithTheirMethod) {
  auto s = run_async(sim.loop, made().open_streaming(address, "global", "Shout"), 5s);
  ASSERT_TRUE(s && *s);
  RpcWire wire(***s);
  ASSERT_TRUE(*run_async(sim.loop, wire.write("\xa2ha")));
  EXPECT_EQ(**run_async(sim.loop, wire.read_value()), "\xa2ha");
  auto bad = run_async(sim.loop, made().open_streaming(address, "global", "Whisper"), 5s);
  EXPECT_EQ((*bad).error().message, "Unknown rpc method: \"Whisper\"");
}

}  // namespace
}  // namespace drover::net
