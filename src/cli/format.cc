#include "cli/format.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"

namespace drover::cli {

size_t text_width(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string columns(const Rows& rows, const ColumnStyle& style) {
  std::vector<std::vector<std::string>> cells;
  std::vector<size_t> widths;
  for (auto& row : rows) {
    auto& line = cells.emplace_back(split(row, '|'));
    for (size_t i = 0; i < line.size(); ++i) {
      if (style.trim) line[i] = std::string(trim_space(line[i]));
      if (line[i].empty()) line[i] = style.empty;
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], text_width(line[i]));
    }
  }
  std::string out;
  for (size_t r = 0; r < cells.size(); ++r) {
    if (r) out += '\n';
    for (size_t i = 0; i < cells[r].size(); ++i) {
      if (i) out += style.glue;
      out += cells[r][i];
      if (i + 1 < cells[r].size()) out.append(widths[i] - text_width(cells[r][i]), ' ');
    }
  }
  return out;
}

std::string key_values(const Rows& rows) { return columns(rows, {.glue = " = "}); }
std::string table(const Rows& rows) { return columns(rows, {}); }
std::string plain_table(const Rows& rows) { return columns(rows, {.empty = ""}); }

std::string absolute_time(Time t) {
  if (t.unset() || t.unix_seconds() < 1) return {};
  time_t seconds = t.unix_seconds();
  tm local{};
  localtime_r(&seconds, &local);
  return format_rfc3339(t, static_cast<int>(local.tm_gmtoff));
}
std::string absolute_time(int64_t unix_nanos) { return absolute_time(Time::from_unix_nanos(unix_nanos)); }

std::string task_time(Time t) {
  if (t.unset()) return "N/A";
  auto text = absolute_time(t);
  return text.empty() ? "N/A" : text;
}

std::string go_time(Time t) {
  if (t.unset()) return "0001-01-01 00:00:00 +0000 UTC";
  auto text = format_rfc3339_nano(t);
  text[text.find('T')] = ' ';
  text.pop_back();
  return text + " +0000 UTC";
}

std::string age(Time t, Time now) {
  if (t.unset() || t.unix_nanos == 0) return {};
  auto rounded = [](Time x) { return (x.unix_nanos + 500'000'000) / 1'000'000'000; };
  int64_t seconds = rounded(now) - rounded(t);
  bool future = seconds < 0;
  seconds = std::abs(seconds);
  static constexpr std::pair<int64_t, const char*> kUnits[] = {
      {12 * 30 * 86400LL, "y"}, {30 * 86400LL, "mo"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
  std::string out;
  int shown = 0;
  for (auto& [size, unit] : kUnits) {
    int64_t n = seconds / size;
    seconds %= size;
    if (n == 0 || shown == 2) continue;
    out += fmt::format("{}{}", n, unit);
    ++shown;
  }
  if (out.empty()) out = "0s";
  return out + (future ? " from now" : " ago");
}

std::string whole_seconds(Duration d) {
  return format_duration(std::chrono::duration_cast<std::chrono::seconds>(d));
}

std::string short_id(std::string_view id, bool verbose) { return std::string(verbose ? id : id.substr(0, 8)); }
std::string short_id(const Uuid& id, bool verbose) { return verbose ? id.str() : id.short_str(); }

std::string thousands(double value) {
  auto text = fmt::format("{:.2f}", std::abs(value));
  auto dot = text.find('.');
  std::string out;
  for (size_t i = 0; i < dot; ++i) {
    if (i && (dot - i) % 3 == 0) out += ',';
    out += text[i];
  }
  return (value < 0 ? "-" : "") + out + text.substr(dot);
}

std::string three_digits(double value) { return fmt::format("{:.3g}", value); }
std::string yes_no(bool value) { return value ? "true" : "false"; }

std::string wrap(std::string_view text, size_t width, std::string_view indent) {
  std::string out;
  for (auto& paragraph : split(text, '\n')) {
    if (!out.empty()) out += '\n';
    std::string line;
    for (auto& word : split(paragraph, ' ')) {
      if (!line.empty() && indent.size() + text_width(line) + 1 + text_width(word) > width) {
        out += std::string(indent) + line + '\n';
        line.clear();
      }
      if (!line.empty()) line += ' ';
      line += word;
    }
    if (!line.empty()) out += std::string(indent) + line;
  }
  return out;
}

std::string ordinal(int64_t n) {
  auto tens = n % 100;
  std::string_view suffix = "th";
  if (tens < 11 || tens > 13) {
    if (n % 10 == 1) suffix = "st";
    if (n % 10 == 2) suffix = "nd";
    if (n % 10 == 3) suffix = "rd";
  }
  return fmt::format("{}{}", n, suffix);
}

std::string host_port(std::string_view host, int64_t port) {
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::string plural(std::string_view word, int64_t n) { return std::string(word) + (n == 1 ? "" : "s"); }

}  // namespace drover::cli
