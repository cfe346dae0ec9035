#include "api/metrics_reply.h"

#include <fmt/format.h>

#include "base/metrics.h"
#include "codec/json.h"

namespace drover::api {
namespace {

// "2023-05-12 10:00:00 +0000 UTC"
std::string timestamp(Time t) {
  auto text = format_rfc3339(t);
  return fmt::format("{} {} +0000 UTC", text.substr(0, 10), text.substr(11, 8));
}

void labels(const MetricLabels& from, std::string& out) {
  out += R"(,"Labels":{)";
  bool first = true;
  for (auto& [key, value] : from) {
    if (!std::exchange(first, false)) out += ',';
    json_quote(key, out);
    out += ':';
    json_quote(value, out);
  }
  out += "}}";
}

template <class T, class F>
void list(std::string_view name, const std::vector<T>& from, std::string& out, F values) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":[", name);
  for (auto& m : from) {
    if (&m != from.data()) out += ',';
    out += R"({"Name":)";
    json_quote(m.name, out);
    values(m, out);
    labels(m.labels, out);
  }
  out += ']';
}

void aggregate(const MetricAggregate& a, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"(,"Count":{},"Rate":{},"Sum":{},"Min":{},"Max":{},"Mean":{},"Stddev":{})", a.count,
                 a.rate, a.sum, a.min, a.max, a.mean, a.stddev);
}

}  // namespace

Reply metrics_json(Call&) {
  auto latest = latest_metrics();
  Reply r{.json = true};
  r.body = fmt::format(R"({{"Timestamp":"{}")", timestamp(latest.start.unset() ? Time::from_unix_seconds(0) : latest.start));
  list("Gauges", latest.gauges, r.body,
       [](const MetricGauge& g, std::string& out) { fmt::format_to(std::back_inserter(out), R"(,"Value":{})", g.value); });
  r.body += R"(,"Points":[])";
  list("Counters", latest.counters, r.body, aggregate);
  list("Samples", latest.samples, r.body, aggregate);
  r.body += '}';
  return r;
}

Reply metrics_prometheus() {
  return {.body = prometheus_text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace drover::api
