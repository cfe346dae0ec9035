// Time as values: Duration (signed nanoseconds, as the wire has it), Time (wall clock, nanoseconds since the
// Unix epoch) and Monotonic (a steady clock that never jumps). Decisions take `now` as an argument; only shells
// own a Clock.
//
// Text forms are Go's, because jobspecs, API and CLI speak them: "1h30m", "250ms", RFC 3339 with nanoseconds.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace drover {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// Wall-clock instant. `unset()` is the reference's zero time (year 1), which JSON shows as null.
struct Time {
  static constexpr int64_t kUnset = std::numeric_limits<int64_t>::min();
  int64_t unix_nanos = kUnset;

  constexpr bool unset() const { return unix_nanos == kUnset; }
  static constexpr Time from_unix_nanos(int64_t n) { return Time{n}; }
  static constexpr Time from_unix_seconds(int64_t s) { return Time{s * 1'000'000'000}; }
  constexpr int64_t unix_seconds() const {
    return unix_nanos >= 0 ? unix_nanos / 1'000'000'000 : -((-unix_nanos + 999'999'999) / 1'000'000'000);
  }

  friend constexpr auto operator<=>(Time, Time) = default;
  friend constexpr Time operator+(Time t, Duration d) { return Time{t.unix_nanos + d.count()}; }
  friend constexpr Time operator-(Time t, Duration d) { return Time{t.unix_nanos - d.count()}; }
  friend constexpr Duration operator-(Time a, Time b) { return Duration{a.unix_nanos - b.unix_nanos}; }
};

using Monotonic = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// "1h2m3.5s" as Go's time.Duration prints it; 0 is "0s".
std::string format_duration(Duration d);

// Go's time.ParseDuration, with its error texts: `time: invalid duration "x"`, `time: missing unit in duration
// "5"`, `time: unknown unit "d" in duration "5d"`.
Result<Duration> parse_duration(std::string_view text);

// "2026-11-24T07:31:47.000000001Z": RFC 3339 in UTC, trailing zeros of the fraction trimmed (Go's RFC3339Nano).
std::string format_rfc3339_nano(Time t);

// "2026-11-24T07:31:47Z" in the given offset east of UTC; seconds only.
std::string format_rfc3339(Time t, int utc_offset_seconds = 0);

// Parses RFC 3339 with optional fraction and any offset. The Go zero time parses to Time{} (unset).
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace drover
