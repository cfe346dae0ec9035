// Helpers of net's tests: a real world on loopback, with every wait bounded.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/cancel.h"
#include "net/http_server.h"
#include "net/network.h"
#include "net/real_world.h"

namespace drover::net {

struct NetTest : testing::Test {
  RealWorld real;
  RealNetwork network{real.loop, &real.pool};

  // Runs a flow to its end; a hang aborts with a backtrace instead of stopping the whole suite.
  template <class T>
  T run(Async<T> flow) {
    auto guard = real.loop.after(30s, [] { DROVER_ASSERT(false, "a test's flow ends in time"); });
    return block_on(real.loop, std::move(flow));
  }
  Async<bool> until(std::function<bool()> condition) {
    while (!condition()) co_await sleep_for(real.loop, 1ms);
    co_return true;
  }

  std::unique_ptr<HttpServer> server;
  Address address;
  void serve(HttpHandler handler, HttpServerOptions options = {}, TlsContextRef tls = nullptr) {
    server = std::make_unique<HttpServer>(real.world, std::move(options), std::move(handler));
    auto listener = network.listen(Address::tcp("127.0.0.1", 0));
    ASSERT_TRUE(listener) << listener.error().message;
    address = (*listener)->address();
    server->add_listener(std::move(*listener), std::move(tls));
  }
  std::string url(std::string_view path) { return "http://" + address.str() + std::string(path); }

  Async<std::unique_ptr<Stream>> connect() {
    auto s = co_await network.dial(address, 5s);
    EXPECT_TRUE(s) << s.error().message;
    co_return std::move(*s);
  }
  // Reads until `text` has come (or the end), and gives all that was read.
  static Async<std::string> read_until(Stream& s, std::string text) {
    std::string all;
    while (all.find(text) == std::string::npos) {
      char buffer[4096];
      auto n = co_await read_some(s, buffer, sizeof buffer);
      if (!n || *n == 0) break;
      all.append(buffer, *n);
    }
    co_return all;
  }
  static Async<std::string> read_all(Stream& s) { return read_until(s, std::string("\0never\0", 7)); }
  // One connection: sends `text`, reads to the end.
  Async<std::string> talk(std::string text) {
    auto s = co_await connect();
    (void)co_await write_all(*s, text);
    co_return co_await read_all(*s);
  }
};

}  // namespace drover::net
