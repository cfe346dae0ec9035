#include "base/time.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(FormatDuration, WritesGoText) {
  struct {
    int64_t nanos;
    const char* text;
  } cases[] = {
      {0, "0s"},
      {1, "1ns"},
      {1'100, "1.1\u00b5s"},
      {2'200'000, "2.2ms"},
      {3'300'000'000, "3.3s"},
      {60'000'000'000, "1m0s"},
      {245'000'000'000, "4m5s"},
      {245'001'000'000, "4m5.001s"},
      {3'600'000'000'000, "1h0m0s"},
      {18'367'001'000'000, "5h6m7.001s"},
      {480'000'000'001, "8m0.000000001s"},
      {-1'500'000'000, "-1.5s"},
      {std::numeric_limits<int64_t>::max(), "2562047h47m16.854775807s"},
      {std::numeric_limits<int64_t>::min(), "-2562047h47m16.854775808s"},
  };
  for (auto& c : cases) EXPECT_EQ(format_duration(Duration{c.nanos}), c.text);
}

TEST(ParseDuration, ReadsWhatGoReads) {
  struct {
    const char* text;
    int64_t nanos;
  } cases[] = {
      {"0", 0},
      {"5s", 5'000'000'000},
      {"-5s", -5'000'000'000},
      {"+5s", 5'000'000'000},
      {"1478s", 1'478'000'000'000},
      {"5.", -1},
      {"1.0s", 1'000'000'000},
      {".5s", 500'000'000},
      {"1h30m", 5'400'000'000'000},
      {"1h15m30.918273645s", 4'530'918'273'645},
      {"10us", 10'000},
      {"10\u00b5s", 10'000},
      {"10\u03bcs", 10'000},
      {"9007199254.740993ms", 9'007'199'254'740'993},
      {"0.3333333333333333333h", 20LL * 60 * 1'000'000'000},
      {"9223372036854775807ns", std::numeric_limits<int64_t>::max()},
      {"-9223372036854775808ns", std::numeric_limits<int64_t>::min()},
  };
  for (auto& c : cases) {
    auto d = parse_duration(c.text);
    if (c.nanos == -1) {
      EXPECT_FALSE(d) << c.text;
      continue;
    }
    ASSERT_TRUE(d) << c.text;
    EXPECT_EQ(d->count(), c.nanos) << c.text;
  }
}

TEST(ParseDuration, ErrorsAreGoTexts) {
  struct {
    const char *text, *error;
  } cases[] = {
      {"", "time: invalid duration \"\""},
      {"3", "time: missing unit in duration \"3\""},
      {"-", "time: invalid duration \"-\""},
      {"s", "time: invalid duration \"s\""},
      {".", "time: invalid duration \".\""},
      {".s", "time: invalid duration \".s\""},
      {"5d", "time: unknown unit \"d\" in duration \"5d\""},
      {"1h5", "time: missing unit in duration \"1h5\""},
      {"3000000h", "time: invalid duration \"3000000h\""},
      {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
      {" 5s", "time: invalid duration \" 5s\""},
  };
  for (auto& c : cases) {
    auto d = parse_duration(c.text);
    ASSERT_FALSE(d) << c.text;
    EXPECT_EQ(d.error().message, c.error);
  }
}

TEST(Duration, RoundTripsThroughText) {
  for (int64_t n = 1; n < std::numeric_limits<int64_t>::max() / 7; n = n * 7 + 3) {
    auto d = parse_duration(format_duration(Duration{n}));
    ASSERT_TRUE(d);
    EXPECT_EQ(d->count(), n);
  }
}

TEST(Rfc3339, WritesUtcAndOffsets) {
  auto t = Time::from_unix_nanos(1'795'505'507'000'000'001);
  EXPECT_EQ(format_rfc3339_nano(t), "2026-11-24T07:31:47.000000001Z");
  EXPECT_EQ(format_rfc3339_nano(Time::from_unix_nanos(1'795'505'507'120'000'000)), "2026-11-24T07:31:47.12Z");
  EXPECT_EQ(format_rfc3339(t), "2026-11-24T07:31:47Z");
  EXPECT_EQ(format_rfc3339(t, 5400), "2026-11-24T09:01:47+01:30");
  EXPECT_EQ(format_rfc3339(t, -3600), "2026-11-24T06:31:47-01:00");
  EXPECT_EQ(format_rfc3339_nano(Time{}), "0001-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339_nano(Time::from_unix_nanos(-1)), "1969-12-31T23:59:59.999999999Z");
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  struct {
    const char* text;
    int64_t nanos;
  } cases[] = {
      {"2026-11-24T07:31:47Z", 1'795'505'507'000'000'000},
      {"2026-11-24T08:31:47.5+01:00", 1'795'505'507'500'000'000},
      {"2026-11-24T07:31:47.000000001Z", 1'795'505'507'000'000'001},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.25Z", -750'000'000},
      {"0001-01-01T00:00:00Z", Time::kUnset},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000'000'000},
  };
  for (auto& c : cases) {
    auto t = parse_rfc3339(c.text);
    ASSERT_TRUE(t) << c.text << ": " << t.error().message;
    EXPECT_EQ(t->unix_nanos, c.nanos) << c.text;
  }
}

TEST(Rfc3339, ErrorsAreGoTexts) {
  const std::string layout = " as \"2006-01-02T15:04:05Z07:00\": ";
  struct {
    const char* text;
    std::string error;
  } cases[] = {
      {"", "parsing time \"\"" + layout + "cannot parse \"\" as \"2006\""},
      {"soon", "parsing time \"soon\"" + layout + "cannot parse \"soon\" as \"2006\""},
      {"2026-11-24", "parsing time \"2026-11-24\"" + layout + "cannot parse \"\" as \"T\""},
      {"2026-13-24T07:31:47Z", "parsing time \"2026-13-24T07:31:47Z\": month out of range"},
      {"2026-02-30T07:31:47Z", "parsing time \"2026-02-30T07:31:47Z\": day out of range"},
      {"2026-11-24T24:31:47Z", "parsing time \"2026-11-24T24:31:47Z\": hour out of range"},
      {"2026-11-24T07:31:47", "parsing time \"2026-11-24T07:31:47\"" + layout + "cannot parse \"\" as \"Z07:00\""},
      {"2026-11-24T07:31:47Zx", "parsing time \"2026-11-24T07:31:47Zx\": extra text: \"x\""},
  };
  for (auto& c : cases) {
    auto t = parse_rfc3339(c.text);
    ASSERT_FALSE(t) << c.text;
    EXPECT_EQ(t.error().message, c.error);
  }
}

TEST(Time, SecondsRoundDownBeforeTheEpoch) {
  EXPECT_EQ(Time::from_unix_nanos(-1).unix_seconds(), -1);
  EXPECT_EQ(Time::from_unix_nanos(-1'000'000'000).unix_seconds(), -1);
  EXPECT_EQ(Time::from_unix_nanos(1'999'999'999).unix_seconds(), 1);
}

}  // namespace
}  // namespace drover
