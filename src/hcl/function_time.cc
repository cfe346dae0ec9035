// formatdate and timeadd.
#include <fmt/format.h>

#include <optional>

#include "base/strings.h"
#include "base/time.h"
#include "hcl/function_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

// A wall-clock moment as written, with its offset.
struct Stamp {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t nanos = 0;
  int offset = 0;      // seconds east of UTC
  bool utc = false;    // written with Z
};

int64_t days_from_civil(int y, int m, int d) {
  auto days = std::chrono::sys_days(std::chrono::year(y) / m / d);
  return days.time_since_epoch().count();
}

class StampReader {
 public:
  explicit StampReader(std::string_view text) : rest_(text) {}

  std::expected<Stamp, std::string> run() {
    Stamp s;
    bool ok = number(4, 0, 9999, "year", s.year) && literal('-') && number(2, 1, 12, "month", s.month) && literal('-') &&
              number(2, 0, 99, "day of month", s.day) && literal('T') && hour(s.hour) && literal(':') &&
              number(2, 0, 59, "minute", s.minute) && literal(':') && number(2, 0, 59, "second", s.second) && fraction(s) && offset(s);
    if (ok && !rest_.empty()) ok = cannot_use("timestamp segment", rest_);
    if (ok) {
      auto date = std::chrono::year(s.year) / s.month / s.day;
      if (s.day < 1 || !date.ok()) ok = fail("day out of range");
    }
    if (!ok) return std::unexpected("not a valid RFC3339 timestamp: " + error_);
    return s;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }
  bool cannot_use(std::string_view what, std::string_view from) {
    if (from.empty()) return fail(fmt::format("end of string before {}", what));
    return fail(fmt::format("cannot use {} as {}", go_quote(from), what));
  }
  bool number(size_t digits, int low, int high, std::string_view what, int& out) {
    if (rest_.size() < digits) return cannot_use(what, rest_);
    out = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return cannot_use(what, rest_);
      out = out * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return out >= low && out <= high ? true : cannot_use(what, rest_);
  }
  // One digit will do.
  bool hour(int& out) {
    bool single = !rest_.empty() && is_digit(rest_[0]) && (rest_.size() == 1 || !is_digit(rest_[1]));
    return number(single ? 1 : 2, 0, 23, "hour", out);
  }
  bool literal(char c) {
    if (rest_.starts_with(c)) return rest_.remove_prefix(1), true;
    if (c == 'T') return fail("missing required time introducer 'T'");
    if (rest_.empty()) return fail(fmt::format("end of string where \"{}\" is expected", c));
    return fail(fmt::format("found {} where \"{}\" is expected", go_quote(rest_), c));
  }
  bool fraction(Stamp& s) {
    if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || rest_[1] < '0' || rest_[1] > '9') return true;
    rest_.remove_prefix(1);
    int64_t unit = 100'000'000;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1), unit /= 10) s.nanos += unit * (rest_[0] - '0');
    return true;
  }
  bool offset(Stamp& s) {
    if (rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      s.utc = true;
      return true;
    }
    auto digit = [&](size_t i) { return rest_[i] >= '0' && rest_[i] <= '9'; };
    if (rest_.size() < 6 || (rest_[0] != '+' && rest_[0] != '-') || rest_[3] != ':' || !digit(1) || !digit(2) || !digit(4) || !digit(5)) {
      return cannot_use("UTC offset", rest_);
    }
    int hours = (rest_[1] - '0') * 10 + rest_[2] - '0', minutes = (rest_[4] - '0') * 10 + rest_[5] - '0';
    s.offset = (rest_[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
    rest_.remove_prefix(6);
    if (hours > 24 || minutes > 60) return cannot_use("UTC offset", rest_);
    return true;
  }

  std::string_view rest_;
  std::string error_;
};

std::string offset_text(const Stamp& s, bool colon) {
  int minutes = std::abs(s.offset) / 60;
  return fmt::format("{}{:02}{}{:02}", s.offset < 0 ? '-' : '+', minutes / 60, colon ? ":" : "", minutes % 60);
}

constexpr const char* kMonths[] = {"January", "February", "March", "April", "May", "June", "July",
                                   "August", "September", "October", "November", "December"};
constexpr const char* kWeekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

// What a run of one letter stands for; nullopt if there is no such verb, `hint` then says what there is.
std::optional<std::string> verb_text(const Stamp& s, char letter, size_t n, std::string& hint) {
  int64_t weekday = ((days_from_civil(s.year, s.month, s.day) % 7) + 11) % 7;
  int twelve = s.hour % 12 == 0 ? 12 : s.hour % 12;
  auto one_or_two = [&](int value, const char* what) -> std::optional<std::string> {
    if (n <= 2) return fmt::format("{:0{}}", value, n);
    hint = fmt::format(": {} must either be \"{}\" or \"{}{}\"", what, letter, letter, letter);
    return std::nullopt;
  };
  switch (letter) {
    case 'Y':
      if (n == 4) return fmt::format("{:04}", s.year);
      if (n == 2) return fmt::format("{:02}", s.year % 100);
      hint = ": year must either be \"YY\" or \"YYYY\"";
      return std::nullopt;
    case 'M':
      if (n <= 2) return fmt::format("{:0{}}", s.month, n);
      if (n == 3) return std::string(kMonths[s.month - 1], 3);
      if (n == 4) return kMonths[s.month - 1];
      hint = ": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"";
      return std::nullopt;
    case 'D': return one_or_two(s.day, "day of month");
    case 'E':
      if (n == 3) return std::string(kWeekdays[weekday], 3);
      if (n == 4) return kWeekdays[weekday];
      hint = ": day of week must either be \"EEE\" or \"EEEE\"";
      return std::nullopt;
    case 'h': return one_or_two(s.hour, "24-hour");
    case 'H': return one_or_two(twelve, "12-hour");
    case 'm': return one_or_two(s.minute, "minute");
    case 's': return one_or_two(s.second, "second");
    case 'A':
    case 'a':
      if (n == 2) return letter == 'A' ? (s.hour < 12 ? "AM" : "PM") : (s.hour < 12 ? "am" : "pm");
      hint = fmt::format(": must be \"{}{}\"", letter, letter);
      return std::nullopt;
    case 'Z':
      if (n == 1) return s.utc || s.offset == 0 ? "Z" : offset_text(s, true);
      if (n == 3) return s.utc || s.offset == 0 ? "UTC" : offset_text(s, false);
      if (n == 4) return offset_text(s, false);
      if (n == 5) return offset_text(s, true);
      hint = ": timezone must be Z, ZZZZ, or ZZZZZ";
      return std::nullopt;
    default: return std::nullopt;
  }
}

CallResult format_date(Arguments a, const FunctionHost&) {
  auto stamp = StampReader(a[1].as_string()).run();
  if (!stamp) return argument_error(1, stamp.error());
  auto& spec = a[0].as_string();
  std::string out;
  for (size_t i = 0; i < spec.size();) {
    char c = spec[i];
    if (c == '\'') {
      for (++i;; ++i) {
        if (i >= spec.size()) return argument_error(0, "unterminated literal '");
        if (spec[i] != '\'') out += spec[i];
        else if (i + 1 < spec.size() && spec[i + 1] == '\'') out += spec[++i];
        else break;
      }
      ++i;
      continue;
    }
    if (!std::isalpha(static_cast<unsigned char>(c))) {
      out += c;
      ++i;
      continue;
    }
    size_t n = 1;
    while (i + n < spec.size() && spec[i + n] == c) ++n;
    std::string hint;
    auto text = verb_text(*stamp, c, n, hint);
    if (!text) return argument_error(0, fmt::format("invalid date format verb \"{}\"{}", spec.substr(i, n), hint));
    out += *text;
    i += n;
  }
  return text_value(std::move(out));
}

CallResult time_add(Arguments a, const FunctionHost&) {
  auto stamp = StampReader(a[0].as_string()).run();
  if (!stamp) return call_error(stamp.error());
  auto duration = parse_duration(a[1].as_string());
  if (!duration) return call_error(duration.error().message);
  int64_t seconds = days_from_civil(stamp->year, stamp->month, stamp->day) * 86400 + stamp->hour * 3600 + stamp->minute * 60 + stamp->second;
  int64_t whole = duration->count() / 1'000'000'000, part = stamp->nanos + duration->count() % 1'000'000'000;
  seconds += whole + (part < 0 ? -1 : part / 1'000'000'000);
  int64_t day = seconds / 86400, of_day = seconds % 86400;
  if (of_day < 0) {
    of_day += 86400;
    --day;
  }
  std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return text_value(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day()), of_day / 3600, of_day / 60 % 60, of_day % 60,
                                stamp->utc || stamp->offset == 0 ? "Z" : offset_text(*stamp, true)));
}

}  // namespace

void add_time_functions(FunctionList& out) {
  Type s = Type::string();
  out.push_back({"formatdate", {{"format", s}, {"time", s}}, {}, format_date});
  out.push_back({"timeadd", {{"timestamp", s}, {"duration", s}}, {}, time_add});
}

}  // namespace drover::hcl
