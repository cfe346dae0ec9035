#include "model/cron_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace drover {

struct CronParser::Field {
  std::string_view name;
  int min, max;
  std::span<const std::string_view> names;  // of `min`, `min` + 1, ...: three letters or whole
};

namespace {

constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
constexpr std::string_view kWeekdays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};

constexpr int kWeekdayMax = 6;

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A step. The reference's library looks numbers up in a table: 0 to 59, and years.
int step_number(std::string_view text) {
  auto value = parse_int(text);
  if (!value || text.size() > 4) return 0;
  bool small = text.size() <= 2 && *value <= 59;
  bool year = text.size() == 4 && *value >= 1970 && *value <= 2099;
  return small || year ? static_cast<int>(*value) : 0;
}

uint64_t mask(int first, int last, int step) {
  uint64_t bits = 0;
  for (int i = first; i <= last; i += step) bits |= uint64_t{1} << i;
  return bits;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (auto& part : split(replace_all(replace_all(std::string(text), "\t", " "), "\n", " "), ' '))
    if (!part.empty()) out.push_back(part);
  return out;
}

std::string expand_macros(std::string spec) {
  static constexpr std::pair<std::string_view, std::string_view> kMacros[] = {
      {"@yearly", "0 0 0 1 1 * *"}, {"@annually", "0 0 0 1 1 * *"}, {"@monthly", "0 0 0 1 * * *"},
      {"@weekly", "0 0 0 * * 0 *"}, {"@daily", "0 0 0 * * * *"},    {"@hourly", "0 0 * * * * *"},
  };
  for (auto& [name, fields] : kMacros) spec = replace_all(std::move(spec), name, fields);
  return spec;
}

Error syntax_error(std::string_view field, std::string_view text) {
  return invalid(fmt::format("syntax error in {} field: '{}'", field, text));
}

}  // namespace

namespace {

// The value of a field: a number of its width, or a name. -1 when it is none.
template <class Field>
int value_of(const Field& field, std::string_view text) {
  if (all_digits(text)) {
    size_t width = field.max > 99 ? 4 : 2;
    if (text.size() > width || (width == 4 && text.size() != 4)) return -1;
    int value = static_cast<int>(*parse_int(text));
    bool weekday = field.name == "day-of-week";
    if (value < field.min || value > (weekday ? 7 : field.max)) return -1;
    return weekday ? value % 7 : value;
  }
  for (size_t i = 0; i < field.names.size(); ++i)
    if (text == field.names[i] || text == field.names[i].substr(0, 3)) return field.min + static_cast<int>(i);
  return -1;
}

}  // namespace

Status CronParser::directive(const Field& field, Directive& d) {
  std::string_view text = d.lower;
  if (text == "*" || text == "?") {
    d = {DirectiveKind::kAll, field.min, field.max, 1, d.text, d.lower};
    return {};
  }
  auto slash = text.find('/');
  auto range = text.substr(0, slash);
  auto dash = range.find('-');
  int first = range == "*" ? field.min : value_of(field, range.substr(0, dash));
  int last = dash == std::string_view::npos ? (slash == std::string_view::npos ? first : field.max)
                                            : value_of(field, range.substr(dash + 1));
  if (first < 0 || last < 0) return {};
  if (slash == std::string_view::npos) {
    d.kind = dash == std::string_view::npos ? DirectiveKind::kOne : DirectiveKind::kSpan;
  } else {
    if (!all_digits(text.substr(slash + 1))) return {};
    d.step = step_number(text.substr(slash + 1));
    if (d.step < 1 || d.step > field.max) return invalid("invalid interval " + d.lower);
    d.kind = DirectiveKind::kSpan;
  }
  d.first = first;
  d.last = last;
  return {};
}

Result<std::vector<CronParser::Directive>> CronParser::directives(std::string_view text, const Field& field) {
  std::vector<Directive> out;
  for (auto& part : split(text, ',')) {
    if (part.empty()) continue;
    auto& d = out.emplace_back();
    d.text = part;
    d.lower = to_lower(part);
    DROVER_CHECK(directive(field, d));
  }
  if (out.empty()) return invalid(fmt::format("{} field: missing directive", field.name));
  return out;
}

Result<uint64_t> CronParser::plain(std::string_view text, const Field& field) {
  DROVER_TRY(auto parts, directives(text, field));
  uint64_t bits = 0;
  for (auto& d : parts) {
    if (d.kind == DirectiveKind::kOther) return syntax_error(field.name, d.text);
    if (d.kind == DirectiveKind::kAll) return mask(field.min, field.max, 1);
    bits |= mask(d.first, d.last, d.step);
  }
  return bits;
}

Status CronParser::days(std::string_view text) {
  static constexpr Field kField{"day-of-month", 1, 31, {}};
  DROVER_TRY(auto parts, directives(text, kField));
  for (auto& d : parts) {
    if (d.kind == DirectiveKind::kAll) cron_.days_restricted_ = false;
    if (d.kind != DirectiveKind::kOther) {
      cron_.days_ |= static_cast<uint32_t>(mask(d.first, d.last, d.step));
    } else if (d.lower == "l") {
      cron_.last_day_ = true;
    } else if (d.lower == "lw") {
      cron_.last_workday_ = true;
    } else {
      int day = d.lower.ends_with('w') ? value_of(kField, d.lower.substr(0, d.lower.size() - 1)) : -1;
      if (day < 0) return syntax_error(kField.name, d.text);
      cron_.workdays_ |= uint32_t{1} << day;
    }
  }
  return {};
}

Status CronParser::weekdays(std::string_view text) {
  static constexpr Field kField{"day-of-week", 0, kWeekdayMax, kWeekdays};
  DROVER_TRY(auto parts, directives(text, kField));
  for (auto& d : parts) {
    if (d.kind == DirectiveKind::kAll) cron_.weekdays_restricted_ = false;
    if (d.kind != DirectiveKind::kOther) {
      // A range that ends on Sunday (7) runs to the end of the week.
      if (d.kind == DirectiveKind::kSpan && d.last == 0) d.last = kWeekdayMax;
      cron_.weekdays_ |= mask(d.first, d.last, d.step);
      continue;
    }
    auto hash = d.lower.find('#');
    int day = value_of(kField, d.lower.substr(0, hash == std::string::npos ? d.lower.size() - 1 : hash));
    auto rest = hash == std::string::npos ? "" : d.lower.substr(hash + 1);
    if (day >= 0 && hash == std::string::npos && d.lower.ends_with('l'))
      cron_.last_weekdays_ |= uint64_t{1} << day;
    else if (day >= 0 && rest.size() == 1 && rest[0] >= '1' && rest[0] <= '5')
      cron_.nth_weekdays_ |= uint64_t{1} << (7 * (rest[0] - '1') + day);
    else
      return syntax_error(kField.name, d.text);
  }
  return {};
}

Status CronParser::years(std::string_view text) {
  static constexpr Field kField{"year", Cron::kYearMin, Cron::kYearMax, {}};
  DROVER_TRY(auto parts, directives(text, kField));
  for (auto& d : parts) {
    if (d.kind == DirectiveKind::kOther) return syntax_error(kField.name, d.text);
    for (int year = d.first; year <= d.last; year += d.step) cron_.years_.set(static_cast<size_t>(year - Cron::kYearMin));
  }
  return {};
}

Result<Cron> CronParser::parse(std::string_view spec) {
  static constexpr Field kSecond{"second", 0, 59, {}};
  static constexpr Field kMinute{"minute", 0, 59, {}};
  static constexpr Field kHour{"hour", 0, 23, {}};
  static constexpr Field kMonth{"month", 1, 12, kMonths};
  auto fields = words(expand_macros(std::string(spec)));
  if (fields.size() < 5) return invalid("missing field(s)");
  size_t at = 0;
  cron_.seconds_ = 1;
  if (fields.size() >= 7) {
    DROVER_TRY(cron_.seconds_, plain(fields[at++], kSecond));
  }
  DROVER_TRY(cron_.minutes_, plain(fields[at++], kMinute));
  DROVER_TRY(auto hours, plain(fields[at++], kHour));
  DROVER_CHECK(days(fields[at++]));
  DROVER_TRY(auto months, plain(fields[at++], kMonth));
  DROVER_CHECK(weekdays(fields[at++]));
  DROVER_CHECK(years(at < fields.size() ? fields[at] : "*"));
  cron_.hours_ = static_cast<uint32_t>(hours);
  cron_.months_ = static_cast<uint16_t>(months);
  return cron_;
}

}  // namespace drover
