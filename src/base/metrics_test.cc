#include "base/metrics.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

// One registry for the process: the tests share it and give it a clock that only goes forward.
Time g_now = Time::from_unix_seconds(1'000'000'000);

void configure(MetricsOptions o = {}) {
  g_now = g_now + 120s;
  g_now = Time::from_unix_nanos(g_now.unix_nanos - g_now.unix_nanos % 10'000'000'000);
  o.now = [] { return g_now; };
  configure_metrics(std::move(o));
}

TEST(MetricsTest, TheLastWholeIntervalIsShown) {
  configure({.host = "h"});
  metric_gauge("b.gauge", 1);
  metric_gauge("b.gauge", 2.5, {{"z", "1"}, {"a", "2"}});
  metric_count("c");
  metric_count("c", 3);
  metric_sample("s", 2);
  metric_sample("s", 4);
  g_now = g_now + 10s;
  metric_gauge("b.gauge", 9);
  auto i = latest_metrics();
  ASSERT_EQ(i.gauges.size(), 2u);
  EXPECT_EQ(i.gauges[0].name, "nomad.b.gauge");
  EXPECT_EQ(i.gauges[0].labels, (MetricLabels{{"a", "2"}, {"host", "h"}, {"z", "1"}}));
  EXPECT_EQ(i.gauges[0].value, 2.5f);
  EXPECT_EQ(i.gauges[1].value, 1.0f);
  ASSERT_EQ(i.counters.size(), 1u);
  EXPECT_EQ(i.counters[0].count, 2u);
  EXPECT_EQ(i.counters[0].sum, 4);
  EXPECT_EQ(i.counters[0].rate, 0.4);
  ASSERT_EQ(i.samples.size(), 1u);
  EXPECT_EQ(i.samples[0].mean, 3);
  EXPECT_EQ(i.samples[0].min, 2);
  EXPECT_NEAR(i.samples[0].stddev, 1.41421356, 1e-6);
}

TEST(MetricsTest, PrefixRulesLongestWins) {
  configure({.prefix_filter = {"-nomad.a", "+nomad.a.b"}, .filter_default = false});
  metric_gauge("a.x", 1);
  metric_gauge("a.b.x", 1);
  metric_gauge("other", 1);
  g_now = g_now + 10s;
  metric_gauge("a.b.x", 1);
  auto i = latest_metrics();
  ASSERT_EQ(i.gauges.size(), 1u);
  EXPECT_EQ(i.gauges[0].name, "nomad.a.b.x");
}

TEST(MetricsTest, PrometheusTextForgetsWhatIsOld) {
  configure({.node_in_gauges = "n1"});
  metric_gauge("up-time", 5, {{"k", "a\"b"}});
  metric_count("hits", 2);
  metric_sample("took", 7);
  auto text = prometheus_text();
  EXPECT_NE(text.find("# TYPE nomad_n1_up_time gauge\nnomad_n1_up_time{k=\"a\\\"b\"} 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE nomad_hits counter\nnomad_hits 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("nomad_took{quantile=\"0.5\"} 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("nomad_took_sum 7\nnomad_took_count 1\n"), std::string::npos) << text;
  g_now = g_now + 61s;
  EXPECT_EQ(prometheus_text().find("nomad_hits"), std::string::npos);
}

TEST(MetricsTest, SixIntervalsAreKeptAndOldSeriesAreNot) {
  configure();
  metric_gauge("once", 1);
  for (int i = 0; i < 7; ++i) {
    g_now = g_now + 10s;
    metric_gauge("each", i);
    metric_count("hits");
  }
  auto text = metrics_dump();
  EXPECT_EQ(text.find("nomad.once"), std::string::npos) << text;
  EXPECT_EQ(text.find("'nomad.each': 0.000"), std::string::npos) << text;
  for (int i = 1; i < 7; ++i) EXPECT_NE(text.find("'nomad.each': " + std::to_string(i)), std::string::npos) << text;
  EXPECT_NE(prometheus_text().find("nomad_hits 7\n"), std::string::npos);
}

// What opens an interval also forgets old series, and not the new one.
TEST(MetricsTest, ASeriesMayOpenAnInterval) {
  configure();
  metric_count("opens");
  EXPECT_NE(prometheus_text().find("nomad_opens 1\n"), std::string::npos) << prometheus_text();
  configure();
  metric_sample("opens.too", 3);
  EXPECT_NE(prometheus_text().find("nomad_opens_too_count 1\n"), std::string::npos) << prometheus_text();
}

TEST(MetricsTest, ACounterThatWasForgottenBeginsAnew) {
  configure();
  metric_count("rare", 5);
  g_now = g_now + 61s;
  metric_count("rare", 2);
  EXPECT_NE(prometheus_text().find("nomad_rare 2\n"), std::string::npos) << prometheus_text();
}

}  // namespace
}  // namespace drover
