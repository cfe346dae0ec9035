// The pure pieces: addresses, headers, content types, compression, proxies, websocket frames, the message parser.
#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "net/address.h"
#include "net/compress.h"
#include "net/headers.h"
#include "net/http_parser.h"
#include "net/http_types.h"
#include "net/proxy.h"
#include "net/sniff.h"
#include "net/ws_frame.h"

namespace drover::net {
namespace {

TEST(Address, ParsesAndPrints) {
  EXPECT_EQ(Address::parse("127.0.0.1:4646"), Address::tcp("127.0.0.1", 4646));
  EXPECT_EQ(Address::parse("[::1]:80"), Address::tcp("::1", 80));
  EXPECT_EQ(Address::parse(":80"), Address::tcp("", 80));
  EXPECT_EQ(Address::parse("unix:///run/x.sock"), Address::unix_path("/run/x.sock"));
  EXPECT_EQ(Address::tcp("::1", 80).str(), "[::1]:80");
  struct {
    const char *text, *error;
  } cases[] = {{"x", "address x: missing port in address"},
               {"[::1]", "address [::1]: missing port in address"},
               {"::1:80", "address ::1:80: too many colons in address"},
               {"[::1:80", "address [::1:80: missing ']' in address"},
               {"a[b:80", "address a[b:80: unexpected '[' in address"},
               {"a:99999", "address 99999: invalid port"}};
  for (auto& c : cases) {
    auto a = Address::parse(c.text);
    ASSERT_FALSE(a) << c.text;
    EXPECT_EQ(a.error().message, c.error);
  }
}

TEST(Headers, NamesAreCanonicalAndCaseDoesNotMatter) {
  EXPECT_EQ(canonical_header("x-nomad-lastContact"), "X-Nomad-Lastcontact");
  EXPECT_EQ(canonical_header("WWW-authenticate"), "Www-Authenticate");
  EXPECT_EQ(canonical_header("bad name"), "bad name");
  Headers h;
  h.add("accept", "a");
  h.add("Accept", "b");
  h.set("B", "x\r\nInjected: y");
  EXPECT_EQ(h.get("ACCEPT"), "a");
  EXPECT_EQ(h.values("accept").size(), 2u);
  std::string out;
  h.write_to(out);
  EXPECT_EQ(out, "Accept: a\r\nAccept: b\r\nB: x  Injected: y\r\n");
  h.set("Connection", "keep-alive, UPGRADE");
  EXPECT_TRUE(h.has_token("connection", "upgrade"));
  EXPECT_FALSE(h.has_token("connection", "up"));
  h.remove("ACCEPT");
  EXPECT_FALSE(h.has("accept"));
}

TEST(Sniff, KnowsTheCommonKinds) {
  using namespace std::string_view_literals;
  struct {
    std::string_view bytes, type;
  } cases[] = {
      {"Permission denied", "text/plain; charset=utf-8"},
      {"", "text/plain; charset=utf-8"},
      {"  \n<html>", "text/html; charset=utf-8"},
      {"<!doctype html >", "text/html; charset=utf-8"},
      {"<htmlx", "text/plain; charset=utf-8"},
      {"<?xml version", "text/xml; charset=utf-8"},
      {"{\"a\":1}", "text/plain; charset=utf-8"},
      {"\x1f\x8b\x08\x00"sv, "application/x-gzip"},
      {"\x89PNG\r\n\x1a\n"sv, "image/png"},
      {"PK\x03\x04"sv, "application/zip"},
      {"RIFF0000WAVE", "audio/wave"},
      {"a\0b"sv, "application/octet-stream"},
      {"\xff\xfe"sv, "text/plain; charset=utf-8"},
      {"\xef\xbb\xbfx"sv, "text/plain; charset=utf-8"},
      {"%PDF-1.4", "application/pdf"},
  };
  for (auto& c : cases) EXPECT_EQ(detect_content_type(c.bytes), c.type) << c.bytes;
}

TEST(Compress, RoundTripsAndFindsDamage) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919);
  auto packed = compress(Encoding::kGzip, text);
  for (size_t step : {size_t{1}, size_t{777}, packed.size()}) {
    Decompressor d;
    std::string out;
    for (size_t at = 0; at < packed.size(); at += step) ASSERT_TRUE(d.write(packed.substr(at, step), out));
    EXPECT_TRUE(d.complete());
    EXPECT_TRUE(out == text);
  }
  std::string out;
  Decompressor bad;
  EXPECT_EQ(bad.write("not gzip at all", out).error().message, "gzip: invalid header");
  packed[packed.size() - 6] ^= 1;
  Decompressor sum;
  EXPECT_EQ(sum.write(packed, out).error().message, "gzip: invalid checksum");
  EXPECT_EQ(pick_encoding("identity , deflate,gzip"), Encoding::kDeflate);
  EXPECT_EQ(pick_encoding("*"), Encoding::kIdentity);
}

TEST(Compress, EveryWriteOfAStreamComesOutWhole) {
  Compressor c(Encoding::kGzip);
  Decompressor d;
  std::string out;
  for (std::string piece : {"a", "bc", "", "def"}) {
    std::string want = out + piece;
    ASSERT_TRUE(d.write(c.write(piece), out));
    EXPECT_EQ(out, want);
  }
  EXPECT_FALSE(d.complete());
  ASSERT_TRUE(d.write(c.finish(), out));
  EXPECT_TRUE(d.complete());
}

TEST(Proxy, FollowsGoRules) {
  ProxyConfig p{"proxy:3128", "http://secure:1", "internal, .below.org,10.0.0.0/8,*.wild.com,exact.org:81,192.168.1.1"};
  auto via = [&](std::string url) {
    auto r = p.proxy_for(*Url::parse(url));
    return !r ? r.error().message : *r ? (*r)->host : "none";
  };
  EXPECT_EQ(via("http://x.com/"), "proxy:3128");
  EXPECT_EQ(via("https://x.com/"), "secure:1");
  for (auto direct : {"http://localhost/", "http://127.0.0.1:4646/", "http://[::1]/", "http://internal/", "http://a.internal/",
                      "http://a.below.org/", "http://10.1.2.3/", "http://a.wild.com/", "http://exact.org:81/", "http://192.168.1.1/"})
    EXPECT_EQ(via(direct), "none") << direct;
  for (auto used : {"http://below.org/", "http://11.0.0.1/", "http://exact.org/", "http://xinternal/"})
    EXPECT_EQ(via(used), "proxy:3128") << used;
  auto env = ProxyConfig::from_environment([](const char* name) -> const char* {
    return std::string_view(name) == "http_proxy" ? "low" : std::string_view(name) == "REQUEST_METHOD" ? "" : nullptr;
  });
  EXPECT_EQ(env.http_proxy, "low");
}

TEST(WsFrame, RoundTripsEverySizeAndMask) {
  SimRandom random(1);
  for (size_t size : {0, 1, 125, 126, 65535, 65536, 70000}) {
    for (bool masked : {false, true}) {
      std::string payload(size, 'p');
      if (size > 2) payload[1] = '\0';
      auto bytes = write_ws_frame(WsOpcode::kBinary, payload, masked ? std::optional<uint32_t>(random.next()) : std::nullopt);
      std::string buffer = bytes.substr(0, bytes.size() - 1);
      auto early = take_ws_frame(buffer, masked, 1 << 20);
      ASSERT_TRUE(early);
      EXPECT_FALSE(*early) << "not yet whole";
      buffer = bytes + "rest";
      auto frame = take_ws_frame(buffer, masked, 1 << 20);
      ASSERT_TRUE(frame && *frame);
      EXPECT_EQ((*frame)->payload, payload);
      EXPECT_EQ(buffer, "rest");
    }
  }
}

TEST(WsFrame, RefusesWhatTheRulesForbid) {
  using namespace std::string_literals;
  for (auto bad : {"\xc1\x00"s, "\x83\x00"s, "\x81\x80\x00\x00\x00\x00"s, "\x09\x00"s, "\x89\x7e\x00\x80"s,
                   "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"s})
    EXPECT_FALSE(take_ws_frame(bad, false, 1 << 20));
}

TEST(WsHandshake, PlansAndExplains) {
  EXPECT_EQ(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  Headers h;
  auto plan = [&] { return plan_websocket_upgrade("GET", "host:1", h); };
  EXPECT_EQ(plan().error, "websocket: the client is not using the websocket protocol: 'upgrade' token not found in "
                          "'Connection' header");
  h.set("Connection", "Upgrade");
  h.set("Upgrade", "websocket");
  EXPECT_EQ(plan().error, "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header");
  h.set("Sec-WebSocket-Version", "13");
  EXPECT_EQ(plan().status, 400);
  h.set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(plan().status, 101);
  EXPECT_EQ(plan_websocket_upgrade("POST", "host:1", h).status, 405);
  h.set("Origin", "http://host:1");
  EXPECT_EQ(plan().status, 101);
  h.set("Origin", "http://evil");
  EXPECT_EQ(plan().status, 403);
}

TEST(HttpParser, ReadsTheSameInAnyPieces) {
  std::string message =
      "POST /a HTTP/1.1\r\nHost: x\r\nx-y: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;e\r\nabc\r\n0\r\nT: 1\r\n\r\n";
  for (size_t step = 1; step <= message.size(); ++step) {
    HttpParser p(HttpParser::Kind::kRequest);
    std::string body, buffer;
    for (size_t at = 0; at < message.size(); at += step) {
      buffer += message.substr(at, step);
      auto used = p.put(buffer, body);
      ASSERT_TRUE(used) << used.error().message << " step " << step;
      buffer.erase(0, *used);
    }
    EXPECT_TRUE(p.done()) << step;
    EXPECT_EQ(body, "helloabc");
    EXPECT_EQ(p.headers.get("X-Y"), "1");
    EXPECT_FALSE(p.headers.has("T"));
  }
}

TEST(HttpParser, NeverReadsPastTheMessage) {
  HttpParser p(HttpParser::Kind::kRequest);
  std::string body;
  auto used = p.put("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET / ", body);
  ASSERT_TRUE(used);
  EXPECT_EQ(body, "ab");
  EXPECT_TRUE(p.done());
  EXPECT_EQ(*used, std::string("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab").size());
}

TEST(HttpDate, IsRfc1123) {
  EXPECT_EQ(http_date(Time::from_unix_seconds(1'795'505'507)), "Tue, 24 Nov 2026 07:31:47 GMT");
}

}  // namespace
}  // namespace drover::net
