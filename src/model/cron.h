// Cron expressions of periodic jobs, with time zones (reference jobspec section 11): five fields, six with a year at
// the end, seven with seconds in front; L, LW, nW, nL, n#k; @hourly and its like.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace drover {

struct PeriodicConfig;

inline constexpr std::string_view kPeriodicTestSpec = "_internal_test";

class Cron {
 public:
  // Errors: "missing field(s)", "syntax error in minute field: '61'", "invalid interval */0", "hour field: missing
  // directive".
  static Result<Cron> parse(std::string_view spec);

  // The first whole second after `from` that matches in the zone; none when there is no more. `zone` is a name that
  // check_time_zone() takes. A local time that does not exist is skipped that day, one that occurs twice fires twice.
  std::optional<Time> next(Time from, std::string_view zone) const;

 private:
  friend class CronParser;
  friend struct CronCalendar;
  static constexpr int kYearMin = 1970, kYearMax = 2099;

  uint64_t seconds_ = 0, minutes_ = 0;
  uint32_t hours_ = 0;
  uint32_t days_ = 0, workdays_ = 0;            // bit n: day n
  uint16_t months_ = 0;                         // bit n: month n
  uint64_t weekdays_ = 0, last_weekdays_ = 0;   // bit n: day n of the week, Sunday 0
  uint64_t nth_weekdays_ = 0;                   // bit 7 * (k - 1) + n: k-th day n of the month
  std::bitset<kYearMax - kYearMin + 1> years_;
  bool last_day_ = false, last_workday_ = false;
  bool days_restricted_ = true, weekdays_restricted_ = true;
};

// "", "UTC", "Local" or an IANA name. Errors: "unknown time zone Mars/Olympus".
Status check_time_zone(std::string_view name);

// RFC 3339 with the zone's offset at that instant ("2055-01-01T00:00:00+05:30"), as plans show a launch.
std::string format_launch(Time launch, std::string_view zone);

// The next launch of a periodic job after `from`; none when there is none left or the configuration is bad.
std::optional<Time> next_launch(const PeriodicConfig& periodic, Time from);

}  // namespace drover
