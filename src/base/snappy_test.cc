#include "base/snappy.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Snappy, WhatIsEncodedComesBack) {
  std::string mixed;
  for (int i = 0; i < 3000; ++i) mixed += static_cast<char>(i * i % 251), mixed += i % 7 ? "abcdefgh" : "";
  for (auto& text : {std::string(), std::string("a"), std::string("hello hello hello hello"), std::string(100'000, 'x'), mixed}) {
    auto packed = snappy_encode(text);
    EXPECT_EQ(snappy_decode(packed).value(), text);
  }
}

TEST(Snappy, RepetitionShrinks) { EXPECT_LT(snappy_encode(std::string(16'384, 'x')).size(), 1000u); }

TEST(Snappy, NothingIsOneByte) { EXPECT_EQ(snappy_encode(""), std::string(1, '\0')); }

TEST(Snappy, LongerThanTheLimitIsRefused) { EXPECT_FALSE(snappy_decode(snappy_encode(std::string(100, 'x')), 99)); }

TEST(Snappy, DecodesLiteralsAndCopiesAndRefusesDamage) {
  EXPECT_EQ(*snappy_decode(std::string("\x05\x10hello", 7)), "hello");
  // "abcabcabc": a literal of 3, then a copy of 6 from offset 3.
  EXPECT_EQ(*snappy_decode(std::string("\x09\x08" "abc" "\x09\x03", 7)), "abcabcabc");
  EXPECT_FALSE(snappy_decode(std::string("\x05\x10hell", 6)));
  EXPECT_FALSE(snappy_decode(std::string("\x09\x08" "abc" "\x09\x09", 7)));
  EXPECT_FALSE(snappy_decode(""));
}

}  // namespace
}  // namespace drover
