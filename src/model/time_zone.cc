#include "model/time_zone.h"

#include <date/date.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

namespace drover {
namespace {

constexpr int64_t kBeginOfTime = std::numeric_limits<int64_t>::min() / 4;
constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max() / 4;
constexpr size_t kZoneBytesMax = 1 << 20;

int64_t big_endian(std::string_view bytes, size_t at, size_t width) {
  uint64_t value = static_cast<unsigned char>(bytes[at]) & 0x80 ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<int64_t>(value);
}

std::string read_zone_file(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  std::string bytes;
  if (!file) return bytes;
  char buffer[8192];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) {
    bytes.append(buffer, n);
    if (bytes.size() > kZoneBytesMax) return "";
  }
  return bytes;
}

// Reads footers ("EST5EDT,M3.2.0,M11.1.0").
struct FooterReader {
  std::string_view text;

  bool take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool name() {
    size_t before = text.size();
    if (take('<')) {
      auto end = text.find('>');
      if (end == std::string_view::npos) return false;
      text.remove_prefix(end + 1);
      return true;
    }
    while (!text.empty() && ((text.front() | 0x20) >= 'a' && (text.front() | 0x20) <= 'z')) text.remove_prefix(1);
    return text.size() < before;
  }
  bool number(int& out) {
    size_t i = 0;
    for (out = 0; i < text.size() && i < 4 && text[i] >= '0' && text[i] <= '9'; ++i) out = out * 10 + (text[i] - '0');
    text.remove_prefix(i);
    return i > 0;
  }
  // [+-]hh[:mm[:ss]]
  bool time(int32_t& seconds) {
    bool negative = take('-');
    if (!negative) take('+');
    int parts[3] = {0, 0, 0};
    if (!number(parts[0])) return false;
    for (int i = 1; i < 3 && take(':'); ++i)
      if (!number(parts[i])) return false;
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    if (negative) seconds = -seconds;
    return true;
  }
};

struct ZoneCache {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<const TimeZone>, std::less<>> zones;
};

ZoneCache& cache() {
  static ZoneCache c;
  return c;
}

int year_of(int64_t unix_seconds) {
  auto day = date::floor<date::days>(date::sys_seconds{std::chrono::seconds(unix_seconds)});
  return static_cast<int>(date::year_month_day{day}.year());
}

}  // namespace

bool TimeZone::parse_footer(std::string_view text, Footer& footer) {
  FooterReader in{text};
  int32_t west = 0;
  if (!in.name() || !in.time(west)) return false;
  footer.standard = -west;
  footer.present = true;
  if (in.text.empty()) return true;
  footer.has_dst = true;
  footer.daylight = footer.standard + 3600;
  if (!in.name()) return false;
  if (!in.text.empty() && in.text.front() != ',') {
    if (!in.time(west)) return false;
    footer.daylight = -west;
  }
  for (auto* rule : {&footer.start, &footer.end}) {
    if (!in.take(',')) return false;
    if (in.take('M')) {
      if (!(in.number(rule->month) && in.take('.') && in.number(rule->week) && in.take('.') && in.number(rule->day)))
        return false;
    } else {
      rule->kind = in.take('J') ? 'J' : '0';
      if (!in.number(rule->day)) return false;
    }
    if (in.take('/') && !in.time(rule->seconds)) return false;
  }
  return in.text.empty();
}

Result<TimeZone> TimeZone::parse(std::string_view data) {
  auto bad = [] { return invalid("malformed time zone information"); };
  constexpr size_t kHeader = 44;
  if (data.size() < kHeader || data.substr(0, 4) != "TZif" || data[4] < '2') return bad();
  auto counts = [&](size_t header, size_t width) {
    struct Sizes {
      int64_t utc, wall, leap, times, types, chars;
      size_t width;
      size_t body() const {
        return static_cast<size_t>(times) * width + static_cast<size_t>(times) + static_cast<size_t>(types) * 6 +
               static_cast<size_t>(chars) + static_cast<size_t>(leap) * (width + 4) + static_cast<size_t>(wall + utc);
      }
    } s{};
    auto at = [&](size_t i) { return big_endian(data, header + 20 + i * 4, 4); };
    s = {at(0), at(1), at(2), at(3), at(4), at(5), width};
    return s;
  };
  // Version 1 stands in front for old readers; skipped.
  size_t header = kHeader + counts(0, 4).body();
  if (data.size() < header + kHeader || data.substr(header, 4) != "TZif") return bad();
  auto sizes = counts(header, 8);
  size_t body = header + kHeader;
  if (sizes.times < 0 || sizes.types < 1 || data.size() < body + sizes.body()) return bad();
  size_t indexes = body + static_cast<size_t>(sizes.times) * 8, types = indexes + static_cast<size_t>(sizes.times);
  auto offset_of = [&](size_t type) { return static_cast<int32_t>(big_endian(data, types + type * 6, 4)); };

  TimeZone zone;
  zone.first_offset_ = offset_of(0);
  for (size_t i = 0; i < static_cast<size_t>(sizes.times); ++i) {
    size_t type = static_cast<unsigned char>(data[indexes + i]);
    if (type >= static_cast<size_t>(sizes.types)) return bad();
    zone.changes_.push_back({big_endian(data, body + i * 8, 8), offset_of(type)});
  }
  auto footer = data.substr(body + sizes.body());
  if (footer.starts_with('\n')) {
    footer = footer.substr(1, footer.find('\n', 1) - 1);
    if (!footer.empty() && !parse_footer(footer, zone.footer_)) return bad();
  }
  return zone;
}

int64_t TimeZone::rule_instant(const Rule& rule, int year, int32_t offset_before) const {
  using namespace date;
  sys_days day = sys_days{date::year{year} / 1 / 1};
  if (rule.kind == 'M') {
    auto weekday = date::weekday{static_cast<unsigned>(rule.day)};
    auto month = date::year{year} / rule.month;
    day = rule.week == 5 ? sys_days{month / weekday[last]} : sys_days{month / weekday[static_cast<unsigned>(rule.week)]};
  } else {
    int offset = rule.kind == 'J' ? rule.day - 1 + (rule.day >= 60 && date::year{year}.is_leap()) : rule.day;
    day += days{offset};
  }
  return std::chrono::seconds(day.time_since_epoch()).count() + rule.seconds - offset_before;
}

ZoneStretch TimeZone::from_footer(int64_t t) const {
  if (!footer_.has_dst) return {kBeginOfTime, kEndOfTime, footer_.standard};
  int year = year_of(t);
  std::vector<Change> changes;
  for (int y = year - 1; y <= year + 1; ++y) {
    changes.push_back({rule_instant(footer_.start, y, footer_.standard), footer_.daylight});
    changes.push_back({rule_instant(footer_.end, y, footer_.daylight), footer_.standard});
  }
  std::sort(changes.begin(), changes.end(), [](auto& a, auto& b) { return a.at < b.at; });
  size_t i = 0;
  while (i + 1 < changes.size() && changes[i + 1].at <= t) ++i;
  return {changes[i].at, i + 1 < changes.size() ? changes[i + 1].at : kEndOfTime, changes[i].offset};
}

ZoneStretch TimeZone::at(int64_t t) const {
  auto next = std::upper_bound(changes_.begin(), changes_.end(), t, [](int64_t v, auto& c) { return v < c.at; });
  if (next == changes_.end() && footer_.present) {
    auto stretch = from_footer(t);
    if (!changes_.empty()) stretch.begin = std::max(stretch.begin, changes_.back().at);
    return stretch;
  }
  ZoneStretch out{kBeginOfTime, next == changes_.end() ? kEndOfTime : next->at, first_offset_};
  if (next != changes_.begin()) {
    out.begin = (next - 1)->at;
    out.offset = (next - 1)->offset;
  }
  return out;
}

int64_t TimeZone::from_local(int64_t local) const {
  // Offsets are within a day of UTC, so the answer lies within two.
  for (auto stretch = at(local - 86400);; stretch = at(stretch.end)) {
    int64_t t = std::max(local - stretch.offset, stretch.begin);
    if (t < stretch.end) return t;
  }
}

Result<const TimeZone*> TimeZone::find(std::string_view name) {
  static const TimeZone kUtc;
  if (name.empty() || name == "UTC") return &kUtc;
  if (name.find("..") != std::string_view::npos || name.front() == '/' || name.front() == '\\')
    return invalid("time: invalid location name");
  auto& known = cache();
  std::lock_guard lock(known.mutex);
  if (auto at = known.zones.find(name); at != known.zones.end()) return at->second.get();
  auto unknown = invalid("unknown time zone " + std::string(name));
  if (name.find('\0') != std::string_view::npos) return unknown;
  std::string bytes;
  if (name == "Local") {
    bytes = read_zone_file("/etc/localtime");
    if (bytes.empty()) return &kUtc;
  }
  for (auto* root : {"/usr/share/zoneinfo/", "/usr/share/lib/zoneinfo/", "/usr/lib/locale/TZ/"})
    if (bytes.empty()) bytes = read_zone_file(root + std::string(name));
  auto zone = parse(bytes);
  if (!zone) return unknown;
  auto& slot = known.zones[std::string(name)];
  slot = std::make_unique<const TimeZone>(std::move(*zone));
  return slot.get();
}

}  // namespace drover
