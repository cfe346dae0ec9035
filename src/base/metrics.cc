#include "base/metrics.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "base/metric_tap.h"
#include "base/strings.h"

namespace drover {
namespace {

constexpr int64_t kIntervalNanos = 10'000'000'000;
constexpr size_t kIntervalsKept = 6;
constexpr Duration kExpiry = 60s;          // of a Prometheus series without news
constexpr size_t kQuantileSamples = 512;   // the newest ones within a window

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

// Name and labels of a series; the key of every table sorts by both.
struct Series {
  std::string name;
  MetricLabels labels;
  friend auto operator<=>(const Series&, const Series&) = default;
};

struct Interval {
  Time start;
  std::map<Series, float> gauges;
  std::map<Series, Aggregate> counters, samples;
};

struct RunningSummary {
  double sum = 0;
  uint64_t count = 0;
  std::deque<std::pair<Time, double>> recent;
  Time updated;
};
struct RunningValue {
  double value = 0;
  Time updated;
};

class Registry {
 public:
  void configure(MetricsOptions o) {
    std::lock_guard lock(mutex_);
    options_ = std::move(o);
    on_.store(true, std::memory_order_release);
  }
  void tap(MetricTap tap) {
    std::lock_guard lock(mutex_);
    tap_ = std::move(tap);
  }
  bool on() const { return on_.load(std::memory_order_acquire); }

  void gauge(std::string_view name, double value, const MetricLabels& labels) {
    std::lock_guard lock(mutex_);
    auto key = series(name, labels, true);
    if (!admitted(key.name)) return;
    if (tap_) tap_(MetricKind::kGauge, key.name, value, key.labels);
    auto now = options_.now();
    running_gauges_[key] = {value, now};
    interval(now).gauges[std::move(key)] = static_cast<float>(value);
  }
  void count(std::string_view name, double n, const MetricLabels& labels) {
    std::lock_guard lock(mutex_);
    auto key = series(name, labels, false);
    if (!admitted(key.name)) return;
    if (tap_) tap_(MetricKind::kCounter, key.name, n, key.labels);
    auto now = options_.now();
    auto& running = running_counters_[key];
    running = {running.value + n, now};
    interval(now).counters[std::move(key)].add(n);
  }
  void sample(std::string_view name, double value, const MetricLabels& labels) {
    std::lock_guard lock(mutex_);
    auto key = series(name, labels, false);
    if (!admitted(key.name)) return;
    if (tap_) tap_(MetricKind::kSample, key.name, value, key.labels);
    auto now = options_.now();
    auto& running = running_samples_[key];
    running.sum += value;
    ++running.count;
    running.updated = now;
    running.recent.emplace_back(now, value);
    if (running.recent.size() > kQuantileSamples) running.recent.pop_front();
    interval(now).samples[std::move(key)].add(value);
  }

  MetricsInterval latest() {
    std::lock_guard lock(mutex_);
    if (!on()) return {};
    interval(options_.now());
    auto& shown = intervals_.size() > 1 ? intervals_[intervals_.size() - 2] : intervals_.back();
    return exported(shown);
  }

  std::string dump() {
    std::lock_guard lock(mutex_);
    std::string out;
    for (auto& i : intervals_) {
      auto at = format_rfc3339(i.start);
      for (auto& [key, v] : i.gauges) out += fmt::format("[{}][G] '{}': {:.3f}\n", at, shown(key), v);
      for (auto& [key, a] : i.counters) out += fmt::format("[{}][C] '{}': {}\n", at, shown(key), line(a));
      for (auto& [key, a] : i.samples) out += fmt::format("[{}][S] '{}': {}\n", at, shown(key), line(a));
    }
    return out;
  }

  std::string prometheus() {
    std::lock_guard lock(mutex_);
    if (!on()) return {};
    expire();
    std::string out, last;
    auto head = [&](const std::string& name, std::string_view type) {
      if (name == last) return;
      last = name;
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, name, name, type);
    };
    for (auto& [key, v] : running_counters_) {
      auto name = prometheus_name(key.name);
      head(name, "counter");
      out += fmt::format("{}{} {}\n", name, prometheus_labels(key.labels), number(v.value));
    }
    for (auto& [key, v] : running_gauges_) {
      auto name = prometheus_name(key.name);
      head(name, "gauge");
      out += fmt::format("{}{} {}\n", name, prometheus_labels(key.labels), number(v.value));
    }
    for (auto& [key, v] : running_samples_) {
      auto name = prometheus_name(key.name);
      head(name, "summary");
      for (double q : {0.5, 0.9, 0.99})
        out += fmt::format("{}{} {}\n", name, prometheus_labels(key.labels, number(q)), number(quantile(v, q)));
      out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, prometheus_labels(key.labels), number(v.sum), name,
                         prometheus_labels(key.labels), v.count);
    }
    return out;
  }

 private:
  Series series(std::string_view name, MetricLabels labels, bool gauge) const {
    Series s{options_.service + ".", std::move(labels)};
    if (gauge && !options_.node_in_gauges.empty()) s.name += options_.node_in_gauges + ".";
    s.name += name;
    if (!options_.host.empty()) s.labels.emplace_back("host", options_.host);
    std::sort(s.labels.begin(), s.labels.end());
    return s;
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

  Interval& interval(Time now) {
    auto start = Time::from_unix_nanos(now.unix_nanos - now.unix_nanos % kIntervalNanos);
    if (intervals_.empty() || intervals_.back().start < start) {
      intervals_.push_back({.start = start, .gauges = {}, .counters = {}, .samples = {}});
      if (intervals_.size() > kIntervalsKept) intervals_.pop_front();
    }
    return intervals_.back();
  }

  static std::vector<MetricAggregate> exported(const std::map<Series, Aggregate>& from) {
    std::vector<MetricAggregate> out;
    for (auto& [key, a] : from) {
      auto n = static_cast<double>(a.count);
      auto variance = a.count > 1 ? (n * a.squares - a.sum * a.sum) / (n * (n - 1)) : 0;
      out.push_back({key.name, key.labels, a.count, a.sum / 10, a.sum, a.min, a.max, a.sum / n, std::sqrt(std::max(0.0, variance))});
    }
    return out;
  }
  static MetricsInterval exported(const Interval& i) {
    MetricsInterval out{.start = i.start, .gauges = {}, .counters = exported(i.counters), .samples = exported(i.samples)};
    for (auto& [key, v] : i.gauges) out.gauges.push_back({key.name, v, key.labels});
    return out;
  }

  static std::string shown(const Series& s) {
    auto out = s.name;
    for (auto& [k, v] : s.labels) out += "." + v;
    return out;
  }
  static std::string line(const Aggregate& a) {
    return fmt::format("Count: {} Min: {:.3f} Mean: {:.3f} Max: {:.3f} Sum: {:.3f}", a.count, a.min,
                       a.sum / static_cast<double>(a.count), a.max, a.sum);
  }

  void expire() {
    auto limit = options_.now() - kExpiry;
    auto stale = [&](auto& e) { return e.second.updated < limit; };
    std::erase_if(running_gauges_, stale);
    std::erase_if(running_counters_, stale);
    std::erase_if(running_samples_, stale);
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
  double quantile(const RunningSummary& s, double q) const {
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
  MetricTap tap_;
  std::deque<Interval> intervals_;
  std::map<Series, RunningValue> running_gauges_, running_counters_;
  std::map<Series, RunningSummary> running_samples_;
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
