#include "base/time.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace drover {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// Writes `value` / 10^digits, without trailing zeros of the fraction.
std::string decimal(uint64_t value, int digits) {
  uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  std::string out = fmt::format("{}", value / scale);
  if (uint64_t rest = value % scale) {
    std::string fraction = fmt::format("{:0{}}", rest, digits);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += '.' + fraction;
  }
  return out;
}

struct Unit {
  std::string_view name;
  uint64_t nanos;
};
constexpr Unit kUnits[] = {
    {"ns", 1},           {"us", 1'000},          {"\u00b5s", 1'000},         {"\u03bcs", 1'000},
    {"ms", 1'000'000},   {"s", kSecond},         {"m", 60 * kSecond},        {"h", 3600 * kSecond},
};
constexpr uint64_t kLimit = uint64_t{1} << 63;

bool digit(char c) { return c >= '0' && c <= '9'; }

// Takes leading digits; false when they exceed 2^63.
bool take_integer(std::string_view& s, uint64_t& out) {
  out = 0;
  while (!s.empty() && digit(s[0])) {
    if (out > kLimit / 10) return false;
    out = out * 10 + static_cast<uint64_t>(s[0] - '0');
    if (out > kLimit) return false;
    s.remove_prefix(1);
  }
  return true;
}

// Takes the digits after a point as value/scale; digits beyond the range of 2^63 are dropped.
void take_fraction(std::string_view& s, uint64_t& value, double& scale) {
  value = 0;
  scale = 1;
  bool full = false;
  for (; !s.empty() && digit(s[0]); s.remove_prefix(1)) {
    if (full) continue;
    uint64_t next = value * 10 + static_cast<uint64_t>(s[0] - '0');
    if (value > (kLimit - 1) / 10 || next > kLimit) {
      full = true;
      continue;
    }
    value = next;
    scale *= 10;
  }
}

}  // namespace

std::string format_duration(Duration d) {
  int64_t n = d.count();
  if (n == 0) return "0s";
  uint64_t u = n < 0 ? -static_cast<uint64_t>(n) : static_cast<uint64_t>(n);
  std::string out = n < 0 ? "-" : "";
  if (u < 1'000) return out + fmt::format("{}ns", u);
  if (u < 1'000'000) return out + decimal(u, 3) + "\u00b5s";
  if (u < kSecond) return out + decimal(u, 6) + "ms";
  uint64_t minutes = u / kSecond / 60;
  if (minutes >= 60) out += fmt::format("{}h", minutes / 60);
  if (minutes > 0) out += fmt::format("{}m", minutes % 60);
  return out + decimal(u % (60 * kSecond), 9) + "s";
}

namespace {

// As Go's package quotes in its messages: byte by byte.
std::string quote_bytes(std::string_view text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c < ' ' || c >= 0x80) {
      out += fmt::format("\\x{:02x}", c);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<char>(c);
  }
  return out + '"';
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  auto bad = [&] { return invalid("time: invalid duration " + quote_bytes(text)); };
  std::string_view s = text;
  bool negative = false;
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) {
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  if (s == "0") return Duration{0};
  if (s.empty()) return bad();
  uint64_t total = 0;
  while (!s.empty()) {
    if (s[0] != '.' && !digit(s[0])) return bad();
    size_t before = s.size();
    uint64_t value = 0, fraction = 0;
    double scale = 1;
    if (!take_integer(s, value)) return bad();
    bool digits = s.size() != before;
    if (!s.empty() && s[0] == '.') {
      s.remove_prefix(1);
      before = s.size();
      take_fraction(s, fraction, scale);
      digits = digits || s.size() != before;
    }
    if (!digits) return bad();
    size_t end = 0;
    while (end < s.size() && s[end] != '.' && !digit(s[end])) ++end;
    if (end == 0) return invalid("time: missing unit in duration " + quote_bytes(text));
    auto name = s.substr(0, end);
    s.remove_prefix(end);
    const Unit* unit = nullptr;
    for (auto& u : kUnits)
      if (u.name == name) unit = &u;
    if (!unit) return invalid("time: unknown unit " + quote_bytes(name) + " in duration " + quote_bytes(text));
    if (value > kLimit / unit->nanos) return bad();
    value *= unit->nanos;
    if (fraction > 0) {
      value += static_cast<uint64_t>(static_cast<double>(fraction) * (static_cast<double>(unit->nanos) / scale));
      if (value > kLimit) return bad();
    }
    total += value;
    if (total > kLimit) return bad();
  }
  if (negative) return Duration{static_cast<int64_t>(-total)};
  if (total > kLimit - 1) return bad();
  return Duration{static_cast<int64_t>(total)};
}

namespace {

// Seconds and a fraction in [0, 1s), so that instants before 1970 print right.
void split_seconds(Time t, int64_t& seconds, int64_t& nanos) {
  seconds = t.unix_nanos / static_cast<int64_t>(kSecond);
  nanos = t.unix_nanos % static_cast<int64_t>(kSecond);
  if (nanos < 0) {
    nanos += static_cast<int64_t>(kSecond);
    --seconds;
  }
}

std::string date_and_time(int64_t seconds) {
  using namespace std::chrono;
  sys_seconds at{std::chrono::seconds(seconds)};
  auto day = floor<days>(at);
  year_month_day ymd(day);
  hh_mm_ss clock(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string zone(int offset) {
  if (offset == 0) return "Z";
  int minutes = (offset < 0 ? -offset : offset) / 60;
  return fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

constexpr std::string_view kZeroTime = "0001-01-01T00:00:00Z";

}  // namespace

std::string format_rfc3339_nano(Time t) {
  if (t.unset()) return std::string(kZeroTime);
  int64_t seconds, nanos;
  split_seconds(t, seconds, nanos);
  std::string out = date_and_time(seconds);
  if (nanos) {
    std::string fraction = fmt::format("{:09}", nanos);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += '.' + fraction;
  }
  return out + 'Z';
}

std::string format_rfc3339(Time t, int utc_offset_seconds) {
  if (t.unset()) return std::string(kZeroTime);
  int64_t seconds, nanos;
  split_seconds(t, seconds, nanos);
  return date_and_time(seconds + utc_offset_seconds) + zone(utc_offset_seconds);
}

namespace {

// Reads RFC 3339 from the left; the first failure names what was expected, in the words of Go's time.Parse.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text), rest_(text) {}

  int number(size_t width, std::string_view element) {
    if (failed()) return 0;
    int value = 0;
    for (size_t i = 0; i < width; ++i) {
      if (i >= rest_.size() || !digit(rest_[i])) {
        fail(element);
        return 0;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  void literal(char c) {
    if (failed()) return;
    if (rest_.empty() || rest_[0] != c) return fail(std::string_view(&c, 1));
    rest_.remove_prefix(1);
  }
  int64_t fraction() {
    if (failed() || rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !digit(rest_[1])) return 0;
    rest_.remove_prefix(1);
    int64_t nanos = 0, unit = 100'000'000;
    for (; !rest_.empty() && digit(rest_[0]); rest_.remove_prefix(1), unit /= 10) nanos += (rest_[0] - '0') * unit;
    return nanos;
  }
  int offset() {
    if (failed()) return 0;
    if (!rest_.empty() && rest_[0] == 'Z') {
      rest_.remove_prefix(1);
      return 0;
    }
    auto r = rest_;
    if (r.size() < 6 || (r[0] != '+' && r[0] != '-') || !digit(r[1]) || !digit(r[2]) || r[3] != ':' || !digit(r[4]) ||
        !digit(r[5])) {
      fail("Z07:00");
      return 0;
    }
    int hours = (r[1] - '0') * 10 + r[2] - '0', minutes = (r[4] - '0') * 10 + r[5] - '0';
    range(hours <= 24, "time zone offset hour");
    range(minutes < 60, "time zone offset minute");
    rest_.remove_prefix(6);
    return (hours * 3600 + minutes * 60) * (r[0] == '-' ? -1 : 1);
  }
  void range(bool ok, std::string_view what) {
    if (!failed() && !ok) error_ = fmt::format("parsing time {}: {} out of range", go_quote(text_), what);
  }
  void end() {
    if (!failed() && !rest_.empty())
      error_ = fmt::format("parsing time {}: extra text: {}", go_quote(text_), go_quote(rest_));
  }
  bool failed() const { return !error_.empty(); }
  Error error() const { return invalid(error_); }

 private:
  void fail(std::string_view element) {
    error_ = fmt::format("parsing time {} as \"2006-01-02T15:04:05Z07:00\": cannot parse {} as {}", go_quote(text_),
                         go_quote(rest_), go_quote(element));
  }
  std::string_view text_, rest_;
  std::string error_;
};

}  // namespace

Result<Time> parse_rfc3339(std::string_view text) {
  TimeReader in(text);
  int year = in.number(4, "2006");
  in.literal('-');
  int month = in.number(2, "01");
  in.range(month >= 1 && month <= 12, "month");
  in.literal('-');
  int day = in.number(2, "02");
  in.literal('T');
  int hour = in.number(2, "15");
  in.range(hour < 24, "hour");
  in.literal(':');
  int minute = in.number(2, "04");
  in.range(minute < 60, "minute");
  in.literal(':');
  int second = in.number(2, "05");
  in.range(second < 60, "second");
  int64_t nanos = in.fraction();
  int offset = in.offset();
  using namespace std::chrono;
  year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                      std::chrono::day(static_cast<unsigned>(day))};
  in.range(date.ok(), "day");
  in.end();
  if (in.failed()) return in.error();
  int64_t seconds = int64_t{sys_days(date).time_since_epoch().count()} * 86'400 + hour * 3600 + minute * 60 + second - offset;
  constexpr int64_t kZeroSeconds = -62'135'596'800;  // year 1
  if (seconds == kZeroSeconds && nanos == 0) return Time{};
  // Beyond the years 1678 to 2262 nanoseconds do not fit: the nearest instant stands in.
  constexpr int64_t kMaxSeconds = std::numeric_limits<int64_t>::max() / static_cast<int64_t>(kSecond) - 1;
  if (seconds > kMaxSeconds) return Time{std::numeric_limits<int64_t>::max()};
  if (seconds < -kMaxSeconds) return Time{Time::kUnset + 1};
  return Time{seconds * static_cast<int64_t>(kSecond) + nanos};
}

}  // namespace drover
