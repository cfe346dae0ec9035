// Metrics: one process-wide registry, as the log is one. Off, and free, until configure_metrics() is called, so that
// tests and simulations record nothing. Any thread.
//
// Names are dotted and without the service's name in front: "nomad.plan.submit" is shown as "nomad.nomad.plan.submit".
// Values are kept in intervals of ten seconds for one minute; counters and summaries of the Prometheus text run on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace drover {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

struct MetricsOptions {
  std::function<Time()> now;
  std::string service = "nomad";
  std::string host;                        // the "host" label of every metric; empty: none
  std::string node_in_gauges;              // a word after the service's name in gauges; empty: none
  std::vector<std::string> prefix_filter;  // "+prefix" or "-prefix" of the full name; the longest match decides
  bool filter_default = true;              // what becomes of names that no rule matches
};
void configure_metrics(MetricsOptions options);

void metric_gauge(std::string_view name, double value, const MetricLabels& labels = {});
void metric_count(std::string_view name, double n = 1, const MetricLabels& labels = {});
void metric_sample(std::string_view name, double value, const MetricLabels& labels = {});

inline double metric_milliseconds(std::chrono::nanoseconds d) { return std::chrono::duration<double, std::milli>(d).count(); }

// Samples the milliseconds from its making to its end. The name outlives it; an empty one is not sampled.
class MetricTimer {
 public:
  explicit MetricTimer(std::string_view name) : name_(name), start_(std::chrono::steady_clock::now()) {}
  MetricTimer(const MetricTimer&) = delete;
  ~MetricTimer() {
    if (!name_.empty()) metric_sample(name_, metric_milliseconds(std::chrono::steady_clock::now() - start_));
  }

 private:
  std::string_view name_;
  std::chrono::steady_clock::time_point start_;
};

struct MetricGauge {
  std::string name;
  float value = 0;
  MetricLabels labels;  // sorted by key
};
struct MetricAggregate {
  std::string name;
  MetricLabels labels;
  uint64_t count = 0;
  double rate = 0;      // sum per second of the interval
  double sum = 0, min = 0, max = 0, mean = 0, stddev = 0;
};
struct MetricsInterval {
  Time start;
  std::vector<MetricGauge> gauges;          // sorted by name and labels, as all of these
  std::vector<MetricAggregate> counters, samples;
};

// The last whole interval, or the only one there is.
MetricsInterval latest_metrics();
// The Prometheus text of everything updated within the last minute.
std::string prometheus_text();
// Every interval as lines for people: SIGUSR1.
std::string metrics_dump();

}  // namespace drover
