#include "hcl/number.h"

#include <gtest/gtest.h>

#include "hcl/convert.h"

namespace drover::hcl {
namespace {

TEST(HclNumber, PrintsTheShortestDecimalThatReadsBack) {
  for (const char* text : {"0", "-1", "0.1", "123.456", "1000000000000000000000", "0.000001", "-9223372036854775808", "3.14159265358979"}) {
    EXPECT_EQ(Number::parse(text)->str(), text);
  }
  EXPECT_EQ(Number::parse("1.50e2")->str(), "150");
  EXPECT_EQ(Number::from_double(0.1).str(), "0.1");
  EXPECT_EQ(Number::from_double(1e23).str(), "100000000000000000000000");
  EXPECT_EQ((Number::parse("0.1").value() + Number::parse("0.2").value()).str(), "0.3");
}

TEST(HclNumber, RefusesWhatIsNoDecimal) {
  for (const char* text : {"", "-", "x", "1x", "0x10", "1e", "1e+", ".", "1 ", " 1", "1_0", "inf", "nan", "1e9999999"}) {
    EXPECT_FALSE(Number::parse(text)) << text;
  }
}

TEST(HclNumber, StaysExactAcrossTheSmallForm) {
  Number max = INT64_MAX, min = INT64_MIN;
  EXPECT_EQ((max + Number(1) - Number(1)).to_int64(), INT64_MAX);
  EXPECT_EQ((max + Number(1)).to_int64(), std::nullopt);
  EXPECT_EQ((-min).str(), "9223372036854775808");
  EXPECT_EQ((-min).to_uint64(), 9223372036854775808u);
  EXPECT_EQ((min / Number(-1)).str(), "9223372036854775808");
  EXPECT_EQ(min % Number(-1), Number(0));
  EXPECT_LT(Number::parse("9223372036854775807.5").value() - max, Number(1));
}

TEST(HclNumber, BecomesInfiniteBeforeItsTextDoes) {
  Number n = *Number::parse("1e999999");
  for (int i = 0; i < 64; ++i) n = n * n;
  EXPECT_TRUE(n.is_infinite());
}

TEST(HclConvert, UnifiesTypes) {
  Type s = Type::string(), n = Type::number(), b = Type::boolean();
  EXPECT_EQ(unify({n, s}), s);
  EXPECT_EQ(unify({n, b}), std::nullopt);
  EXPECT_EQ(unify({Type::dynamic(), n}), n);
  EXPECT_EQ(unify({Type::tuple({n}), Type::tuple({s, s})}), Type::list(s));
  EXPECT_EQ(unify({Type::object({{"a", n}}), Type::object({{"b", s}})}), Type::map(s));
  EXPECT_EQ(unify({Type::object({{"a", n}}), Type::object({{"a", s}})}), Type::object({{"a", s}}));
  EXPECT_EQ(unify({Type::list(n), Type::list(s)}), Type::list(s));
  EXPECT_EQ(unify({Type::tuple({n}), Type::object({})}), std::nullopt);
}

}  // namespace
}  // namespace drover::hcl
