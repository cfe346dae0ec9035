// Time zones by IANA name, read from the system's compiled database (TZif, RFC 8536). Zones are read once and live for
// ever; all functions may be called from any thread.
//
// Read here instead of through a library: Debian's date-tz exists only as a shared object, and a release is one file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace drover {

// A stretch of time with one offset; seconds since the epoch, `end` is the first second after it.
struct ZoneStretch {
  int64_t begin = 0;
  int64_t end = 0;
  int32_t offset = 0;  // seconds east of UTC
};

class TimeZone {
 public:
  // "" and "UTC", "Local" (the machine's), or a name of the database. Errors in the words of Go's time.LoadLocation:
  // "unknown time zone Mars/Olympus", "time: invalid location name".
  static Result<const TimeZone*> find(std::string_view name);

  ZoneStretch at(int64_t unix_seconds) const;
  // The first instant whose local time is `local` (seconds since 1970-01-01 local) or later.
  int64_t from_local(int64_t local) const;

  // From the bytes of a TZif file; nullptr-like failure for anything else. For tests and find().
  static Result<TimeZone> parse(std::string_view tzif);

 private:
  struct Change {
    int64_t at;
    int32_t offset;
  };
  // A rule of the footer: month, week, weekday and second of the day, local time before the change.
  struct Rule {
    char kind = 'M';  // 'M' month.week.day, 'J' day 1..365 without leap days, '0' day 0..365
    int month = 0, week = 0, day = 0;
    int32_t seconds = 7200;
  };
  struct Footer {
    bool present = false, has_dst = false;
    int32_t standard = 0, daylight = 0;
    Rule start, end;
  };
  static bool parse_footer(std::string_view text, Footer& footer);
  int64_t rule_instant(const Rule& rule, int year, int32_t offset_before) const;
  ZoneStretch from_footer(int64_t unix_seconds) const;

  int32_t first_offset_ = 0;
  std::vector<Change> changes_;  // ascending
  Footer footer_;
};

}  // namespace drover
