#include <gtest/gtest.h>

#include "base/containers.h"
#include "base/strings.h"
#include "base/uuid.h"
#include "base/world.h"

namespace drover {
namespace {

struct Counting : Random {
  uint64_t n = 0;
  uint64_t next() override { return n += 0x0102030405060708ull; }
};

TEST(Uuid, TextRoundTripsInEitherCase) {
  Counting random;
  auto id = Uuid::generate(random);
  EXPECT_EQ(Uuid::parse(id.str()), id);
  EXPECT_EQ(Uuid::parse(to_upper(id.str())), id);
  EXPECT_EQ(id.str().size(), 36u);
  EXPECT_EQ(id.short_str(), id.str().substr(0, 8));
}

TEST(Uuid, NilIsTheEmptyString) {
  EXPECT_EQ(Uuid{}.str(), "");
  EXPECT_EQ(Uuid::parse(""), Uuid{});
}

TEST(Uuid, RefusesOtherText) {
  for (auto bad : {"x", "8b4e6ac8-31c4-ab0b-0dcc-c33e4f5a9dc", "8b4e6ac8-31c4-ab0b-0dcc-c33e4f5a9dc33",
                   "8b4e6ac8+31c4-ab0b-0dcc-c33e4f5a9dc3", "8b4e6ac8-31c4-ab0b-0dcc-c33e4f5a9dcg"})
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
}

TEST(Random, BelowStaysBelowAndFillFillsTails) {
  Counting random;
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(7), 7u);
  EXPECT_EQ(random.jitter(Duration{-5}), Duration{0});
  unsigned char bytes[11] = {};
  random.fill(bytes, sizeof bytes);
  EXPECT_NE(bytes[10], 0);
}

TEST(Box, CopiesDeeply) {
  Box<int> a(1), b = a;
  *b = 2;
  EXPECT_EQ(*a, 1);
  EXPECT_FALSE(a == b);
  b = nullptr;
  EXPECT_FALSE(b);
  EXPECT_TRUE(b == nullptr);
  EXPECT_EQ(b.ensure(), 0);
}

TEST(List, NilAndEmptyDiffer) {
  List<int> nil, empty = List<int>::empty_list();
  EXPECT_TRUE(nil.is_nil());
  EXPECT_FALSE(nil == empty);
  EXPECT_EQ(nil.size(), 0u);
  nil.push_back(3);
  EXPECT_FALSE(nil.is_nil());
  List<int> copy = nil;
  copy[0] = 4;
  EXPECT_EQ(nil.front(), 3);
}

TEST(Map, SortsByKey) {
  Map<int> m{{"b", 2}, {"a", 1}};
  m.set("c", 3);
  std::string keys;
  for (auto& [k, v] : m) keys += k;
  EXPECT_EQ(keys, "abc");
  EXPECT_TRUE(m.erase("b"));
  EXPECT_FALSE(m.erase("b"));
  EXPECT_EQ(m.get_or("b", 9), 9);
  EXPECT_FALSE(Map<int>() == Map<int>::empty_map());
}

TEST(Strings, SplitAndJoinAreInverse) {
  for (std::string_view text : {"", "a", "a,b", ",", "a,,b,"}) EXPECT_EQ(join(split(text, ','), ","), text);
  EXPECT_EQ(trim_space(" \t a b\r\n"), "a b");
  EXPECT_EQ(replace_all("aaa", "a", "bb"), "bbbbbb");
  EXPECT_EQ(replace_all("abcabc", "c", ""), "abab");
  EXPECT_EQ(replace_all("none", "x", "y"), "none");
}

TEST(Strings, NumbersTakeTheWholeText) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("12x"), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
  EXPECT_EQ(parse_int("+"), std::nullopt);
  EXPECT_EQ(parse_uint("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_uint("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_bool("T"), true);
  EXPECT_EQ(parse_bool("yes"), std::nullopt);
}

TEST(Strings, QuoteAndNumbersAsGoPrintsThem) {
  EXPECT_EQ(go_quote("a\"\\\n\x01\xffé"), "\"a\\\"\\\\\\n\\x01\\xffé\"");
  EXPECT_EQ(format_double(1e21), "1e+21");
  EXPECT_EQ(format_double(1e-7), "1e-7");
  EXPECT_EQ(format_double(100), "100");
  EXPECT_EQ(format_double(0.1), "0.1");
  EXPECT_EQ(format_ibytes(512), "512 B");
  EXPECT_EQ(format_ibytes(1024), "1.0 KiB");
  EXPECT_EQ(format_ibytes(82854982), "79 MiB");
}

TEST(Strings, EncodingsRoundTripAndRefuseGarbage) {
  for (std::string_view text : {"", "f", "fo", "foo", "foob", "\xff\x80"}) {
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
    EXPECT_EQ(hex_decode(hex_encode(text)), text);
  }
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  for (auto bad : {"Z", "Zm9v=", "Zm=v", "Z===", "Zm9*"}) EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  for (auto bad : {"f", "0x", "+1"}) EXPECT_EQ(hex_decode(bad), std::nullopt) << bad;
}

TEST(Strings, Utf8) {
  EXPECT_TRUE(valid_utf8("aé€😀"));
  for (auto bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) EXPECT_FALSE(valid_utf8(bad));
  EXPECT_EQ(utf8_prefix("aé", 2), 1u);
  EXPECT_EQ(utf8_prefix("aé", 3), 3u);
}

}  // namespace
}  // namespace drover
