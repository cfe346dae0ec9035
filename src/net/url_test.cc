#include "net/url.h"

#include <gtest/gtest.h>

namespace drover::net {
namespace {

TEST(Url, ReadsItsParts) {
  auto u = Url::parse("HTTPS://us%20er:p%40ss@[::1]:4646/v1/job/a%2Fb?x=1&y=%20#frag");
  ASSERT_TRUE(u) << u.error().message;
  EXPECT_EQ(u->scheme, "https");
  EXPECT_EQ(u->user->first, "us er");
  EXPECT_EQ(u->user->second, "p@ss");
  EXPECT_EQ(u->host, "[::1]:4646");
  EXPECT_EQ(u->hostname(), "::1");
  EXPECT_EQ(u->port(), "4646");
  EXPECT_EQ(u->path, "/v1/job/a/b");
  EXPECT_EQ(u->raw_path, "/v1/job/a%2Fb");
  EXPECT_EQ(u->escaped_path(), "/v1/job/a%2Fb");
  EXPECT_EQ(u->raw_query, "x=1&y=%20");
  EXPECT_EQ(u->fragment, "frag");
  EXPECT_EQ(u->str(), "https://us%20er:p%40ss@[::1]:4646/v1/job/a%2Fb?x=1&y=%20#frag");
  EXPECT_EQ(u->redacted(), "https://us%20er:xxxxx@[::1]:4646/v1/job/a%2Fb?x=1&y=%20#frag");
}

TEST(Url, RoundTrips) {
  for (auto text : {"http://a", "http://a/", "http://a:80/b?c", "http://a/b?", "/v1/jobs", "/a%2Fb", "//host/x", "mailto:x@y",
                    "a/b", "?q=1", "#f", "http://a/%E4%B8%96", "unix:///tmp/api.sock", "http://[fe80::1%25en0]:8080/", "*"})
    EXPECT_EQ(Url::parse(text).value_or(Url{}).str(), text);
}

TEST(Url, WritesBytesThatNeedIt) {
  Url u;
  u.scheme = "http";
  u.host = "h";
  u.path = "/a b/\xc3\xa9?#%;";
  EXPECT_EQ(u.str(), "http://h/a%20b/%C3%A9%3F%23%25;");
  EXPECT_EQ(u.request_target(), "/a%20b/%C3%A9%3F%23%25;");
  u.path = "";
  EXPECT_EQ(u.request_target(), "/");
}

TEST(Url, ErrorsAreGoTexts) {
  struct {
    const char *text, *error;
  } cases[] = {
      {"http://a/%zz", "parse \"http://a/%zz\": invalid URL escape \"%zz\""},
      {"http://a/%1", "parse \"http://a/%1\": invalid URL escape \"%1\""},
      {":x", "parse \":x\": missing protocol scheme"},
      {"127.0.0.1:4646", "parse \"127.0.0.1:4646\": first path segment in URL cannot contain colon"},
      {"http://a b/", "parse \"http://a b/\": invalid character \" \" in host name"},
      {"http://a:x/", "parse \"http://a:x/\": invalid port \":x\" after host"},
      {"http://[::1/", "parse \"http://[::1/\": missing ']' in host"},
      {"http://a/\x01", "parse \"http://a/\\x01\": net/url: invalid control character in URL"},
      {"http://u s@h/", "parse \"http://u s@h/\": net/url: invalid userinfo"},
      {"http://%41/", "parse \"http://%41/\": invalid URL escape \"%41\""},
  };
  for (auto& c : cases) {
    auto u = Url::parse(c.text);
    ASSERT_FALSE(u) << c.text;
    EXPECT_EQ(u.error().message, c.error);
  }
  EXPECT_EQ(Url::parse_request_target("relative").error().message, "parse \"relative\": invalid URI for request");
  EXPECT_EQ(Url::parse_request_target("").error().message, "parse \"\": empty url");
}

TEST(Url, RequestTargetsKeepDoubleSlashesInThePath) {
  auto u = Url::parse_request_target("//v1/jobs?x");
  ASSERT_TRUE(u);
  EXPECT_EQ(u->path, "//v1/jobs");
  EXPECT_EQ(u->host, "");
}

TEST(Escape, AsGo) {
  EXPECT_EQ(query_escape("a b&c=/?+é"), "a+b%26c%3D%2F%3F%2B%C3%A9");
  EXPECT_EQ(path_escape("a b/c?d;e,f:g@h&i=j+k$"), "a%20b%2Fc%3Fd%3Be%2Cf:g@h&i=j+k$");
  EXPECT_EQ(query_unescape("a+b%2B"), "a b+");
  EXPECT_EQ(path_unescape("a+b%2B"), "a+b+");
  EXPECT_EQ(query_unescape("%").error().message, "invalid URL escape \"%\"");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(query_unescape(query_escape(all)), all);
  EXPECT_EQ(path_unescape(path_escape(all)), all);
}

TEST(Query, KeepsGoodPairsAndReportsTheFirstBadOne) {
  std::string error;
  auto q = Query::parse("a=1&b&=x&a=2&bad=%zz&c;d=1&&e=f=g", &error);
  EXPECT_EQ(error, "invalid URL escape \"%zz\"");
  EXPECT_EQ(q.get("a"), "1");
  EXPECT_EQ(q.values("a").size(), 2u);
  EXPECT_TRUE(q.has("b"));
  EXPECT_EQ(q.get(""), "x");
  EXPECT_EQ(q.get("e"), "f=g");
  EXPECT_FALSE(q.has("bad"));
  error.clear();
  Query::parse("a;b", &error);
  EXPECT_EQ(error, "invalid semicolon separator in query");
}

TEST(Query, EncodesSortedByKey) {
  Query q;
  q.add("b", "2 3");
  q.add("a", "1");
  q.add("b", "1");
  EXPECT_EQ(q.encode(), "a=1&b=2+3&b=1");
  q.set("b", "");
  EXPECT_EQ(q.encode(), "a=1&b=");
  q.remove("a");
  EXPECT_EQ(q.encode(), "b=");
}

TEST(CleanPath, AsTheRoutersRedirect) {
  struct {
    const char *in, *out;
  } cases[] = {{"", "/"}, {"/", "/"}, {"//", "/"}, {"/a//b", "/a/b"}, {"/a/./b/", "/a/b/"}, {"/a/../b", "/b"},
               {"/../..", "/"}, {"/a/..", "/"}, {"/a/b/../", "/a/"}, {"/v1/job/x/.", "/v1/job/x"}, {"a", "/a"}};
  for (auto& c : cases) EXPECT_EQ(clean_path(c.in), c.out) << c.in;
}

}  // namespace
}  // namespace drover::net
