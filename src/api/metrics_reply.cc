#include "api/metrics_reply.h"

#include <fmt/format.h>

#include "base/metrics.h"
#include "base/strings.h"
#include "codec/type_info.h"

namespace drover::api {
namespace {

// What /v1/metrics answers.
struct Gauge {
  std::string Name;
  double Value = 0;
  Map<std::string> Labels;
};
struct Sample {
  std::string Name;
  int64_t Count = 0;
  double Rate = 0, Sum = 0, Min = 0, Max = 0, Mean = 0, Stddev = 0;
  Map<std::string> Labels;
};
struct Interval {
  std::string Timestamp;
  List<Gauge> Gauges;
  List<Gauge> Points;
  List<Sample> Counters, Samples;
};

}  // namespace
}  // namespace drover::api

namespace drover {
DROVER_TYPE(api::Gauge)
DROVER_TYPE(api::Sample)
DROVER_TYPE(api::Interval)
}  // namespace drover

DROVER_DESCRIBE(drover::api::Gauge, "metrics.GaugeValue", DROVER_FIELD(Name), DROVER_FIELD(Value), DROVER_FIELD(Labels))
DROVER_DESCRIBE(drover::api::Sample, "metrics.SampledValue", DROVER_FIELD(Name), DROVER_FIELD(Count), DROVER_FIELD(Rate),
                DROVER_FIELD(Sum), DROVER_FIELD(Min), DROVER_FIELD(Max), DROVER_FIELD(Mean), DROVER_FIELD(Stddev), DROVER_FIELD(Labels))
DROVER_DESCRIBE(drover::api::Interval, "metrics.MetricsSummary", DROVER_FIELD(Timestamp), DROVER_FIELD(Gauges), DROVER_FIELD(Points),
                DROVER_FIELD(Counters), DROVER_FIELD(Samples))

namespace drover::api {
namespace {

// "2023-05-12 10:00:00 +0000 UTC"
std::string timestamp(Time t) {
  auto text = format_rfc3339(t);
  return fmt::format("{} {} +0000 UTC", text.substr(0, 10), text.substr(11, 8));
}

Map<std::string> labels(const MetricLabels& from) {
  auto out = Map<std::string>::empty_map();
  for (auto& [key, value] : from) out.set(key, value);
  return out;
}

// The double that prints like the float.
double widened(float value) { return parse_double(fmt::format("{}", value)).value_or(value); }

List<Sample> samples(const std::vector<MetricAggregate>& from) {
  auto out = List<Sample>::empty_list();
  for (auto& a : from)
    out.push_back({a.name, static_cast<int64_t>(a.count), a.rate, a.sum, a.min, a.max, a.mean, a.stddev, labels(a.labels)});
  return out;
}

}  // namespace

Reply metrics_json(Call& call) {
  auto latest = latest_metrics();
  Interval out;
  out.Timestamp = timestamp(latest.start.unset() ? Time::from_unix_seconds(0) : latest.start);
  out.Gauges = List<Gauge>::empty_list();
  for (auto& g : latest.gauges) out.Gauges.push_back({g.name, widened(g.value), labels(g.labels)});
  out.Points = List<Gauge>::empty_list();
  out.Counters = samples(latest.counters);
  out.Samples = samples(latest.samples);
  return call.json(out);
}

Reply metrics_prometheus() {
  return {.body = prometheus_text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace drover::api
