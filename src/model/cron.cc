#include "model/cron.h"

#include <date/date.h>

#include <algorithm>
#include <bit>

#include "base/strings.h"
#include "model/cron_parser.h"
#include "model/job.h"
#include "model/time_zone.h"

namespace drover {

using date::days;
using date::local_days;
using date::year_month_day;

namespace {

// The lowest set bit at or above `from`, -1 when there is none.
int next_bit(uint64_t bits, int from) {
  bits = from >= 64 ? 0 : bits >> from << from;
  return bits == 0 ? -1 : std::countr_zero(bits);
}

}  // namespace

// Which days match, and which time of a day is next.
struct CronCalendar {
  const Cron& cron;

  static uint32_t workday(int day, int weekday, int last) {
    if (weekday == 6) day += day > 1 ? -1 : 2;
    if (weekday == 0) day += day < last ? 1 : -2;
    return uint32_t{1} << day;
  }

  // Bit n: day n of the month matches.
  uint32_t days_of(int year, unsigned month) const {
    auto first = date::year{year} / static_cast<int>(month) / 1;
    int last = static_cast<int>(static_cast<unsigned>((date::year{year} / static_cast<int>(month) / date::last).day()));
    int weekday_of_first = static_cast<int>(date::weekday{local_days(first)}.c_encoding());
    auto weekday = [&](int day) { return (weekday_of_first + day - 1) % 7; };
    uint32_t whole = static_cast<uint32_t>((uint64_t{1} << (last + 1)) - 2);
    if (!cron.days_restricted_ && !cron.weekdays_restricted_) return whole;
    uint32_t found = 0;
    if (cron.days_restricted_) {
      found |= cron.days_;
      if (cron.last_day_) found |= uint32_t{1} << last;
      if (cron.last_workday_) found |= workday(last, weekday(last), last);
      for (int day = 1; day <= last; ++day)
        if (cron.workdays_ >> day & 1) found |= workday(day, weekday(day), last);
    }
    if (cron.weekdays_restricted_) {
      for (int day = 1; day <= last; ++day) {
        int of_week = weekday(day), nth = (day - 1) / 7;
        bool hit = cron.weekdays_ >> of_week & 1 || cron.nth_weekdays_ >> (7 * nth + of_week) & 1 ||
                   (cron.last_weekdays_ >> of_week & 1 && day > last - 7);
        if (hit) found |= uint32_t{1} << day;
      }
    }
    return found & whole;
  }

  // The first matching day at or after `from`.
  std::optional<local_days> next_day(local_days from) const {
    year_month_day start{from};
    int year = static_cast<int>(start.year());
    unsigned month = static_cast<unsigned>(start.month());
    int day = static_cast<int>(static_cast<unsigned>(start.day()));
    if (year < Cron::kYearMin) year = Cron::kYearMin, month = 1, day = 1;
    for (; year <= Cron::kYearMax; ++year, month = 1, day = 1) {
      if (!cron.years_.test(static_cast<size_t>(year - Cron::kYearMin))) continue;
      for (; month <= 12; ++month, day = 1) {
        if (!(cron.months_ >> month & 1)) continue;
        int found = next_bit(days_of(year, month), day);
        if (found > 0) return local_days(date::year{year} / static_cast<int>(month) / found);
      }
    }
    return std::nullopt;
  }

  // The first matching time at or after `from` seconds of a day.
  std::optional<int> next_time(int from) const {
    int hour = from / 3600, minute = from / 60 % 60, second = from % 60;
    int h = next_bit(cron.hours_, hour);
    if (h != hour) minute = second = 0;
    for (; h >= 0; h = next_bit(cron.hours_, h + 1), minute = second = 0) {
      int m = next_bit(cron.minutes_, minute);
      if (m != minute) second = 0;
      for (; m >= 0; m = next_bit(cron.minutes_, m + 1), second = 0) {
        int s = next_bit(cron.seconds_, second);
        if (s >= 0) return h * 3600 + m * 60 + s;
      }
    }
    return std::nullopt;
  }
};

Result<Cron> Cron::parse(std::string_view spec) { return CronParser().parse(spec); }

std::optional<Time> Cron::next(Time from, std::string_view zone_name) const {
  constexpr int64_t kDay = 86400;
  auto zone = TimeZone::find(zone_name);
  CronCalendar calendar{*this};
  if (!zone || !calendar.next_time(0)) return std::nullopt;
  int64_t at = from.unix_seconds() + 1;
  // Walks stretches of one offset; each is searched in local time.
  while (true) {
    auto stretch = (*zone)->at(at);
    int64_t local = at + stretch.offset;
    auto today = date::floor<days>(date::local_seconds{std::chrono::seconds(local)});
    auto day = calendar.next_day(today);
    if (!day) return std::nullopt;
    int64_t midnight = std::chrono::seconds(day->time_since_epoch()).count();
    if (*day != today) {
      at = std::max((*zone)->from_local(midnight), at + 1);
      continue;
    }
    auto time = calendar.next_time(static_cast<int>(local - midnight));
    int64_t found = midnight + time.value_or(kDay) - stretch.offset;
    if (found < stretch.end && time) return Time::from_unix_seconds(found);
    at = std::min(found, stretch.end);
  }
}

Status check_time_zone(std::string_view name) {
  if (auto zone = TimeZone::find(name); !zone) return zone.error();
  return {};
}

std::string format_launch(Time launch, std::string_view zone) {
  auto found = TimeZone::find(zone);
  return format_rfc3339(launch, found ? (*found)->at(launch.unix_seconds()).offset : 0);
}

std::optional<Time> next_launch(const PeriodicConfig& periodic, Time from) {
  if (periodic.SpecType == kPeriodicTestSpec) {
    for (auto& part : split(periodic.Spec, ',')) {
      auto at = parse_int(part);
      if (!at) return std::nullopt;
      if (Time::from_unix_seconds(*at) > from) return Time::from_unix_seconds(*at);
    }
    return std::nullopt;
  }
  auto cron = Cron::parse(periodic.Spec);
  if (!cron) return std::nullopt;
  return cron->next(from, periodic.TimeZone);
}

}  // namespace drover
