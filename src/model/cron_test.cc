#include "model/cron.h"

#include <gtest/gtest.h>

#include "model/job.h"
#include "model/time_zone.h"

namespace drover {
namespace {

std::string launches(std::string_view spec, std::string_view zone, std::string_view from, int count) {
  auto cron = Cron::parse(spec);
  if (!cron) return cron.error().message;
  std::optional<Time> at = *parse_rfc3339(from);
  std::string out;
  for (int i = 0; i < count; ++i) {
    at = cron->next(*at, zone);
    if (!at) return out + "none";
    out += format_launch(*at, zone) + " ";
  }
  return out;
}

TEST(Cron, LaunchesInNewYork) {
  struct Case {
    std::string_view spec, from;
    int count;
    std::string_view want;
  } cases[] = {
      {"*/15 * * * *", "2023-06-01T12:07:00-04:00", 2, "2023-06-01T12:15:00-04:00 2023-06-01T12:30:00-04:00 "},
      {"30 0 0 1 1 ? 2030", "2023-01-01T00:00:00Z", 2, "2030-01-01T00:00:30-05:00 none"},
      {"0 0 13 * 5", "2023-10-01T00:00:00-04:00", 3,
       "2023-10-06T00:00:00-04:00 2023-10-13T00:00:00-04:00 2023-10-20T00:00:00-04:00 "},
      {"0 0 15W * *", "2023-07-01T00:00:00-04:00", 2, "2023-07-14T00:00:00-04:00 2023-08-15T00:00:00-04:00 "},
      {"0 0 LW * *", "2023-09-01T00:00:00-04:00", 1, "2023-09-29T00:00:00-04:00 "},
      {"0 0 * * 1#2", "2023-07-01T00:00:00-04:00", 2, "2023-07-10T00:00:00-04:00 2023-08-14T00:00:00-04:00 "},
      {"30 2 * * *", "2023-03-11T12:00:00-05:00", 1, "2023-03-13T02:30:00-04:00 "},
      {"30 1 * * *", "2023-11-04T12:00:00-04:00", 2, "2023-11-05T01:30:00-04:00 2023-11-05T01:30:00-05:00 "},
      {"@hourly", "2023-11-04T12:00:00-04:00", 1, "2023-11-04T13:00:00-04:00 "},
      {"0 0 31 4 *", "2023-01-01T00:00:00Z", 1, "none"},
      {"20-5 * * * *", "2023-01-01T00:00:00Z", 1, "none"},
  };
  for (auto& c : cases) EXPECT_EQ(launches(c.spec, "America/New_York", c.from, c.count), c.want) << c.spec;
}

TEST(Cron, SaysWhatIsWrong) {
  std::pair<std::string_view, std::string_view> cases[] = {
      {"60 * * * *", "syntax error in minute field: '60'"}, {"*/0 * * * *", "invalid interval */0"},
      {"* * * *", "missing field(s)"},                      {", * * * *", "minute field: missing directive"},
      {"* 24 * * *", "syntax error in hour field: '24'"},   {"* * 32W * *", "syntax error in day-of-month field: '32W'"},
      {"* * * foo *", "syntax error in month field: 'foo'"}, {"* * * * 1#6", "syntax error in day-of-week field: '1#6'"},
      {"* * * * * 1969", "syntax error in year field: '1969'"}, {"*/61 * * * *", "invalid interval */61"},
  };
  for (auto& [spec, want] : cases) {
    auto cron = Cron::parse(spec);
    ASSERT_FALSE(cron) << spec;
    EXPECT_EQ(cron.error().message, want);
  }
}

TEST(TimeZone, KnowsRulesBeyondItsTable) {
  // The compiled table ends in 2037; later years follow the footer.
  EXPECT_EQ(launches("0 12 1 1,7 * 2090", "Europe/Lisbon", "2023-01-01T00:00:00Z", 2),
            "2090-01-01T12:00:00Z 2090-07-01T12:00:00+01:00 ");
  EXPECT_EQ(launches("0 12 1 1,7 * 2090", "Australia/Sydney", "2023-01-01T00:00:00Z", 2),
            "2090-01-01T12:00:00+11:00 2090-07-01T12:00:00+10:00 ");
}

TEST(TimeZone, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(check_time_zone("Mars/Olympus").error().message, "unknown time zone Mars/Olympus");
  EXPECT_EQ(check_time_zone("../etc/passwd").error().message, "time: invalid location name");
  EXPECT_TRUE(check_time_zone(""));
  EXPECT_TRUE(check_time_zone("Asia/Kolkata"));
  EXPECT_FALSE(TimeZone::parse("TZif"));
  EXPECT_FALSE(TimeZone::parse(std::string(400, 'x')));
}

TEST(Cron, TestSpecListsInstants) {
  PeriodicConfig config{.Enabled = true, .Spec = "100,200", .SpecType = std::string(kPeriodicTestSpec)};
  EXPECT_EQ(next_launch(config, Time::from_unix_seconds(100)), Time::from_unix_seconds(200));
  EXPECT_EQ(next_launch(config, Time::from_unix_seconds(200)), std::nullopt);
}

}  // namespace
}  // namespace drover
