// Every metric as it is recorded, for sinks that send them on.
#pragma once

#include <functional>

#include "base/metrics.h"

namespace drover {

enum class MetricKind : unsigned char { kGauge, kCounter, kSample };

// Called for every metric that the filter admits, with its full name and all labels, on the thread that records it and
// under the registry's lock: it must be quick and must not record. nullptr ends it.
using MetricTap = std::function<void(MetricKind kind, const std::string& name, double value, const MetricLabels& labels)>;
void set_metric_tap(MetricTap tap);

}  // namespace drover
