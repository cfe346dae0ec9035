// The formatting primitives of reference cli section 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace drover::cli {

// Rows are cells joined by '|'. A '|' inside a value splits its cell, as it does in the reference.
using Rows = std::vector<std::string>;

struct ColumnStyle {
  std::string_view glue = "  ";
  std::string_view empty = "<none>";
  bool trim = true;
};
// The rows as aligned lines, without a final newline.
std::string columns(const Rows& rows, const ColumnStyle& style);
std::string key_values(const Rows& rows);    // "key   = value", "<none>" for nothing
std::string table(const Rows& rows);         // two spaces, "<none>" for nothing
std::string plain_table(const Rows& rows);   // two spaces, blank for nothing

// Terminal columns that the text takes, one for each character.
size_t text_width(std::string_view utf8);

// RFC 3339 in the local zone, seconds; "" for unset times and those before 1970.
std::string absolute_time(Time t);
std::string absolute_time(int64_t unix_nanos);
// The same with "N/A" for unset times.
std::string task_time(Time t);
// Time in Go's default form: "2026-11-24 07:31:47.5 +0000 UTC", in UTC.
std::string go_time(Time t);
// "1h2m ago", "3d4h from now"; "" for an unset time.
std::string age(Time t, Time now);
inline std::string age(int64_t unix_nanos, Time now) { return age(Time::from_unix_nanos(unix_nanos), now); }
// The duration cut to whole seconds.
std::string whole_seconds(Duration d);

// The first eight characters, or all of them.
std::string short_id(std::string_view id, bool verbose = false);
std::string short_id(const Uuid& id, bool verbose = false);

// "1,234.50" (the reference's "#,###.##").
std::string thousands(double value);
// C's and Go's %.3g.
std::string three_digits(double value);

std::string yes_no(bool value);
// Text broken into lines of at most `width` characters at spaces.
std::string wrap(std::string_view text, size_t width, std::string_view indent = "");
// "1st", "2nd", "11th".
std::string ordinal(int64_t n);
// "host:port" with brackets around IPv6 hosts.
std::string host_port(std::string_view host, int64_t port);
std::string plural(std::string_view word, int64_t n);  // "allocation" or "allocations"

}  // namespace drover::cli
