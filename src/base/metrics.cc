#include "base/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <deque>
#include <limits>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>

#include "base/metric_tap.h"
#include "base/strings.h"

namespace drover {
namespace {

constexpr int64_t kIntervalNanos = 10'000'000'000;
constexpr size_t kIntervalsKept = 6;
constexpr Duration kExpiry = 60s;          // of a series without news
constexpr size_t kQuantileSamples = 512;   // the newest ones within an interval's length

struct Aggregate {
  uint64_t count = 0;
  double sum = 0, squares = 0, min = 0, max = 0;
  void add(double v) {
    min = count == 0 ? v : std::min(min, v);
    max = count == 0 ? v : std::max(max, v);
    ++count;
    sum += v;
    squares += v * v;
  }
};

// What was recorded within the interval of that number.
struct GaugeSlot {
  int64_t number = -1;
  float value = 0;
};
struct AggregateSlot {
  int64_t number = -1;
  Aggregate aggregate;
};

// One metric with its labels. There may be tens of thousands of them, seven for each group of each job, all set each second:
// name and labels are kept once, and packed.
struct Gauge {
  Time updated;
  double value = 0;
  std::array<GaugeSlot, kIntervalsKept> slots;
};
struct Sums {
  Time updated;
  double sum = 0;      // since it came up
  uint64_t count = 0;
  std::deque<std::pair<Time, double>> recent;  // of samples
  std::array<AggregateSlot, kIntervalsKept> slots;
};
template <class T>
using Table = std::unordered_map<std::string, T>;  // by packed name and labels

void pack(std::string& to, std::string_view part) {
  auto size = static_cast<uint32_t>(part.size());
  to.append(reinterpret_cast<const char*>(&size), sizeof size).append(part);
}

struct Series {
  std::string name;
  MetricLabels labels;
  friend auto operator<=>(const Series&, const Series&) = default;
};

Series unpack(std::string_view key) {
  auto next = [&key] {
    uint32_t size;
    key.copy(reinterpret_cast<char*>(&size), sizeof size);
    std::string part(key.substr(sizeof size, size));
    key.remove_prefix(sizeof size + size);
    return part;
  };
  Series s{next(), {}};
  while (!key.empty()) {
    auto label = next();
    s.labels.emplace_back(std::move(label), next());
  }
  return s;
}

// The entries that `pick` gives something for, sorted by name and labels.
template <class T, class Pick>
auto sorted(const Table<T>& table, Pick pick) {
  std::vector<std::pair<Series, decltype(pick(std::declval<const T&>()))>> out;
  for (auto& [key, entry] : table)
    if (auto picked = pick(entry)) out.emplace_back(unpack(key), picked);
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.first < b.first; });
  return out;
}

class Registry {
 public:
  void configure(MetricsOptions o) {
    std::lock_guard lock(mutex_);
    options_ = std::move(o);
    host_ = {"host", options_.host};
    filters_ = !options_.prefix_filter.empty() || !options_.filter_default;
    on_.store(true, std::memory_order_release);
  }
  void tap(MetricTap tap) {
    std::lock_guard lock(mutex_);
    tap_ = std::move(tap);
  }
  bool on() const { return on_.load(std::memory_order_acquire); }

  void gauge(std::string_view name, double value, const MetricLabels& labels) {
    std::lock_guard lock(mutex_);
    auto* key = admitted_key(MetricKind::kGauge, name, value, labels);
    if (!key) return;
    auto now = options_.now();
    auto number = interval(now);
    auto& g = gauges_[*key];
    g.updated = now;
    g.value = value;
    g.slots[static_cast<size_t>(number) % kIntervalsKept] = {number, static_cast<float>(value)};
  }
  void count(std::string_view name, double n, const MetricLabels& labels) {
    std::lock_guard lock(mutex_);
    if (auto* key = admitted_key(MetricKind::kCounter, name, n, labels)) add(counters_, *key, n);
  }
  void sample(std::string_view name, double value, const MetricLabels& labels) {
    std::lock_guard lock(mutex_);
    auto* key = admitted_key(MetricKind::kSample, name, value, labels);
    if (!key) return;
    auto& s = add(samples_, *key, value);
    while (s.recent.size() >= kQuantileSamples || (!s.recent.empty() && s.recent.front().first < s.updated - Duration(kIntervalNanos)))
      s.recent.pop_front();
    s.recent.emplace_back(s.updated, value);
  }

  MetricsInterval latest() {
    std::lock_guard lock(mutex_);
    if (!on()) return {};
    interval(options_.now());
    return exported(intervals_.size() > 1 ? intervals_[intervals_.size() - 2] : intervals_.back());
  }

  std::string dump() {
    std::lock_guard lock(mutex_);
    std::string out;
    for (auto number : intervals_) {
      auto i = exported(number);
      auto at = format_rfc3339(i.start);
      for (auto& g : i.gauges) out += fmt::format("[{}][G] '{}': {:.3f}\n", at, shown(g.name, g.labels), g.value);
      for (auto& a : i.counters) out += fmt::format("[{}][C] '{}': {}\n", at, shown(a.name, a.labels), line(a));
      for (auto& a : i.samples) out += fmt::format("[{}][S] '{}': {}\n", at, shown(a.name, a.labels), line(a));
    }
    return out;
  }

  std::string prometheus() {
    std::lock_guard lock(mutex_);
    if (!on()) return {};
    auto limit = options_.now() - kExpiry;
    auto alive = [&](auto& entry) { return entry.updated < limit ? nullptr : &entry; };
    std::string out, last;
    auto head = [&](const std::string& name, std::string_view type) {
      if (name == last) return;
      last = name;
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, name, name, type);
    };
    for (auto& [key, v] : sorted(counters_, alive)) {
      auto name = prometheus_name(key.name);
      head(name, "counter");
      out += fmt::format("{}{} {}\n", name, prometheus_labels(key.labels), number(v->sum));
    }
    for (auto& [key, v] : sorted(gauges_, alive)) {
      auto name = prometheus_name(key.name);
      head(name, "gauge");
      out += fmt::format("{}{} {}\n", name, prometheus_labels(key.labels), number(v->value));
    }
    for (auto& [key, v] : sorted(samples_, alive)) {
      auto name = prometheus_name(key.name);
      head(name, "summary");
      for (double q : {0.5, 0.9, 0.99})
        out += fmt::format("{}{} {}\n", name, prometheus_labels(key.labels, number(q)), number(quantile(*v, q)));
      out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, prometheus_labels(key.labels), number(v->sum), name,
                         prometheus_labels(key.labels), v->count);
    }
    return out;
  }

 private:
  // The key of what is to be recorded, valid until the next call; null when the filter is against it. Tells the tap.
  const std::string* admitted_key(MetricKind kind, std::string_view name, double value, const MetricLabels& labels) {
    name_ = options_.service;
    name_ += '.';
    if (kind == MetricKind::kGauge && !options_.node_in_gauges.empty()) (name_ += options_.node_in_gauges) += '.';
    name_ += name;
    if (filters_ && !admitted(name_)) return nullptr;
    order_.clear();
    for (auto& label : labels) order_.push_back(&label);
    if (!host_.second.empty()) order_.push_back(&host_);
    std::sort(order_.begin(), order_.end(), [](auto* a, auto* b) { return *a < *b; });
    key_.clear();
    pack(key_, name_);
    for (auto* label : order_) {
      pack(key_, label->first);
      pack(key_, label->second);
    }
    if (tap_) {
      MetricLabels all;
      for (auto* label : order_) all.push_back(*label);
      tap_(kind, name_, value, all);
    }
    return &key_;
  }

  bool admitted(std::string_view name) const {
    size_t longest = 0;
    bool admit = options_.filter_default;
    for (auto& rule : options_.prefix_filter) {
      auto prefix = std::string_view(rule).substr(1);
      if (!name.starts_with(prefix) || prefix.size() < longest) continue;
      longest = prefix.size();
      admit = rule[0] == '+';
    }
    return admit;
  }

  // What has not been heard of for long begins anew.
  Sums& add(Table<Sums>& table, const std::string& key, double value) {
    auto now = options_.now();
    auto number = interval(now);  // may forget series, so before this one is made
    auto& s = table[key];
    if (s.updated < now - kExpiry) s.sum = 0, s.count = 0;
    s.updated = now;
    s.sum += value;
    ++s.count;
    auto& slot = s.slots[static_cast<size_t>(number) % kIntervalsKept];
    if (slot.number != number) slot = {number, {}};
    slot.aggregate.add(value);
    return s;
  }

  // The number of the interval of `now`. A new one ends the oldest, and what was in none of the others.
  int64_t interval(Time now) {
    auto number = now.unix_nanos / kIntervalNanos;
    if (!intervals_.empty() && intervals_.back() >= number) return intervals_.back();
    intervals_.push_back(number);
    while (intervals_.size() > kIntervalsKept || intervals_.front() + static_cast<int64_t>(kIntervalsKept) <= number) intervals_.pop_front();
    auto limit = std::min(start_of(intervals_.front()), now - kExpiry);
    auto stale = [&](auto& e) { return e.second.updated < limit; };
    std::erase_if(gauges_, stale);
    std::erase_if(counters_, stale);
    std::erase_if(samples_, stale);
    return number;
  }
  static Time start_of(int64_t number) { return Time::from_unix_nanos(number * kIntervalNanos); }

  static std::vector<MetricAggregate> exported(const Table<Sums>& from, int64_t number) {
    std::vector<MetricAggregate> out;
    for (auto& [key, picked] : sorted(from, [&](auto& s) {
           auto& slot = s.slots[static_cast<size_t>(number) % kIntervalsKept];
           return slot.number == number ? &slot.aggregate : nullptr;
         })) {
      auto& a = *picked;
      auto n = static_cast<double>(a.count);
      auto variance = a.count > 1 ? (n * a.squares - a.sum * a.sum) / (n * (n - 1)) : 0;
      out.push_back({key.name, key.labels, a.count, a.sum / 10, a.sum, a.min, a.max, a.sum / n, std::sqrt(std::max(0.0, variance))});
    }
    return out;
  }
  MetricsInterval exported(int64_t number) const {
    MetricsInterval out{.start = start_of(number), .gauges = {}, .counters = exported(counters_, number), .samples = exported(samples_, number)};
    for (auto& [key, slot] : sorted(gauges_, [&](auto& g) {
           auto& s = g.slots[static_cast<size_t>(number) % kIntervalsKept];
           return s.number == number ? &s : nullptr;
         }))
      out.gauges.push_back({key.name, slot->value, key.labels});
    return out;
  }

  static std::string shown(const std::string& name, const MetricLabels& labels) {
    auto out = name;
    for (auto& [k, v] : labels) out += "." + v;
    return out;
  }
  static std::string line(const MetricAggregate& a) {
    return fmt::format("Count: {} Min: {:.3f} Mean: {:.3f} Max: {:.3f} Sum: {:.3f}", a.count, a.min, a.mean, a.max, a.sum);
  }

  static std::string prometheus_name(std::string name) {
    for (auto& c : name)
      if (c == ' ' || c == '.' || c == '=' || c == '-' || c == '/') c = '_';
    return name;
  }
  static std::string prometheus_labels(const MetricLabels& labels, const std::string& quantile = "") {
    std::vector<std::string> parts;
    for (auto& [k, v] : labels) {
      auto value = replace_all(replace_all(replace_all(v, "\\", "\\\\"), "\"", "\\\""), "\n", "\\n");
      parts.push_back(fmt::format("{}=\"{}\"", prometheus_name(k), value));
    }
    if (!quantile.empty()) parts.push_back(fmt::format("quantile=\"{}\"", quantile));
    return parts.empty() ? "" : "{" + join(parts, ",") + "}";
  }
  static std::string number(double v) { return std::isnan(v) ? "NaN" : format_double(v); }
  double quantile(const Sums& s, double q) const {
    auto limit = options_.now() - Duration(kIntervalNanos);
    std::vector<double> values;
    for (auto& [at, v] : s.recent)
      if (at >= limit) values.push_back(v);
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    auto nth = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
  }

  std::atomic<bool> on_ = false;
  std::mutex mutex_;
  MetricsOptions options_;
  bool filters_ = false;
  std::pair<std::string, std::string> host_;
  MetricTap tap_;
  std::deque<int64_t> intervals_;  // numbers of those in which something was recorded
  Table<Gauge> gauges_;
  Table<Sums> counters_, samples_;
  // Of the metric that is being recorded.
  std::string name_, key_;
  std::vector<const std::pair<std::string, std::string>*> order_;
};

Registry& registry() {
  static auto* r = new Registry;  // never destroyed: threads may still record while the process ends
  return *r;
}

}  // namespace

void set_metric_tap(MetricTap tap) { registry().tap(std::move(tap)); }
void configure_metrics(MetricsOptions options) { registry().configure(std::move(options)); }
void metric_gauge(std::string_view name, double value, const MetricLabels& labels) {
  if (registry().on()) registry().gauge(name, value, labels);
}
void metric_count(std::string_view name, double n, const MetricLabels& labels) {
  if (registry().on()) registry().count(name, n, labels);
}
void metric_sample(std::string_view name, double value, const MetricLabels& labels) {
  if (registry().on()) registry().sample(name, value, labels);
}
MetricsInterval latest_metrics() { return registry().latest(); }
std::string prometheus_text() { return registry().prometheus(); }
std::string metrics_dump() { return registry().dump(); }

}  // namespace drover
